"""The llama.cpp wrapper, on a real GGUF of random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_model import GGUF, TOOLS, make_base

from fgbuild.functiongemma import CONTROL_TOKENS, render_text
from fgbuild.workers.inference.llama import FRESH_TOKENS, LlamaError, LlamaModel, thread_count
from fgbuild.workers.inference.prompt import PromptEncoder


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture(scope="module")
def model(tiny_base: Path) -> Iterator[LlamaModel]:
    with LlamaModel(tiny_base / GGUF, n_ctx=1024, threads=1) as loaded:
        yield loaded


def prompt(model: LlamaModel, words: str) -> list[int]:
    return model.tokenize(render_text([{"role": "user", "content": words}], TOOLS, add_generation_prompt=True))


def test_control_tokens_are_single_ids_and_come_back_as_text(model: LlamaModel) -> None:
    ids = [2, 105, *CONTROL_TOKENS, 106, 1]
    text = model.detokenize(ids)
    assert text == "<bos><start_of_turn>" + "".join(CONTROL_TOKENS.values()) + "<end_of_turn><eos>"
    assert model.tokenize(text) == ids


def test_no_second_bos_is_added(model: LlamaModel) -> None:
    assert prompt(model, "Hello").count(2) == 1


@pytest.mark.parametrize("words", ["Check src/app.py.", 'naïve "café" — 東京 🎉', "a  b\n\n\tc", "{x:[1,2.5]}"])
def test_text_survives_tokens_and_back(model: LlamaModel, words: str) -> None:
    assert model.detokenize(model.tokenize(words)) == words


def test_tokens_are_those_of_the_training_tokenizer(model: LlamaModel, tiny_base: Path) -> None:
    messages = [{"role": "user", "content": 'Check "src/größe.py", 3 times: naïve?'}]
    assert prompt(model, messages[0]["content"]) == PromptEncoder(tiny_base).encode(messages, TOOLS)


def test_reusing_a_prefix_changes_nothing_but_the_work(model: LlamaModel, tiny_base: Path) -> None:
    first, second = prompt(model, "Check src/app.py."), prompt(model, "Undo that, and then check the rest of it.")
    model.complete(first, 24)
    warm = model.complete(second, 24)
    with LlamaModel(tiny_base / GGUF, n_ctx=1024, threads=1) as fresh:
        cold = fresh.complete(second, 24)
    assert cold.reused_tokens == 0
    assert warm.reused_tokens > 50
    assert warm.tokens == cold.tokens
    again = model.complete(second, 24)
    assert again.reused_tokens == len(second) - FRESH_TOKENS
    assert again.tokens == cold.tokens


def test_a_prefix_longer_than_the_sliding_window_is_reused(tiny_base: Path) -> None:
    with LlamaModel(tiny_base / GGUF, n_ctx=1536, threads=1) as long:
        shared = [2, *(300 + number for number in range(700))]
        long.complete([*shared, *range(400, 440)], 4)
        warm = long.complete([*shared, *range(500, 540)], 16)
    with LlamaModel(tiny_base / GGUF, n_ctx=1536, threads=1) as fresh:
        cold = fresh.complete([*shared, *range(500, 540)], 16)
    assert warm.reused_tokens == 701
    assert warm.tokens == cold.tokens


def test_side_by_side_an_answer_depends_on_its_prompt_alone(tiny_base: Path) -> None:
    words = [f"Check src/file_{number}.py{' and what is below it' * (number % 4)}." for number in range(7)]
    with LlamaModel(tiny_base / GGUF, n_ctx=512, threads=1, sequences=3) as many:
        prompts = [prompt(many, each) for each in words]
        done: list[None] = []
        answers = many.complete_all(prompts, 20, on_done=lambda: done.append(None))
        assert len(done) == 7
        assert len({answer.tokens for answer in answers}) > 1
        backwards = many.complete_all(prompts[::-1], 20)[::-1]
        assert [answer.tokens for answer in backwards] == [answer.tokens for answer in answers]
        assert many.complete_all([], 20) == []
    for number in (0, 3, 6):  # nothing held, and nothing beside it
        with LlamaModel(tiny_base / GGUF, n_ctx=512, threads=1, sequences=3) as fresh:
            (alone,) = fresh.complete_all([prompts[number]], 20)
        assert alone.reused_tokens == 0
        assert alone.tokens == answers[number].tokens
    assert sum(answer.reused_tokens for answer in answers) > 6 * 50


def test_one_prompt_at_a_time_is_the_same_with_and_without_other_sequences(tiny_base: Path) -> None:
    with LlamaModel(tiny_base / GGUF, n_ctx=512, threads=1) as one:
        ids = prompt(one, "Check src/app.py.")
        expected = one.complete(ids, 16).tokens
    with LlamaModel(tiny_base / GGUF, n_ctx=512, threads=1, sequences=3) as many:
        many.complete_all([prompt(many, "Undo that."), prompt(many, "And then the rest.")], 8)
        assert many.complete(ids, 16).tokens == expected


def test_decoding_ends_at_max_tokens_or_on_a_stop_id(model: LlamaModel) -> None:
    ids = prompt(model, "Check src/app.py.")
    free = model.complete(ids, 12, stop=())
    assert len(free.tokens) == 12
    assert free.stopped_on is None
    assert free.decode_steps == 11
    target = free.tokens[5]
    stopped = model.complete(ids, 12, stop=(target,))
    assert stopped.stopped_on == target
    assert stopped.tokens == free.tokens[: free.tokens.index(target)]


def test_end_of_generation_is_what_the_file_declares(model: LlamaModel) -> None:
    assert [token for token in range(110) if model.is_end_of_generation(token)] == [1, 50, 106]
    assert not model.is_end_of_generation(10**9)


def test_a_prompt_that_does_not_fit_is_refused(model: LlamaModel) -> None:
    with pytest.raises(LlamaError, match="do not fit"):
        model.complete([2] * model.n_ctx, 1)
    with pytest.raises(LlamaError, match="0 tokens"):
        model.complete([], 1)


def test_ids_outside_the_vocabulary_are_an_error_and_leave_the_model_usable(model: LlamaModel) -> None:
    ids = prompt(model, "Check src/app.py.")
    before = model.complete(ids, 8).tokens
    with pytest.raises(LlamaError, match="failed to evaluate"):
        model.complete([*ids[:-1], model.n_vocab + 5], 1)
    assert model.complete(ids, 8).tokens == before


def test_a_file_that_is_no_model_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.gguf"
    path.write_bytes(b"not a model at all" * 10)
    with pytest.raises(LlamaError, match=r"notes\.gguf"):
        LlamaModel(path)


def test_threads_respect_what_a_build_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert thread_count() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert thread_count() >= 1
