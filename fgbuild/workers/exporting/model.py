"""The tuned model's tensors as a GGUF stores them, a few rows at a time and in any type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fgbuild.errors import StageError
from fgbuild.gguf_io import header
from fgbuild.gguf_io.quant import Float32, quantize
from fgbuild.gguf_io.tensors import Buffer, TensorType
from fgbuild.gguf_io.writer import Patch, Tensor
from fgbuild.workers.bases import gemma
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.exporting.adapter import Adapter
from fgbuild.workers.exporting.tuned import Tuned

EMBEDDING = "model.embed_tokens.weight"
CHUNK_VALUES = 1 << 18
"""Values merged and quantised at once: they stay in a core's cache, which takes a third of the time."""


class TunedModel:
    """A base with what was trained merged into it, tensor by tensor when asked.

    source: the base's own GGUF. weights: its checkpoint. changed: GGUF name → Hugging Face name of the weights
    that are other than the base's, token rows apart.
    Raises StageError for an adapter or weights that do not fit the base.
    """

    def __init__(self, base: Path, tuned: Tuned) -> None:
        self.source = header.read(base / "base_q8_0.gguf")
        self.weights = SafetensorsFile(base / "model.safetensors")
        self.tuned = tuned
        known = gemma.tensor_names(int(str(self.source.scalar("gemma3.block_count"))))
        if isinstance(tuned, Adapter):
            for name in tuned.names:
                if name not in known or name == EMBEDDING:
                    raise StageError(f"the adapter changes {name}, which export cannot merge; see lora.target_modules")
        elif differing := sorted(known.keys() ^ tuned.names):
            raise StageError(f"{tuned.file.path}: it and the base do not both have {differing[0]}; train it again")
        self._names = {stored: name for name, stored in known.items()}
        self.changed = {known[name]: name for name in tuned.names}
        self.token_patches = self._token_patches(known[EMBEDDING])

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """GGUF name → (columns, rows) or (columns,), in the order of the base's file."""
        return {name: info.shape for name, info in self.source.tensors.items()}

    def tensors(self, types: dict[str, TensorType]) -> list[Tensor]:
        """Every tensor in the type that `types` has for it, to be written in this order."""
        return [Tensor(name, shape, types[name], partial(self.chunks, name, types[name]))
                for name, shape in self.shapes.items()]  # fmt: skip

    def chunks(self, stored: str, kind: TensorType) -> Iterator[Buffer]:
        """A tensor's bytes in order. Raises StageError for NaN and for what the type cannot hold."""
        name = self._names[stored]
        patches = self.token_patches.get(stored, [])
        if stored not in self.changed and self.source.tensors[stored].type is kind:
            yield from _patched(self.source.tensor_bytes(stored), patches)
        elif stored not in self.changed and not patches and self.weights.entry(name).dtype == kind.name == "BF16":
            yield self.weights.raw(name)
        elif gemma.is_norm(name):
            yield _encoded(self._floats(name) + 1, TensorType.F32, name)
        else:
            rows, columns = self.weights.entry(name).shape
            step = max(1, CHUNK_VALUES // columns)
            for start in range(0, rows, step):
                yield _encoded(self._floats(name, slice(start, min(start + step, rows))), kind, name)

    def _floats(self, name: str, rows: slice = slice(None)) -> Float32:
        if name in self.tuned.names:
            return self.tuned.merged(self.weights, name, rows)
        values = self.weights.float32(name, rows)
        within = {token: row for token, row in self.tuned.token_rows.items() if rows.start <= token < rows.stop}
        if name == EMBEDDING and within:
            values = values.copy()
            for token, row in within.items():
                values[token - rows.start] = row
        return values

    def _token_patches(self, stored: str) -> dict[str, list[Patch]]:
        """The new embedding rows as bytes to put into the base's table: Q8_0 blocks never span two rows."""
        info = self.source.tensor(stored)
        patches: list[Patch] = []
        for token, row in sorted(self.tuned.token_rows.items()):
            if not 0 <= token < info.rows or row.shape != (info.shape[0],):
                raise StageError(f"the adapter's row of token {token} does not fit the base; train it again")
            patches.append(Patch(token * info.row_bytes, _encoded(row[None, :], info.type, EMBEDDING).tobytes()))
        return {stored: patches} if patches else {}


def _patched(data: memoryview, patches: Sequence[Patch]) -> Iterable[Buffer]:
    """`data` with pieces of it exchanged, in order."""
    at = 0
    for patch in patches:
        yield data[at : patch.offset]
        yield patch.data
        at = patch.offset + len(patch.data)
    yield data[at:]


def _encoded(values: Float32, kind: TensorType, name: str) -> NDArray[Any]:
    try:
        return quantize(values, kind)
    except OverflowError as error:
        raise StageError(f'{name}: {error}; use quant.type = "bf16"') from None
    except ValueError as error:
        raise StageError(f"merging {name} failed: {error}; train again, not in fp16") from None
