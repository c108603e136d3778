"""Requests that differ from a call's own in one thing alone: what the call needs is meant, and not named.

"Check src/cart.py for lint problems." is a call; "Check that file for lint problems." has to be asked back. Models that
saw questions and calls in wordings of their own learn the wordings, so each of these requests is one of the call's own
phrasings with a referring expression in the slot. A phrasing that the call holds out is held out here, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fgbuild.domains.scenario import EVAL_FAMILY_EVERY, Draw, Episode, Scenario, say

UNNAMED = "unnamed"
"""The slot in which the referring expression stands."""

_BARE = ("it", "this", "this one", "that one", "the other one", "the same one", "the last one")
_SHARE_BARE = 0.3

_WAYS = (
    "that {noun}",
    "this {noun}",
    "the {noun}",
    "my {noun}",
    "our {noun}",
    "the other {noun}",
    "the new {noun}",
    "my new {noun}",
    "the same {noun}",
    "the first {noun}",
    "the {noun} I mentioned",
    "the {noun} we talked about",
    "the {noun} from yesterday",
    "the {noun} in question",
    "the {noun} from the ticket",
    "the {noun} you just showed me",
    "the {noun} that I sent you",
    "the {noun} I have open",
    "another {noun}",
    "a {noun} of mine",
)

_UNFIT = (
    r"[-=/:(]{slot}|{slot}(?:[-=/:]\S|['\[])"  # a part of something longer
    r"|\b(?:{nouns}|rule|type|called|named|an?|the|any|every|all|no|just|only) {slot}"  # in apposition, or determined
    r"|{slot} (?:{nouns}|data|entries|records|tests?|docs|violations?|warnings?|problems)\b"  # an attribute
)


def contrast(
    twin: Scenario,
    slot: str,
    nouns: Sequence[str],
    question: str,
    others: Callable[[Draw], Mapping[str, Any]] = lambda draw: {},
    *,
    weight: float,
) -> Scenario:
    """`twin`'s requests with something unnamed in the place of `slot`, answered by `question`.

    nouns: what such a thing is called. others: values of the slots that stay.
    """
    ways = tuple(way.format(noun=noun) for noun in nouns for way in _WAYS)

    def build(draw: Draw) -> Episode:
        meant = draw.choice(_BARE) if draw.chance(_SHARE_BARE) else draw.pick(ways)
        return Episode({**others(draw), UNNAMED: meant}, [say(question)])

    return Scenario(f"{twin.name}_without_{slot}", "clarify", build, without(twin.phrasings, slot, nouns), weight)


def without(phrasings: Sequence[str], slot: str, nouns: Sequence[str]) -> tuple[str, ...]:
    """Those of `phrasings` in which `slot` stands once and as a noun would, with `UNNAMED` in its place.

    Each is at an index of the split that it had; where the splits do not fit together, the last ones are left out.
    """
    mark = re.escape(f"{{{slot}}}")
    listed = "|".join(map(re.escape, nouns))
    unfit = re.compile(_UNFIT.replace("{slot}", mark).replace("{nouns}", listed), re.IGNORECASE)
    trained: list[str] = []
    held_out: list[str] = []
    for index, phrasing in enumerate(phrasings):
        if phrasing.count(f"{{{slot}}}") == 1 and not unfit.search(phrasing):
            part = held_out if index % EVAL_FAMILY_EVERY == EVAL_FAMILY_EVERY - 1 else trained
            part.append(phrasing.replace(f"{{{slot}}}", f"{{{UNNAMED}}}"))
    each = EVAL_FAMILY_EVERY - 1
    groups = min(len(trained) // each, len(held_out))
    return tuple(
        one for group in range(groups) for one in (*trained[each * group : each * (group + 1)], held_out[group])
    )
