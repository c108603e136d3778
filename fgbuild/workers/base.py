"""The base stage: makes the base model that every domain starts from.

`python -m fgbuild.workers.base JOB.json`; `job.manifest` is the base's entry of fgbuild.toml:
name, kind, and by kind: `embedded` primer_steps; `tiny` seed; `path` path; `hub` repo, revision.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from fgbuild.errors import BaseModelError
from fgbuild.workers.bases import artifact, checkpoint, embedded, hub, lock, tiny
from fgbuild.workers.bases.artifact import BaseModel
from fgbuild.workers.protocol import Job, Reporter, main


def run(job: Job, reporter: Reporter) -> None:
    """Write the base artifact into `job.output`, if its sources are what fgbuild.lock pins.

    A model of the Hub that is not pinned yet is pinned to what was downloaded. With the option
    `pin` the base is pinned, whatever the lock file says, and no artifact is written.
    """
    lock_file = job.root / lock.FILE
    if job.options.get("pin"):
        pin(job, lock_file)
        return
    model = load(job, lock.read(lock_file).get(job.manifest["name"]))
    found = sources(model)
    pinned = lock.check(lock_file, model.name, found)
    if steps := job.manifest.get("primer_steps", 0):
        # For this alone the base stage loads torch.
        from fgbuild.workers.bases.primer import primed

        model = primed(model, steps, job, reporter)
    artifact.write_artifact(model, job.output, reporter)
    if model.kind == "hub" and not pinned:
        lock.write(lock_file, model.name, found)
        reporter.note(f"pinned base {model.name} to {model.revision} in {lock.FILE}; commit that file")


def pin(job: Job, lock_file: Path) -> None:
    """Set the base's entry of the lock file to its sources as they are now.

    Output: pin.json ({"revision", "files", "before": {"revision", "files"} or null, "renewed": bool});
    `renewed`: the old file was no lock file, so that its other entries could not be kept.
    """
    model = load(job, None)
    found = sources(model)
    renewed = False
    try:
        before = lock.read(lock_file).get(model.name)
    except BaseModelError:
        before, renewed = None, True
        lock_file.unlink()
    if found != before:
        lock.write(lock_file, model.name, found)
    report = {**asdict(found), "before": asdict(before) if before else None, "renewed": renewed}
    (job.output / "pin.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")


def sources(model: BaseModel) -> lock.Pin:
    """What the model is made from, as the lock file pins it."""
    return lock.Pin(model.revision, {source.file: source.sha256 for source in model.sources})


def load(job: Job, pinned: lock.Pin | None) -> BaseModel:
    """The base that the job's entry names; `pinned` says which commit a branch of the Hub stands for.

    Raises BaseModelError where it cannot be had.
    """
    entry = job.manifest
    match entry["kind"]:
        case "embedded":
            return embedded.load(entry, job.state)
        case "tiny":
            return tiny.load(entry)
        case "hub":
            return hub.load(entry, pinned)
        case "path":
            return checkpoint.load(entry, job.root / entry["path"], "local")
        case kind:
            raise BaseModelError(
                f"fgbuild.toml: base.{entry['name']}.kind: {kind!r} is unknown; use embedded, hub, path or tiny"
            )


if __name__ == "__main__":
    main(run)
