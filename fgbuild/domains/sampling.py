"""Draws a domain's trajectories from its scenarios, the same rows for the same seed on any machine.

Every row has a random source of its own, seeded by (seed, split, scenario, number). A row depends
on those drawn before it only where its request is one of theirs: it is then drawn again. So any process
can draw any row, and what is left to do in order is to look for repeated requests. Families
(phrasings) and open values belong to one split each (see `scenario`).
"""

from __future__ import annotations

import hashlib
import random
import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fgbuild.domains.scenario import Episode, Scenario, Split
from fgbuild.domains.session import Session
from fgbuild.errors import DataError
from fgbuild.sandbox.client import Sandbox

Row = dict[str, Any]

MIN_ABSTAINING_SHARE = 0.15
"""Least share of trajectories without a call; below it a model learns to call always."""

SPLITS: tuple[Split, ...] = ("train", "eval")
ATTEMPTS = 50
"""How often a row is drawn before its scenario is said to have no other request."""

_OPENINGS = (
    "please ",
    "hey, ",
    "hi, ",
    "ok, ",
    "can you help: ",
    "quick one: ",
    "now ",
    "so, ",
    "next: ",
    "pls ",
)
_CLOSINGS = (
    " please",
    ", thanks",
    " thanks",
    " for me",
    ", please",
    " now",
    " - thanks!",
    " pls",
    " ok?",
    " when you can",
)
_CONTEXTS = (
    "I'm about to push. ",
    "We release today. ",
    "Sorry to bother you again. ",
    "One more thing: ",
    "Back from lunch. ",
    "New task. ",
    "This is for the review. ",
    "A colleague asked me. ",
    "Second attempt. ",
    "I have five minutes left. ",
    "Thanks for the last one. ",
    "First day on this project. ",
    "The team is waiting. ",
    "Small request: ",
    "I'm cleaning up. ",
    "Let's go on. ",
)
_SYNONYMS = (
    ("could you", "can you", "would you", "will you"),
    ("please", "kindly", "pls"),
    ("tell me", "let me know"),
    ("i'd like to", "i want to", "i need to"),
    ("show me", "let me see"),
    ("folder", "directory"),
    ("problems", "issues"),
)
_SLOT = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True)
class _Share:
    """A scenario's rows of one split: those from number `first` on."""

    scenario: Scenario
    families: list[int]
    first: int


class Plan:
    """Which rows a dataset has; its size in memory does not grow with their number.

    A split's rows are counted scenario by scenario: that is the order in which a repeated request is one, and
    `order` is that in which they are written. sizes: rows of each split, `count` together and the share
    `eval_fraction` of them in the eval split. Raises DataError where a scenario has no phrasing for a split.
    """

    def __init__(
        self, domain: str, scenarios: Sequence[Scenario], *, count: int, eval_fraction: float, seed: int
    ) -> None:
        self._domain = domain
        self._seed = seed
        in_eval = round(count * eval_fraction)
        self.sizes: dict[Split, int] = {"train": count - in_eval, "eval": in_eval}
        self._shares = {split: self._split_shares(scenarios, split) for split in SPLITS}

    def draw(self, split: Split, number: int, attempt: int = 0, sandbox: Sandbox | None = None) -> Row | None:
        """Row `number` of a split, without an id; None where its calls, made again, were answered otherwise.

        sandbox: with the domain's tools, where it has any. Raises DataError at attempt `ATTEMPTS`.
        """
        shares = self._shares[split]
        share = shares[bisect_right(shares, number, key=lambda it: it.first) - 1]
        scenario, number = share.scenario, number - share.first
        family = share.families[number % len(share.families)]
        if attempt == ATTEMPTS:
            raise DataError(
                f"{self._domain}: scenario {scenario.name} cannot give another different request for phrasing "
                f"{family}; lower dataset.count or widen its values"
            )
        rng = random.Random(f"{self._seed}/{split}/{number}/{scenario.name}/{attempt}")
        session = Session(rng, split, sandbox, family)
        episode = scenario.build(session)
        request = {"role": "user", "content": _request(scenario, family, episode, split, rng)}
        if not session.close():
            return None
        return {
            "scenario": scenario.name,
            "kind": scenario.kind,
            "family": f"{scenario.name}/{family:02d}",
            "split": split,
            "messages": [request, *episode.turns],
        }

    def order(self, split: Split) -> array[int]:
        """The numbers of a split's rows, shuffled."""
        numbers = array("L", range(self.sizes[split]))
        random.Random(f"{self._seed}/{split}/order").shuffle(numbers)
        return numbers

    def row_id(self, number: int) -> str:
        """The id of a dataset's row by its place, the train split's rows first."""
        return f"{self._domain}-{number:05d}"

    def _split_shares(self, scenarios: Sequence[Scenario], split: Split) -> list[_Share]:
        shares: list[_Share] = []
        first = 0
        for scenario, size in zip(scenarios, allocate([each.weight for each in scenarios], self.sizes[split])):
            families = scenario.families(split)
            if size and not families:
                raise DataError(
                    f"{self._domain}: scenario {scenario.name} has {len(scenario.phrasings)} phrasings and none for "
                    f"the {split} split; give it five or more"
                )
            random.Random(f"{self._seed}/{split}/{scenario.name}").shuffle(families)
            if size:
                shares.append(_Share(scenario, families, first))
            first += size
        return shares


class Requests:
    """What the rows of one split have asked so far, as 64-bit hashes of the words."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def is_new(self, mark: int) -> bool:
        """Whether a request (see `mark_of`) comes for the first time; from then on it has come."""
        if mark in self._seen:
            return False
        self._seen.add(mark)
        return True


def mark_of(row: Row) -> int:
    """A hash of a drawn row's request, exactly as it is said."""
    words = row["messages"][0]["content"].encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big")


def _request(scenario: Scenario, family: int, episode: Episode, split: Split, rng: random.Random) -> str:
    template = episode.phrasing or scenario.phrasings[family]
    if not scenario.literal:
        template = in_register(template, rng, typos=split == "train")
    return template.format(**episode.slots)


def in_register(template: str, rng: random.Random, *, typos: bool) -> str:
    """The template as a hurried, a polite or a careless person types it; slots stay as they are."""
    if rng.random() < 0.2:
        template = template.rstrip(".!?")
    if rng.random() < 0.25 and not template.startswith("{"):
        template = template[0].lower() + template[1:]
    template = with_synonyms(template, rng)
    if rng.random() < 0.15:
        template = rng.choice(_CONTEXTS) + template
    elif rng.random() < 0.12:
        opening = rng.choice(_OPENINGS)
        rest = template if template.startswith("{") else template[0].lower() + template[1:]
        template = opening + rest
    elif rng.random() < 0.12 and not template.endswith("?"):
        closing = rng.choice(_CLOSINGS)
        template = template.rstrip(".!").removesuffix(closing) + closing
    if typos and rng.random() < 0.12:
        template = with_typo(template, rng)
    return template


def with_synonyms(template: str, rng: random.Random) -> str:
    """Some of the phrases that mean the same exchanged for one another; slots stay as they are."""
    for group in _SYNONYMS:
        if rng.random() < 0.5:
            wanted = rng.choice(group)
            pattern = r"(?<![\w{'])(?:" + "|".join(group) + r")(?![\w}'])"
            template = re.sub(pattern, partial(_like, wanted), template, flags=re.IGNORECASE)
    return template


def _like(wanted: str, match: re.Match[str]) -> str:
    return wanted[0].upper() + wanted[1:] if match.group()[0].isupper() else wanted


def with_typo(template: str, rng: random.Random) -> str:
    """One word of five letters or more with two neighbouring letters swapped, dropped or doubled."""
    spans = [match.span() for match in re.finditer(r"[A-Za-z]{5,}", template)]
    slots = [match.span() for match in _SLOT.finditer(template)]
    words = [(a, b) for a, b in spans if not any(s < b and a < e for s, e in slots)]
    if not words:
        return template
    start, end = rng.choice(words)
    at = rng.randrange(start + 1, end - 1)
    change = rng.choice(("swap", "drop", "double"))
    if change == "swap":
        return template[:at] + template[at + 1] + template[at] + template[at + 2 :]
    if change == "drop":
        return template[:at] + template[at + 1 :]
    return template[:at] + template[at] + template[at:]


def allocate(weights: Sequence[float], size: int) -> list[int]:
    """Whole shares of `size` in proportion to weights (largest remainder); they sum to `size`."""
    total = sum(weights)
    exact = [weight / total * size for weight in weights]
    shares = [int(value) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (shares[index] - exact[index], index))
    for index in by_remainder[: size - sum(shares)]:
        shares[index] += 1
    return shares


def called_tools(row: Row) -> list[str]:
    """Names of the tools that a row's assistant turns call, in order."""
    return [call["function"]["name"] for message in row["messages"] for call in message.get("tool_calls", ())]


def needs_no_call(row: Row) -> bool:
    """Whether a row abstains: none of its assistant turns calls a tool."""
    return not called_tools(row)


def request(row: Row) -> str:
    """The first words of the user as the prompt has them, or "" where the user says nothing."""
    said = (message["content"] for message in row["messages"] if message["role"] == "user")
    return str(next(said, "")).strip()
