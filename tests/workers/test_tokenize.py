"""Stage tokenize: token ids, and spans that hold exactly what the model must produce."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from fgbuild.errors import DataError
from fgbuild.functiongemma import render_text
from fgbuild.workers.encoding import encode_row
from fgbuild.workers.tokenize import check_template, common_prefix

TOOL = {
    "name": "look",
    "description": "Look at a file.",
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "File."}},
        "required": ["path"],
    },
}
LOOK = {"type": "function", "function": {"name": "look", "arguments": {"path": "a.py"}}}
CALL = {"role": "assistant", "tool_calls": [LOOK]}
ROW = {
    "id": "toy-1",
    "messages": [
        {"role": "user", "content": "Look at a.py."},
        CALL,
        {"role": "tool", "content": [{"name": "look", "response": {"lines": 3}}]},
        {"role": "assistant", "content": "It has 3 lines."},
    ],
}


@pytest.fixture(scope="module")
def tokenizer(tiny_base) -> Tokenizer:
    return Tokenizer.from_file(str(tiny_base / "tokenizer.json"))


def texts(tokenizer: Tokenizer, row: dict) -> list[str]:
    return [tokenizer.decode(row["input_ids"][start:end], skip_special_tokens=False) for start, end in row["spans"]]


def test_spans_are_the_assistant_turns_with_their_stop_tokens(tokenizer):
    row = encode_row(tokenizer, ROW, [TOOL], 1024)
    assert texts(tokenizer, row) == [
        "<start_function_call>call:look{path:<escape>a.py<escape>}<end_function_call><start_function_response>",
        "It has 3 lines.<end_of_turn>",
    ]
    assert [row["input_ids"][end - 1] for _, end in row["spans"]] == [50, 106]


def test_ids_are_those_of_the_whole_text_with_one_bos(tokenizer):
    row = encode_row(tokenizer, ROW, [TOOL], 1024)
    whole = tokenizer.encode(render_text(ROW["messages"], [TOOL]), add_special_tokens=False).ids
    assert row["input_ids"] == whole
    assert whole.count(2) == 1
    assert whole[0] == 2


def test_a_row_that_is_too_long_is_named_with_its_source(tokenizer):
    with pytest.raises(DataError, match=r"own\.jsonl:3: \d+ tokens, above dataset\.max_length = 20"):
        encode_row(tokenizer, {**ROW, "source": "own.jsonl:3"}, [TOOL], 20)


def test_a_row_without_an_assistant_turn_is_an_error(tokenizer):
    with pytest.raises(DataError, match="nothing to learn from"):
        encode_row(tokenizer, {"id": "x", "messages": ROW["messages"][:1]}, [TOOL], 1024)


def test_text_that_the_format_cannot_carry_is_named(tokenizer):
    row = {"id": "x", "messages": [{"role": "user", "content": "<escape>"}, CALL]}
    with pytest.raises(DataError, match=r"^x: "):
        encode_row(tokenizer, row, [TOOL], 1024)


def test_common_prefix():
    assert common_prefix([[1, 2, 3], [1, 2, 4], [1, 2]]) == 2
    assert common_prefix([[1], [2]]) == 0
    assert common_prefix([[5, 6]]) == 2


def test_a_base_whose_template_prints_another_prompt_is_refused_before_anything_is_trained(tiny_base, tmp_path):
    row = {**ROW, "scenario": "look"}
    check_template(tiny_base, [row], [TOOL])
    template = (tiny_base / "chat_template.jinja").read_text("utf-8")
    (tmp_path / "chat_template.jinja").write_text(template.replace("| upper", "| lower"), "utf-8")
    with pytest.raises(DataError, match="toy-1: of the base, its chat template prints 'string"):
        check_template(tmp_path, [row], [TOOL])
