"""The GGUF that a verify, eval or call job is about."""

from __future__ import annotations

from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.workers.protocol import Job


def agent_file(job: Job, gguf: Path) -> Path:
    """The agent.json that was shipped with a GGUF: `job.options["agent"]` where it is given, else the one beside it."""
    return Path(job.options["agent"]) if "agent" in job.options else gguf.parent / "agent.json"


def model_file(job: Job) -> Path:
    """`job.options["gguf"]` where it is given, else the one GGUF in the export artifact.

    Raises FgbuildError where there is no such file, or the artifact holds several.
    """
    if "gguf" in job.options:
        path = Path(job.options["gguf"])
        if not path.is_file():
            raise FgbuildError(f"{path} does not exist; run `fgbuild build {job.domain}`")
        return path
    directory = job.inputs["export"]
    found = sorted(directory.glob("*.gguf"))
    if len(found) != 1:
        raise FgbuildError(
            f"{directory} holds {len(found)} GGUF files and should hold one; run `fgbuild build {job.domain} --force`"
        )
    return found[0]
