from __future__ import annotations

import gguf
import pytest

from fgbuild.gguf_io.tensors import BLOCKS, TensorType, byte_size, padded


@pytest.mark.parametrize("kind", TensorType)
def test_numbers_and_block_sizes_are_those_of_the_gguf_library(kind: TensorType) -> None:
    theirs = gguf.GGMLQuantizationType(int(kind))
    assert theirs.name == kind.name
    assert gguf.GGML_QUANT_SIZES[theirs] == BLOCKS[kind]


def test_byte_size_counts_whole_blocks() -> None:
    assert byte_size((640, 262_144), TensorType.Q8_0) == 640 // 32 * 34 * 262_144
    assert byte_size((3, 5), TensorType.F32) == 60
    with pytest.raises(ValueError, match="blocks of 32"):
        byte_size((33,), TensorType.Q8_0)


def test_padding() -> None:
    assert [padded(size) for size in (0, 1, 32, 33)] == [0, 32, 32, 64]
