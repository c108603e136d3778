"""The base stage: makes the base model that every domain starts from.

`python -m fgbuild.workers.base JOB.json`; `job.manifest` is the base's entry of fgbuild.toml:
name, kind, and by kind: `embedded` nothing more; `tiny` seed; `path` path; `hub` repo, revision.
"""

from __future__ import annotations

from pathlib import Path

from fgbuild.errors import BaseModelError
from fgbuild.workers import base_artifact, base_checkpoint, base_embedded, base_hub, base_lock, base_tiny
from fgbuild.workers.base_artifact import BaseModel
from fgbuild.workers.protocol import Job, Reporter, main


def run(job: Job, reporter: Reporter) -> None:
    """Write the base artifact into `job.output`, if its sources are what fgbuild.lock pins.

    A model of the Hub that is not pinned yet is pinned to what was downloaded.
    """
    lock = job.root / base_lock.FILE
    model = load(job, lock)
    found = base_lock.Pin(model.revision, {source.file: source.sha256 for source in model.sources})
    pinned = base_lock.check(lock, model.name, found)
    base_artifact.write_artifact(model, job.output, reporter)
    if model.kind == "hub" and not pinned:
        base_lock.write(lock, model.name, found)
        reporter.note(f"pinned base {model.name} to {model.revision} in {base_lock.FILE}; commit that file")


def load(job: Job, lock: Path) -> BaseModel:
    """The base that the job's entry names. Raises BaseModelError where it cannot be had."""
    entry = job.manifest
    match entry["kind"]:
        case "embedded":
            return base_embedded.load(entry, job.state)
        case "tiny":
            return base_tiny.load(entry)
        case "hub":
            return base_hub.load(entry, base_lock.read(lock).get(entry["name"]))
        case "path":
            return base_checkpoint.load(entry, job.root / entry["path"], "local")
        case kind:
            raise BaseModelError(
                f"fgbuild.toml: base.{entry['name']}.kind: {kind!r} is unknown; use embedded, hub, path or tiny"
            )


if __name__ == "__main__":
    main(run)
