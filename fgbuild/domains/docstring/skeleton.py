"""A docstring's skeleton, composed from a function's or class's code."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping

from pydoclint.utils.return_yield_raise import getRaisedExceptions, hasYieldStatements
from pydoclint.utils.special_methods import checkIsPropertyMethod

from fgbuild.domains.docstring.checking import returns_something
from fgbuild.domains.docstring.signatures import constructor, parameters
from fgbuild.domains.docstring.styles import Content, Item
from fgbuild.domains.docstring.symbols import Function, Symbol

_QUESTIONS = {"is": "Tell whether this is", "has": "Tell whether this has", "can": "Tell whether this can"}
_STARS: Mapping[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
_MORE: Mapping[object, str] = {
    inspect.Parameter.VAR_POSITIONAL: "More positional arguments.",
    inspect.Parameter.VAR_KEYWORD: "More keyword arguments.",
}
_CAPITALS = frozenset({"api", "csv", "db", "html", "http", "id", "io", "ip", "json", "sql", "url", "xml"})


def skeleton(symbol: Symbol) -> Content:
    """Summary from the name, and a section for each thing that the code has: the check finds nothing wrong with it."""
    if isinstance(symbol.node, ast.ClassDef):
        made = constructor(symbol.node)
        if made is None or ast.get_docstring(made):
            return Content(_summary(symbol))
        return Content(_summary(symbol), parameters=_parameters(made, symbol.node), raises=_raises(_laid_out(made)))
    function = _laid_out(symbol.node)
    yields = hasYieldStatements(function)
    return Content(
        _summary(symbol),
        parameters=_parameters(function, symbol.owner),
        returns=() if yields else _returns(function),
        yields=(Item("", _yielded(function), "The next result."),) if yields else (),
        raises=_raises(function),
    )


def _laid_out(function: Function) -> Function:
    """The same with a line for each statement: pydoclint tells nested functions apart by their lines."""
    (same,) = ast.parse(ast.unparse(function)).body
    assert isinstance(same, Function)
    return same


def _summary(symbol: Symbol) -> str:
    """`load_config` → "Load config."; `CsvWriter` → "CSV writer."; `is_valid` → "Tell whether this is valid."."""
    name = symbol.node.name
    if name == "__init__" and symbol.owner is not None:
        return f"Initialize the {symbol.owner.name}."
    first, *rest = words(name)
    asks = rest and _QUESTIONS.get(first)
    return f"{' '.join([asks or first[0].upper() + first[1:], *rest])}."


def words(name: str) -> list[str]:
    """The words of a name in snake case or camel case, in small letters where they are no abbreviations."""
    found = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)] or [name]
    return [word.upper() if word in _CAPITALS else word for word in found]


def _parameters(function: Function, owner: ast.ClassDef | None) -> tuple[Item, ...]:
    return tuple(
        Item(f"{_STARS.get(each.kind, '')}{each.name}", _written(each.annotation), _described(each))
        for each in parameters(function, owner)
        if each.name.strip("_")
    )


def _described(parameter: inspect.Parameter) -> str:
    if parameter.kind in _STARS:
        return _MORE[parameter.kind]
    default = repr(parameter.default) if parameter.default is not inspect.Parameter.empty else ""
    flag = " flag" if default in ("True", "False") else ""
    ends = f" Defaults to {default}." if default else ""
    return f"The {' '.join(words(parameter.name))}{flag}.{ends}"


def _written(annotation: object) -> str:
    return "" if annotation is inspect.Parameter.empty else repr(annotation)


def _returns(function: Function) -> tuple[Item, ...]:
    if checkIsPropertyMethod(function):
        return ()
    returned = ast.unparse(function.returns) if function.returns else ""
    nothing = returned in ("None", "NoReturn") or (not returned and not returns_something(function))
    return () if nothing else (Item("", returned, "The result."),)


def _yielded(function: Function) -> str:
    """What an annotation like Iterator[int] says of each result."""
    of = function.returns
    if not isinstance(of, ast.Subscript):
        return ""
    each = of.slice.elts[0] if isinstance(of.slice, ast.Tuple) and of.slice.elts else of.slice
    return ast.unparse(each)


def _raises(function: Function) -> tuple[Item, ...]:
    return tuple(
        Item("", name, f"If a {' '.join(words(name)).lower()} occurs.") for name in getRaisedExceptions(function)
    )
