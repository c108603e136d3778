"""FunctionGemma's prompt format: renderer, parser, checks and chat template, in pure Python."""

from fgbuild.functiongemma.check import problems
from fgbuild.functiongemma.parse import Call, Turn, parse_turn
from fgbuild.functiongemma.render import (
    Segment,
    render,
    render_call,
    render_declaration,
    render_response,
    render_text,
    render_value,
)
from fgbuild.functiongemma.template import chat_template
from fgbuild.functiongemma.tokens import CONTROL_TOKENS, DEVELOPER_SENTENCE, STOP_IDS, bare_tool

__all__ = [
    "CONTROL_TOKENS",
    "DEVELOPER_SENTENCE",
    "STOP_IDS",
    "Call",
    "Segment",
    "Turn",
    "bare_tool",
    "chat_template",
    "parse_turn",
    "problems",
    "render",
    "render_call",
    "render_declaration",
    "render_response",
    "render_text",
    "render_value",
]
