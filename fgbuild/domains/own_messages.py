"""Messages as people and other tools write them → the one shape used inside.

Taken: OpenAI's chat shape (arguments as a JSON string, tool results as text with a
`tool_call_id`), TRL's (arguments as an object, bare calls), and our own. See
`fgbuild.functiongemma.render` for what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fgbuild.domains.lines import parse_json

Message = dict[str, Any]
Tool = dict[str, Any]

_MAX_REASON = 200
"""Longest reason quoted from jsonschema, characters; it repeats the value, which may be long."""


class MessageReader:
    """Reads one row's messages; `problems` says what is wrong with them, by message."""

    def __init__(self, tools: list[Tool]) -> None:
        self.problems: list[str] = []
        self.messages: list[Message] = []
        self._parameters = {tool["name"]: tool["parameters"] for tool in tools}
        self._called_by_id: dict[str, str] = {}
        self._unanswered: list[str] = []

    def read(self, messages: Any) -> list[Message]:
        """The messages in our shape; of no use where `problems` is not empty afterwards."""
        if not isinstance(messages, list) or not messages:
            self.problems.append("messages must be a list of at least one message")
            return []
        for index, message in enumerate(messages):
            self._message(message, f"messages[{index}]")
        if not any(message["role"] == "assistant" for message in self.messages) and not self.problems:
            self.problems.append("no assistant message, so there is nothing to learn; add one")
        return self.messages

    def _message(self, message: Any, where: str) -> None:
        if not isinstance(message, dict):
            self.problems.append(f"{where} must be an object with role and content")
            return
        role = message.get("role")
        if role in ("system", "developer", "user"):
            self._words(message, where)
        elif role == "assistant":
            self._assistant(message, where)
        elif role == "tool":
            self._tool(message, where)
        else:
            self.problems.append(f"{where}.role: {role!r} is not a role; use developer, user, assistant or tool")

    def _words(self, message: Message, where: str) -> None:
        content = message.get("content")
        if not isinstance(content, str) or not content.strip():
            self.problems.append(f"{where}.content must be text that is not empty")
            return
        role = "user" if message["role"] == "user" else "developer"
        self.messages.append({"role": role, "content": content})

    def _assistant(self, message: Message, where: str) -> None:
        content, calls = message.get("content"), message.get("tool_calls")
        if content is not None and not isinstance(content, str):
            self.problems.append(f"{where}.content must be text")
            return
        if calls is not None and not isinstance(calls, list):
            self.problems.append(f"{where}.tool_calls must be a list of calls")
            return
        if not calls and not (content or "").strip():
            self.problems.append(f"{where}: an assistant message needs content or tool_calls; add one or remove it")
            return
        self._unanswered = []
        read: Message = {"role": "assistant"}
        if content and content.strip():
            read["content"] = content
        if calls:
            read["tool_calls"] = [self._call(call, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls)]
        self.messages.append(read)

    def _call(self, call: Any, where: str) -> Message:
        function = call.get("function", call) if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str):
            self.problems.append(f'{where} must be {{"function": {{"name": …, "arguments": {{…}}}}}}')
            return {}
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = parse_json(arguments)
            except ValueError as error:
                self.problems.append(f"{where}.arguments is not JSON: {error}")
                return {}
        if not isinstance(arguments, dict):
            self.problems.append(f"{where}.arguments must be an object, or an object as a JSON string")
            return {}
        if name not in self._parameters:
            self.problems.append(f'{where}: no tool is named "{name}"{_hint(name, self._parameters)}')
        else:
            self._check_arguments(name, arguments, f"{where}.arguments")
        self._unanswered.append(name)
        if isinstance(call.get("id"), str):
            self._called_by_id[call["id"]] = name
        return {"type": "function", "function": {"name": name, "arguments": arguments}}

    def _check_arguments(self, name: str, arguments: dict[str, Any], where: str) -> None:
        import jsonschema  # slow to import, and rows may have no calls

        schema = self._parameters[name]
        properties = schema["properties"]
        unknown = [key for key in arguments if key not in properties]
        self.problems += [f'{where}: {name} has no parameter "{key}"{_hint(key, properties)}' for key in unknown]
        known = {key: value for key, value in arguments.items() if key in properties}
        for error in jsonschema.Draft202012Validator(schema).iter_errors(known):
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path)
            self.problems.append(f"{where}{place}: {_shortened(error.message)} (by the declaration of {name})")

    def _tool(self, message: Message, where: str) -> None:
        content = message.get("content")
        entries: list[Any] = content if isinstance(content, list) else [content]
        if not entries or not all(isinstance(entry, dict) and "response" in entry for entry in entries):
            entries = [{"name": self._answered(message), "response": content}]
        responses = []
        for entry in entries:
            name = entry.get("name")
            if not isinstance(name, str):
                self.problems.append(f"{where}: which call it answers is not clear; add the tool's name")
                return
            if name in self._unanswered:
                self._unanswered.remove(name)
            else:
                self.problems.append(f'{where}: no call of "{name}" before it waits for a result')
            responses.append({"name": name, "response": _response(entry["response"])})
        if self.messages and self.messages[-1]["role"] == "tool":
            self.messages[-1]["content"] += responses
        else:
            self.messages.append({"role": "tool", "content": responses})

    def _answered(self, message: Message) -> str | None:
        """The tool whose result a message without one of our entries is: by name, by id, else by order."""
        if isinstance(message.get("name"), str):
            return str(message["name"])
        identifier = message.get("tool_call_id")
        if isinstance(identifier, str) and identifier in self._called_by_id:
            return self._called_by_id[identifier]
        return self._unanswered[0] if self._unanswered else None


def _response(value: Any) -> dict[str, Any]:
    """A tool's result as an object; text that is not a JSON object becomes `{"result": …}`."""
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError:
            return {"result": value}
    return value if isinstance(value, dict) else {"result": value}


def guessed_kind(messages: list[Message]) -> str:
    """decline without a call, sequence with several turns of calls, parallel with several calls in one, else single."""
    turns = [message["tool_calls"] for message in messages if message.get("tool_calls")]
    if not turns:
        return "decline"
    if len(turns) > 1:
        return "sequence"
    return "parallel" if len(turns[0]) > 1 else "single"


def _hint(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else f"; declared: {', '.join(known) or 'none'}"


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_REASON else f"{text[: _MAX_REASON - 1]}…"
