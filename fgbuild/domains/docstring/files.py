"""Requests about the docstrings of a file or folder: list what lacks one, check them, convert them."""

from __future__ import annotations

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.turns import (
    checked,
    checked_answer,
    listed,
    listed_answer,
    style_slots,
)
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, calls, maybe_answered, result, results, say

UNDOCUMENTED = (
    "List everything in {path} that has no docstring.",
    "Which functions in {path} are undocumented?",
    "undocumented {path}",
    "Could you tell me what is missing a docstring in {path}?",
    "I want to know which parts of {path} nobody documented.",
    "Find functions without docstrings in {path}",
    "What in {path} still lacks documentation?",
    "Please show the undocumented code in {path}.",
    "{path}: what has no docs?",
    "Are there undocumented functions or classes in {path}?",
    "Search {path} for missing docstrings.",
    "Is anything in {path} without a docstring?",
    "We aim for full docstring coverage, so list the gaps in {path}.",
    "missing docstrings in {path}",
    "Show me all symbols in {path} that have no docstring.",
    "Go through {path} and list the functions that lack a docstring.",
    "What did we forget to document in {path}?",
    "Can you find undocumented classes and functions in {path}, please?",
    "{path} missing docstrings",
    "Report which functions of {path} have no documentation.",
    "In {path}, which methods have no docstring?",
    "I suspect that {path} is poorly covered, list what has no docstring.",
    "Get a list of undocumented symbols from {path}.",
    "How many functions in {path} have no docstring?",
    "Look in {path} for code without docs.",
    "list undocumented in {path}",
    "Does {path} contain anything undocumented?",
    "Check what is left without a docstring in {path}.",
    "The linter says docstrings are missing in {path}, which ones?",
    "I'd like a list of what is not documented in {path}.",
    "Tell me which functions of {path} lack docs.",
    "Can you list the symbols without docstrings in {path}?",
    "no docstring {path}",
    "Give me everything undocumented in {path}.",
    "Which code in {path} has no docstring?",
    "Scan {path} for undocumented functions.",
    "We need docs everywhere; what is missing in {path}?",
    "Please look through {path} for functions nobody documented.",
    "What is undocumented in {path}?",
    "Show what lacks a docstring in {path}.",
)

CHECK = (
    "Check the docstrings in {path}.",
    "Are the docstrings in {path} up to date?",
    "check docstrings {path}",
    "Could you verify that the docstrings in {path} match the code?",
    "I changed some arguments in {path}, are its docstrings still right?",
    "Find wrong docstrings in {path}",
    "Which docstrings in {path} are out of date?",
    "Please look for stale docstrings in {path}.",
    "{path}: docstrings correct?",
    "Do the docstrings in {path} still agree with the code?",
    "Validate the docstrings of {path}.",
    "Is any docstring in {path} wrong?",
    "After the refactoring I worry that the docstrings in {path} are outdated.",
    "stale docstrings in {path}",
    "Can you check whether the docstrings in {path} are accurate?",
    "Go through {path} and report docstrings that are incorrect.",
    "Which docstrings in {path} no longer fit the code?",
    "Can you review the docstrings of {path} for mistakes, please?",
    "{path} check docstrings",
    "Find docstrings in {path} that are out of date.",
    "In {path}, which docstrings have errors?",
    "I don't trust the docstrings in {path}, please verify them.",
    "Report outdated docstrings from {path}.",
    "Did someone forget to update the docstrings in {path}?",
    "Look in {path} for docstrings that are not correct any more.",
    "verify docstrings {path}",
    "Does {path} contain incorrect docstrings?",
    "Test the docstrings in {path} against the code.",
    "Parameters were renamed in {path}; which docstrings are wrong now?",
    "I'd like the docstrings in {path} checked.",
    "Please make sure the docstrings in {path} are right.",
    "Which docstrings of {path} are inaccurate?",
    "outdated docstrings {path}",
    "Inspect the docstrings in {path} for errors.",
    "Can you look for docstrings in {path} that no longer match?",
    "See if the docstrings in {path} are still correct.",
    "The code of {path} changed a lot, so check its docstrings.",
    "Are there any outdated docstrings in {path}?",
    "Review {path} for wrong docstrings.",
    "Show me which docstrings in {path} are wrong.",
)

CONVERT = (
    "Convert the docstrings in {path} to {style} style.",
    "Can you change the docstrings of {path} to {Style} style?",
    "convert {path} {style}",
    "Could you rewrite all docstrings in {path} in {style} format, please?",
    "I want the docstrings in {path} to follow the {Style} convention.",
    "Switch {path} to {style} docstrings",
    "Would you turn the docstrings in {path} into {style} ones?",
    "Please migrate the docstrings of {path} to {Style}.",
    "{path}: make the docstrings {style}",
    "Reformat every docstring in {path} as {style}.",
    "Change the docstring style of {path} to {style}.",
    "Can the docstrings in {path} be converted to {Style} format?",
    "Our team moved to {style} docstrings, please convert {path}.",
    "docstrings of {path} to {style}",
    "Please switch the docstring style in {path} to {style}.",
    "Use {style} style for all existing docstrings in {path}.",
    "How about rewriting the docstrings of {path} in {style} style?",
    "The docstrings in {path} are in the wrong style, make them {Style}.",
    "Translate the docstring format of {path} into {style}.",
    "{style} is what we agreed on, so bring the docstrings of {path} in line with it.",
    "In {path}, convert all docstrings to {Style} style.",
    "I'd like {path} converted to {style} docstrings.",
    "Restyle the docstrings of {path} to {style}",
    "Can you move {path} over to {Style} docstrings?",
    "Rewrite the docstrings in {path} using {style} style.",
    "{path} to {style} style",
    "Transform the existing docstrings in {path} into {Style} format.",
    "Make {path} use {style} docstrings throughout.",
    "Bring all docstrings in {path} into {style} style, please.",
    "All docstrings in {path} should be in {Style} format, please convert them.",
    "Please reformat the docstrings of {path} to {Style} style.",
    "Could you switch all docstrings in {path} to {style}?",
    "{style} style for {path}",
    "Change {path} from its current docstring style to {style}.",
    "Make every docstring in {path} follow {Style} style.",
    "I need {path} in {style} docstring format.",
    "From now on {path} uses {Style} docstrings, convert it.",
    "Can you restyle {path} in {style} format?",
    "Turn {path}'s docstrings into {style} format.",
    "We prefer {Style}; rewrite the docstrings in {path}.",
)

TWO_LISTS = (
    "List everything without a docstring in {path} and {other}.",
    "Which functions in {path} and {other} are undocumented?",
    "undocumented {path} {other}",
    "Could you tell me what is missing a docstring in {path} and also in {other}?",
    "I want to know what nobody documented in {path} and {other}.",
    "Find functions without docstrings in both {path} and {other}",
    "What still lacks documentation in {path} and {other}?",
    "Please show the undocumented code of {path} and of {other}.",
    "{path}, {other}: what has no docs?",
    "Are there undocumented functions in {path} or {other}?",
    "Search {path} and {other} for missing docstrings.",
    "Is anything in {path} or in {other} without a docstring?",
    "We aim for full coverage, so list the missing docstrings in {path} and in {other}.",
    "missing docstrings in {path} and {other}",
    "Show me what has no docstring in {path} and {other}.",
    "Go through {path} and {other} and list functions that lack a docstring.",
    "What did we forget to document in {path} and {other}?",
    "Can you find undocumented classes in {path} and {other}, please?",
    "{path} and {other} missing docstrings",
    "Report the functions of {path} and {other} that have no documentation.",
    "In {path} and in {other}, which methods have no docstring?",
    "I suspect {path} and {other} are poorly covered, list what has no docstring.",
    "Get the undocumented symbols from {path} and {other}.",
    "How many functions in {path} and {other} have no docstring?",
    "Look in both {path} and {other} for code without docs.",
)


def _some_symbols(d: Draw) -> list[str]:
    return d.sample(values.SYMBOLS, d.choice((0, 1, 2, 2)))


def _undocumented(d: Draw) -> Episode:
    path, symbols = d.pick(values.PATHS), _some_symbols(d)
    request = call("list_undocumented", path=path)
    return maybe_answered(d, {"path": path}, request, listed(symbols), listed_answer(symbols))


def _check(d: Draw) -> Episode:
    path, symbols = d.pick(values.PATHS), _some_symbols(d)
    request = call("check_docstrings", path=path)
    return maybe_answered(d, {"path": path}, request, checked(symbols), checked_answer(symbols))


def _convert(d: Draw) -> Episode:
    path, style, count = d.pick(values.PATHS), d.choice(values.STYLES), d.number(2, 60)
    return maybe_answered(
        d,
        {"path": path, **style_slots(style)},
        call("convert_style", path=path, style=style),
        result("convert_style", converted=count),
        f"Converted {count} docstrings to {style} style.",
    )


def _two_lists(d: Draw) -> Episode:
    paths = d.sample(values.PATHS, 2)
    turns = [calls(*(("list_undocumented", {"path": path}) for path in paths))]
    if d.chance(0.5):
        found = d.sample(values.SYMBOLS, 2)
        turns.append(results(*(("list_undocumented", {"count": 1, "symbols": name}) for name in found)))
        turns.append(say(f"Undocumented: {found[0]} in {paths[0]}, {found[1]} in {paths[1]}."))
    return Episode({"path": paths[0], "other": paths[1]}, turns)


SCENARIOS = (
    Scenario("undocumented", "single", _undocumented, UNDOCUMENTED),
    Scenario("check", "single", _check, CHECK),
    Scenario("convert", "single", _convert, CONVERT),
    Scenario("two_lists", "parallel", _two_lists, TWO_LISTS, weight=1.3),
)
