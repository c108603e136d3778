"""FunctionGemma's control tokens, and what must not appear in text because of them.

Ids and strings are those of `google/functiongemma-270m-it`; in plain Gemma 3 the ids 46..52 are
`<unused40>`..`<unused46>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

BOS = "<bos>"
EOS = "<eos>"
START_OF_TURN = "<start_of_turn>"
END_OF_TURN = "<end_of_turn>"
START_DECLARATION = "<start_function_declaration>"
END_DECLARATION = "<end_function_declaration>"
START_CALL = "<start_function_call>"
END_CALL = "<end_function_call>"
START_RESPONSE = "<start_function_response>"
END_RESPONSE = "<end_function_response>"
ESCAPE = "<escape>"

EOS_ID = 1
END_OF_TURN_ID = 106
START_RESPONSE_ID = 50
STOP_IDS = (EOS_ID, END_OF_TURN_ID, START_RESPONSE_ID)
"""Ids that end generation: `<eos>`, `<end_of_turn>` after words, `<start_function_response>` after calls."""

CONTROL_TOKENS: dict[int, str] = {
    46: START_DECLARATION,
    47: END_DECLARATION,
    48: START_CALL,
    49: END_CALL,
    START_RESPONSE_ID: START_RESPONSE,
    51: END_RESPONSE,
    52: ESCAPE,
}
"""Token id → text of the seven tokens that FunctionGemma adds to Gemma 3."""

DEVELOPER_SENTENCE = "You are a model that can do function calling with the following functions"
"""What switches function calling on: the developer turn's last words before the declarations."""

MAX_DEPTH = 64
"""Deepest nesting of objects and arrays that a value may have; the arguments themselves are level 1."""

RESERVED_NAMES = frozenset({"description", "type", "properties", "required", "nullable"})
"""Parameter names that FunctionGemma's official template leaves out of a declaration."""

TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
"""A whole tool name."""

KEY = re.compile(r"[A-Za-z0-9_./-]+")
"""A whole key of arguments, responses and properties.

Keys are written bare, so they are limited to characters that cannot be taken for the format's
own: ASCII letters, digits, `_`, `-`, `.` and `/`.
"""

_SPECIAL = (
    *CONTROL_TOKENS.values(),
    START_OF_TURN,
    END_OF_TURN,
    BOS,
    EOS,
    "<pad>",
    "<unk>",
    "<mask>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
)
_SPECIAL_PATTERN = re.compile("|".join(map(re.escape, _SPECIAL)))


def special_token_in(text: str) -> str | None:
    """The first special token whose text occurs in `text`, or None.

    A tokenizer reads such text as the token itself, wherever it stands.
    """
    found = _SPECIAL_PATTERN.search(text)
    return found.group() if found else None


def unfit_text(text: str) -> str:
    """Why a string cannot stand in a prompt, or "" when it can: special tokens, lone surrogates."""
    if token := special_token_in(text):
        return f"the text contains the special token `{token}`, which the model would obey; remove it"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "the text contains a lone surrogate, which is not valid Unicode; remove it"
    return ""


def bare_tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tool without the OpenAI wrapper `{"type": "function", "function": {…}}`, if it has one."""
    function = tool.get("function")
    return function if isinstance(function, Mapping) else tool
