"""The functions, classes and methods of a project's Python files, and where a dotted name points."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbuild.sandbox.tool import ToolError, inside

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef

_NOT_OURS = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_CLOSE = 0.86
"""Likeness (0 to 1, of difflib) from which a name counts as misspelt; the same letters in another order do, too."""
_NAMED = 3
"""How many places or names an error gives."""


@dataclass(frozen=True)
class Symbol:
    """A function, class or method. file: relative to the project's root. name: dotted within its file.

    number: counted in the order of the source, from 0, over all definitions of the file. owner: a method's class.
    """

    file: str
    name: str
    number: int
    node: Definition
    owner: ast.ClassDef | None

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.node) or ""

    @property
    def path(self) -> str:
        """Its dotted name from the project's root."""
        return f"{self.file.removesuffix('.py').replace('/', '.')}.{self.name}"


@dataclass(frozen=True)
class Module:
    """A Python file, parsed."""

    file: str
    tree: ast.Module
    symbols: Sequence[Symbol]


class _Collector(ast.NodeVisitor):
    """Finds what can be reached by a dotted name: nothing inside functions, no overloads, no setters."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Symbol] = []
        self._count = 0
        self._around: list[Definition] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._define(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._define(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._define(node)

    def _define(self, node: Definition) -> None:
        classes = [each for each in self._around if isinstance(each, ast.ClassDef)]
        if classes == self._around and not _stands_in(node):
            name = ".".join(each.name for each in [*classes, node])
            self.found.append(Symbol(self.file, name, self._count, node, classes[-1] if classes else None))
        self._count += 1
        self._around.append(node)
        self.generic_visit(node)
        self._around.pop()


def _stands_in(node: Definition) -> bool:
    """Whether another definition of the same name carries the docstring: of an overload, or a property's setter."""
    names = {each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in node.decorator_list}
    return not names.isdisjoint({"overload", "setter", "deleter"})


def parsed(root: Path, file: Path) -> Module:
    name = str(file.relative_to(root))
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte
        raise ToolError(f"{name} has a syntax error in line {getattr(error, 'lineno', None) or 1}") from None
    collector = _Collector(name)
    collector.visit(tree)
    return Module(name, tree, collector.found)


def modules(root: Path, path: str) -> list[Module]:
    """The Python files of a file's or folder's path, by name. ToolError where one is not Python."""
    place = inside(root, path)
    if place.is_file() and place.suffix != ".py":
        raise ToolError(f"{path} is no Python file")
    return [parsed(root, file) for file in _files(root, place)]


def _files(root: Path, place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    found = (file for file in place.rglob("*.py") if file.is_file() and not file.is_symlink())
    parts = ((file, file.relative_to(root).parts) for file in found)
    return sorted(
        file for file, all_of in parts if not any(part.startswith(".") or part in _NOT_OURS for part in all_of)
    )


def all_symbols(found: Iterable[Module]) -> Iterator[Symbol]:
    for module in found:
        yield from module.symbols


def find(root: Path, symbol: str, path: str | None = None) -> Symbol:
    """What a dotted name means: `load`, `Loader.run`, or with its module `config.load`; in a file, or in the project.

    ToolError where it is nowhere or in several places; the error names them, or a name that is nearly the same.
    """
    wanted = symbol.removesuffix("()")
    if path is None:
        everything = list(all_symbols(readable(root)))
        found = _named(everything, wanted)
        if not found:
            raise ToolError(f"no {symbol} in the project{_alike(everything, wanted)}")
    else:
        here = list(all_symbols(modules(root, path)))
        found = _named(here, wanted)
        if not found:
            elsewhere = _named(all_symbols(readable(root)), wanted)
            told = f"; it is in {_list(each.file for each in elsewhere)}" if elsewhere else _alike(here, wanted)
            raise ToolError(f"no {symbol} in {path}{told}")
    if len(found) == 1:
        return found[0]
    names = dict.fromkeys(each.name for each in found)
    if len(names) > 1:
        raise ToolError(f"{symbol} may be {_list(names, 'or')}")
    raise ToolError(f"{symbol} is in {_list(each.file for each in found)}; give the path")


def readable(root: Path) -> Iterator[Module]:
    """The project's modules without those that cannot be parsed."""
    for file in _files(root, root):
        try:
            yield parsed(root, file)
        except ToolError:
            continue


def _named(symbols: Iterable[Symbol], wanted: str) -> list[Symbol]:
    """Those whose dotted names end with the wanted one, or of them those that have no other name; each once a file."""
    ends: dict[tuple[str, str], Symbol] = {}
    for symbol in symbols:
        if f".{symbol.path}".endswith(f".{wanted}"):
            ends.setdefault((symbol.file, symbol.name), symbol)
    exact = [each for each in ends.values() if each.name == wanted]
    return exact or list(ends.values())


def _alike(symbols: Iterable[Symbol], wanted: str) -> str:
    """The name that was probably meant, if there is one alone."""
    parts = wanted.count(".") + 1
    names = {".".join(each.path.split(".")[-parts:]) for each in symbols}
    close = set(difflib.get_close_matches(wanted, sorted(names), n=2, cutoff=_CLOSE))
    close |= {name for name in names if sorted(name) == sorted(wanted)}
    return f"; there is {close.pop()}" if len(close) == 1 else ""


def _list(items: Iterable[str], conjunction: str = "and") -> str:
    """At most a few of these, and how many more there are."""
    different = list(dict.fromkeys(items))
    shown, more = different[:_NAMED], len(different) - _NAMED
    if more > 0:
        return f"{', '.join(shown)} {conjunction} {more} more"
    return f" {conjunction} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
