"""Checks that a base's own chat template and our renderer print the same prompts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fgbuild.errors import BaseModelError
from fgbuild.functiongemma.render import render_text
from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE
from fgbuild.workers.inference.chat_template import render_template

MARKER = "start_function_declaration"
"""A template without this text cannot declare tools, and ours is used in its place."""

_GENERATION_TAG = re.compile(r"\{%([-+]?)\s*((?:end)?generation)\s*([-+]?)%\}")

TOOLS: list[dict[str, Any]] = [
    {
        "name": "get_weather",
        "description": "Tells the weather of a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "The place."},
                "unit": {"type": "string", "description": "The unit.", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "description": "How many days."},
            },
            "required": ["place"],
        },
    },
    {
        "name": "list_places",
        "description": "Lists what is known.",
        "parameters": {"type": "object", "properties": {}},
    },
    {
        "name": "find_place",
        "description": "Finds a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "near": {
                    "type": "object",
                    "description": "A position.",
                    "properties": {
                        "lat": {"type": "number", "description": "Degrees north."},
                        "lon": {"type": "number", "description": "Degrees east."},
                    },
                    "required": ["lat", "lon"],
                },
                "tags": {"type": "array", "description": "What it has.", "items": {"type": "string"}},
                "exact": {"type": "boolean", "description": "Only the very name."},
            },
            "required": ["near", "tags"],
        },
    },
]
"""Every type and every keyword that a declaration can have."""


def _message(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    functions = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return {"role": "assistant", "tool_calls": [{"type": "function", "function": each} for each in functions]}


_ASK: list[dict[str, Any]] = [{"role": "user", "content": "What is the weather in Oslo and in Rome?"}]
_CALLS = _message(("get_weather", {"place": "Oslo", "unit": "celsius", "days": 2}), ("get_weather", {"place": "Rome"}))
_RESPONSES: dict[str, Any] = {
    "role": "tool",
    "content": [
        {"name": "get_weather", "response": {"temperature": 15, "weather": "sunny"}},
        {"name": "get_weather", "response": {"temperature": 21, "windy": True}},
    ],
}
_SEQUENCE: list[dict[str, Any]] = [
    {"role": "user", "content": "How is the weather at the harbour?"},
    _message(("find_place", {"near": {"lat": 59.9, "lon": -10}, "tags": ["harbour", "ferry"], "exact": True})),
    {"role": "tool", "content": [{"name": "find_place", "response": {"names": ["Aker"], "at": {"lat": 59.91}}}]},
    _message(("get_weather", {"place": "Aker"})),
    {"role": "tool", "content": [{"name": "get_weather", "response": {"temperature": -3.5, "windy": False}}]},
    {"role": "assistant", "content": "It is -3.5 degrees."},
]
CONVERSATIONS: list[tuple[list[dict[str, Any]], bool]] = [
    (_ASK, True),
    ([*_ASK, {"role": "assistant", "content": "Which day?"}], False),
    ([*_ASK, _CALLS], False),
    ([*_ASK, _CALLS, _RESPONSES], True),
    ([*_ASK, _CALLS, _RESPONSES, {"role": "assistant", "content": "Sunny in both."}], False),
    (_SEQUENCE, False),
    ([*_SEQUENCE, {"role": "user", "content": "Thanks. And which places do you know?"}], True),
]
"""Messages, and whether the prompt ends where the model starts to write."""


def without_generation(template: str) -> str:
    """The template with `{% generation %}` tags made comments: only transformers knows these tags.

    A comment trims whitespace as the tag did, so the template prints the same.
    """
    return _GENERATION_TAG.sub(r"{#\1 \2 \3#}", template)


def check(template: str, source: str) -> None:
    """Raise BaseModelError, naming the first difference, where `template` prints another prompt."""
    for messages, opened in CONVERSATIONS:
        if found := difference(template, messages, TOOLS, opened=opened):
            raise BaseModelError(f"{source}: {found}; use another base or revision")


def difference(
    template: str, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], *, opened: bool
) -> str:
    """How a chat template's prompt differs from our renderer's, in one phrase; "" where it does not.

    opened: the prompt ends where the model starts to write.
    """
    ours = render_text(messages, tools, add_generation_prompt=opened)
    if messages[0]["role"] != "developer":
        # Our renderer writes the sentence by itself; a base's own template may do so only when told.
        messages = [{"role": "developer", "content": DEVELOPER_SENTENCE}, *messages]
    try:
        theirs = render_template(without_generation(template), messages, tools, add_generation_prompt=opened)
    except Exception as error:  # a template is a program from the base's files: it may raise anything
        return f"its chat template fails on a conversation with tools ({error})"
    return "" if ours == theirs else _parting(ours, theirs)


def _parting(ours: str, theirs: str) -> str:
    """Where two texts part, in one phrase."""
    at = next((index for index, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    before, length = ours[max(0, at - 30) : at], 40
    return (
        f"its chat template prints {theirs[at : at + length]!r} after {before!r} where fgbuild's renderer "
        f"prints {ours[at : at + length]!r}"
    )
