"""llama.cpp's grammar engine lets exactly those turns through that fit the tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import GGUF, TOOLS, make_base

from fgbuild.errors import StageError
from fgbuild.functiongemma import parse_turn, render_call
from fgbuild.functiongemma.grammar import call_grammar
from fgbuild.functiongemma.tokens import END_OF_TURN_ID, START_RESPONSE_ID, unfit_text
from fgbuild.workers.inference.constraint import Constraint
from fgbuild.workers.inference.llama import LlamaModel
from fgbuild.workers.inference.tool_calls import ToolSet

DEEP: dict[str, Any] = {
    "name": "search",
    "description": "Search.",
    "parameters": {
        "type": "object",
        "properties": {
            "deep": {"type": "boolean", "description": "d"},
            "Limits": {
                "type": "object",
                "description": "d",
                "properties": {
                    "most": {"type": "integer", "description": "d"},
                    "share": {"type": "number", "description": "d"},
                },
                "required": ["share"],
            },
            "words": {"type": "array", "description": "d", "items": {"type": "string"}},
        },
    },
}
ALL = [*TOOLS, DEEP]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    with LlamaModel(make_base(tmp_path_factory.mktemp("tiny") / "base") / GGUF, n_ctx=256, threads=1) as loaded:
        yield loaded


def reads(model: LlamaModel, text: str, end: int) -> bool:
    """Whether the grammar lets a text through, token for token, and then `end`."""
    with Constraint(model._vocab, call_grammar(ALL)) as constraint:
        for token in model.tokenize(text):
            if not constraint.allows(token):
                return False
            constraint.accept(token)
        return constraint.allows(end)


# llama.cpp's engine takes a NUL for the end of a token's text.
words = st.text(max_size=12).filter(lambda text: not unfit_text(text) and not {"<", "\0"} & set(text))
whole = st.integers(-(10**9), 10**9)
real = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6))
ruff = st.fixed_dictionaries({"path": words}, optional={"limit": whole, "mode": st.sampled_from(["fast", "full"])})
limits = st.fixed_dictionaries({"share": real}, optional={"most": whole})
search = st.fixed_dictionaries(
    {}, optional={"deep": st.booleans(), "Limits": limits, "words": st.lists(words, max_size=3)}
)
call = st.one_of(
    st.tuples(st.just("run_ruff"), ruff),
    st.tuples(st.just("undo"), st.just({})),
    st.tuples(st.just("search"), search),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(call, min_size=1, max_size=3))
def test_every_call_that_fits_is_let_through(model: LlamaModel, calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert reads(model, "".join(render_call(*each) for each in calls), START_RESPONSE_ID)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("run_pytest", {"path": "a"}),
        ("run_ruff", {}),
        ("run_ruff", {"limit": 3}),
        ("run_ruff", {"path": 3}),
        ("run_ruff", {"path": "a", "limit": "3"}),
        ("run_ruff", {"path": "a", "limit": 1.5}),
        ("run_ruff", {"path": "a", "mode": "slow"}),
        ("run_ruff", {"path": "a", "other": "b"}),
        ("undo", {"path": "a"}),
        ("search", {"Limits": {"most": 1}}),
        ("search", {"words": ["a", 2]}),
    ],
)
def test_a_call_that_does_not_fit_is_not(model: LlamaModel, name: str, arguments: dict[str, Any]) -> None:
    assert not reads(model, render_call(name, arguments), START_RESPONSE_ID)


def test_words_are_let_through_and_unfinished_calls_are_not(model: LlamaModel) -> None:
    assert reads(model, "Which file do you mean?", END_OF_TURN_ID)
    assert not reads(model, "", END_OF_TURN_ID)
    assert not reads(model, "<start_function_call>call:run_ruff{path:<escape>a<escape>}", START_RESPONSE_ID)


@pytest.mark.parametrize("prompt", ["Check src/app.py.", "undo", "x"])
def test_an_untrained_model_writes_what_fits(model: LlamaModel, prompt: str) -> None:
    """Free, it writes anything; constrained, all that it ends is sound."""
    grammar = call_grammar(ALL).replace("root ::= call+ | words", "root ::= call")
    answer = model.complete(model.tokenize(prompt), 150, grammar=grammar)
    assert answer.text.startswith("<start_function_call>call:")
    turn = parse_turn(answer.text)
    if answer.stopped_on is not None:
        assert (turn.malformed, len(turn.calls)) == ("", 1)
        assert ToolSet(ALL).problem(turn.calls[0]) == ""
    assert model.complete(model.tokenize(prompt), 150, grammar=grammar).text == answer.text


def test_a_broken_grammar_is_said(model: LlamaModel) -> None:
    with pytest.raises(StageError, match="cannot read the grammar"):
        Constraint(model._vocab, "root ::= (")
