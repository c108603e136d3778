"""The text that the tiny base's vocabulary is learnt from: fixed, so that its ids never move.

Changing anything here changes the tiny base, and with it every digest below it.
"""

from __future__ import annotations

SYNTAX = (
    "developer user model tool call: response: declaration: "
    "description: ,description: ,parameters:{properties:{ {description: {type: ,type: },required:[ ],type: "
    ",enum:[ ,items:{type: ,nullable:true ,default: }} }}, ]} ]}} ],type: }}}} {} [] :true :false :null "
    "STRING INTEGER NUMBER BOOLEAN ARRAY OBJECT NULL string integer number boolean array object null "
    "path: ,path: {path: name: ,name: {name: value: ,value: text: ,text: line: ,line: {line: count: ,count: "
    "limit: ,limit: status: {status: result: {result: error: {error: ok: {ok: files: {files: message: "
    "{message: code: ,code: kind: ,kind: mode: ,mode: query: {query: city: {city: unit: ,unit: color: "
    "{color: room: {room: level: ,level: time: {time: date: ,date: a: ,b: {a: {b: x: ,y: {x: "
)
"""Declarations, calls and responses as FunctionGemma writes them, without control tokens."""

FUNCTION_WORDS = (
    "a about above after again all also always an and another any are as ask at back be because been before "
    "below between both but by can cannot could did do does done down each either else end enough even every "
    "everything few first for found from further get give given go good got had has have here how i if in "
    "instead into is it its just keep know last least less let like look made make many may maybe me means "
    "might more most much must my need needs never new next no none not nothing now of off ok on once one "
    "only or other our out over own part please possible put quite rather right same see seem several shall "
    "should show since so some something soon still such sure take tell than thank thanks that the their "
    "them then there these they thing things this those through to today together too two under until up "
    "upon us use used uses using very want was way we well were what when where whether which while who "
    "whole why will with within without would yes yet you your I'll I'm don't can't it's let's what's"
)

VERBS = (
    "abort accept add adjust aim allow analyse answer append apply archive assign attach average begin book "
    "break bring build calculate call cancel change check choose clean clear close collect combine compare "
    "compile complete compute configure confirm connect contain continue convert copy correct count cover "
    "create cut debug declare decline decrease delete deploy describe detect disable display divide document "
    "double download draw drop edit enable enter estimate evaluate examine exclude execute exist expect "
    "explain export extend extract fail fetch fill filter find finish fit fix flag follow format generate "
    "group handle help hide hold ignore import improve include increase insert inspect install invoke join "
    "jump kill launch learn leave limit link lint list listen load lock log lower map mark match measure "
    "merge miss modify monitor move multiply name note notify offer open order organise overwrite parse "
    "pass pause pick place plan play plot point prepare press print produce profile provide publish pull "
    "push query quit raise range reach read receive record reduce refactor refer reject release reload "
    "remind remove rename render repair repeat replace reply report request require rerun reset resize "
    "resolve restart restore resume return reverse review revert round run sample save scan schedule search "
    "select send separate serve set shift shorten shuffle skip sleep solve sort specify split stage start "
    "stop store submit subtract suggest sum suppress switch sync test toggle touch track train transform "
    "translate trim try turn undo uninstall unlock update upgrade upload validate verify view wait wake "
    "warn watch work wrap write checked running fixed formatted listed opened added removed finished failed"
)

NOUNS = (
    "account action address age alarm amount argument arguments array article author backup balance bar "
    "base batch bathroom bedroom bill block board body bool box branch brightness budget bug button byte "
    "cache calendar camera case category cell chain change channel character chart class code color column "
    "command comment commit component condition config configuration contact content context coverage "
    "currency customer data database dataset date day days declaration default degree delay dependency "
    "description design detail device dictionary diff difference digit directory docs docstring docstrings "
    "document door duplicate email entry environment error errors event example exception expression fan "
    "feature field fields file files filter fixture flag float floor folder font function functions garage "
    "group guess guide hall heading height history home hour hours house id image import imports indent "
    "index info input instance int issue issues item items job json key keys keyword kitchen label language "
    "length letter level library light lights limit line lines link lint list location log logs loop "
    "machine mail main manifest markdown master match measure media memory menu message messages method "
    "minute minutes missing mode model module modules money month morning music name names network night "
    "node noise note notes number numbers object office operation operator option options order output "
    "package packages page parameter parameters parent part password path pattern person phone place plan "
    "player playlist point position price problem problems process product profile project prompt property "
    "python query question queue random range rate reason record records region reminder report repository "
    "request requests resource response result results return returns room root row rows rule rules run "
    "sample samples scale scene schema score screen script search second seconds section seed sensor "
    "sentence series server service session setting settings severity shape sheet shell shop side signal "
    "size song sound source space speed square stage standard start state statement station status step "
    "stock store stream string style subject suite sum summary support switch symbol syntax system tab table "
    "tag target task team temperature template term test tests text theme thermostat thread ticket time "
    "timer times timezone title today token tomorrow tool tools topic total town trace track traffic train "
    "trip tuple type types unit unused update url usage user users utils value values variable variables "
    "version video view violation violations volume warning warnings weather week weight width window wind "
    "word words work year years zone"
)

ADJECTIVES = (
    "able active actual available bad big black blue bright broken busy celsius clean clear closed cold "
    "common correct current dark dead deep different dirty due early easy empty entire exact existing "
    "external extra fahrenheit false fast final fine free fresh full general good great green grey half hard "
    "heavy high hot important inner internal invalid large late latest left light local long loud low many "
    "maximum middle minimum missing modern nearby negative new nice noisy normal obvious odd old open orange "
    "outer overall partial past pink plain positive present private public purple quick quiet random ready "
    "real recent red related remote required round safe sample secret serious severe short similar simple "
    "single slow small soft special specific steady strict strong sunny rainy cloudy snowy sure tall tiny "
    "true typed typical unique unknown unsafe unused upper urgent useful valid verbose warm weak wet white "
    "whole wide wild wrong yellow young zero one two three four five six seven eight nine ten hundred"
)

IDENTIFIERS = (
    "run_tests run_ruff run_lint check_path fix_file format_file list_rules explain_rule get_weather "
    "get_time set_timer set_color turn_on turn_off add_numbers list_files read_file write_file delete_file "
    "search_code find_symbol get_docstring write_docstring sample_rows describe_table get_schema make_rows "
    "count_lines test_file test_name file_path line_number max_count min_value num_rows start_line end_line "
    "src/ src/app.py src/main.py src/utils.py src/models.py src/api.py tests/ tests/test_app.py lib/ docs/ "
    "data/ app/ core/ config/ scripts/ README.md pyproject.toml setup.py __init__.py conftest.py main.py "
    "utils.py models.py views.py cli.py .py .json .toml .csv .txt .md E501 F401 F841 E711 W291 I001 B008 "
    "SIM102 UP006 RUF100 def self return None True False import from class self. -> == != <= >= ** // :: "
    "Alice Bob Carol David Berlin Paris London Tokyo Madrid Rome Oslo Vienna Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday January February March April May June July August September October "
    "November December am pm UTC USD EUR"
)

ENDINGS = ". , ? ! : ; ) ( ' \" ... - _ / \\ = + * < > [ ] { } @ # $ % & | ~ ` ^ 's ing ed es er ly tion .py:"
"""Punctuation and endings that stand against a word."""


def words() -> dict[str, int]:
    """Text to learn from, ▁ for a space, each with its weight."""
    weights: dict[str, int] = {}
    for piece in SYNTAX.split() + ENDINGS.split() + IDENTIFIERS.split():
        weights[piece] = weights.get(piece, 0) + 4
    for text, weight in ((FUNCTION_WORDS, 6), (VERBS, 2), (NOUNS, 2), (ADJECTIVES, 2), (IDENTIFIERS, 2)):
        for word in text.split():
            for form in (word, word.capitalize()):
                spaced = "▁" + form
                weights[spaced] = weights.get(spaced, 0) + (weight if form == word else 1)
    return weights
