"""Scores of hand-made turns, each with the value worked out beside it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.functiongemma import Call, parse_turn, render_call
from fgbuild.functiongemma.tokens import END_OF_TURN_ID, START_RESPONSE_ID
from fgbuild.workers.evaluating.metrics import (
    MALFORMED,
    WORDS,
    ScoredTurn,
    confusion,
    judge,
    metrics,
    prompt_metrics,
    score_turn,
)
from fgbuild.workers.inference.tool_calls import ToolSet

TOOLS = ToolSet(
    [
        {
            "name": name,
            "description": "d",
            "parameters": {
                "type": "object",
                "properties": {"n": {"type": "number", "description": "n"}},
                "required": ["n"],
            },
        }
        for name in ("add", "cut")
    ]
)
ADD, CUT = Call("add", {"n": 1}), Call("cut", {"n": 2})
BROKEN = "<start_function_call>call:add{n:"


def said(*calls: Call) -> str:
    return "".join(render_call(call.name, call.arguments) for call in calls)


def turn(
    gold: tuple[Call, ...],
    output: str,
    trajectory: str = "t",
    scenario: str = "s",
    first: bool = True,
    stopped: bool = True,
) -> ScoredTurn:
    row = {"id": trajectory, "scenario": scenario}
    stop = (START_RESPONSE_ID if "call:" in output else END_OF_TURN_ID) if stopped else None
    return score_turn(row, first, gold, output, parse_turn(output), stop, TOOLS)


def test_a_perfect_run() -> None:
    turns = [
        turn((ADD,), said(ADD), "1"),
        turn((CUT,), said(CUT), "1", first=False),
        turn((), "All done.", "1", first=False),
        turn((), "Which one?", "2"),
    ]
    scores = metrics(turns)
    assert scores["examples"] == 2
    assert scores["turns"] == 4
    shares = ("call_validity", "tool_accuracy", "argument_match", "sequence_accuracy")
    assert [scores[name] for name in (*shares, "abstention_precision", "abstention_recall")] == [1.0] * 6
    assert scores["missed_calls"] == scores["unwanted_calls"] == 0


def test_right_tool_with_wrong_arguments() -> None:
    scores = metrics([turn((ADD,), said(Call("add", {"n": 7})))])
    assert (scores["tool_accuracy"], scores["argument_match"], scores["call_validity"]) == (1.0, 0.0, 1.0)


def test_numbers_are_equal_by_value() -> None:
    assert metrics([turn((ADD,), said(Call("add", {"n": 1.0})))])["argument_match"] == 1.0


def test_parallel_calls_count_in_order() -> None:
    scores = metrics([turn((ADD, CUT), said(CUT, ADD), "1"), turn((ADD, CUT), said(ADD, CUT), "2")])
    assert scores["tool_accuracy"] == 0.5
    assert metrics([turn((ADD, CUT), said(ADD))])["tool_accuracy"] == 0.0


@pytest.mark.parametrize(
    ("output", "stopped"),
    [
        (BROKEN, True),
        (said(Call("jump", {"n": 1})), True),  # a tool that is not declared
        (said(Call("add", {})), True),  # a required argument is missing
        (said(Call("add", {"n": 1, "m": 2})), True),  # an argument that is not declared
        (said(ADD) * 3, False),  # never stops
        ("and so on and so on", False),  # neither call nor end, where a call is due
        ("", True),  # nothing at all, where a call is due
    ],
)
def test_what_makes_a_turn_invalid(output: str, stopped: bool) -> None:
    assert metrics([turn((ADD,), output, stopped=stopped)])["call_validity"] == 0.0


def test_words_where_a_call_is_due_are_a_wrong_choice_and_not_an_invalid_call() -> None:
    scores = metrics([turn((ADD,), "I cannot do that."), turn((ADD,), said(ADD), "2"), turn((ADD,), BROKEN, "3")])
    assert scores["call_validity"] == 0.5  # of two attempts
    scores = metrics([turn((ADD,), "I cannot do that.")])
    assert scores["call_validity"] == 0.0  # no attempt where one was due is no perfect score
    assert scores["tool_accuracy"] == scores["argument_match"] == scores["sequence_accuracy"] == 0.0
    assert scores["missed_calls"] == 1


def test_words_where_words_are_due_do_not_count_towards_validity() -> None:
    assert metrics([turn((), "Which one?")])["call_validity"] is None
    assert metrics([turn((), "Which one?"), turn((), BROKEN, "2")])["call_validity"] == 0.0


def test_words_that_never_stop_are_no_answer() -> None:
    scores = metrics([turn((), "and so on and so on", stopped=False)])
    assert scores["call_validity"] == scores["sequence_accuracy"] == 0.0
    assert scores["abstention_precision"] == scores["abstention_recall"] == 0.0
    assert scores["unwanted_calls"] == 0


def test_the_right_call_and_babble_after_it_is_not_exact() -> None:
    scores = metrics([turn((ADD,), said(ADD) + "and so on and so on", stopped=False)])
    assert scores["tool_accuracy"] == 1.0
    assert scores["argument_match"] == scores["sequence_accuracy"] == scores["call_validity"] == 0.0


def test_empty_answers_earn_nothing() -> None:
    scores = metrics([turn((ADD,), "", "1"), turn((), " ", "2")])
    shares = ("call_validity", "tool_accuracy", "argument_match", "sequence_accuracy")
    assert [scores[name] for name in (*shares, "abstention_precision", "abstention_recall")] == [0.0] * 6
    assert scores["missed_calls"] == 1


def test_the_words_of_an_answer_are_not_compared() -> None:
    assert metrics([turn((), "Anything at all.")])["sequence_accuracy"] == 1.0


def test_never_abstaining_is_no_precision_where_some_turn_should() -> None:
    assert metrics([turn((), said(ADD), "1"), turn((ADD,), said(ADD), "2")])["abstention_precision"] == 0.0
    assert metrics([turn((ADD,), said(ADD))])["abstention_precision"] is None


def test_abstention_counts_first_turns_only() -> None:
    turns = [
        turn((), "Which one?", "1"),  # abstains, should
        turn((), said(ADD), "2"),  # calls, should not
        turn((), BROKEN, "3"),  # tries to call, should not
        turn((ADD,), "No.", "4"),  # abstains, should not
        turn((ADD,), said(ADD), "5"),
        turn((), "Done.", "5", first=False),
        turn((ADD,), "No.", "5", first=False),
    ]
    scores = metrics(turns)
    assert scores["abstention_precision"] == 0.5  # 1 and 4 abstain, 1 should
    assert scores["abstention_recall"] == pytest.approx(1 / 3, abs=1e-4)  # 1, 2 and 3 should, 1 does
    assert scores["unwanted_calls"] == 2
    assert scores["missed_calls"] == 2


def test_a_sequence_is_right_when_every_turn_is() -> None:
    good = [turn((ADD,), said(ADD), "1"), turn((), "Done.", "1", first=False)]
    one_off = [turn((ADD,), said(ADD), "2"), turn((), said(CUT), "2", first=False)]
    assert metrics(good + one_off)["sequence_accuracy"] == 0.5


def test_what_nothing_counts_towards_is_undefined() -> None:
    scores = metrics([turn((), "Hello.")])
    assert scores["tool_accuracy"] is None
    assert scores["argument_match"] is None
    assert metrics([turn((ADD,), said(ADD))])["abstention_recall"] is None
    assert metrics([])["sequence_accuracy"] is None


def test_scenarios_have_their_own_scores() -> None:
    scores = metrics([turn((ADD,), said(ADD), "1", "a"), turn((ADD,), said(CUT), "2", "b"), turn((), "?", "3", "b")])
    assert scores["scenarios"]["a"] == {
        "examples": 1,
        "turns": 1,
        "tool_accuracy": 1.0,
        "argument_match": 1.0,
        "sequence_accuracy": 1.0,
    }
    assert scores["scenarios"]["b"]["tool_accuracy"] == 0.0
    assert scores["scenarios"]["b"]["sequence_accuracy"] == 0.5


def test_parallel_calls_in_another_order_mean_the_same() -> None:
    scores = metrics([turn((ADD, CUT), said(CUT, ADD))])
    assert (scores["argument_match"], scores["ast_match"], scores["turn_accuracy"]) == (0.0, 1.0, 0.0)


def test_calls_of_tools_that_there_are_not_are_counted_one_by_one() -> None:
    jump = Call("jump", {"n": 1})
    assert metrics([turn((ADD,), said(jump, ADD, jump)), turn((), said(ADD), "2")])["hallucinated_tools"] == 2


@pytest.mark.parametrize(
    ("output", "stop", "right"),
    [
        (said(ADD), 50, True),
        (said(ADD), 106, False),
        ("Words.", 106, True),
        ("Words.", 50, False),
        ("Words.", 1, False),
    ],
)
def test_a_call_ends_before_its_response_and_words_end_the_turn(output: str, stop: int, right: bool) -> None:
    scored = score_turn({"id": "t"}, True, (), output, parse_turn(output), stop, TOOLS)
    assert metrics([scored])["stop_accuracy"] == float(right)
    assert metrics([turn((), output, stopped=False)])["stop_accuracy"] == 0.0


def test_confusion() -> None:
    turns = [
        turn((ADD,), said(ADD)),
        turn((ADD,), said(CUT)),
        turn((ADD,), BROKEN),
        turn((ADD, CUT), said(ADD, CUT)),
        turn((), said(ADD)),
        turn((), "Hi."),
    ]
    assert confusion(turns) == {
        "(words)": {WORDS: 1, "add": 1},
        "add": {MALFORMED: 1, "add": 1, "cut": 1},
        "add+cut": {"add+cut": 1},
    }


def test_thresholds() -> None:
    scores: dict[str, Any] = {"call_validity": 0.98, "tool_accuracy": 0.8499, "abstention_recall": None}
    assert judge(scores, {"abstention_recall": 0.0}) == ({}, [])
    below, notes = judge(scores, {"call_validity": 0.98, "tool_accuracy": 0.85, "abstention_recall": 0.8})
    assert below == {"tool_accuracy": {"value": 0.8499, "minimum": 0.85}}
    assert len(notes) == 1
    assert "abstention_recall" in notes[0]


def test_a_score_that_was_not_measured_is_not_judged() -> None:
    assert judge({"tool_accuracy": 1.0}, {"tool_accuracy": 0.9, "prompt_tool_accuracy": 0.8}) == ({}, [])


def test_a_prompt_without_a_call_counts_where_none_is_made() -> None:
    turns = [
        turn((ADD,), said(ADD), "1"),
        turn((ADD,), said(Call("add", {"n": 9})), "2"),
        turn((), "Which one?", "3"),
        turn((), said(CUT), "4"),
    ]
    expected = {"prompts": 4, "prompt_tool_accuracy": 0.75, "prompt_argument_match": 0.5}
    found = prompt_metrics(turns)
    assert set(found.pop("intervals")) == {"prompt_tool_accuracy", "prompt_argument_match"}
    assert found == expected


OUTPUTS = st.sampled_from([said(ADD), said(CUT), said(ADD, CUT), BROKEN, "Words.", "", said(Call("add", {"n": 9}))])
GOLDS = st.sampled_from([(), (ADD,), (CUT,), (ADD, CUT)])


@given(st.lists(st.tuples(GOLDS, OUTPUTS, st.booleans(), st.sampled_from("abc"), st.booleans()), max_size=12))
def test_shares_are_shares_and_stricter_scores_are_never_higher(
    drawn: list[tuple[tuple[Call, ...], str, bool, str, bool]],
) -> None:
    turns = [turn(gold, output, name, first=first, stopped=stopped) for gold, output, first, name, stopped in drawn]
    scores = metrics(turns)
    shares = ("call_validity", "tool_accuracy", "argument_match", "sequence_accuracy", "abstention_precision")
    assert all(scores[name] is None or 0 <= scores[name] <= 1 for name in (*shares, "abstention_recall"))
    if scores["tool_accuracy"] is not None:
        assert scores["argument_match"] <= scores["tool_accuracy"]
        assert scores["argument_match"] <= scores["ast_match"]
    if turns:
        assert min(scores["stop_accuracy"], scores["turn_accuracy"]) >= 0
    for name, (low, high) in scores["intervals"].items():
        assert 0 <= low <= scores[name] <= high <= 1
    assert sum(sum(row.values()) for row in scores["confusion"].values()) == len(turns)
    if turns and not any(each.stopped for each in turns):
        assert {scores[name] for name in ("call_validity", "sequence_accuracy")} == {0.0}
