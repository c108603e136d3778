from __future__ import annotations

import gguf
import pytest

from fgbuild.workers.bases import gemma


def test_names_are_those_of_the_gguf_library() -> None:
    theirs = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, 3)
    names = gemma.tensor_names(3)
    assert len(names) == 2 + 13 * 3
    for name, stored in names.items():
        assert theirs.get_name(name, try_suffixes=(".weight",)) == stored


def test_keys_are_those_of_the_gguf_library() -> None:
    known = {
        value.replace("{arch}", "gemma3")
        for group in vars(gguf.Keys).values()
        if isinstance(group, type)
        for value in vars(group).values()
        if isinstance(value, str)
    }
    config = gemma.model_config(
        hidden=640, inner=2048, layers=18, heads=4, kv_heads=1, head_dim=256, vocab=262_144,
        context=32_768, window=512, rope=1e6, rope_local=1e4, epsilon=1e-6,
    )  # fmt: skip
    assert gemma.architecture_metadata(config).keys() <= known
    assert gemma.general_metadata("a", "b", "c", []).keys() <= known


def test_gemma_3_270m_has_its_parameters() -> None:
    config = gemma.model_config(
        hidden=640, inner=2048, layers=18, heads=4, kv_heads=1, head_dim=256, vocab=262_144,
        context=32_768, window=512, rope=1e6, rope_local=1e4, epsilon=1e-6,
    )  # fmt: skip
    total = 0
    for name in gemma.tensor_names(18):
        size = 1
        for count in gemma.tensor_shape(name, config):
            size *= count
        total += size
    assert total == 268_098_176
    assert len(gemma.tensor_names(18)) == 236


@pytest.mark.parametrize(
    "config",
    [
        {"rope_theta": 5.0, "rope_local_base_freq": 7.0},
        {"rope_parameters": {"full_attention": {"rope_theta": 5.0}, "sliding_attention": {"rope_theta": 7.0}}},
    ],
)
def test_both_forms_of_rotary_bases_are_read(config: dict[str, object]) -> None:
    assert gemma.rope_bases(config) == (5.0, 7.0)
    assert gemma.rope_bases({}) == (1e6, 1e4)


def test_size_labels() -> None:
    labels = [gemma.size_label(count) for count in (268_098_176, 1_952_640, 4_000_000_000, 999, 12_500)]
    assert labels == ["268M", "2.0M", "4.0B", "999", "12K"]
