"""A row of a data set for reading: as a conversation, or as the prompt that the model is trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.content import Content

from fgbuild.functiongemma import DEVELOPER_SENTENCE, bare_tool, render
from fgbuild.views.report.evaluation import CONTROL
from fgbuild.views.report.values import items, mapping
from fgbuild.views.text import clean
from fgbuild.views.tui.reader import Block
from fgbuild.views.tui.rowfile import Row, calls_of, messages_of
from fgbuild.views.tui.styles import ACTIVE, MUTED

LEARNED = "┃ "
"""The gutter of what is supervised."""
_MOST = 40_000
"""Characters of a row that are shown."""
_SHORT = 70
_DEEPEST = 8
_MODEL = ("assistant", "model")
_CUT = "… the rest is left out here; y copies the whole row."

Tools = Sequence[Mapping[str, Any]]


def tools_of(row: Row, tools: Tools) -> Tools:
    """Those that the row declares: its own, or else the domain's."""
    own = [tool for tool in items(row.get("tools")) if isinstance(tool, dict)]
    return [bare_tool(tool) for tool in own or tools]


def conversation(row: Row, tools: Tools, unfolded: bool) -> Iterator[Block]:
    """Every message under its role, what is supervised behind LEARNED. unfolded: with the tools' parameters."""
    messages = messages_of(row)
    developer = messages[0].get("role") in ("developer", "system") if messages else False
    declared = tools_of(row, tools)
    if developer or declared:
        yield _heading("developer")
        words = _text(messages[0].get("content")) if developer else ""
        if declared and DEVELOPER_SENTENCE not in words:
            words = f"{words}\n{DEVELOPER_SENTENCE}".strip()
        yield Block(Content(words), "    ")
        yield from _declared(declared, bool(row.get("tools")), unfolded)
    left = _MOST
    for message in messages[int(developer) :]:
        gutter = LEARNED if message.get("role") in _MODEL else "  "
        yield _heading(_role(message), gutter)
        said = _said(message)
        yield Block(said[:left], gutter + "  ")
        left -= len(said.plain)
        if left <= 0:
            yield Block(Content(_CUT).stylize(MUTED))
            return


def _heading(role: str, gutter: str = "  ") -> Block:
    learned = "  supervised: what the model learns to write" if gutter == LEARNED else ""
    return Block(Content.assemble((role, "bold"), (learned, MUTED)), gutter)


def _role(message: Row) -> str:
    role = clean(str(message.get("role") or "?"), 40)
    return "model" if role in _MODEL else role


def _said(message: Row) -> Content:
    """Words, calls and responses, each on lines of its own."""
    parts: list[Content] = []
    content = message.get("content")
    if isinstance(content, str):
        parts.append(Content(_text(content)))
    elif message.get("role") == "tool":
        answers = [content] if isinstance(content, dict) else items(content)
        parts += [_response(mapping(answer)) for answer in answers]
    elif content is not None:
        parts.append(Content(pretty(content)))
    parts += [_call(call) for call in calls_of(message)]
    return Content("\n").join(parts)


def _call(call: Row) -> Content:
    arguments = call.get("arguments")
    named = [f"{_text(name)}: {pretty(value)}" for name, value in mapping(arguments).items()]
    if arguments and not named:
        named = [pretty(arguments)]
    if sum(map(len, named)) <= _SHORT and not any("\n" in one for one in named):
        shown = f"({', '.join(named)})"
    else:
        shown = "".join("\n    " + one.replace("\n", "\n    ") for one in named)
    return Content.assemble("→ ", (_text(call.get("name")), "bold"), shown)


def _response(answer: Row) -> Content:
    response = answer.get("response", answer)
    return Content.assemble(
        "← ", (_text(answer.get("name", "")), "bold"), "\n  ", pretty(response).replace("\n", "\n  ")
    )


def pretty(value: Any) -> str:
    """JSON, inert: on one line where it is short, else with an indent."""
    try:
        short = json.dumps(value, ensure_ascii=False)
        # Indenting is slow, and of what is too long to be shown whole the layout matters least.
        shown = json.dumps(value, ensure_ascii=False, indent=2) if _SHORT < len(short) <= _MOST else short
    except (RecursionError, ValueError):
        return "?"
    return _text(shown)


def _declared(tools: Tools, own: bool, unfolded: bool) -> Iterator[Block]:
    if not tools:
        return
    whose = "tools of this row" if own else "tools"
    if not unfolded:
        names = ", ".join(_text(tool.get("name")) for tool in tools)
        yield Block(Content.assemble(f"{len(tools)} {whose}: {names}", ("  u unfolds them", MUTED)), "    ")
        return
    yield Block(Content.assemble(f"{len(tools)} {whose}", ("  u folds them", MUTED)), "    ")
    for tool in tools:
        description = _text(tool.get("description"))
        yield Block(Content.assemble((_text(tool.get("name")), "bold"), f"  {description}"), "    ")
        yield from _parameters(mapping(tool.get("parameters")), 6, _DEEPEST)


def _parameters(schema: Row, indent: int, deepest: int) -> Iterator[Block]:
    required = items(schema.get("required"))
    for name, value in mapping(schema.get("properties")).items():
        of = mapping(value)
        kind = _kind(of) + (", required" if name in required else "")
        about = _text(of.get("description"))
        yield Block(Content.assemble((_text(name), "underline"), f": {kind}", (f"  {about}", MUTED)), " " * indent)
        inner = mapping(of.get("items")) or of
        if deepest and inner.get("properties"):
            yield from _parameters(inner, indent + 2, deepest - 1)


def _kind(schema: Row) -> str:
    kind = _text(schema.get("type", "any"))
    if kind == "array":
        return f"array of {_text(mapping(schema.get('items')).get('type', 'any'))}"
    values = items(schema.get("enum"))
    return f"{kind}, one of {', '.join(_text(value) for value in values)}" if values else kind


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return pretty(value)
    return clean(value, _MOST + 1, keep_newlines=True)


def prompt(row: Row, tools: Tools) -> Iterator[Block]:
    """The prompt format's own text: control tokens bold, what is supervised underlined and behind LEARNED.

    Raises FormatError for what that format cannot carry.
    """
    left, line, learned = _MOST, Content(""), False
    for segment in render(messages_of(row), tools_of(row, tools)):
        text = clean(segment.text[: max(left, 0)], None, keep_newlines=True)
        left -= len(segment.text)
        for number, piece in enumerate(text.split("\n")):
            if number:
                yield Block(line, LEARNED if learned else "  ")
                line, learned = Content(""), False
            line += _marked(piece, segment.supervised)
            learned = learned or (segment.supervised and bool(piece))
        if left <= 0:
            break
    yield Block(line, LEARNED if learned else "  ")
    if left <= 0:
        yield Block(Content(_CUT).stylize(MUTED))


def _marked(text: str, supervised: bool) -> Content:
    parts = [(part, ACTIVE if number % 2 else "") for number, part in enumerate(CONTROL.split(text)) if part]
    content = Content.assemble(*parts)
    return content.stylize("underline") if supervised else content
