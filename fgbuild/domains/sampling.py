"""Draws a domain's trajectories from its scenarios, the same rows for the same seed on any machine.

Every row has a random source of its own, seeded by (seed, split, scenario, number). A row depends
on those drawn before it only where its request is one of theirs: it is then drawn again. Families
(phrasings) and open values belong to one split each (see `scenario`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from fgbuild.domains.scenario import Draw, Episode, Scenario, Split
from fgbuild.errors import DataError

Row = dict[str, Any]

MIN_ABSTAINING_SHARE = 0.15
"""Least share of trajectories without a call; below it a model learns to call always."""

_ATTEMPTS = 50
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


def trajectories(
    domain: str, scenarios: Sequence[Scenario], *, count: int, eval_fraction: float, seed: int
) -> list[Row]:
    """`count` rows, the share `eval_fraction` of them in the eval split, shuffled within each split.

    Raises DataError where the count is too small for the scenarios, or the pools and phrasings
    of a scenario are too small for the number of different rows asked of it.
    """
    in_eval = round(count * eval_fraction)
    rows: list[Row] = []
    sizes: tuple[tuple[Split, int], ...] = (("train", count - in_eval), ("eval", in_eval))
    for split, size in sizes:
        drawn = _split_rows(domain, scenarios, split, size, seed)
        random.Random(f"{seed}/{split}/order").shuffle(drawn)
        rows += drawn
    for number, row in enumerate(rows):
        row["id"] = f"{domain}-{number:05d}"
    return [{"id": row.pop("id"), **row} for row in rows]


def _split_rows(domain: str, scenarios: Sequence[Scenario], split: Split, size: int, seed: int) -> list[Row]:
    shares = allocate([scenario.weight for scenario in scenarios], size)
    seen: set[str] = set()
    rows = []
    for scenario, share in zip(scenarios, shares):
        families = scenario.families(split)
        if share and not families:
            raise DataError(
                f"{domain}: scenario {scenario.name} has {len(scenario.phrasings)} phrasings and none for the "
                f"{split} split; give it five or more"
            )
        random.Random(f"{seed}/{split}/{scenario.name}").shuffle(families)
        for number in range(share):
            rows.append(
                _row(
                    scenario,
                    split,
                    families[number % len(families)],
                    f"{seed}/{split}/{number}",
                    seen,
                    domain,
                )
            )
    return rows


def _row(scenario: Scenario, split: Split, family: int, seed: str, seen: set[str], domain: str) -> Row:
    for attempt in range(_ATTEMPTS):
        rng = random.Random(f"{seed}/{scenario.name}/{attempt}")
        episode = scenario.build(Draw(rng, split, family))
        request = _request(scenario, family, episode, split, rng)
        if request not in seen:
            seen.add(request)
            return {
                "scenario": scenario.name,
                "kind": scenario.kind,
                "family": f"{scenario.name}/{family:02d}",
                "split": split,
                "messages": [{"role": "user", "content": request}, *episode.turns],
            }
    raise DataError(
        f"{domain}: scenario {scenario.name} cannot give another different request for phrasing {family}; "
        "lower dataset.count or widen its values"
    )


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


def statistics(rows: Sequence[Row]) -> dict[str, Any]:
    """The statistics card: counts by split, scenario, kind and tool, and what the splits share.

    `shared_families` and `shared_requests` count leaks between the splits; both must be 0.
    """
    splits: dict[str, Any] = {}
    for split in ("train", "eval"):
        part = [row for row in rows if row["split"] == split]
        splits[split] = {
            "rows": len(part),
            "abstaining_share": round(sum(map(needs_no_call, part)) / len(part), 4) if part else None,
            "kinds": _count(row["kind"] for row in part),
            "scenarios": _count(row["scenario"] for row in part),
            "tools": _count(name for row in part for name in called_tools(row)),
            "calls_per_row": _count(str(len(called_tools(row))) for row in part),
        }
    families = [{row["family"] for row in rows if row["split"] == split} for split in ("train", "eval")]
    requests = [{request(row) for row in rows if row["split"] == split} - {""} for split in ("train", "eval")]
    return {
        "rows": len(rows),
        **splits,
        "shared_families": len(families[0] & families[1]),
        "shared_requests": len(requests[0] & requests[1]),
    }


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


def _count(items: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return dict(sorted(counts.items()))
