"""Conversations that the chat template of a GGUF must render as training did.

They exercise each form of the prompt: a request, a call with a value for every parameter, its
response, words after it, parallel calls with their responses, and the next request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Message = dict[str, Any]
Conversation = list[Message]

_SCALARS: dict[str, Any] = {"string": 'src/café "x" {1}: [a, b]', "integer": 3, "number": 2.5, "boolean": True}


def conversations(smoke_prompts: Sequence[str], tools: Sequence[Mapping[str, Any]]) -> list[Conversation]:
    """The smoke prompts as single requests, then one long conversation made from the tools."""
    return [*([{"role": "user", "content": prompt}] for prompt in smoke_prompts), _long_conversation(tools)]


def _long_conversation(tools: Sequence[Mapping[str, Any]]) -> Conversation:
    messages: Conversation = []
    for tool in tools:
        messages += [
            {"role": "user", "content": f"Use {tool['name']}, please: it's the 1st of 2 steps."},
            _calls([tool]),
            {"role": "tool", "content": _response(tool)},
            {"role": "assistant", "content": "Done. Shall I go on?\nThere is one step left."},
        ]
    pair = [tools[0], tools[-1]]
    return [
        *messages,
        {"role": "user", "content": "Now both at once."},
        _calls(pair),
        {"role": "tool", "content": [_response(tool) for tool in pair]},
        {"role": "assistant", "content": "Both are done."},
        {"role": "user", "content": "Thanks, and the next?"},
    ]


def _calls(tools: Sequence[Mapping[str, Any]]) -> Message:
    functions = [
        {"name": tool["name"], "arguments": example(tool.get("parameters") or {"type": "object"})} for tool in tools
    ]
    return {"role": "assistant", "tool_calls": [{"type": "function", "function": item} for item in functions]}


def _response(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": tool["name"], "response": {"ok": True, "count": 2, "lines": ["a: b", "c"], "detail": {}}}


def example(schema: Mapping[str, Any]) -> Any:
    """A value of a JSON Schema, with every property set."""
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "object":
        return {name: example(value) for name, value in (schema.get("properties") or {}).items()}
    if kind == "array":
        items = schema.get("items") or {"type": "string"}
        return [example(items), example(items)]
    return _SCALARS.get(kind)
