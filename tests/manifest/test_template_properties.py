"""Whatever is written as templates is refused with a sentence, or can be drawn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_sample import PROJECT

from fgbuild.domains import templates
from fgbuild.errors import DataError
from fgbuild.manifest.validate import inspect_sources

TOOLS = [
    {
        "name": "find",
        "description": "Find it",
        "parameters": {
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": {"type": "string", "description": "What"},
                "count": {"type": "integer", "description": "How many"},
            },
        },
    }
]
PIECES = (
    "{word}",
    "{word2}",
    "{count}",
    "{pair.a}",
    "{step1.hits}",
    "{step2}",
    "{",
    "}",
    "[",
    "]",
    "[of {count}]",
    " a ",
)
TEXT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
GOOD = st.sampled_from(["{word}", "{word} in {count}", "{word}[ in {count}]", "[now ]{word}"])
VALUES = st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz") | st.integers(0, 3), max_size=20)
SLOTS = st.fixed_dictionaries(
    {
        "word": st.just({"values": list("abcdefghijklmnopqrstuvwxyz")}) | VALUES.map(lambda v: {"values": v}),
        "count": st.tuples(st.integers(-5, 5), st.integers(0, 90)).map(lambda ends: {"range": list(ends)}),
    },
    optional={
        "pair": st.just({"values": [{"a": letter, "b": 1} for letter in "abcdefghijklmnopqrstuvwxyz"]}),
        "both": TEXT.map(lambda text: {"pattern": text}),
    },
)
STEP = st.fixed_dictionaries(
    {"tool": st.sampled_from(["find", "find", "fnd"])},
    optional={
        "arguments": st.dictionaries(st.sampled_from(["text", "count", "no"]), TEXT | GOOD | st.integers(), max_size=2),
        "response": st.dictionaries(st.sampled_from(["hits", "x"]), TEXT | GOOD | st.booleans(), max_size=2),
    },
)
SCENARIO = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", "c"]),
        "kind": st.sampled_from(["single", "parallel", "sequence", "clarify", "decline"]),
        "phrasings": (TEXT | GOOD).map(lambda text: [f"{letter} {text}" for letter in "qrstuvwxyz"]),
    },
    optional={
        "steps": st.lists(STEP, max_size=3),
        "answer": TEXT | GOOD,
        "answered": st.floats(0, 1),
        "literal": st.booleans(),
    },
)
SOUND: dict[str, Any] = {
    "slots": {"word": {"values": list("abcdefghijklmnopqrstuvwxyz")}, "count": {"range": [1, 50]}},
    "scenario": [
        {
            "name": "find",
            "kind": "single",
            "phrasings": [f"{letter} {{word}}[ {{count}} times]" for letter in "qrstuvwxyz"],
            "steps": [{"tool": "find", "arguments": {"text": "{word}", "count": "{count}"}, "response": {"hits": 3}}],
            "answer": "{step1.hits}",
        },
        {"name": "no", "kind": "decline", "phrasings": [f"no {letter}" for letter in "qrstuvwxyz"], "answer": "No."},
    ],
}


def outcome(manifest: dict[str, Any]) -> list[str]:
    """The messages of a check; where there are none, rows are drawn."""
    content = {
        "schema": 1,
        "name": "toy",
        "dataset": {"generator": "templates", "count": 40},
        "tool": TOOLS,
        **manifest,
    }
    path = Path("manifests/toy.toml")
    sources = {Path("fgbuild.toml"): PROJECT.encode(), path: tomli_w.dumps(content).encode()}
    project, errors = inspect_sources(Path("/nonexistent"), sources)
    found = [message for error in errors for _, _, message in error.problems]
    if not found and project is not None:
        try:
            json.dumps(templates.draw(project.domains["toy"].resolved, Path("/nonexistent")).rows)
        except DataError as error:
            found.append(str(error))
    return found


def test_the_sound_one_is_drawn_from() -> None:
    assert outcome(SOUND) == []


@settings(max_examples=150, deadline=None)
@given(SLOTS, st.lists(SCENARIO, max_size=3))
def test_anything_is_refused_in_words_or_drawn_from(slots: dict[str, Any], scenarios: list[dict[str, Any]]) -> None:
    for message in outcome({"slots": slots, "scenario": scenarios}):
        assert message
        assert "\n" not in message


@settings(max_examples=60, deadline=None)
@given(SCENARIO, SLOTS)
def test_one_more_scenario_beside_sound_ones_is_too(scenario: dict[str, Any], slots: dict[str, Any]) -> None:
    manifest = {"slots": slots | SOUND["slots"], "scenario": [*SOUND["scenario"], scenario]}
    for message in outcome(manifest):
        assert message
        assert "\n" not in message


@pytest.mark.parametrize("key", ["slots", "scenario", "workspace"])
@pytest.mark.parametrize("value", [1, "x", [1], {"x": 1}, {"x": {"x": 1}}, [{"x": {"y": [1]}}], True])
def test_tables_of_another_shape_are_refused(key: str, value: Any) -> None:
    assert outcome({**SOUND, key: value})
