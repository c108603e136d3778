"""A near copy of a training request in the eval split is found, and what is merely like one is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.scenario import call, say
from fgbuild.workers.generating import near
from fgbuild.workers.generating.near import MOST_COMPARED, WORDS_A_CHANGE, NearCopies, Nearness, wording

WORDS = ["check", "the", "file", "please", "now", "for", "me", "and", "fix", "it"]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)


def row(text: str, **arguments: object) -> dict:
    answer = call("lint", **arguments) if arguments else say("No.")
    return {
        "id": text[:20],
        "scenario": "s",
        "split": "train",
        "messages": [{"role": "user", "content": text}, answer],
    }


def compared(held_out: list[dict], learned: list[dict]) -> Nearness:
    found = NearCopies(len(held_out))
    for each in held_out:
        found.hold_out(each)
    for each in learned:
        found.learn(each)
    return found.found()


def is_near(held_out: dict, learned: dict) -> bool:
    return bool(compared([held_out], [learned]).pairs)


@pytest.mark.parametrize(
    ("held_out", "learned"),
    [
        (("Could you lint the file src/a.py?", "src/a.py"), ("Could you check the file lib/b.py?", "lib/b.py")),
        (("could you lint the file a.py", "a.py"), ("Could you please lint the file b.py!", "b.py")),
        (("What does the rule E501 mean to you", "E501"), ("What does the rule B904 mean to you", "B904")),
        (("Give me the docs in google style now", "google"), ("Give me the docs in numpy style now", "numpy")),
        (("Check my whole project for me", "."), ("Check my whole project for me", ".")),
    ],
)
def test_requests_that_differ_in_a_word_and_in_values_are_near(
    held_out: tuple[str, str], learned: tuple[str, str]
) -> None:
    assert is_near(row(held_out[0], value=held_out[1]), row(learned[0], value=learned[1]))


@pytest.mark.parametrize(
    ("held_out", "learned"),
    [
        # Other words, one path.
        ("Could you lint the file src/a.py?", "Have a look at src/a.py and tell me what is wrong"),
        # Two words of eight.
        ("could you lint the folder src/ for me", "will you check the folder src/ for me"),
        # Too short to tell.
        ("lint src/a.py", "lint src/b.py"),
    ],
)
def test_requests_of_other_words_are_not_near(held_out: str, learned: str) -> None:
    assert not is_near(row(held_out, path="src/a.py"), row(learned, path="src/a.py"))


def test_a_request_with_another_answer_is_a_contrast_and_no_copy() -> None:
    asked = row("Can ruff mend this file by itself?")
    assert not is_near(asked, row("Can ruff mend this module by itself?", path="this module"))
    assert is_near(asked, row("Can ruff mend this module by itself?"))


def edits(first: list[str], second: list[str]) -> int:
    """Levenshtein's distance, by its definition."""
    line = list(range(len(second) + 1))
    for number, word in enumerate(first, 1):
        previous, line[0] = line[0], number
        for column, other in enumerate(second, 1):
            best = min(line[column] + 1, line[column - 1] + 1, previous + (word != other))
            previous, line[column] = line[column], best
    return line[-1]


@given(st.lists(texts, min_size=1, max_size=6), st.lists(texts, min_size=1, max_size=6))
def test_what_is_found_follows_from_the_definition(held_out: list[list[str]], learned: list[list[str]]) -> None:
    expected = {}
    for index, first in enumerate(held_out):
        for second in learned:
            close = edits(first, second) * WORDS_A_CHANGE <= max(len(first), len(second))
            if len(first) >= WORDS_A_CHANGE and close:
                expected.setdefault(index, " ".join(second))
    found = compared([row(" ".join(words)) for words in held_out], [row(" ".join(words)) for words in learned])
    assert found.compared == len(held_out)
    assert [(pair[0].request, pair[1].request) for pair in found.pairs] == [
        (" ".join(held_out[index]), expected[index]) for index in sorted(expected)
    ]


def test_batches_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    held_out = [row(f"say the word number {word} to me") for word in "abcdef"]
    learned = [row(f"say the word number {word} to me {word}") for word in "fedcba"]
    at_once = compared(held_out, learned)
    monkeypatch.setattr(near, "_BATCH", 2)
    assert compared(held_out, learned) == at_once
    assert len(at_once.pairs) == 6


@given(st.integers(1, 7000))
def test_of_a_large_eval_split_so_many_rows_are_compared(size: int) -> None:
    found = NearCopies(size)
    for _ in range(size):
        found.hold_out(SHORT)
    assert found.found().compared == min(size, MOST_COMPARED)


SHORT = row("no")


def test_values_are_what_calls_take_and_what_looks_like_one() -> None:
    asked = row("Add \"a b\" to old_name in ./src/a.py at line 7, as 'x' said. It isn't so.", word="said")
    assert " ".join(wording(asked)).replace("\0", "{}") == "add {} to {} in {} at line {} as {} {} it isn't so"


def test_no_rows_have_no_share() -> None:
    assert compared([], [row("say a word or two to me")]).share == 0.0
