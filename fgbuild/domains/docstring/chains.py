"""Sequences: later calls depend on earlier responses, and the last answer is grounded in them."""

from __future__ import annotations

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.turns import checked, checked_answer, listed, style_slots, written
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, calls, result, results, say

DOCUMENT_FIRST = (
    "Document the first undocumented function in {path}.",
    "Can you find the first symbol without a docstring in {path} and write one?",
    "first undocumented in {path}: document it",
    "Please look for undocumented code in {path} and document the first one only.",
    "Take the first thing in {path} that has no docstring and document it.",
    "List what is undocumented in {path}, then write a docstring for the first.",
    "In {path}, write a docstring for the first function that lacks one.",
    "Find one undocumented function in {path} and give it a docstring.",
    "Would you document whatever comes first without docs in {path}?",
    "Write the first missing docstring in {path}.",
    "Start with {path}: find what has no docstring and document only the first.",
    "Could you add a docstring to the first undocumented symbol of {path}?",
    "Pick the first gap in {path}'s docstrings and fill it.",
    "document first missing docstring {path}",
    "Search {path} for missing docstrings and write the first of them.",
    "I have time for one docstring today: find the first undocumented function in {path} and document it.",
    "Which function in {path} is the first without a docstring? Document it.",
    "Get the undocumented functions of {path} and write docs for the first one.",
    "Please fix just the first missing docstring in {path}.",
    "Look through {path}, and document the first function that has no docs.",
    "Add a docstring to the first undocumented thing in {path}",
    "For {path}, find undocumented symbols and document the first of the list.",
    "One docstring is enough for now: the first undocumented symbol in {path}, write it.",
    "Can the first undocumented method in {path} get a docstring?",
    "Find the first function in {path} with no docstring and write it.",
)

DOCUMENT_ALL = (
    "Document everything in {path} that has no docstring.",
    "Can you find all symbols without a docstring in {path} and write them?",
    "all undocumented in {path}: document them",
    "Please look for undocumented code in {path} and document all of it.",
    "Write docstrings for every undocumented function in {path}.",
    "List what is undocumented in {path}, then write a docstring for each.",
    "In {path}, write a docstring for each function that lacks one.",
    "Find all undocumented functions in {path} and give them docstrings.",
    "Would you document whatever has no docs in {path}?",
    "Take all functions in {path} that have no docstring and document them.",
    "Start with {path}: find what has no docstring and document all of it.",
    "Could you add docstrings to all undocumented symbols of {path}?",
    "Fill every gap in {path}'s docstrings.",
    "document all missing docstrings {path}",
    "Search {path} for missing docstrings and write all of them.",
    "I want full coverage: find every undocumented function in {path} and document it.",
    "Which functions in {path} have no docstring? Document them all.",
    "Get the undocumented functions of {path} and write docs for every one.",
    "Please fix every missing docstring in {path}.",
    "Look through {path}, and document every function that has no docs.",
    "Add docstrings to everything undocumented in {path}",
    "For {path}, find undocumented symbols and document the whole list.",
    "Leave nothing without a docstring in {path}: find them and write them all.",
    "Can all undocumented methods in {path} get docstrings?",
    "Find every function in {path} with no docstring and write them.",
)

WRITE_IF_MISSING = (
    "If {symbol} has no docstring, write one.",
    "Does {symbol} have a docstring? If not, write it.",
    "{symbol}: write docstring if missing",
    "Look at the docstring of {symbol} and add one only if it is missing.",
    "Please check whether {symbol} has a docstring, and document it if not.",
    "Write a docstring for {symbol} unless it already has one.",
    "Could you see if {symbol} is documented and write its docstring otherwise?",
    "I'm not sure {symbol} is documented; read it and write the docstring if there is none.",
    "Document {symbol}, but only when it has no docstring yet.",
    "Read {symbol}'s docstring first and write one if it is empty.",
    "Check {symbol} for a docstring, add it if absent",
    "Has {symbol} got a docstring? Write one if it has none.",
    "In case {symbol} lacks a docstring, please add it.",
    "docstring of {symbol} missing? then write it",
    "Only if {symbol} has no docstring, write one for it.",
    "Make sure that {symbol} has a docstring: read it, and write it when missing.",
    "Please add a docstring to {symbol} if it does not have one.",
    "Would you look whether {symbol} has docs and write them if needed?",
    "Don't overwrite anything: write {symbol}'s docstring only if there is none.",
    "See if {symbol} has a docstring and, if it doesn't, write it.",
    "Unless {symbol} is already documented, write its docstring.",
    "Is {symbol} documented? If it isn't, please document it.",
    "Ensure {symbol} has a docstring",
    "I may have forgotten the docstring of {symbol}; check, and write it if so.",
    "When {symbol} has no docstring, write one, otherwise tell me what it says.",
)

CONVERT_THEN_CHECK = (
    "Convert the docstrings in {path} to {style} style, then check them.",
    "Can you change {path} to {Style} docstrings and check that they are correct afterwards?",
    "convert {path} {style}, then check docstrings",
    "Please rewrite the docstrings of {path} in {style} format and verify them after that.",
    "I want {path} in {Style} style; convert it and then check its docstrings.",
    "First convert {path} to {style} docstrings, then look for wrong ones.",
    "Could you switch {path} to {style} style and then check whether the docstrings are right?",
    "Migrate {path} to {Style} docstrings and check the result.",
    "{path}: make docstrings {style} and check them",
    "Turn the docstrings in {path} into {style} ones and then check them for errors.",
    "Switch the docstring style of {path} to {style}, afterwards check {path}.",
    "Would you convert {path} to {Style} style, and then tell me which docstrings are wrong?",
    "Our team moved to {style}: convert {path} and check the docstrings when done.",
    "to {style} style with {path}, then a docstring check",
    "Convert {path} to {Style} docstrings, then see if any of them are out of date.",
    "Reformat the docstrings in {path} as {style} and validate them afterwards.",
    "After converting {path} to {style} style, check its docstrings.",
    "Do two things: convert {path} to {Style} docstrings, and check that they match the code.",
    "Make the docstrings of {path} {style} style and then verify them, please.",
    "Change the docstrings in {path} to {style} and check them.",
    "Please convert {path} to {Style} format and follow up with a docstring check.",
    "How about moving {path} to {style} docstrings and then checking them?",
    "Restyle {path} to {style}, then find wrong docstrings in it.",
    "Once {path} is converted to {Style} style, check the docstrings for mistakes.",
    "Bring {path} to {style} style and then check the docstrings, please.",
)

READ_FIRST_WRONG = (
    "Find the first wrong docstring in {path} and show it to me.",
    "Which docstring in {path} is the first out of date one, and what does it say?",
    "first stale docstring in {path}: show it",
    "Please check the docstrings in {path} and read me the first wrong one.",
    "Check {path} for outdated docstrings, then show the first of them.",
    "In {path}, find a docstring that is incorrect and print the first you find.",
    "Could you check the docstrings of {path} and quote the first bad one?",
    "I think a docstring in {path} is wrong; find the first and read it to me.",
    "Look for wrong docstrings in {path} and display the first.",
    "Check the docstrings in {path} and show me the first that is wrong.",
    "Verify the docstrings of {path}, then read the first one with a problem.",
    "What does the first incorrect docstring in {path} say?",
    "Show the first docstring in {path} that no longer matches the code.",
    "check docstrings {path}, read first wrong one",
    "Would you find the first outdated docstring in {path} and show what it says?",
    "Review the docstrings in {path} and let me see the first wrong one.",
    "Go through {path}, find docstrings that are out of date and read out the first.",
    "Can I see the first stale docstring of {path}?",
    "Report wrong docstrings in {path} and then print the text of the first.",
    "Please show me the first docstring in {path} that is out of date.",
    "Find what is wrong with the docstrings in {path} and open the first bad docstring.",
    "I'd like to read the first incorrect docstring in {path}.",
    "For {path}: check all docstrings and show the text of the first wrong one.",
    "Does {path} have wrong docstrings? Show me the first.",
    "Check {path} and read the first docstring that is wrong.",
)

DOCUMENT_FIRST_STYLED_AND_CHECK = (
    "Document the first undocumented function in {path} in {style} style, then check the docstrings.",
    "Can you find the first symbol without a docstring in {path}, write a {Style} one, and check {path} after?",
    "first undocumented in {path}: document it in {style} style, then check docstrings",
    "Please write a {style} docstring for the first undocumented symbol in {path} and check the result.",
    "Take the first thing in {path} with no docstring, document it the {Style} way, and then check the docstrings.",
    "List what is undocumented in {path}, write a {style} docstring for the first, then verify the docstrings.",
    "In {path}, give the first function without docs a {Style} docstring and check all docstrings afterwards.",
    "Find one undocumented function in {path}, add a {style} docstring, then check {path}.",
    "Would you document the first gap in {path} in {Style} format and check the docstrings after that?",
    "Write the first missing docstring in {path} in {style} style and then check the docstrings.",
    "Start with {path}: {style} docstring for the first undocumented symbol, then a docstring check.",
    "Could you add a {Style} docstring to the first undocumented symbol of {path} and verify the docstrings?",
    "Pick the first gap in {path}'s docstrings, fill it in {style} style, and check that all is correct.",
    "document first missing docstring {path} {style} and check",
    "Search {path} for missing docstrings, write the first in {style} style, and check the docstrings.",
    "Which function in {path} is the first without a docstring? Document it in {Style} style and check.",
    "Get the undocumented functions of {path}, write {style} docs for the first one, then check the docstrings.",
    "Please fix just the first missing docstring in {path} with {style} style, then verify {path}.",
    "Using {Style} style, document the first undocumented function of {path}, then check its docstrings.",
    "Look through {path}, document the first function without docs in {style} style, and check the docstrings.",
    "Add a {style} docstring to the first undocumented thing in {path}, check afterwards",
    "For {path}: find what has no docstring, document the first in {Style} format, check the docstrings.",
    "The first undocumented symbol in {path} needs a {style} docstring; write it and check the docstrings.",
    "Can the first undocumented method in {path} get a {Style} docstring, followed by a docstring check?",
    "Find the first function in {path} with no docstring, write it in {style} style and check the docstrings.",
)


def _document_first(d: Draw) -> Episode:
    path, symbols = d.pick(values.FILES), d.sample(values.SYMBOLS, d.choice((1, 2, 3)))
    turns = [
        call("list_undocumented", path=path),
        listed(symbols),
        call("write_docstring", symbol=symbols[0], path=path),
        written(symbols[0]),
        say(f"Documented {symbols[0]}."),
    ]
    return Episode({"path": path}, turns)


def _document_all(d: Draw) -> Episode:
    path, symbols = d.pick(values.FILES), d.sample(values.SYMBOLS, d.choice((1, 2, 2)))
    turns = [
        call("list_undocumented", path=path),
        listed(symbols),
        calls(*(("write_docstring", {"symbol": symbol, "path": path}) for symbol in symbols)),
        results(*(("write_docstring", {"written": symbol}) for symbol in symbols)),
        say(f"Documented {' and '.join(symbols)}."),
    ]
    return Episode({"path": path}, turns)


def _write_if_missing(d: Draw) -> Episode:
    symbol = d.pick(values.SYMBOLS)
    turns = [call("read_docstring", symbol=symbol)]
    if d.chance(0.65):
        turns += [
            result("read_docstring", docstring=""),
            call("write_docstring", symbol=symbol),
            written(symbol),
            say(f"Documented {symbol}."),
        ]
    else:
        text = d.pick(values.SUMMARIES)
        turns += [result("read_docstring", docstring=text), say(f"It says: {text}")]
    return Episode({"symbol": symbol}, turns)


def _convert_then_check(d: Draw) -> Episode:
    path, style = d.pick(values.PATHS), d.choice(values.STYLES)
    wrong = d.sample(values.SYMBOLS, d.choice((0, 1, 2)))
    turns = [
        call("convert_style", path=path, style=style),
        result("convert_style", converted=d.number(2, 60)),
        call("check_docstrings", path=path),
        checked(wrong),
        say(checked_answer(wrong)),
    ]
    return Episode({"path": path, **style_slots(style)}, turns)


def _read_first_wrong(d: Draw) -> Episode:
    path, symbols = d.pick(values.FILES), d.sample(values.SYMBOLS, d.choice((1, 2, 3)))
    text = d.pick(values.SUMMARIES)
    turns = [
        call("check_docstrings", path=path),
        checked(symbols),
        call("read_docstring", symbol=symbols[0], path=path),
        result("read_docstring", docstring=text),
        say(f"It says: {text}"),
    ]
    return Episode({"path": path}, turns)


def _document_first_styled_and_check(d: Draw) -> Episode:
    path, style = d.pick(values.FILES), d.choice(values.STYLES)
    symbols = d.sample(values.SYMBOLS, d.choice((1, 2, 3)))
    wrong = d.sample(values.SYMBOLS, d.choice((0, 0, 1)))
    turns = [
        call("list_undocumented", path=path),
        listed(symbols),
        call("write_docstring", symbol=symbols[0], path=path, style=style),
        written(symbols[0]),
        call("check_docstrings", path=path),
        checked(wrong),
        say(checked_answer(wrong)),
    ]
    return Episode({"path": path, **style_slots(style)}, turns)


SCENARIOS = (
    Scenario("document_first", "sequence", _document_first, DOCUMENT_FIRST, weight=1.0),
    Scenario("document_all", "sequence", _document_all, DOCUMENT_ALL, weight=1.0),
    Scenario("write_if_missing", "sequence", _write_if_missing, WRITE_IF_MISSING, weight=1.1),
    Scenario("convert_then_check", "sequence", _convert_then_check, CONVERT_THEN_CHECK, weight=1.0),
    Scenario("read_first_wrong", "sequence", _read_first_wrong, READ_FIRST_WRONG, weight=1.0),
    Scenario(
        "document_first_styled_and_check",
        "sequence",
        _document_first_styled_and_check,
        DOCUMENT_FIRST_STYLED_AND_CHECK,
        weight=0.7,
    ),
)
