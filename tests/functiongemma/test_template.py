"""The Jinja template must print what the renderer prints, and mark what the renderer supervises."""

from __future__ import annotations

import string
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers.utils.chat_template_utils import render_jinja_template

from fgbuild.functiongemma import chat_template, problems, render, render_text
from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE, RESERVED_NAMES, special_token_in

PLAIN = ImmutableSandboxedEnvironment().from_string(chat_template(generation_markers=False))
TRIMMING = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(
    chat_template(generation_markers=False)
)

KEYS = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=6)
NAMES = st.builds("".join, st.tuples(st.sampled_from("abXYZ_"), KEYS))
TEXTS = (st.text(max_size=12) | st.sampled_from(["{{ x }}", "{% if %}", "<b>&amp;'\"", " pad ", "\n"])).filter(
    lambda text: special_token_in(text) is None
)
WORDS = TEXTS.filter(lambda text: bool(text.strip()))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def _object_schema(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = KEYS.filter(lambda name: name not in RESERVED_NAMES)

    def with_required(properties: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        required = (
            st.lists(st.sampled_from(sorted(properties)), unique=True, min_size=1) if properties else st.nothing()
        )
        base = {"type": st.just("object"), "properties": st.just(properties)}
        return st.fixed_dictionaries(base) | st.fixed_dictionaries({**base, "required": required})

    return st.dictionaries(names, inner, max_size=3).flatmap(with_required)


def _described(schema: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda fields, text: {"description": text, **fields}, schema, WORDS)


LEAVES = st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "number", "boolean"])}) | (
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(TEXTS, min_size=1, max_size=3)})
)
PROPERTIES = st.recursive(
    _described(LEAVES),
    lambda inner: _described(
        _object_schema(inner)
        | st.fixed_dictionaries({"type": st.just("array"), "items": LEAVES | _object_schema(inner)})
    ),
    max_leaves=4,
)
TOOLS = st.lists(
    st.fixed_dictionaries({"name": NAMES, "description": WORDS}, optional={"parameters": _object_schema(PROPERTIES)}),
    max_size=3,
    unique_by=lambda tool: tool["name"],
)


def _calls(pairs: list[tuple[str, dict[str, Any]]], content: str | None) -> dict[str, Any]:
    calls = [{"type": "function", "function": {"name": name, "arguments": value}} for name, value in pairs]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def _responses(pairs: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"name": name, "response": value} for name, value in pairs]


PAIRS = st.lists(st.tuples(NAMES, OBJECTS), min_size=1, max_size=2)
CALLS = st.builds(_calls, PAIRS, st.none() | TEXTS)
RESPONSES = st.builds(lambda pairs: [{"role": "tool", "content": _responses(pairs)}], PAIRS) | st.builds(
    lambda pairs: [{"role": "tool", "content": content} for content in _responses(pairs)], PAIRS
)
ANSWER = st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["assistant", "model"]), WORDS)
STEP = st.builds(lambda call, responses: [call, *responses], CALLS, RESPONSES)
EXCHANGE = st.builds(
    lambda text, steps, answer: [{"role": "user", "content": text}, *chain(*steps), answer],
    TEXTS,
    st.lists(STEP, max_size=2),
    ANSWER,
)
OPENING = st.just([]) | st.builds(
    lambda role, text: [{"role": role, "content": text}],
    st.sampled_from(["developer", "system"]),
    TEXTS | st.sampled_from([DEVELOPER_SENTENCE, f"Be brief.\n{DEVELOPER_SENTENCE} ", f"{DEVELOPER_SENTENCE}: these"]),
)
ENDING = (
    st.just([])
    | st.builds(lambda text: [{"role": "user", "content": text}], TEXTS)
    | st.builds(lambda call: [{"role": "user", "content": "Go."}, call], CALLS)
    | st.builds(lambda step: [{"role": "user", "content": "Go."}, *step], STEP)
)
CONVERSATIONS = st.builds(
    lambda opening, exchanges, ending: [*opening, *chain(*exchanges), *ending],
    OPENING,
    st.lists(EXCHANGE, max_size=2),
    ENDING,
)


@settings(max_examples=60, deadline=None)
@given(CONVERSATIONS, TOOLS, st.booleans(), st.booleans())
def test_the_template_prints_what_the_renderer_prints(
    messages: list[dict[str, Any]], tools: list[dict[str, Any]], wrapped: bool, prompt: bool
) -> None:
    assert problems(tools) == []
    prompt = prompt and not (messages and messages[-1].get("tool_calls"))
    given_tools = [{"type": "function", "function": tool} for tool in tools] if wrapped else tools
    expected = render_text(messages, tools, add_generation_prompt=prompt)
    variables = {"messages": messages, "tools": given_tools, "add_generation_prompt": prompt, "bos_token": "<bos>"}
    assert PLAIN.render(**variables) == expected
    assert TRIMMING.render(**variables) == expected

    (text,), (spans,) = render_jinja_template(
        [messages],
        tools=given_tools,
        chat_template=chat_template(),
        return_assistant_tokens_mask=True,
        add_generation_prompt=prompt,
        bos_token="<bos>",
    )
    assert text == expected
    assert spans == _supervised(messages, tools)


def _supervised(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> list[tuple[int, int]]:
    spans, position = [], 0
    for segment in render(messages, tools):
        if segment.supervised:
            spans.append((position, position + len(segment.text)))
        position += len(segment.text)
    return spans


@pytest.mark.parametrize("tools", [None, []])
def test_without_tools(tools: list[Any] | None) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    assert PLAIN.render(messages=messages, tools=tools) == render_text(messages, tools)
    assert PLAIN.render(messages=[], tools=tools) == "<bos>"


def test_message_without_content_or_with_none() -> None:
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    expected = render_text([call])
    for content in ({}, {"content": None}, {"content": ""}):
        assert PLAIN.render(messages=[{**call, **content}]) == expected


def test_a_plain_answer_may_carry_an_empty_list_of_calls() -> None:
    message = {"role": "assistant", "content": "Hi", "tool_calls": []}
    assert PLAIN.render(messages=[message]) == render_text([message]) == "<bos><start_of_turn>model\nHi<end_of_turn>\n"


def test_only_one_variant_has_generation_markers() -> None:
    assert chat_template().count("generation -%}") == 2
    bare = chat_template(generation_markers=False)
    assert "generation -%}" not in bare
    assert len(chat_template().splitlines()) == len(bare.splitlines()) + 2
