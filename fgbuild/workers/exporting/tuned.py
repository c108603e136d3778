"""What a training made, as export reads it: an adapter of the base, or all weights anew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from fgbuild.errors import StageError
from fgbuild.gguf_io.quant import Float32
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.exporting import adapter
from fgbuild.workers.exporting.adapter import Adapter

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class AllWeights:
    """Every weight of a model, by the names and in the shapes of its base. token_rows: none apart from the table."""

    file: SafetensorsFile
    token_rows: dict[int, Float32] = field(default_factory=dict)

    @property
    def names(self) -> Collection[str]:
        """The weights that are other than the base's."""
        return self.file.entries.keys()

    def merged(self, base: SafetensorsFile, name: str, rows: slice = slice(None)) -> Float32:
        """The trained weight, or some of its rows, in float32. Raises StageError where its shape is not the base's."""
        shape = base.entry(name).shape
        if self.file.entry(name).shape != shape:
            raise StageError(f"{self.file.path}: {name} does not fit the base's {shape}; train it again")
        return self.file.float32(name, rows)


Tuned = Adapter | AllWeights


def load(directory: Path) -> Tuned:
    """What lies in the artifact of stage train. Raises StageError for an adapter that cannot be merged."""
    weights = directory / WEIGHTS
    return AllWeights(SafetensorsFile(weights)) if weights.exists() else adapter.load(directory)
