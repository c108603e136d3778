"""Calls, tool responses and final answers that the docstring scenarios share."""

from __future__ import annotations

from collections.abc import Sequence

from fgbuild.domains.docstring import values
from fgbuild.domains.scenario import Message, result

WHICH_FILE = "Which file should I look at?"
WHICH_SYMBOL = "Which function or class do you mean?"
WHICH_STYLE = "Which style: google, numpy or sphinx?"
NO_TOOL = "None of my tools can do that."


def style_slots(style: str) -> dict[str, str]:
    """The two spellings a request may use: the tool's own, and the one of running text."""
    return {"style": style, "Style": values.STYLE_TITLES[style]}


def listed(symbols: Sequence[str]) -> Message:
    """list_undocumented's response."""
    return result("list_undocumented", count=len(symbols), symbols=", ".join(symbols))


def listed_answer(symbols: Sequence[str]) -> str:
    return f"Undocumented: {', '.join(symbols) or 'none'}."


def checked(symbols: Sequence[str]) -> Message:
    """check_docstrings' response: the symbols whose docstrings do not match the code."""
    return result("check_docstrings", problems=len(symbols), symbols=", ".join(symbols))


def checked_answer(symbols: Sequence[str]) -> str:
    return f"Wrong docstrings: {', '.join(symbols) or 'none'}."


def written(symbol: str) -> Message:
    """write_docstring's response."""
    return result("write_docstring", written=symbol)
