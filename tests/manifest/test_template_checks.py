"""Mistakes in a manifest with templates: each is one sentence with its line, found before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifest_sample import PROJECT, line_of

from fgbuild.errors import ManifestError
from fgbuild.manifest import resolve_project

WORDS = ", ".join(f'"word {letter}"' for letter in "abcdefghijklmnopqrstuvwxyz")

MANIFEST = f"""\
schema = 1
name = "notes"

[[tool]]
name = "add_note"
description = "Write a note"
command = ["echo", "{{text}}", ["--pages", "{{pages}}"]]

[tool.parameters]
type = "object"
required = ["text"]
properties.text = {{ type = "string", description = "What it says" }}
properties.pages = {{ type = "integer", description = "How many pages" }}

[[tool]]
name = "find_note"
description = "Find a note"

[tool.parameters]
type = "object"
required = ["word"]
properties.word = {{ type = "string", description = "What it is about" }}

[slots.word]
values = [{WORDS}]

[slots.pages]
range = [1, 40]

[slots.title]
pattern = "{{kind}} about {{word}}"

[slots.kind]
values = ["memo", "letter"]
shared = true

[[scenario]]
name = "add"
kind = "single"
phrasings = [
  "add {{title}}[ on {{pages}} pages]",
  "write {{title}}[, {{pages}} pages]",
  "note {{title}}[ with {{pages}} pages]",
  "put down {{title}}[: {{pages}} pages]",
  "new {{title}}[ of {{pages}} pages]",
]
steps = [
  {{ tool = "add_note", arguments = {{ text = "{{title}}", pages = "{{pages}}" }} }},
]
answer = "Wrote {{step1.output}}[, {{pages}} pages]."

[[scenario]]
name = "find"
kind = "sequence"
phrasings = [
  "find {{word}}",
  "look for {{word}}",
  "search {{word}}",
  "where is {{word}}",
  "get {{word}}",
]
steps = [
  {{ tool = "find_note", arguments = {{ word = "{{word}}" }}, response = {{ found = "{{title}}" }} }},
  {{ tool = "add_note", arguments = {{ text = "{{step1.found}}" }} }},
]
answer = "Found {{step1.found}} for {{word}}."

[[scenario]]
name = "ask"
kind = "clarify"
phrasings = ["add", "write", "note it", "put down", "a new one"]
answer = "What shall it say?"
"""

FIRST = "steps = [\n  {"
FIND = '  { tool = "find_note"'
CASES = [
    # what is written, what is written in its place, the line at fault, the field at fault, words of the message
    ('"add {title}[', '"add {titel}[', '  "add ', "scenario[0].phrasings[0]",
     '{titel} is no slot (did you mean "title"?)'),
    ('"add {title}[', '"add[', '  "add[', "scenario[0].phrasings[0]", "does not name {title}, as the others do"),
    ('"add {title}[', '"add {title}', '  "add ', "scenario[0].phrasings[0]", "has ] without ["),
    ('"add {title}[', '"write {title}[', '  "write {title}[, ', "scenario[0].phrasings[1]",
     "can give the same request"),
    ('"note it"', '"Add."', "phrasings = [", "scenario[2].phrasings[2]", 'the same request as "add" of this scenario'),
    ('"note it"', '" "', "phrasings = [", "scenario[2].phrasings[2]", "is blank"),
    ('"note it"', '"<escape>"', "phrasings = [", "scenario[2].phrasings[2]", "<escape>"),
    (', "a new one"]', "]", "phrasings = [", "scenario[2].phrasings", "has 4, and the eval split gets every 5th"),
    ('"where is {word}"', '"is {word} {step1.found}"', '  "is ', "scenario[1].phrasings[3]",
     "the request comes before all"),
    ('"where is {word}"', '"is {word} {kind}"', '  "is ', "scenario[1].phrasings[3]",
     "no argument, response or answer does"),
    ('tool = "add_note", arguments = { text = "{title}"', 'tool = "ad_note", arguments = { text = "{title}"',
     '  { tool = "ad_', "scenario[0].steps[0].tool", 'did you mean "add_note"?'),
    ('pages = "{pages}" }', 'page = "{pages}" }', "  { tool", "scenario[0].steps[0].arguments.page",
     'has no parameter "page" (did you mean "pages"?)'),
    ('{ text = "{title}", pages', "{ pages", "  { tool", "scenario[0].steps[0].arguments", 'add_note requires "text"'),
    ('text = "{title}"', 'text = "{pages} x"', "  { tool", "scenario[0].steps[0].arguments.text",
     "is left out of some requests"),
    ('pages = "{pages}" }', 'pages = "{title}" }', "  { tool", "scenario[0].steps[0].arguments.pages",
     "does not fit the parameter"),
    ('pages = "{pages}" }', 'pages = "{pages} pages" }', "  { tool", "scenario[0].steps[0].arguments.pages",
     "is not of type 'integer'"),
    ("range = [1, 40]", 'values = [1, "two"]\nshared = true', "  { tool", "scenario[0].steps[0].arguments.pages",
     "'two' is not of type 'integer'"),
    ('text = "{title}"', 'text = "{kind} {title}"', "  { tool", "scenario[0].steps[0].arguments.text",
     "names {kind}, which no phrasing does"),
    ('text = "{title}"', 'text = "{title} {step1.output}"', "  { tool", "scenario[0].steps[0].arguments.text",
     "no response that is there by then"),
    ('text = "{step1.found}"', 'text = "{step1.fund}"', '  { tool = "add_note", arguments = { text = "{step1',
     "scenario[1].steps[1].arguments.text", "the response of step1 has no {step1.fund}; it has found"),
    ('text = "{step1.found}"', 'text = "{step2.output}"', '  { tool = "add_note", arguments = { text = "{step2',
     "scenario[1].steps[1].arguments.text", "no response that is there by then"),
    (', response = { found = "{title}" }', "", FIND, "scenario[1].steps[0]", "find_note has no command"),
    ('found = "{title}"', 'found = "{titel}"', FIND, "scenario[1].steps[0].response", '(did you mean "title"?)'),
    ('"Found {step1.found} for', '"Found {step3.found} for', 'answer = "Found', "scenario[1].answer", "no response"),
    ('"Found {step1.found} for', '"Found {pages} for', 'answer = "Found', "scenario[1].answer",
     "which neither request nor response holds"),
    ("{step1.output}[, {pages}", "{step1.lines}[, {pages}", 'answer = "Wrote', "scenario[0].answer", "it has output"),
    ("[, {pages} pages].\"\n", " {pages}.\"\n", 'answer = "Wrote', "scenario[0].answer", "put that part in [brackets]"),
    ('answer = "What shall it say?"\n', "", "[[scenario]]", "scenario[2].answer", "is missing"),
    ('kind = "clarify"', 'kind = "parallel"', "[[scenario]]", "scenario[2].steps", "has two steps or more, not 0"),
    ('kind = "clarify"', 'kind = "clarify"\nanswered = 0.5', "answered", "scenario[2].answered",
     "always told to its end"),
    ('kind = "clarify"', 'kind = "clarify"\nweight = 0.1', "[[scenario]]", "scenario[0]", "have 5% of the weight"),
    ('name = "ask"', 'name = "find"', 'name = "find"', "scenario[2].name", "is there twice"),
    ("[slots.kind]", "[slots.king]", "pattern", "slots.title.pattern", '{kind} is no slot (did you mean "king"?)'),
    ("[slots.kind]", "[slots.unused]\nvalues = ['a']\n[slots.kind]", "[slots.unused]", "slots.unused", "is never used"),
    ("[slots.kind]", "[slots.kind2]", "[slots.kind2]", "slots.kind2", "cannot name a slot"),
    ("shared = true", "", 'values = ["memo"', "slots.kind.values", "has 2 values, too few to hold some of them out"),
    ("shared = true", 'shared = true\npattern = "{word}"', "[slots.kind]", "slots.kind", "has values and pattern"),
    ('values = ["memo", "letter"]', "", "[slots.kind]", "slots.kind", "has nothing to draw from"),
    ('values = ["memo", "letter"]', 'values = ["memo", "memo"]', "values = [\"memo", "slots.kind.values[1]",
     "is there twice"),
    ('values = ["memo", "letter"]', 'values = ["memo", [1]]', 'values = ["memo', "slots.kind.values", "holds a list"),
    ('values = ["memo", "letter"]', 'file = "no.txt"', "file", "slots.kind.file", "does not exist"),
    ('values = ["memo", "letter"]', 'file = "../x"', "file", "slots.kind.file", "outside the project"),
    ('values = ["memo", "letter"]', 'file = "a\\u0000"', "file", "slots.kind.file", "not a path"),
    ('values = ["memo", "letter"]', 'values = [{ a = "x" }, { b = "y" }]', "values = [{", "slots.kind.values[1]",
     "other keys"),
    ("range = [1, 40]", "range = [40, 1]", "range", "slots.pages.range", "[LOWEST, HIGHEST]"),
    ('pattern = "{kind} about', 'pattern = "{title} about', "pattern", "slots.title.pattern",
     "leads back to {title} itself"),
    ('command = ["echo"', 'command = ["no-such-program"', "command", "tool[0].command[0]", "is not installed here"),
    ('"{text}", [', '"{txt}", [', "command", "tool[0].command[1]", '"txt" (did you mean "text"?)'),
    ('["--pages", "{pages}"]', "3", "command", "tool[0].command", "must hold texts"),
    ("[slots.word]", '[workspace]\nsetup = [["nope"]]\n[slots.word]', "setup", "workspace.setup[0]", "not installed"),
    ("[slots.word]", '[workspace]\nfiles = ["no.sh"]\n[slots.word]', "files", "workspace.files[0]", "does not exist"),
    ("[slots.word]", '[dataset]\ngenerator = "lint"\n[slots.word]', "[slots.word]", "slots",
     'used by generator = "templates"'),
    ("[slots.word]", '[dataset]\ntemplates = ["none"]\n[slots.word]', "templates", "dataset.templates[0]",
     "does not exist"),
    ("[slots.word]", '[dataset]\ntemplates = ["/etc"]\n[slots.word]', "templates", "dataset.templates[0]", "outside"),
    ("[slots.word]", '[dataset]\ntemplates = ["manifests/.."]\n[slots.word]', "schema", "schema", "unknown key"),
]  # fmt: skip


def write(root: Path, text: str = MANIFEST) -> Path:
    (root / "manifests").mkdir(exist_ok=True)
    (root / "fgbuild.toml").write_text(PROJECT, "utf-8")
    (root / "manifests" / "notes.toml").write_text(text, "utf-8")
    return root


def problems(root: Path) -> list[tuple[str, int | None, str, str]]:
    with pytest.raises(ManifestError) as caught:
        resolve_project(root)
    errors = getattr(caught.value, "errors", [caught.value])
    return [(error.path.as_posix(), *problem) for error in errors for problem in error.problems]


def test_the_sample_is_good(tmp_path: Path) -> None:
    resolved = resolve_project(write(tmp_path)).domains["notes"].resolved
    assert resolved["dataset"]["generator"] == "templates"
    assert [scenario["name"] for scenario in resolved["scenario"]] == ["add", "find", "ask"]
    assert "command" not in resolved["tool"][0]
    assert resolved["command"]["add_note"]["command"][0] == "echo"


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), CASES, ids=[f"{c[3]}: {c[4]}" for c in CASES])
def test_a_mistake_is_placed_and_explained(
    tmp_path: Path, old: str, new: str, line: str, field: str, words: str
) -> None:
    text = MANIFEST.replace(old, new, 1)
    assert text != MANIFEST
    found = problems(write(tmp_path, text))
    messages = {name: message for _, _, name, message in found}
    assert field in messages, found
    assert words in messages[field]
    (number,) = {number for _, number, name, message in found if (name, message) == (field, messages[field])}
    assert number is not None
    assert text.splitlines()[number - 1].startswith(line)


def test_a_tool_that_no_scenario_calls_is_a_mistake_unless_rows_may_call_it(tmp_path: Path) -> None:
    tool = '[[tool]]\nname = "burn"\ndescription = "Burn all"\n\n[slots.word]'
    text = MANIFEST.replace("[slots.word]", tool)
    assert [(field, message[:31]) for _, _, field, message in problems(write(tmp_path, text))] == [
        ("tool[2].name", "no scenario calls burn; add one")
    ]
    (tmp_path / "rows.jsonl").write_text("{}\n", "utf-8")
    resolve_project(write(tmp_path, text.replace("[[tool]]", '[dataset]\nfiles = ["rows.jsonl"]\n\n[[tool]]', 1)))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = MANIFEST.replace("find {word}", "find {wort}").replace('tool = "find_note"', 'tool = "fnd"')
    text = text.replace('["memo", "letter"]', '["memo", "memo"]')
    fields = {field for _, _, field, _ in problems(write(tmp_path, text))}
    assert {"scenario[1].phrasings[0]", "scenario[1].steps[0].tool", "slots.kind.values[1]"} <= fields
    assert line_of(text, "[slots.kind]") > 0


def test_a_command_or_a_place_to_run_it_without_templates_is_a_mistake(tmp_path: Path) -> None:
    head = 'dataset.files = ["rows.jsonl"]\n' + MANIFEST[: MANIFEST.index("[slots.word]")]
    (tmp_path / "rows.jsonl").write_text("{}\n", "utf-8")
    found = problems(write(tmp_path, head + '[workspace]\nsetup = [["true"]]\n'))
    assert [field for _, _, field, _ in found] == ["tool[0].command", "workspace"]
    assert all('used by generator = "templates" alone, and it is "none"' in message for *_, message in found)


def test_a_place_to_run_commands_without_a_command_is_a_mistake(tmp_path: Path) -> None:
    text = MANIFEST.replace('command = ["echo", "{text}", ["--pages", "{pages}"]]\n', "")
    text = text.replace('"{pages}" } },', '"{pages}" }, response = { output = "ok" } },')
    text = text.replace('"{step1.found}" } },', '"{step1.found}" }, response = {} },')
    resolve_project(write(tmp_path, text))
    ((_, _, field, message),) = problems(write(tmp_path, text + "[workspace.env]\nA = '1'\n"))
    assert field == "workspace"
    assert "no tool has a command" in message


def test_files_of_one_last_name_cannot_be_copied_to_one_place(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.sh").write_text("", "utf-8")
    text = MANIFEST + '[workspace]\nfiles = ["a/x.sh", "b/x.sh"]\n'
    ((_, _, field, message),) = problems(write(tmp_path, text))
    assert field == "workspace.files[1]"
    assert '"x.sh" is the last name of another one too' in message


def test_a_slot_needs_as_many_values_as_one_request_names(tmp_path: Path) -> None:
    text = MANIFEST.replace('"{kind} about', '"{kind}, {kind2} or {kind3} about')
    ((_, _, field, message),) = problems(write(tmp_path, text))
    assert field == "slots.kind.values"
    assert message.startswith("of 2 values 2 are for the train split and a request needs 3 different ones")
