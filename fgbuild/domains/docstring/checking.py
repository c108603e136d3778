"""Docstrings that are wrong, by pydoclint."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pydoclint.utils.return_yield_raise import hasBareReturnStatements, hasReturnStatements, hasYieldStatements
from pydoclint.visitor import Visitor

from fgbuild.domains.docstring.signatures import constructor
from fgbuild.domains.docstring.styles import STYLES, Style, style_of
from fgbuild.domains.docstring.symbols import Function, Module, Symbol

_UNREADABLE, _NO_RETURNS, _NO_GENERATOR = 1, 201, 403
_WRONG = frozenset(
    {_UNREADABLE, 101, 102, 103, 104, _NO_RETURNS, 202, 302, 303, 306, 307, 402, _NO_GENERATOR, 501, 502, 503}
)
"""pydoclint's codes (DOC101 …) for what is false or missing; the others are about taste, as where types are written."""


def wrong(module: Module) -> list[Symbol]:
    """The symbols whose docstrings have sections that do not fit the code, in the order of the source.

    Each docstring is checked in its own style. One without sections says nothing that could be checked.
    """
    styles = {symbol.number: style_of(symbol.docstring) for symbol in module.symbols}
    at = {line: symbol for symbol in module.symbols if styles[symbol.number] is not None for line in _lines(symbol)}
    found = {
        at[line].number
        for style in STYLES
        if style in styles.values()
        for line in _reported(module.tree, style, at)
        if line in at and styles[at[line].number] == style
    }
    return [symbol for symbol in module.symbols if symbol.number in found]


def _lines(symbol: Symbol) -> list[int]:
    """Where pydoclint reports a symbol's docstring: a class's also at its `__init__` that has none."""
    made = constructor(symbol.node) if isinstance(symbol.node, ast.ClassDef) else None
    return [symbol.node.lineno, *([made.lineno] if made and not ast.get_docstring(made) else [])]


def _reported(tree: ast.Module, style: Style, at: dict[int, Symbol]) -> Iterator[int]:
    """Lines of the code that has a wrong docstring, if the docstring is in this style."""
    visitor = Visitor(
        style=style,
        allowInitDocstring=True,
        checkReturnTypes=False,
        checkYieldTypes=False,
        checkClassAttributes=False,
    )
    visitor.visit(tree)
    for violation in visitor.violations:
        if violation.code in _WRONG and not _excused(violation.code, at.get(violation.line)):
            yield violation.line


def _excused(code: int, symbol: Symbol | None) -> bool:
    """Whether pydoclint takes a function without a return annotation for something else than it is."""
    if symbol is None or isinstance(symbol.node, ast.ClassDef) or symbol.node.returns is not None:
        return False
    if code == _NO_GENERATOR:
        return hasYieldStatements(symbol.node)
    return code == _NO_RETURNS and not returns_something(symbol.node)


def returns_something(function: Function) -> bool:
    """Whether a function without a return annotation returns more than None."""
    return hasReturnStatements(function) and not hasBareReturnStatements(function)
