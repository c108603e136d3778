"""Messages and tools → the text that FunctionGemma is trained and prompted with.

The text is that of the official template for tools in which `check.problems` finds nothing,
but for one thing: the official template prints a null value as Python's `None`, this prints
`null`. The parser accepts both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fgbuild.errors import FormatError
from fgbuild.functiongemma.check import problems
from fgbuild.functiongemma.tokens import (
    BOS,
    DEVELOPER_SENTENCE,
    END_DECLARATION,
    END_OF_TURN,
    START_DECLARATION,
    START_OF_TURN,
    START_RESPONSE,
    bare_tool,
)
from fgbuild.functiongemma.values import by_key, carriable, escaped, render_call, render_response, render_value

__all__ = [
    "Segment",
    "render",
    "render_call",
    "render_declaration",
    "render_response",
    "render_text",
    "render_value",
]

Message = Mapping[str, Any]
Tool = Mapping[str, Any]

_DEVELOPER_ROLES = ("developer", "system")
_MODEL_ROLES = ("assistant", "model")


@dataclass(frozen=True)
class Segment:
    """A piece of a rendered conversation; supervised means that the model must produce it."""

    text: str
    supervised: bool


def render_text(
    messages: Sequence[Message], tools: Sequence[Tool] | None = None, *, add_generation_prompt: bool = False
) -> str:
    """The whole conversation as one string; see `render`."""
    segments = render(messages, tools, add_generation_prompt=add_generation_prompt)
    return "".join(segment.text for segment in segments)


def render(
    messages: Sequence[Message], tools: Sequence[Tool] | None = None, *, add_generation_prompt: bool = False
) -> list[Segment]:
    """A conversation as segments, from `<bos>` on, whose texts concatenate to the prompt.

    messages: optional developer (or system) message, then user, assistant (or model) and tool
    messages. Calls may only be followed by tool messages, and those by an assistant message,
    which continues the same model turn. Words are stripped of surrounding whitespace.
    tools: JSON Schema tools, bare or in the OpenAI wrapper. Their declarations follow the developer
    message, which ends with DEVELOPER_SENTENCE on a line of its own where it does not have it.
    add_generation_prompt: end where the model starts to write: after `<start_of_turn>model\\n`,
    or right after a tool's response.

    Supervised are an assistant message's words and calls with their terminator: `<end_of_turn>`
    after words, `<start_function_response>` after calls. Neighbours in the list differ in
    `supervised`, and no text is empty. Raises FormatError for what the format cannot carry.
    """
    writer = _Writer()
    start = writer.developer_turn(messages, tools or [])
    for index in range(start, len(messages)):
        message, where = messages[index], f"messages[{index}]"
        if not isinstance(message, Mapping):
            raise FormatError(f"{where} is not an object; give it a role and a content.")
        role = message.get("role")
        if role == "user":
            writer.user(message, where)
        elif role in _MODEL_ROLES:
            writer.assistant(message, where)
        elif role == "tool":
            writer.tool(message, where)
        elif role in _DEVELOPER_ROLES:
            raise FormatError(f"{where}: a {role} message can only be the first; move it there.")
        else:
            raise FormatError(f"{where}: unknown role {role!r}; use developer, user, assistant or tool.")
    if add_generation_prompt:
        writer.model_turn("add_generation_prompt")
    return writer.segments()


def render_declaration(tool: Tool) -> str:
    """One tool's declaration, control tokens included. Raises FormatError (see `check.problems`)."""
    _refuse_problems([tool])
    return _declaration(bare_tool(tool))


class _Writer:
    """Writes one conversation message by message, and refuses orders that have no text."""

    def __init__(self) -> None:
        self._pieces: list[tuple[list[str], bool]] = []
        self._last = ""  # what the last message was: "", "words", "calls" or "tool"
        self._add(BOS)

    def segments(self) -> list[Segment]:
        return [Segment("".join(texts), supervised) for texts, supervised in self._pieces]

    def _add(self, text: str, supervised: bool = False) -> None:
        if not text:
            return
        if self._pieces and self._pieces[-1][1] == supervised:
            self._pieces[-1][0].append(text)
        else:
            self._pieces.append(([text], supervised))

    def developer_turn(self, messages: Sequence[Message], tools: Sequence[Tool]) -> int:
        """Write the developer turn if there is one; returns the index of the message to go on with."""
        first = messages[0] if messages and isinstance(messages[0], Mapping) else {}
        given = first.get("role") in _DEVELOPER_ROLES
        if given or tools:
            _refuse_problems(tools)
            words = _words(first, "messages[0]") if given else ""
            if tools and DEVELOPER_SENTENCE not in words:
                words = f"{words}\n{DEVELOPER_SENTENCE}" if words else DEVELOPER_SENTENCE
            declarations = "".join(_declaration(bare_tool(tool)) for tool in tools)
            self._add(f"{START_OF_TURN}developer\n{words}{declarations}{END_OF_TURN}\n")
        return int(given)

    def user(self, message: Message, where: str) -> None:
        self._refuse_after_calls(where)
        if self._last == "tool":
            raise FormatError(f"{where}: a tool message must be followed by an assistant message; add one.")
        self._add(f"{START_OF_TURN}user\n{_words(message, where)}{END_OF_TURN}\n")
        self._last = "words"

    def model_turn(self, where: str) -> None:
        """Write the model's turn header, unless its turn goes on after a tool's response."""
        self._refuse_after_calls(where)
        if self._last != "tool":
            self._add(f"{START_OF_TURN}model\n")

    def assistant(self, message: Message, where: str) -> None:
        words = "" if message.get("content") is None else _words(message, where)
        calls = [
            render_call(name, arguments, place)
            for name, arguments, place in _pairs(message.get("tool_calls") or [], "arguments", f"{where}.tool_calls")
        ]
        if not words and not calls:
            raise FormatError(f"{where}: an assistant message needs content or tool_calls; add one or drop it.")
        self.model_turn(where)
        self._add(words + "".join(calls), supervised=True)
        if calls:
            self._add(START_RESPONSE, supervised=True)
        else:
            self._add(END_OF_TURN, supervised=True)
            self._add("\n")
        self._last = "calls" if calls else "words"

    def tool(self, message: Message, where: str) -> None:
        if self._last not in ("calls", "tool"):
            raise FormatError(f"{where}: a tool message must follow an assistant message with tool_calls; add one.")
        content = message.get("content")
        if not content:
            raise FormatError(f'{where}.content is empty; write {{"name": …, "response": {{…}}}}.')
        responses = [content] if isinstance(content, Mapping) else content
        text = "".join(
            render_response(name, response, place)
            for name, response, place in _pairs(responses, "response", f"{where}.content")
        )
        # The calls before it already ended with the first response's opening token.
        self._add(text.removeprefix(START_RESPONSE) if self._last == "calls" else text)
        self._last = "tool"

    def _refuse_after_calls(self, where: str) -> None:
        if self._last == "calls":
            raise FormatError(f"{where}: tool_calls must be followed by a tool message; add the tool's response.")


def _refuse_problems(tools: Sequence[Tool]) -> None:
    for path, message in problems(tools):
        raise FormatError(f"{path}: {message}.")


def _words(message: Message, where: str) -> str:
    content = message.get("content")
    if not isinstance(content, str):
        raise FormatError(f"{where}.content must be a string, not {type(content).__name__}; write the text itself.")
    return carriable(content, f"{where}.content").strip()


def _pairs(entries: Any, field: str, where: str) -> list[tuple[Any, Any, str]]:
    """(name, value of `field`, place) of each call or response; `{"function": {…}}` is unwrapped."""
    shape = f'{{"name": …, "{field}": {{…}}}}'
    if not isinstance(entries, (list, tuple)) or not all(isinstance(entry, Mapping) for entry in entries):
        raise FormatError(f"{where} must be a list of objects; write [{shape}].")
    pairs = []
    for index, entry in enumerate(entries):
        entry = bare_tool(entry)
        if field not in entry:
            raise FormatError(f"{where}[{index}] has no {field}; write {shape}.")
        pairs.append((entry.get("name"), entry[field], f"{where}[{index}]"))
    return pairs


def _declaration(tool: Tool) -> str:
    parameters = tool.get("parameters", {"type": "object"})
    parts = []
    if parameters.get("properties"):
        parts.append(_properties(parameters))
    parts.extend(_required(parameters))
    parts.append(_type(parameters))
    description = escaped(tool["description"], "description")
    body = f"{{description:{description},parameters:{{{','.join(parts)}}}}}"
    return f"{START_DECLARATION}declaration:{tool['name']}{body}{END_DECLARATION}"


def _schema(schema: Tool) -> str:
    """A property's or an array's items' schema, which `check.problems` has found nothing in."""
    parts = []
    kind = schema["type"]
    if "description" in schema:
        parts.append(f"description:{escaped(schema['description'], 'description')}")
    if "enum" in schema:
        parts.append(f"enum:{render_value(schema['enum'])}")
    if kind == "array":
        parts.append(f"items:{_schema(schema['items'])}")
    if kind == "object":
        parts.append(_properties(schema))
        parts.extend(_required(schema))
    parts.append(_type(schema))
    return "{" + ",".join(parts) + "}"


def _properties(schema: Tool) -> str:
    properties = by_key(schema["properties"].items())
    return "properties:{" + ",".join(f"{name}:{_schema(value)}" for name, value in properties) + "}"


def _required(schema: Tool) -> list[str]:
    required = schema.get("required")
    return [f"required:{render_value(required)}"] if required else []


def _type(schema: Tool) -> str:
    return f"type:{escaped(schema['type'].upper(), 'type')}"
