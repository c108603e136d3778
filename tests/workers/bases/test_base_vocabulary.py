from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

from fgbuild.functiongemma.tokens import CONTROL_TOKENS
from fgbuild.workers.bases import tiny
from fgbuild.workers.bases.vocabulary import (
    BYTE,
    CONTROL,
    NORMAL,
    USER_DEFINED,
    Vocabulary,
    merges,
    tokenizer_json,
)

TEXTS = [
    "<start_of_turn>user\nHello  world",
    "def f(x):\n    return x + 1\n\n\n\tif a:\n\t\tpass",
    "日本語 テキスト 🎉👩‍👩‍👧 ñandú",
    "  lead   and trail   ",
    "12345 3.14159 0x1F",
    "a" * 50,
    " " * 70 + "x" + "\n" * 40,
    "call:run_ruff{path:<escape>src/a.py<escape>,fix:true}<end_function_call><start_function_response>",
    "\x01 \x7f x\r\ny\u00a0z\u200b",
    '{"a": [1, 2, {"b": null}]}',
    "C:\\path\\to\\file.txt;rm -rf / && echo $HOME",
    "aaabababa abcabc banana",
    "<0x41> <0x",
]


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tiny_base / "tokenizer.json"))


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids


def test_control_tokens_are_one_id_each(tokenizer: Tokenizer) -> None:
    for token_id, piece in CONTROL_TOKENS.items():
        assert encode(tokenizer, f"a{piece}b")[1] == token_id
    assert encode(tokenizer, "<bos><start_of_turn><end_of_turn><eos>") == [2, 105, 106, 1]
    assert tokenizer.encode("a").ids[0] == 2, "as Gemma's own, it adds <bos> where asked to"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="▁", exclude_categories=("Cs",)), max_size=80))
def test_text_survives(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(encode(tokenizer, text), skip_special_tokens=False) == text


@pytest.mark.parametrize("text", TEXTS)
def test_llama_cpp_tokenises_alike(tokenizer: Tokenizer, tiny_llama: object, text: str) -> None:
    theirs = tiny_llama.tokenize(text.encode(), add_bos=False, special=True)  # type: ignore[attr-defined]
    assert encode(tokenizer, text) == theirs


def test_the_sentencepiece_model_tokenises_alike(tokenizer: Tokenizer, tiny_base: Path) -> None:
    processor = SentencePieceProcessor(str(tiny_base / "tokenizer.model"))
    for text in TEXTS:
        if "<" not in text:  # sentencepiece never reads control pieces out of text
            assert processor.encode(text) == encode(tokenizer, text)


def test_merges_follow_the_scores() -> None:
    vocabulary = Vocabulary(["a", "b", "c", "ab", "bc", "abc"], [-9, -9, -9, -2, -1, -3], [NORMAL] * 6)
    assert merges(vocabulary) == [("b", "c"), ("a", "b"), ("a", "bc"), ("ab", "c")]


def test_merges_never_make_or_use_a_special_piece() -> None:
    vocabulary = Vocabulary(["a", "b", "ab", "ba"], [0, 0, 0, 0], [NORMAL, NORMAL, CONTROL, BYTE])
    assert merges(vocabulary) == []


def test_user_defined_pieces_match_raw_text_and_are_not_special(tokenizer: Tokenizer) -> None:
    tokens = {token["content"]: token for token in tokenizer_json(tiny.vocabulary())["added_tokens"]}
    assert not tokens["\n\n"]["special"]
    assert tokens["<bos>"]["special"]
    assert tiny.vocabulary().types[encode(tokenizer, "a   b")[1]] == USER_DEFINED


def test_transformers_loads_it(tiny_base: Path, tokenizer: Tokenizer) -> None:
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(tiny_base)
    assert (loaded.pad_token_id, loaded.eos_token_id, loaded.bos_token_id) == (0, 1, 2)
    assert "start_function_declaration" in loaded.chat_template
    for text in TEXTS:
        assert loaded(text, add_special_tokens=False).input_ids == encode(tokenizer, text)
