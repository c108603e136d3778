"""Template text: `{slot}` for a value, `[…]` for a part that may be left out, `{{ }} [[ ]]` for the characters.

What a name stands for is a path: the slot or step, then keys of tables and indices of lists
(`{commit.hash}`, `{step1.lines.0}`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|[][{}]|[^][{}]+")
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)*")


class Absent(Exception):
    """A name stands for nothing here: its slot is left out of this request."""


class Unusable(Exception):
    """What was drawn cannot become a trajectory; the message says why."""


@dataclass(frozen=True, slots=True)
class Name:
    """`{path}`."""

    path: str

    @property
    def head(self) -> str:
        """The slot or step."""
        return self.path.partition(".")[0]


Part = str | Name


@dataclass(frozen=True, slots=True)
class Template:
    """Parts in order; each run of them is always there (False) or in brackets (True)."""

    runs: tuple[tuple[bool, tuple[Part, ...]], ...]

    def names(self, optional: bool | None = None) -> Iterator[Name]:
        """The names in it: all of them, or those in (True) or out of (False) brackets."""
        for in_brackets, parts in self.runs:
            if optional in (None, in_brackets):
                yield from (part for part in parts if isinstance(part, Name))

    def variants(self) -> Iterator[tuple[Part, ...]]:
        """Its parts with every choice of the runs in brackets, the shortest first."""
        for taken in product((False, True), repeat=sum(in_brackets for in_brackets, _ in self.runs)):
            yield self._with(taken)

    def choose(self, rng: random.Random) -> tuple[Part, ...]:
        """One of the variants: each run in brackets is there half of the time."""
        return self._with([rng.random() < 0.5 for in_brackets, _ in self.runs if in_brackets])

    def whole(self) -> Name | None:
        """The name that is all of it: its value keeps its type."""
        if len(self.runs) == 1 and len(self.runs[0][1]) == 1 and not self.runs[0][0]:
            part = self.runs[0][1][0]
            return part if isinstance(part, Name) else None
        return None

    def _with(self, taken: Sequence[bool]) -> tuple[Part, ...]:
        choices = iter(taken)
        return tuple(part for in_brackets, parts in self.runs if not in_brackets or next(choices) for part in parts)


def parse(text: str) -> Template:
    """Text as a template. Raises ValueError with a sentence that says what is wrong with it."""
    runs: list[tuple[bool, list[Part]]] = [(False, [])]
    tokens = iter(_TOKEN.findall(text))
    for token in tokens:
        if token in ("{{", "}}", "[[", "]]"):
            _add(runs[-1][1], token[0])
        elif token == "{":
            path, closing = next(tokens, ""), next(tokens, "")
            if closing != "}" or not _PATH.fullmatch(path):
                raise ValueError(f'"{{{path}" is no {{slot}}; close it, or write {{{{ for the character')
            runs[-1][1].append(Name(path))
        elif token == "[":
            if runs[-1][0]:
                raise ValueError("has [ within [ ]; brackets do not nest, and [[ is the character")
            runs.append((True, []))
        elif token == "]":
            if not runs[-1][0]:
                raise ValueError("has ] without [; write ]] for the character")
            runs.append((False, []))
        elif token == "}":
            raise ValueError("has } without {; write }} for the character")
        else:
            _add(runs[-1][1], token)
    if runs[-1][0]:
        raise ValueError("has [ without ]; close it, or write [[ for the character")
    return Template(tuple((in_brackets, tuple(parts)) for in_brackets, parts in runs if parts))


def _add(parts: list[Part], text: str) -> None:
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)


def fill(value: Any, scope: Mapping[str, Any]) -> Any:
    """JSON data with every text in it rendered; entries of tables and lists that name an absent slot are left out.

    scope: slot or step → value. Raises Absent where the value itself is left out, Unusable where a step's response
    does not have what is named.
    """
    if isinstance(value, dict):
        return dict(_present(value.items(), scope))
    if isinstance(value, list):
        return [item for _, item in _present(enumerate(value), scope)]
    return render(parse(value), scope) if isinstance(value, str) else value


def _present(items: Any, scope: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    for key, item in items:
        try:
            yield key, fill(item, scope)
        except Absent:
            continue


def render(template: Template, scope: Mapping[str, Any]) -> Any:
    """The value of a template that is one name alone, else text; brackets are left out with what they name.

    Raises Absent and Unusable, as `fill` does.
    """
    if name := template.whole():
        return look_up(name, scope)
    text = ""
    for in_brackets, parts in template.runs:
        try:
            text += "".join(part if isinstance(part, str) else written(look_up(part, scope)) for part in parts)
        except Absent:
            if not in_brackets:
                raise
    return text


def look_up(name: Name, scope: Mapping[str, Any]) -> Any:
    """What a name stands for. Raises Absent for a slot that is not there, Unusable for a key that is not."""
    head, *keys = name.path.split(".")
    if head not in scope:
        raise Absent(head)
    value = scope[head]
    for key in keys:
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Unusable(f"there is no {{{name.path}}}") from None
    return value


def written(value: Any) -> str:
    """A value within text, as a person writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def request_format(parts: Sequence[Part]) -> tuple[str, dict[str, Name]]:
    """One variant of a phrasing as `str.format` takes it, and its field names."""
    fields: dict[str, Name] = {}
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part.replace("{", "{{").replace("}", "}}")
        else:
            field = part.path.replace(".", "__")
            fields[field] = part
            text += f"{{{field}}}"
    return text, fields
