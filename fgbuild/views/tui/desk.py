"""What the dashboard asks the rest of fgbuild for: views read events, and know no engine, manifest or worker.

`fgbuild.cli.desk` is the one for real. Methods that take long are called in threads; each raises FgbuildError with a
sentence that can be shown.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fgbuild.views.report.made import Made


@dataclass(frozen=True, slots=True)
class Problem:
    """line: from 1; None where it concerns the whole file. field: dotted, "" where none. path: of the file that it is
    in, relative to the project; "" for the text that was asked about."""

    line: int | None
    field: str
    message: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A key that a TOML file may hold, in words. kind: its type and range. default: as TOML writes it, "" where there
    is none."""

    kind: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What saving an edited manifest would do. entries: as `plan --json` has them, for stages that are not up to date.
    seconds: predicted for all of them; None where one has no prediction. changed: whether that differs from what a
    build would do with the file as it is on disk. domain: what the text names it, "" for fgbuild.toml."""

    entries: Sequence[Mapping[str, Any]]
    seconds: float | None
    changed: bool = True
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """Which base and profile of fgbuild.toml; "": its default."""

    base: str = ""
    profile: str = ""


def variant_of(command: str) -> Variant:
    """What `fgbuild build --base tiny` chose; where the command leaves it open, the project decides, now as then."""
    try:
        words = shlex.split(command)
    except ValueError:
        return Variant()
    values = {"--base": "", "--profile": ""}
    for name, value in zip(words, [*words[1:], ""]):
        option, equals, given = name.partition("=")
        if option in values:
            values[option] = given if equals else value
    return Variant(values["--base"], values["--profile"])


class Desk(Protocol):
    @property
    def root(self) -> Path: ...

    def build(self, domains: Sequence[str], variant: Variant, *, until: str | None = None) -> subprocess.Popen[bytes]:
        """Start a build that outlives the dashboard; no domain: all of them. until: the last kind of stage."""

    def cancel(self, run: str, stage: str | None) -> None:
        """Ask a running build to stop one stage (None: everything); it says so in its log."""

    def made(self, run: str) -> AbstractContextManager[Made]:
        """What the stages of a run made."""

    def plan(self, variant: Variant) -> Sequence[Mapping[str, Any]]:
        """What a build of everything would do now: entries as `plan --json` has them, of every stage; where there are
        many domains, of those that are not up to date."""

    def why(self, stage: str, variant: Variant) -> Sequence[str]:
        """What a build would do to a stage now and why, or when its outputs were made: lines, nested by indentation."""

    def differences(self, before: str, after: str, stages: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What the inputs of stages differ in between two runs: stage → reasons as events have them. A stage whose
        inputs are not known of both is left out."""

    def report(self, run: str) -> Path:
        """Write the run's report; where it is."""

    def call(self, domain: str, prompt: str, variant: Variant, unwanted: Callable[[], bool] = ...) -> Mapping[str, Any]:
        """One prompt through the shipped GGUF: the document of `fgbuild call --json`. unwanted: once it says yes the
        model is stopped, and FgbuildError raised."""

    def tools(self, domain: str, variant: Variant) -> Sequence[Mapping[str, Any]]:
        """A domain's tools as its manifest declares them now."""

    def manifest(self, domain: str) -> Path:
        """The file of a domain's manifest."""

    def problems(self, path: Path, text: str, variant: Variant) -> Sequence[Problem]:
        """What would be wrong if that manifest (or fgbuild.toml) read `text`: in it first, then in other files."""

    def effect(self, path: Path, text: str, variant: Variant) -> Effect:
        """What a build of its domain (fgbuild.toml: of all) would do if that file read `text`; nothing is changed."""

    def fields(self, path: Path) -> Mapping[str, Field]:
        """What that file may hold, by dotted name: `lora.r`, `tool[].name`, `slots.*.file`."""
