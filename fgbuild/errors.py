"""What can go wrong, and the exit code each means.

FgbuildError                 2   bad usage, manifest or configuration
├── ManifestError            2   carries file, line and field
├── DataError                2   a training example or dataset file that cannot be used
├── FormatError              2   something FunctionGemma's prompt format cannot carry
├── BaseModelError           2   the base model is missing, gated or not what the lock file pins
├── StageError               1   a stage ran and failed
├── GateError                3   built, but verification or an eval threshold failed
├── LockHeldError            4   another build holds the tree
└── InterruptedBuild       130   SIGINT, SIGTERM or `fgbuild cancel`

Every message is one sentence that names the file and line or the field, and the next step.
"""

from __future__ import annotations

from pathlib import Path


class FgbuildError(Exception):
    """An error a user can cause and can act on; printed without a traceback."""

    exit_code = 2


class ManifestError(FgbuildError):
    """A manifest or `fgbuild.toml` that cannot be used.

    `problems` holds every (line, field, message) found, `line` being 1-based or None. `manifest` is the file itself,
    or the manifest that names it.
    """

    def __init__(self, path: Path | str, problems: list[tuple[int | None, str, str]]) -> None:
        self.path = Path(path)
        self.manifest = self.path
        self.problems = problems
        lines = []
        for line, field, message in problems:
            where = f"{path}:{line}" if line else f"{path}"
            lines.append(f"{where}: {field}: {message}" if field else f"{where}: {message}")
        super().__init__("\n".join(lines))


class DataError(FgbuildError):
    """A dataset that cannot be trained on; the message names file and line."""


class FormatError(FgbuildError):
    """A value, name or schema that FunctionGemma's prompt format cannot carry."""


class BaseModelError(FgbuildError):
    """A base model that cannot be had; the message names the next step."""


class StageError(FgbuildError):
    """A stage ran and failed."""

    exit_code = 1


class GateError(FgbuildError):
    """Built, but a verification check or an eval threshold failed."""

    exit_code = 3


class LockHeldError(FgbuildError):
    """Another build holds the tree."""

    exit_code = 4


class InterruptedBuild(FgbuildError):
    """The build was stopped by SIGINT or SIGTERM; finished stages stay finished."""

    exit_code = 130
