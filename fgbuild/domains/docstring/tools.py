"""The docstring domain's tools, for real: `ast` and pydoclint read the files of a project, libcst rewrites them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fgbuild.domains.docstring import styles
from fgbuild.domains.docstring.checking import wrong
from fgbuild.domains.docstring.rewriting import with_docstrings
from fgbuild.domains.docstring.signatures import signature
from fgbuild.domains.docstring.skeleton import skeleton
from fgbuild.domains.docstring.styles import STYLES, Style
from fgbuild.domains.docstring.symbols import Symbol, all_symbols, find, modules, readable
from fgbuild.sandbox.tool import ToolError

_SHOWN = 10
"""How many symbols a response names."""
_SETTINGS = (("tool", "pydoclint", "style"), ("tool", "ruff", "lint", "pydocstyle", "convention"))
"""Where pyproject.toml may say which style the project uses."""


def get_signature(root: Path, symbol: str, path: str | None = None) -> dict[str, Any]:
    return {"signature": signature(find(root, symbol, path))}


def read_docstring(root: Path, symbol: str, path: str | None = None) -> dict[str, Any]:
    return {"docstring": find(root, symbol, path).docstring}


def write_docstring(root: Path, symbol: str, path: str | None = None, style: str | None = None) -> dict[str, Any]:
    found = find(root, symbol, path)
    used = _style_of_project(root, found.file) if style is None else _known(style)
    _rewrite(root / found.file, {found.number: styles.write(skeleton(found), used)})
    return {"written": symbol}


def list_undocumented(root: Path, path: str) -> dict[str, Any]:
    bare = [symbol for symbol in all_symbols(modules(root, path)) if not symbol.docstring]
    return {"count": len(bare), "symbols": _names(bare)}


def check_docstrings(root: Path, path: str) -> dict[str, Any]:
    found = [symbol for module in modules(root, path) for symbol in wrong(module)]
    return {"problems": len(found), "symbols": _names(found)}


def convert_style(root: Path, path: str, style: str) -> dict[str, Any]:
    """Docstrings without sections are in every style. One that would lose something stays as it is."""
    used, count = _known(style), 0
    for module in modules(root, path):
        pairs = ((symbol.number, styles.convert(symbol.docstring, used)) for symbol in module.symbols)
        converted = {number: text for number, text in pairs if text is not None}
        if converted:
            _rewrite(root / module.file, converted)
        count += len(converted)
    return {"converted": count}


def _known(style: str) -> Style:
    for known in STYLES:
        if style.casefold() == known:
            return known
    raise ToolError(f"{style} is no style; there are {', '.join(STYLES)}")


def _style_of_project(root: Path, file: str) -> Style:
    """What the project's settings say, or most docstrings of the file, or else of the project; google if none does."""
    from_settings = _from_settings(root / "pyproject.toml")
    if from_settings:
        return from_settings
    everything = list(all_symbols(readable(root)))
    here = [symbol for symbol in everything if symbol.file == file]
    for symbols in (here, everything):
        if common := styles.most_common(styles.style_of(symbol.docstring) for symbol in symbols):
            return common
    return "google"


def _from_settings(file: Path) -> Style | None:
    try:
        settings: Any = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    for keys in _SETTINGS:
        value = settings
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value in STYLES:
            return value
    return None


def _rewrite(file: Path, docstrings: dict[int, str]) -> None:
    file.write_bytes(with_docstrings(file.read_bytes(), docstrings))


def _names(symbols: Sequence[Symbol]) -> str:
    """The first of them; with their module where another of them has the same name."""
    names = [symbol.name for symbol in symbols]
    shown = [
        f"{Path(symbol.file).stem}.{symbol.name}" if names.count(symbol.name) > 1 else symbol.name
        for symbol in symbols[:_SHOWN]
    ]
    return ", ".join([*shown, *(["…"] if len(symbols) > _SHOWN else [])])


TOOLS: dict[str, Callable[..., dict[str, Any]]] = {
    tool.__name__: tool
    for tool in (get_signature, read_docstring, write_docstring, list_undocumented, check_docstrings, convert_style)
}
