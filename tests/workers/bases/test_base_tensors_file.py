from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from fgbuild.errors import FgbuildError
from fgbuild.gguf_io.quant import float32_to_bf16
from fgbuild.workers.bases.tensors_file import Output, SafetensorsFile, write

VALUES = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)


def test_the_safetensors_library_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    seen: list[int] = []
    bits = float32_to_bf16(VALUES)
    write(
        path,
        [
            Output("half", "BF16", (3, 4), lambda: [bits[:1], bits[1:]]),
            Output("full", "F32", (3, 4), lambda: [VALUES]),
        ],
        seen.append,
    )
    loaded = load_file(path)
    assert torch.equal(loaded["half"], torch.from_numpy(VALUES).bfloat16())
    assert torch.equal(loaded["full"], torch.from_numpy(VALUES))
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size


def test_we_read_what_the_safetensors_library_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensor = torch.from_numpy(VALUES)
    save_file({"f32": tensor, "bf16": tensor.bfloat16(), "f16": tensor.half(), "ids": torch.arange(3)}, path)
    found = SafetensorsFile(path)
    assert "f32" in found
    assert "other" not in found
    assert (found.float32("f32") == VALUES).all()
    assert (found.float32("f32", slice(1, 3)) == VALUES[1:3]).all()
    assert (found.float32("bf16") == tensor.bfloat16().float().numpy()).all()
    assert (found.float32("f16") == tensor.half().float().numpy()).all()
    assert (found.bf16("f32") == found.bf16("bf16")).all()
    for ask in (lambda: found.float32("ids"), lambda: found.float32("other")):
        with pytest.raises(FgbuildError, match=r"a\.safetensors"):
            ask()


def test_chunks_of_the_wrong_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="4 bytes written, not 48"):
        write(tmp_path / "a.safetensors", [Output("a", "F32", (3, 4), lambda: [bytes(4)])])


@settings(max_examples=200, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 160), st.integers(0, 255), st.integers(0, 300))
def test_damage_never_raises_anything_but_our_error(tmp_path: Path, position: int, value: int, cut: int) -> None:
    path = tmp_path / "a.safetensors"
    write(path, [Output("a", "F32", (3, 4), lambda: [VALUES])])
    data = bytearray(path.read_bytes())
    data[position % len(data)] = value
    path.write_bytes(data[: len(data) - cut] if cut < len(data) else data)
    try:
        found = SafetensorsFile(path)
        for name in found.entries:
            found.float32(name)
    except FgbuildError:
        pass


def test_a_huge_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    with pytest.raises(FgbuildError, match="claims"):
        SafetensorsFile(path)
