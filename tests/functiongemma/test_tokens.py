from __future__ import annotations

import pytest

from fgbuild.functiongemma import tokens


def test_the_ids_are_those_of_functiongemma() -> None:
    assert tokens.CONTROL_TOKENS == {
        46: "<start_function_declaration>",
        47: "<end_function_declaration>",
        48: "<start_function_call>",
        49: "<end_function_call>",
        50: "<start_function_response>",
        51: "<end_function_response>",
        52: "<escape>",
    }
    assert tokens.STOP_IDS == (1, 106, 50)


@pytest.mark.parametrize("token", [*tokens.CONTROL_TOKENS.values(), "<bos>", "<start_of_turn>", "<end_of_turn>"])
def test_a_special_token_is_found_anywhere(token: str) -> None:
    assert tokens.special_token_in(f"before {token} after") == token
    assert token in tokens.unfit_text(token)


@pytest.mark.parametrize("text", ["", "<", "<escape", "escape>", "a < b > c", "<div>", "{}[],:", "é 漢 🙂", "\n\t\0"])
def test_other_text_is_fit(text: str) -> None:
    assert tokens.special_token_in(text) is None
    assert tokens.unfit_text(text) == ""


def test_a_lone_surrogate_is_unfit() -> None:
    assert "surrogate" in tokens.unfit_text("\ud800")


def test_bare_tool_unwraps_the_openai_form() -> None:
    tool = {"name": "f", "description": "d"}
    assert tokens.bare_tool(tool) is tool
    assert tokens.bare_tool({"type": "function", "function": tool}) is tool
