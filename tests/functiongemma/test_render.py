from __future__ import annotations

import math
from typing import Any

import pytest

from fgbuild.errors import FormatError
from fgbuild.functiongemma import (
    Segment,
    render,
    render_call,
    render_declaration,
    render_response,
    render_text,
    render_value,
)
from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE

WEATHER = {
    "name": "get_current_weather",
    "description": "Gets the current weather in a given location.",
    "parameters": {
        "type": "object",
        "properties": {
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "The unit."},
            "location": {"type": "string", "description": 'The city, e.g. "San Francisco, CA".'},
        },
        "required": ["location"],
    },
}
DEVELOPER = (
    "<bos><start_of_turn>developer\n"
    "You are a model that can do function calling with the following functions"
    "<start_function_declaration>declaration:get_current_weather"
    "{description:<escape>Gets the current weather in a given location.<escape>,"
    'parameters:{properties:{location:{description:<escape>The city, e.g. "San Francisco, CA".<escape>,'
    "type:<escape>STRING<escape>},"
    "unit:{description:<escape>The unit.<escape>,enum:[<escape>celsius<escape>,<escape>fahrenheit<escape>],"
    "type:<escape>STRING<escape>}},required:[<escape>location<escape>],type:<escape>OBJECT<escape>}}"
    "<end_function_declaration><end_of_turn>\n"
)
USER: dict[str, Any] = {"role": "user", "content": "\n What's the weather in Tokyo? "}
CALL: dict[str, Any] = {
    "role": "assistant",
    "tool_calls": [
        {"type": "function", "function": {"name": "get_current_weather", "arguments": {"location": "Tokyo, Japan"}}}
    ],
}
RESULT: dict[str, Any] = {
    "role": "tool",
    "content": {"name": "get_current_weather", "response": {"weather": "sunny", "temperature": 15}},
}
ANSWER: dict[str, Any] = {"role": "assistant", "content": "The current weather is sunny, 15 °C."}
CALL_TEXT = "<start_function_call>call:get_current_weather{location:<escape>Tokyo, Japan<escape>}<end_function_call>"
RESULT_TEXT = "response:get_current_weather{temperature:15,weather:<escape>sunny<escape>}<end_function_response>"
PROMPT = DEVELOPER + ("<start_of_turn>user\nWhat's the weather in Tokyo?<end_of_turn>\n<start_of_turn>model\n")


def test_golden_conversation() -> None:
    assert render_text([USER, CALL, RESULT, ANSWER], [WEATHER]) == (
        PROMPT
        + CALL_TEXT
        + "<start_function_response>"
        + RESULT_TEXT
        + "The current weather is sunny, 15 °C.<end_of_turn>\n"
    )


def test_golden_conversation_of_two_exchanges() -> None:
    again = {"role": "user", "content": "Thanks. And there?"}
    assert render_text([USER, CALL, RESULT, ANSWER, again, CALL], [WEATHER]) == (
        PROMPT
        + f"{CALL_TEXT}<start_function_response>{RESULT_TEXT}The current weather is sunny, 15 °C.<end_of_turn>\n"
        + "<start_of_turn>user\nThanks. And there?<end_of_turn>\n<start_of_turn>model\n"
        + f"{CALL_TEXT}<start_function_response>"
    )


def test_supervised_are_words_and_calls_with_their_terminators() -> None:
    assert render([USER, CALL, RESULT, ANSWER], [WEATHER]) == [
        Segment(PROMPT, False),
        Segment(CALL_TEXT + "<start_function_response>", True),
        Segment(RESULT_TEXT, False),
        Segment("The current weather is sunny, 15 °C.<end_of_turn>", True),
        Segment("\n", False),
    ]


def test_generation_prompt_opens_a_turn_or_goes_on_after_a_response() -> None:
    assert render_text([USER], [WEATHER], add_generation_prompt=True) == PROMPT
    after = [USER, CALL, RESULT]
    assert render_text(after, [WEATHER], add_generation_prompt=True) == render_text(after, [WEATHER])


def test_a_sequence_stays_one_model_turn() -> None:
    text = render_text([USER, CALL, RESULT, CALL, RESULT, ANSWER], [WEATHER])
    assert text.count("<start_of_turn>model\n") == 1
    assert f"{RESULT_TEXT}{CALL_TEXT}<start_function_response>{RESULT_TEXT}The current" in text


def test_parallel_calls_and_responses_are_concatenated() -> None:
    calls = {"role": "assistant", "tool_calls": CALL["tool_calls"] * 2}
    one = {"role": "tool", "content": [RESULT["content"], RESULT["content"]]}
    expected = f"{CALL_TEXT}{CALL_TEXT}<start_function_response>{RESULT_TEXT}<start_function_response>{RESULT_TEXT}The"
    assert expected in render_text([USER, calls, one, ANSWER])
    assert render_text([USER, calls, RESULT, RESULT, ANSWER]) == render_text([USER, calls, one, ANSWER])


def test_words_come_before_calls() -> None:
    segments = render([USER, {**CALL, "content": " Let me look. "}])
    assert segments[-1] == Segment(f"Let me look.{CALL_TEXT}<start_function_response>", True)


def test_a_developer_message_stands_before_the_sentence() -> None:
    """As in Google's own data for mobile actions, where the date comes before the sentence."""
    for role in ("developer", "system"):
        text = render_text([{"role": role, "content": " Be brief. "}, USER], [WEATHER])
        assert text.startswith(
            "<bos><start_of_turn>developer\nBe brief.\n"
            "You are a model that can do function calling with the following functions"
            "<start_function_declaration>declaration:"
        )


@pytest.mark.parametrize(
    "content", [DEVELOPER_SENTENCE, f" {DEVELOPER_SENTENCE}\n", f"Today is Monday.\n{DEVELOPER_SENTENCE}"]
)
def test_a_developer_message_that_has_the_sentence_stays_as_it_is(content: str) -> None:
    text = render_text([{"role": "developer", "content": content}, USER], [WEATHER])
    assert text.startswith(f"<bos><start_of_turn>developer\n{content.strip()}<start_function_declaration>")


def test_an_empty_developer_message_is_the_sentence_alone() -> None:
    assert render_text([{"role": "developer", "content": " "}, USER], [WEATHER]) == render_text([USER], [WEATHER])


def test_without_tools_a_developer_message_is_all_of_its_turn() -> None:
    assert render_text([{"role": "developer", "content": "Be brief."}]) == (
        "<bos><start_of_turn>developer\nBe brief.<end_of_turn>\n"
    )


def test_without_tools_and_developer_message_there_is_no_developer_turn() -> None:
    assert render_text([USER]) == "<bos><start_of_turn>user\nWhat's the weather in Tokyo?<end_of_turn>\n"
    assert render_text([]) == "<bos>"


def test_the_model_role_is_the_assistant() -> None:
    assert render([USER, {**ANSWER, "role": "model"}]) == render([USER, ANSWER])


def test_the_openai_wrapper_of_a_tool_makes_no_difference() -> None:
    wrapped = {"type": "function", "function": WEATHER}
    assert render_text([USER], [wrapped]) == render_text([USER], [WEATHER])


def test_declaration_of_every_type() -> None:
    tool = {
        "name": "everything",
        "description": "Takes all.",
        "parameters": {
            "type": "object",
            "properties": {
                "b_list": {
                    "type": "array",
                    "description": "Rows.",
                    "items": {
                        "type": "object",
                        "properties": {"n": {"type": "integer", "description": "N.", "minimum": 0}},
                        "required": ["n"],
                    },
                },
                "a_where": {
                    "type": "object",
                    "description": "Place.",
                    "properties": {
                        "x": {"type": "number", "description": "X."},
                        "on": {"type": "boolean", "description": "On.", "default": False},
                    },
                    "required": ["x"],
                },
                "c_codes": {
                    "type": "array",
                    "description": "Codes.",
                    "items": {"type": "string", "enum": ["E", "F"], "description": "Code."},
                },
                "d_free": {"type": "object", "description": "Free.", "properties": {}},
            },
        },
    }
    assert render_declaration(tool) == (
        "<start_function_declaration>declaration:everything{description:<escape>Takes all.<escape>,"
        "parameters:{properties:{"
        "a_where:{description:<escape>Place.<escape>,properties:{"
        "on:{description:<escape>On.<escape>,type:<escape>BOOLEAN<escape>},"
        "x:{description:<escape>X.<escape>,type:<escape>NUMBER<escape>}},"
        "required:[<escape>x<escape>],type:<escape>OBJECT<escape>},"
        "b_list:{description:<escape>Rows.<escape>,items:{properties:{"
        "n:{description:<escape>N.<escape>,type:<escape>INTEGER<escape>}},"
        "required:[<escape>n<escape>],type:<escape>OBJECT<escape>},type:<escape>ARRAY<escape>},"
        "c_codes:{description:<escape>Codes.<escape>,items:{description:<escape>Code.<escape>,"
        "enum:[<escape>E<escape>,<escape>F<escape>],type:<escape>STRING<escape>},type:<escape>ARRAY<escape>},"
        "d_free:{description:<escape>Free.<escape>,properties:{},type:<escape>OBJECT<escape>}"
        "},type:<escape>OBJECT<escape>}}<end_function_declaration>"
    )


@pytest.mark.parametrize(
    "parameters", [{}, {"parameters": {"type": "object"}}, {"parameters": {"type": "object", "properties": {}}}]
)
def test_declaration_without_arguments(parameters: dict[str, Any]) -> None:
    assert render_declaration({"name": "now", "description": "Tells the time.", **parameters}) == (
        "<start_function_declaration>declaration:now{description:<escape>Tells the time.<escape>,"
        "parameters:{type:<escape>OBJECT<escape>}}<end_function_declaration>"
    )


def test_required_keeps_its_order_and_parameters_are_sorted() -> None:
    one = {"type": "integer", "description": "N."}
    properties = {"b": one, "C": one, "a": one}
    parameters = {"type": "object", "properties": properties, "required": ["b", "a"]}
    text = render_declaration({"name": "f", "description": "d", "parameters": parameters})
    assert text.index("a:{") < text.index("b:{") < text.index("C:{")
    assert "required:[<escape>b<escape>,<escape>a<escape>]" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "<escape><escape>"),
        ('a "b" {c}, [d]: é\n', '<escape>a "b" {c}, [d]: é\n<escape>'),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (15, "15"),
        (-0.5, "-0.5"),
        (1.0, "1.0"),
        (1e-7, "1e-07"),
        ([], "[]"),
        ({}, "{}"),
        ((1, "a"), "[1,<escape>a<escape>]"),
        ({"b": {"d": None}, "A": [{}], "c": 1}, "{A:[{}],b:{d:null},c:1}"),
        ({"b": 1, "B": 2, "a": 3}, "{a:3,b:1,B:2}"),
        ({"B": 2, "b": 1}, "{B:2,b:1}"),
        ({"src/app.py": 1}, "{src/app.py:1}"),
    ],
)
def test_values(value: Any, text: str) -> None:
    assert render_value(value) == text


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a<escape>b", "value: the text contains the special token `<escape>`"),
        ({"a": ["x", "<end_of_turn>"]}, r"value\.a\[1\]: the text contains"),
        ("\udcff", "surrogate"),
        (math.nan, "nan is not a JSON number"),
        ([math.inf], r"value\[0\]: inf"),
        pytest.param(10**5000, "too many digits", id="huge"),
        ({1: 2}, "1 cannot be a key"),
        ({"": 2}, "'' cannot be a key"),
        ({"a b": 2}, "'a b' cannot be a key"),
        ({"a:b": 2}, "cannot be a key"),
        ({"a\n": 2}, "cannot be a key"),
        ({"é": 2}, "cannot be a key"),
        ({"a": {1, 2}}, r"value\.a: a set is not a JSON value"),
        (_nested(65), "deeper than 64"),
    ],
)
def test_values_that_cannot_be_carried(value: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        render_value(value)


def test_a_value_of_the_greatest_depth_is_carried() -> None:
    assert render_value(_nested(64)) == "[" * 64 + "]" * 64


def test_calls_and_responses() -> None:
    assert render_call("f", {}) == "<start_function_call>call:f{}<end_function_call>"
    assert render_response("f", {"ok": True}) == "<start_function_response>response:f{ok:true}<end_function_response>"


@pytest.mark.parametrize("name", ["", "1f", "a b", "f{", None, "f\n"])
def test_bad_names(name: Any) -> None:
    with pytest.raises(FormatError, match="is not a tool name"):
        render_call(name, {})


@pytest.mark.parametrize("arguments", ['{"a": 1}', None, [1]])
def test_arguments_must_be_an_object(arguments: Any) -> None:
    with pytest.raises(FormatError, match=r"call\.arguments must be an object"):
        render_call("f", arguments)


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([USER, RESULT], r"messages\[1\]: a tool message must follow"),
        ([USER, ANSWER, RESULT], r"messages\[2\]: a tool message must follow"),
        ([USER, CALL, USER], r"messages\[2\]: tool_calls must be followed by a tool message"),
        ([USER, CALL, ANSWER], r"messages\[2\]: tool_calls must be followed"),
        ([USER, CALL, RESULT, USER], r"messages\[3\]: a tool message must be followed by an assistant"),
        ([USER, {"role": "developer", "content": "x"}], r"messages\[1\]: a developer message can only be the first"),
        ([{"role": "robot", "content": "x"}], "unknown role 'robot'"),
        (["hello"], r"messages\[0\] is not an object"),
        ([{"role": "user"}], r"messages\[0\]\.content must be a string, not NoneType"),
        ([{"role": "user", "content": "a<bos>b"}], r"messages\[0\]\.content: the text contains"),
        ([USER, {"role": "assistant", "content": "  "}], r"messages\[1\]: an assistant message needs content"),
        ([USER, {"role": "assistant", "tool_calls": {}}], "needs content or tool_calls"),
        ([USER, {"role": "assistant", "tool_calls": "f()"}], r"messages\[1\]\.tool_calls must be a list"),
        ([USER, {"role": "assistant", "tool_calls": [{"name": "f"}]}], r"tool_calls\[0\] has no arguments"),
        (
            [USER, {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"x": math.nan}}]}],
            r"messages\[1\]\.tool_calls\[0\]\.arguments\.x: nan",
        ),
        ([USER, CALL, {"role": "tool", "content": "fine"}], r"messages\[2\]\.content must be a list of objects"),
        ([USER, CALL, {"role": "tool", "content": []}], r"messages\[2\]\.content is empty"),
        ([USER, CALL, {"role": "tool", "content": {"name": "f"}}], r"messages\[2\]\.content\[0\] has no response"),
    ],
)
def test_conversations_that_have_no_text(messages: list[Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        render(messages)


def test_no_generation_prompt_before_the_tool_has_answered() -> None:
    with pytest.raises(FormatError, match="add_generation_prompt: tool_calls must be followed"):
        render([USER, CALL], add_generation_prompt=True)


def test_tools_that_the_format_cannot_express_are_refused() -> None:
    with pytest.raises(FormatError, match=r"tool\[1\]\.name: 'get_current_weather' is already"):
        render([USER], [WEATHER, WEATHER])
    with pytest.raises(FormatError, match=r"tool\[0\]\.description: the tool needs a description"):
        render_declaration({"name": "f"})
