"""Parameters and return types as the source has them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from fgbuild.domains.docstring.symbols import Function, Symbol

_Kind = inspect.Parameter


class _Source:
    """A piece of source code that `inspect` prints as it is."""

    def __init__(self, node: ast.expr) -> None:
        self._text = ast.unparse(node)

    def __repr__(self) -> str:
        return self._text


def signature(symbol: Symbol) -> str:
    """What goes in and what comes out; of a class, what it is made from."""
    node = symbol.node
    if isinstance(node, ast.ClassDef):
        made = constructor(node)
        return str(inspect.Signature(parameters(made, node) if made else _fields(node)))
    returns = _Source(node.returns) if node.returns else inspect.Signature.empty
    return str(inspect.Signature(parameters(node, symbol.owner), return_annotation=returns))


def parameters(function: Function, owner: ast.ClassDef | None) -> list[inspect.Parameter]:
    """A function's parameters, without the one that a method gets by itself."""
    found = [
        _parameter(name, kind, annotation, default) for name, kind, annotation, default in _declared(function.args)
    ]
    static = any(ast.unparse(each) == "staticmethod" for each in function.decorator_list)
    by_itself = owner is not None and not static and (function.args.posonlyargs or function.args.args)
    return found[1:] if by_itself else found


def constructor(node: ast.ClassDef) -> Function | None:
    """A class's own `__init__`."""
    own = [each for each in node.body if isinstance(each, Function) and each.name == "__init__"]
    return own[-1] if own else None


def _declared(of: ast.arguments) -> Iterator[tuple[str, inspect._ParameterKind, ast.expr | None, ast.expr | None]]:
    """Name, kind, annotation and default of each parameter."""
    places = [*of.posonlyargs, *of.args]
    for number, each in enumerate(places):
        kind = _Kind.POSITIONAL_ONLY if number < len(of.posonlyargs) else _Kind.POSITIONAL_OR_KEYWORD
        default = number - len(places) + len(of.defaults)  # the last ones have them
        yield each.arg, kind, each.annotation, of.defaults[default] if default >= 0 else None
    if of.vararg:
        yield of.vararg.arg, _Kind.VAR_POSITIONAL, of.vararg.annotation, None
    for each, value in zip(of.kwonlyargs, of.kw_defaults, strict=True):
        yield each.arg, _Kind.KEYWORD_ONLY, each.annotation, value
    if of.kwarg:
        yield of.kwarg.arg, _Kind.VAR_KEYWORD, of.kwarg.annotation, None


def _parameter(
    name: str, kind: inspect._ParameterKind, annotation: ast.expr | None, default: ast.expr | None
) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        kind,
        default=_Source(default) if default else _Kind.empty,
        annotation=_Source(annotation) if annotation else _Kind.empty,
    )


def _fields(node: ast.ClassDef) -> list[inspect.Parameter]:
    """A dataclass's fields as parameters; none of another class."""
    decorators = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
    if not any(ast.unparse(each).rsplit(".", 1)[-1] == "dataclass" for each in decorators):
        return []
    found = [
        _parameter(each.target.id, _Kind.POSITIONAL_OR_KEYWORD, each.annotation, each.value)
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]
    return sorted(found, key=lambda each: each.default is not _Kind.empty)  # keyword-only fields may have any order
