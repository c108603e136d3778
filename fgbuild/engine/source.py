"""A Python source file reduced to what decides behaviour: its normalised form and what it imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from blake3 import blake3


@dataclass(frozen=True, slots=True)
class Source:
    """normal: digest without comments, docstrings and formatting. imports: dotted names, absolute.

    A name in `imports` may be a module or an attribute of one; who reads it tells by looking.
    """

    normal: str
    imports: tuple[str, ...]


def read_source(text: bytes, module: str, is_package: bool) -> Source:
    """Source that does not parse counts byte for byte: its worker will say what is wrong with it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return Source(blake3(text).hexdigest(), ())
    imports = tuple(sorted(_imports(tree, module, is_package)))
    for node in ast.walk(tree):
        _drop_strings(node)
    return Source(blake3(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest(), imports)


def _drop_strings(node: ast.AST) -> None:
    """Take out statements that are only a string: docstrings of modules, classes, functions, constants."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            setattr(node, name, [statement for statement in block if not _is_string(statement)])


def _is_string(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _imports(tree: ast.AST, module: str, is_package: bool) -> set[str]:
    package = module if is_package else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                parents = package.split(".")
                kept = parents[: len(parents) - node.level + 1]
                start = ".".join([*kept, node.module] if node.module else kept)
            found.add(start)
            found.update(f"{start}.{alias.name}" for alias in node.names if alias.name != "*")
    return found
