"""Requests of the eval split that are, in other values, nearly those of training rows: docs/decisions/010.

A request is compared as its words, in order, without case and punctuation, and with one mark in place of each value:
what the row's calls take as an argument, and what looks like a value (a path, a number, a quotation). Two are near
copies where one word in five or fewer has to be put in, left out or changed, and the answers call the same tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fgbuild.domains.sampling import Row, called_tools, request
from fgbuild.workers.generating.checks import place

WORDS_A_CHANGE = 5
"""Words of the longer request for each word that may differ. Also the least number of words, values apart, of a
request that is compared: there are only so many ways to say "lint {}"."""

MOST_COMPARED = 2000
"""Rows of the eval split that are compared, evenly spread where there are more: a share of a few per cent is then
known within a point, and memory and time for a training row do not grow with the count."""

MOST_WORDS = 500
"""Words of a request that are compared; so many for each row leave a letter for every word there can be."""

_BATCH = 512
_MARK = "\0"
_UNKNOWN = "\0"
"""Stands for every word that no request of the eval split has."""
_VALUE = re.compile(r"""`[^`]*`|"[^"]*"|(?<!\w)'[^']*'(?!\w)|[^\s\d_/.\\]*(?:\d|[_/.\\](?=\w))\S*""")
_WORD = re.compile(r"\0|[\w']+")


class Said(NamedTuple):
    """What a message needs of a row: its id, where it is from, and its request."""

    id: str
    place: str
    request: str


class Nearness(NamedTuple):
    """compared: rows of the eval split that were looked at. pairs: each of them that is a near copy, in order, with
    the first training row that it is one of."""

    compared: int
    pairs: list[tuple[Said, Said]]

    @property
    def share(self) -> float:
        return len(self.pairs) / self.compared if self.compared else 0.0


@dataclass
class _Group:
    """Requests of the eval split whose answers call the same tools; a request's text has a letter for each word."""

    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


class NearCopies:
    """Compares the rows of the two splits, a batch at a time. eval_rows: how many the eval split has."""

    def __init__(self, eval_rows: int) -> None:
        self._eval_rows = eval_rows
        self._seen = 0
        self._letters = {_MARK: chr(1)}
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._held_out: list[Said] = []
        self._copied: dict[int, Said] = {}
        self._batch: dict[tuple[str, ...], list[tuple[str, Said]]] = {}
        self._waiting = 0

    def hold_out(self, row: Row) -> None:
        """A row of the eval split; all of them before the first training row."""
        number, self._seen = self._seen, self._seen + 1
        if self._eval_rows > MOST_COMPARED and number * MOST_COMPARED % self._eval_rows >= MOST_COMPARED:
            return
        self._held_out.append(_said(row))
        words = wording(row)
        if sum(word != _MARK for word in words) >= WORDS_A_CHANGE:
            group = self._groups.setdefault(tuple(called_tools(row)), _Group())
            group.texts.append("".join(self._letters.setdefault(word, chr(len(self._letters) + 1)) for word in words))
            group.numbers.append(len(self._held_out) - 1)

    def learn(self, row: Row) -> None:
        """A training row."""
        tools = tuple(called_tools(row))
        if tools not in self._groups:
            return
        text = "".join(self._letters.get(word, _UNKNOWN) for word in wording(row))
        self._batch.setdefault(tools, []).append((text, _said(row)))
        self._waiting += 1
        if self._waiting == _BATCH:
            self._compare()

    def found(self) -> Nearness:
        """What has been found, once every row has been given."""
        self._compare()
        pairs = [(self._held_out[number], self._copied[number]) for number in sorted(self._copied)]
        return Nearness(len(self._held_out), pairs)

    def _compare(self) -> None:
        for tools, learned in self._batch.items():
            group = self._groups[tools]
            near = _near([text for text, _ in learned], group.texts)
            for column in near.any(axis=0).nonzero()[0]:
                self._copied.setdefault(group.numbers[column], learned[near[:, column].argmax()][1])
        self._batch.clear()
        self._waiting = 0


def _near(learned: list[str], held_out: list[str]) -> Any:
    """Of each pair whether one is a near copy of the other: booleans, learned × held out.

    The share of words that differ is one whole number by another, in double precision: k / 5k is the same number as
    1 / 5, so that no rounding decides.
    """
    import numpy  # not at the top: processes that only make rows need neither library
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    most = 1 / WORDS_A_CHANGE
    scorer = Levenshtein.normalized_distance
    return cdist(learned, held_out, scorer=scorer, score_cutoff=most, dtype=numpy.float64) <= most


def wording(row: Row) -> list[str]:
    """The first words of a row's request, with a mark for each value."""
    text = request(row)
    for value in sorted(set(_argument_texts(row)), key=lambda value: (-len(value), value)):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f" {_MARK} ", text, flags=re.IGNORECASE)
    return _WORD.findall(_VALUE.sub(f" {_MARK} ", text).casefold())[:MOST_WORDS]


def _argument_texts(row: Row) -> Iterator[str]:
    for message in row["messages"]:
        for call in message.get("tool_calls", ()):
            yield from _texts(call["function"]["arguments"])


def _texts(value: Any) -> Iterator[str]:
    """The texts in a JSON value that are more than space."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _said(row: Row) -> Said:
    return Said(row["id"], place(row), request(row))
