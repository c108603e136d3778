"""The export stage: merges what was trained into the base and writes what is shipped.

`python -m fgbuild.workers.export JOB.json`; inputs `base`, `train`, and `generate` for the model card's words on data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbuild.errors import FgbuildError
from fgbuild.gguf_io import header
from fgbuild.gguf_io.file_types import FILE_TYPES
from fgbuild.workers.exporting import documents, gguf_file, tuned
from fgbuild.workers.exporting.documents import Shipped
from fgbuild.workers.exporting.tuned import Tuned
from fgbuild.workers.protocol import Job, Reporter, main


def run(job: Job, reporter: Reporter) -> None:
    """Write the GGUF and the files that go with it into `job.output`."""
    if job.domain is None:
        raise FgbuildError(f"{job.stage}: export works on one domain, and the job names none")
    quant: dict[str, Any] = job.manifest["quant"]
    if quant["type"] not in FILE_TYPES:
        raise FgbuildError(f"quant.type: {quant['type']!r} cannot be written; use one of {', '.join(FILE_TYPES)}")
    trained = tuned.load(job.inputs["train"])
    shipped = documents.load(job.inputs, job.domain, job.manifest)
    path = job.output / shipped.file
    predicted = _write_gguf(job, reporter, trained, shipped, path)
    size = path.stat().st_size
    reporter.emit(
        "stage.artifact",
        path=shipped.file,
        bytes=size,
        predicted_bytes=predicted,
        min_mb=quant["min_mb"],
        max_mb=quant["max_mb"],
    )
    documents.write(shipped, path, job.output)


def _write_gguf(job: Job, reporter: Reporter, trained: Tuned, shipped: Shipped, path: Path) -> int:
    """Write the model file by the converter of the manifest; returns the predicted size."""
    base, quant = job.inputs["base"], job.manifest["quant"]
    source = header.read(base / "base_q8_0.gguf")
    metadata = documents.metadata(shipped, str(source.scalar("tokenizer.chat_template")))

    def progress(written: int, total: int) -> None:
        reporter.progress(round(written / 1e6, 3), round(total / 1e6, 3), "MB")

    if quant["converter"] == "builtin":
        imatrix = job.root / quant["imatrix"] if quant.get("imatrix") else None
        work = job.state
        return gguf_file.write_builtin(base, trained, quant["type"], metadata, path, work, progress, imatrix)
    if quant["converter"] == "llama.cpp":
        converter = job.root / quant["converter_path"]
        kind = quant["type"]
        return gguf_file.write_with_llama_cpp(base, trained, kind, metadata, path, converter, job.state, progress)
    raise FgbuildError(f"quant.converter: {quant['converter']!r} is unknown; use 'builtin' or 'llama.cpp'")


if __name__ == "__main__":
    main(run)
