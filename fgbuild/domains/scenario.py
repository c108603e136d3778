"""Seeded scenarios: what a domain says about itself, and how trajectories are drawn from it.

A domain module defines `SCENARIOS`, a tuple of `Scenario`. Each has phrasings (the user's
request with `{slot}`s; every phrasing is one *template family*) and a function that, given a
`Draw`, makes an `Episode`: the slot values and the turns that follow the request.

What is held out for the eval split: a fifth of each scenario's phrasings (by index), and a quarter
of every value taken with `Draw.pick`, `Draw.sample` or, from a range of twelve or more, `Draw.number`
(by a stable hash of the value). What is not: `Draw.choice` and short ranges, which both splits
share, and values put together from picked ones (a file's name in a tool's response), which are
held out only where a domain's pools see to it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from fgbuild.domains.session import Session

Split = Literal["train", "eval"]
Kind = Literal["single", "parallel", "sequence", "clarify", "decline"]
Message = dict[str, Any]

NO_TOOL = "None of my tools can do that."
"""What a model answers where no tool fits, in every built-in domain and where a tool list lacks the one asked for."""

EVAL_FAMILY_EVERY = 5
"""Phrasing i of a scenario is held out for the eval split when i % 5 == 4."""


def call(name: str, **arguments: Any) -> Message:
    """An assistant turn with one tool call. Arguments given as None are left out."""
    return calls((name, arguments))


def calls(*pairs: tuple[str, Mapping[str, Any]]) -> Message:
    """An assistant turn with parallel tool calls, as (name, arguments) pairs."""
    return {
        "role": "assistant",
        "tool_calls": [
            {
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": {key: value for key, value in arguments.items() if value is not None},
                },
            }
            for name, arguments in pairs
        ],
    }


def result(name: str, **response: Any) -> Message:
    """A tool's response."""
    return results((name, response))


def results(*pairs: tuple[str, Mapping[str, Any]]) -> Message:
    """The responses to parallel calls, in the order of the calls."""
    return {
        "role": "tool",
        "content": [{"name": name, "response": dict(response)} for name, response in pairs],
    }


def say(text: str) -> Message:
    """An assistant turn in words: the final answer, a clarifying question, or a refusal."""
    return {"role": "assistant", "content": text}


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def plain(path: str) -> str:
    """A path as tools print it: `./src/` → `src`."""
    return path.removeprefix("./").rstrip("/") or "."


def belongs_to_eval(value: Any) -> bool:
    """Whether a pool value is the eval split's: one in four, by a hash that never changes."""
    return hashlib.sha256(repr(value).encode()).digest()[0] % 4 == 0


class Draw:
    """A seeded source of values for one trajectory of one split.

    family: the phrasing that the request will have, by index; most scenarios say the same to all of them.
    """

    def __init__(self, rng: random.Random, split: Split, family: int = 0) -> None:
        self.rng = rng
        self.split: Split = split
        self.family = family

    def pick(self, pool: Sequence[Any]) -> Any:
        """One value of a pool, from this split's part of it: paths, symbols, numbers, free words.

        A pool should have twenty values or more; ValueError where this split's part is empty. Small
        closed sets (enum values) are `choice`s: the model cannot be asked for one that it never saw.
        """
        for _ in range(64):  # one value in four is the eval split's: in a large pool this hardly ever fails
            value = self.rng.choice(pool)
            if belongs_to_eval(value) == (self.split == "eval"):
                return value
        part = self._part(pool)
        if not part:
            raise ValueError(f"of {len(pool)} values none is the {self.split} split's; a pool needs twenty or more")
        return self.rng.choice(part)

    def choice(self, values: Sequence[Any]) -> Any:
        """One of a small closed set that both splits share."""
        return self.rng.choice(list(values))

    def sample(self, pool: Sequence[Any], count: int) -> list[Any]:
        """`count` different values of this split's part of a pool; ValueError where it has fewer."""
        part = self._part(pool)
        if len(part) < count:
            raise ValueError(
                f"of {len(pool)} values {len(part)} are the {self.split} split's, too few for a sample of {count}; "
                "widen the pool"
            )
        return self.rng.sample(part, count)

    def number(self, low: int, high: int) -> int:
        """A whole number from low to high, both included; the splits get different ones of twelve or more."""
        numbers = range(low, high + 1)
        return int(self.rng.choice(numbers)) if len(numbers) < 12 else int(self.pick(numbers))

    def _part(self, pool: Sequence[Any]) -> list[Any]:
        return [value for value in pool if belongs_to_eval(value) == (self.split == "eval")]

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability


@dataclass(frozen=True)
class Episode:
    """What follows one request: the phrasing's slot values, and the turns after it.

    turns alternate assistant / tool and end with an assistant turn. A single call may end
    right after its call, or go on with the tool's response and a final answer.
    phrasing: the request with {slots}, where it is not the scenario's as it stands.
    """

    slots: Mapping[str, Any]
    turns: Sequence[Message]
    phrasing: str = ""


ANSWERED = 0.3
"""Share of single calls that are told to the final answer; the others end where the tool takes over."""

ANSWERED_MIDWAY = 0.6
"""The same for a tool from whose response sequences go on to a next call: stopping has to be seen as often as
going on, or a model goes on from whatever comes back."""


def ended(d: Draw, turns: Sequence[Message], answered: float = ANSWERED) -> list[Message]:
    """All turns of a single call, with its final answer, or the call alone."""
    return list(turns) if d.chance(answered) else [turns[0]]


def maybe_answered(
    d: Draw, slots: Mapping[str, Any], request: Message, response: Message, answer: str, answered: float = ANSWERED
) -> Episode:
    """A single call, told to its final answer or not (see `ended`)."""
    return Episode(slots, ended(d, [request, response, say(answer)], answered))


@dataclass(frozen=True)
class Scenario:
    """One thing a user may want, many ways to ask for it, and what should happen."""

    name: str
    kind: Kind
    build: Callable[[Session], Episode]
    phrasings: Sequence[str]
    weight: float = 1.0
    literal: bool = field(default=False)
    """True where registers and typos would change the meaning (quoted text, exact wording)."""

    def families(self, split: Split) -> list[int]:
        """Indices of the phrasings that belong to a split."""
        held_out = EVAL_FAMILY_EVERY - 1
        return [
            index
            for index in range(len(self.phrasings))
            if (index % EVAL_FAMILY_EVERY == held_out) == (split == "eval")
        ]
