from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fgbuild.workers.training.order import SharedPromptSampler, developer_turn


def test_the_developer_turn_ends_with_its_token() -> None:
    assert developer_turn([2, 105, 7, 106, 9, 106]) == (2, 105, 7, 106)
    assert developer_turn([2, 105, 7]) == ()


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 9), st.integers(0, 5), st.integers(0, 3))
def test_every_row_once_and_as_many_batches_of_one_kind_as_there_can_be(kinds, batch, seed, epoch) -> None:
    sampler = SharedPromptSampler([(kind,) for kind in kinds], batch, seed)
    sampler.set_epoch(epoch)
    order = list(sampler)
    assert sorted(order) == list(range(len(kinds)))
    assert len(sampler) == len(order)
    assert order == list(sampler)
    whole = sum(kinds.count(kind) // batch for kind in set(kinds))
    for number in range(whole):
        assert len({kinds[row] for row in order[number * batch : (number + 1) * batch]}) == 1


def test_epochs_and_seeds_differ() -> None:
    sampler = SharedPromptSampler([(row % 2,) for row in range(64)], 4, 1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert list(SharedPromptSampler([(row % 2,) for row in range(64)], 4, 2)) != first
