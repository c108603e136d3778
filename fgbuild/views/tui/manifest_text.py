"""The manifest editor's words: which field a line is about, what saving would do, what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fgbuild.views import text
from fgbuild.views.tui.desk import Effect, Field, Problem

_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"({_NAME}(?:\s*\.\s*{_NAME})*)"
_HEADER = re.compile(rf"\s*\[\[?\s*{_DOTTED}\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(rf"\s*{_DOTTED}\s*=")
_PART = re.compile(_NAME)


def place(lines: Sequence[str], row: int) -> tuple[str, ...]:
    """The key path that a line is about, () at the file's top: of its own key, or the nearest above, and its table.

    Goes by how lines begin, so that it works while the text is not yet TOML.
    """
    key: tuple[str, ...] = ()
    for line in reversed(lines[: row + 1]):
        if header := _HEADER.fullmatch(line):
            return (*_parts(header[1]), *key)
        if not key and (found := _KEY.match(line)):
            key = _parts(found[1])
    return key


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def field_at(fields: Mapping[str, Field], path: tuple[str, ...]) -> tuple[str, Field] | None:
    """Name and words of the field at a path, or of the nearest around it that the file's format knows."""
    patterns = {tuple(name.replace("[]", "").split(".")): name for name in fields}
    for end in range(len(path), 0, -1):
        for pattern, name in patterns.items():
            if len(pattern) == end and all(want in ("*", part) for want, part in zip(pattern, path)):
                return ".".join(path[:end]), fields[name]
    return None


def beside(fields: Mapping[str, Field], path: tuple[str, ...]) -> list[tuple[str, Field]]:
    """The keys of the table that a path is in, at a path of a table the keys of that."""
    names = {tuple(name.replace("[]", "").split(".")): field for name, field in fields.items()}

    def inside(table: tuple[str, ...]) -> list[tuple[str, Field]]:
        return [
            (pattern[-1], field)
            for pattern, field in names.items()
            if len(pattern) == len(table) + 1 and all(want in ("*", part) for want, part in zip(pattern, table))
        ]

    return next((found for end in range(len(path), -1, -1) if (found := inside(path[:end]))), [])


def kind_words(field: Field) -> str:
    """`whole number 1–1024, default 16`"""
    return f"{field.kind}, default {field.default}" if field.default not in ("", '""') else field.kind


def field_words(name: str, field: Field) -> str:
    """`lora.r: whole number 1–1024, default 16. Rank of the adapter.`"""
    return text.clean(f"{name}: {kind_words(field)}. {field.description}", 600)


def effect_words(effect: Effect) -> str:
    """`Saving reruns lint:train and 3 below, about 6m 20s (lora.r: 16 → 32)`, in one line."""
    run = [entry for entry in effect.entries if entry.get("action") == "run"]
    restored = [entry for entry in effect.entries if entry.get("action") == "cached"]
    if not effect.entries:
        return "Saving makes everything up to date." if effect.changed else "Nothing changes: all is up to date."
    what = ", and ".join(filter(None, [_some("reruns", run), _some("restores", restored)]))
    if not effect.changed:
        anyway = what.replace("reruns", "runs", 1)
        return text.clean(f"Saving reruns nothing more: a build {anyway} anyway{_time(effect, run)}.", 400)
    return text.clean(f"Saving {what}{_time(effect, run)}{_because(effect.entries)}.", 400)


def _some(verb: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """`reruns lint:train and 3 below`: those that are changed themselves by name, and how many follow from them."""
    if not entries:
        return ""
    roots = [str(entry.get("id")) for entry in entries if not _follows(entry)] or [str(entries[0].get("id"))]
    named, rest = roots[:2], len(entries) - len(roots[:2])
    more = f" and {rest} {'below' if len(roots) <= 2 else 'more'}" if rest else ""
    return f"{verb} {', '.join(named) if rest else ' and '.join(named)}{more}"


def _follows(entry: Mapping[str, Any]) -> bool:
    """Whether a stage is to run because one above it is."""
    return any(reason.get("upstream") for reason in entry.get("reasons", ()))


def _time(effect: Effect, run: Sequence[Mapping[str, Any]]) -> str:
    if not run:
        return ""
    guess = " by a guess" if any(entry.get("guessed") for entry in run) else ""
    if effect.seconds is not None:
        return f", about {text.seconds(effect.seconds)}{guess}"
    known = sum(entry.get("predicted_seconds") or 0.0 for entry in run)
    if not known:
        return ", of unknown length"
    unknown = [str(entry.get("id")) for entry in run if entry.get("predicted_seconds") is None]
    without = f"{unknown[0]}, which was" if len(unknown) == 1 else f"{len(unknown)} stages that were"
    return f", at least {text.seconds(known)}{guess} without {without} never measured"


def _because(entries: Sequence[Mapping[str, Any]]) -> str:
    reasons = [str(reason.get("text", "")) for reason in entries[0].get("reasons", ()) if not reason.get("upstream")]
    more = f", and {len(reasons) - 2} more" if len(reasons) > 2 else ""
    return f" ({', '.join(reasons[:2])}{more})" if reasons else ""


def problem_words(problem: Problem) -> str:
    """`line 9  lora.r: must be at least 1`; of another file with its name."""
    if problem.path:
        where = f"{problem.path}:{problem.line}" if problem.line else problem.path
    else:
        where = f"line {problem.line}" if problem.line else "whole file"
    field = f"{problem.field}: " if problem.field else ""
    return text.clean(f"{where}  {field}{problem.message}", 600)
