"""What is refused in rows: calls that the manifest does not have, and what one split has of another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from operator import itemgetter
from sys import intern
from textwrap import shorten
from typing import Any

from fgbuild.domains.sampling import Row, request
from fgbuild.errors import DataError

SHOWN = 80
"""Longest request quoted in a message, characters."""


class CallCheck:
    """Holds generated calls against the manifest's tools: either may have been edited alone."""

    def __init__(self, tools: list[dict[str, Any]]) -> None:
        import jsonschema

        self._validators = {tool["name"]: jsonschema.Draft202012Validator(tool["parameters"]) for tool in tools}

    def __call__(self, row: Row) -> None:
        """Raise DataError for the first call that is not the manifest's."""
        for message in row["messages"]:
            for call in message.get("tool_calls", ()):
                self._check(call["function"]["name"], call["function"]["arguments"], row["scenario"])

    def _check(self, tool: str, arguments: dict[str, Any], scenario: str) -> None:
        if tool not in self._validators:
            raise DataError(
                f"tool {tool}: scenario {scenario} calls it and the manifest does not declare it; "
                "add the [[tool]] or set dataset.generator to another generator"
            )
        error = next(self._validators[tool].iter_errors(arguments), None)
        if error:
            raise DataError(
                f"tool {tool}: scenario {scenario} calls it with arguments its parameters refuse "
                f"({error.message}); bring the manifest's parameters and the generator together"
            )


class Repeats:
    """Finds ids that are not unique, and families and requests that both splits have.

    Give it the eval split's rows first. It keeps the ids of own rows, and of the eval split hashes.
    """

    def __init__(self, own: Iterable[Row]) -> None:
        self._own: dict[str, Row] = {}
        self._held_out: dict[str, dict[int, _Place]] = {label: {} for label in _LABELS}
        for row in own:
            self._refuse_id(row, self._own.setdefault(row["id"], row))

    def check(self, row: Row) -> None:
        """Raise DataError where the row has what another one has, and what only one may have."""
        if "source" not in row and (own := self._own.get(row["id"])):
            self._refuse_id(own, row)
        for label, of in _LABELS.items():
            if not (text := of(row)):
                continue
            known, mark = self._held_out[label], _hash(text)
            if row["split"] == "eval":
                known.setdefault(mark, _place(row))
            elif mark in known:
                self._refuse_leak(label, text, known[mark], _place(row))

    @staticmethod
    def _refuse_id(row: Row, other: Row) -> None:
        """Scores are counted by id, so two rows with one would count as one trajectory."""
        if row is not other:
            raise DataError(f'{place(row)}: id "{row["id"]}" is the id of {place(other)} too; change one of them')

    @staticmethod
    def _refuse_leak(label: str, text: str, *places: _Place) -> None:
        """What is measured must not have been learned: own rows may repeat generated ones."""
        # Of two places an own row's is the one that can be changed.
        (_, earlier), (own, later) = sorted(places, key=itemgetter(0))
        step = "change or remove this row" if own else "set another dataset.seed"
        raise DataError(
            f'{later}: its {label} "{shorten(text, SHOWN, placeholder="…")}" is in the other split too, '
            f"as that of {earlier}; {step}"
        )


_Place = tuple[bool, str]
"""Whether a row is an own one, and where it is from."""
_LABELS: dict[str, Callable[[Row], str]] = {"family": itemgetter("family"), "request": request}


def place(row: Row) -> str:
    """Where a row is from, as messages have it."""
    return str(row.get("source") or f"a generated row of scenario {row['scenario']}")


def _place(row: Row) -> _Place:
    return "source" in row, intern(place(row))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
