"""Checks that a base's own chat template and our renderer print the same prompts."""

from __future__ import annotations

import re
from typing import Any

from fgbuild.errors import BaseModelError
from fgbuild.functiongemma.render import render_text
from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE

MARKER = "start_function_declaration"
"""A template without this text cannot declare tools, and ours is used in its place."""

_GENERATION_TAG = re.compile(r"\{%([-+]?)\s*((?:end)?generation)\s*([-+]?)%\}")

_TOOLS: list[dict[str, Any]] = [
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
]


def _call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


_ASK: list[dict[str, Any]] = [{"role": "user", "content": "What is the weather in Oslo and in Rome?"}]
_CALLS: dict[str, Any] = {
    "role": "assistant",
    "tool_calls": [
        _call("get_weather", place="Oslo", unit="celsius", days=2),
        _call("get_weather", place="Rome"),
    ],
}
_RESPONSES: dict[str, Any] = {
    "role": "tool",
    "content": [
        {"name": "get_weather", "response": {"temperature": 15, "weather": "sunny"}},
        {"name": "get_weather", "response": {"temperature": 21, "windy": True}},
    ],
}
CONVERSATIONS: list[tuple[list[dict[str, Any]], bool]] = [
    (_ASK, True),
    ([*_ASK, {"role": "assistant", "content": "Which day?"}], False),
    ([*_ASK, _CALLS], False),
    ([*_ASK, _CALLS, _RESPONSES, {"role": "assistant", "content": "Sunny in both."}], False),
]
"""Messages, and whether the prompt ends with the opened model turn."""


def without_generation(template: str) -> str:
    """The template with `{% generation %}` tags made comments: only transformers knows these tags.

    A comment trims whitespace as the tag did, so the template prints the same.
    """
    return _GENERATION_TAG.sub(r"{#\1 \2 \3#}", template)


def check(template: str, source: str) -> None:
    """Raise BaseModelError, naming the first difference, where `template` prints another prompt."""
    from jinja2 import TemplateError

    developer = {"role": "developer", "content": DEVELOPER_SENTENCE}
    for messages, opened in CONVERSATIONS:
        ours = render_text(messages, _TOOLS, add_generation_prompt=opened)
        try:
            theirs = render([developer, *messages], template, _TOOLS, opened)
        except (TemplateError, TypeError) as error:
            raise BaseModelError(
                f"{source}: the chat template fails on a tool call ({error}); use another base"
            ) from None
        if ours != theirs:
            raise BaseModelError(f"{source}: {_difference(ours, theirs)}; use another base or revision")


def render(messages: list[dict[str, Any]], template: str, tools: list[dict[str, Any]], opened: bool) -> str:
    """What transformers' `apply_chat_template` prints, with its Jinja settings."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    wrapped = [{"type": "function", "function": tool} for tool in tools]
    return environment.from_string(without_generation(template)).render(
        messages=messages,
        tools=wrapped,
        add_generation_prompt=opened,
        bos_token="<bos>",
        eos_token="<eos>",
    )


def _difference(ours: str, theirs: str) -> str:
    """Where two texts part, in one phrase."""
    at = next((index for index, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    before, length = ours[max(0, at - 30) : at], 40
    return (
        f"its chat template prints {theirs[at : at + length]!r} after {before!r} where fgbuild's renderer "
        f"prints {ours[at : at + length]!r}"
    )
