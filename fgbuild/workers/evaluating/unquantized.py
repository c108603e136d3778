"""The tuned model as a GGUF in bf16, written to see what quantisation cost; it is never shipped.

A module of its own, imported by name: what export is made of is none of a build's evaluation code.
"""

from __future__ import annotations

from pathlib import Path

from fgbuild.workers.exporting import gguf_file, tuned
from fgbuild.workers.protocol import Job


def write_of(job: Job, path: Path) -> None:
    """Write the model of a job that has the artifacts `base` and `train`."""
    write(job.inputs["base"], job.inputs["train"], path)


def write(base: Path, train: Path, path: Path) -> None:
    """Write the merged model of a base's and a train stage's artifacts. Raises StageError where they do not fit."""
    gguf_file.write_builtin(base, tuned.load(train), "bf16", {}, path, path.parent, lambda done, total: None)
