"""What tests of the dashboard share: what its screen shows, and a desk that stands in for the project's."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from fgbuild.errors import FgbuildError
from fgbuild.views import runs
from fgbuild.views.tui import launch
from fgbuild.views.tui.app import DashboardApp
from fgbuild.views.tui.desk import Effect, Field, Problem, Variant

SIZES = [(80, 24), (120, 40)]
AT_BOTH_SIZES = pytest.mark.parametrize("size", [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.slow)])
"""What a view does in little room it nearly always does in more; how it looks there, snapshots tell."""
LATER_RUN = "20261104-090000-0002"
ANSWER = {
    "calls": [{"name": "explain_rule", "arguments": {"rule": "F841"}}],
    "text": "",
    "stopped_on": "<start_function_response>",
    "seconds": 1.25,
}
WORDS = {"calls": [], "text": "Which file?\nSay its path.", "stopped_on": "<end_of_turn>", "seconds": 0.4}
HOSTILE_OUTPUT = (
    b"\x1b[2J\x1b[31mred\x1b]0;owned\x07\x1b]52;c;aGFoYQ==\x07\x1bP1$r\x1b\\\n"
    b"[bold]markup[/bold] [/nothing] $primary [link=x]\n"
    b"tab\there\rback\x08\x7f\x00nul\r\n"
    + "\u202eevil\u2066\u200b\ufeff\u2028sep \x9b31m\n".encode()
    + b"\xff\xfe\xc3\x28\n"
    + b"B" * 1_000_000
    + b"\n"
    + "e\u0301\u0301 \U0001f468\u200d\U0001f469 語\n".encode()
    + b"last"
)
"""What a worker may print that a terminal must not get."""


def screen_of(app: Any) -> str:
    """What the terminal shows."""
    return "\n".join("".join(part.text for part in strip) for strip in app.screen._compositor.render_strips())


async def wait_for(pilot: Pilot[Any], holds: Callable[[], bool], seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, screen_of(pilot.app)
        await pilot.pause(0.02)


async def shows(pilot: Pilot[Any], *words: str) -> str:
    """The screen, once all the words are on it."""
    await wait_for(pilot, lambda: all(word in screen_of(pilot.app) for word in words))
    return screen_of(pilot.app)


def notices_of(app: Any) -> list[str]:
    """What it tells from now on: a newer notice takes the older one's place on the screen."""
    told: list[str] = []
    notify = app.notify
    app.notify = lambda message, **options: (told.append(message), notify(message, **options))
    return told


def type_at_once(app: Any, *keys: str) -> None:
    """As a fast typist or a paste of keys gives them: the app is still busy with the first when the last one comes."""
    for key in keys:
        one = len(key) == 1
        app.post_message(events.Key(_character_to_key(key) if one else key, key if one else None))


@contextmanager
def unanswered() -> Iterator[threading.Event]:
    """What a thread is to wait for in vain while the dashboard ends in here; after 30 seconds the test fails."""
    answer = threading.Event()
    too_long = threading.Timer(30.0, answer.set)
    too_long.start()
    try:
        yield answer
        assert not answer.is_set()
    finally:
        too_long.cancel()
        answer.set()


def begun_now() -> list[dict[str, Any]]:
    """A half run whose process is this one, so that it counts as going."""
    return sample.half_run(start=time.time())


def two_trainings(steps: int) -> sample.Recorder:
    """A build in which lint:train and test:train run, each so many steps far, and whose process is this one."""
    recorder = sample.Recorder(start=time.time())
    sample.begin(recorder)
    for stage in ("lint:train", "test:train"):
        sample.train(recorder, steps=steps, stage=stage)
    return recorder


@dataclass
class FolderMade:
    """Artifacts as folders: `files` has (stage id, file name) → bytes, `folders` stage id → where they lie, `makers`
    stage id → the run that made it."""

    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    earlier: dict[str, Any] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)

    def folder(self, stage: str) -> Path | None:
        return self.folders.get(stage)

    def read(self, stage: str, name: str) -> bytes | None:
        return self.files.get((stage, name))

    def made_by(self, stage: str) -> str | None:
        return self.makers.get(stage)

    def training_before(self, domain: str) -> Any:
        return self.earlier.get(domain)


@dataclass
class SampleDesk:
    """A desk without a project: a build runs `code`; what else is asked for is written down or given here."""

    root: Path
    code: str = "pass"
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    made_files: FolderMade = field(default_factory=FolderMade)
    answer: Mapping[str, Any] | Exception = field(default_factory=dict)
    refuses: FgbuildError | None = None
    thinks: bool = False
    found: Sequence[Problem] = ()
    because: Sequence[str] | Exception = ()
    differ: Mapping[str, Sequence[Mapping[str, Any]]] | Exception = field(default_factory=dict)
    declared: Sequence[Mapping[str, Any]] = ()
    would: Effect = field(default_factory=lambda: Effect((), 0.0))
    entries: Sequence[Mapping[str, Any]] | Exception = ()
    known_fields: Mapping[str, Field] = field(default_factory=dict)

    def build(self, domains: Sequence[str], variant: Variant, *, until: str | None = None) -> subprocess.Popen[bytes]:
        self.asked.append(("build", tuple(domains), until))
        launch.output_path(self.root).parent.mkdir(parents=True, exist_ok=True)
        with launch.output_path(self.root).open("wb") as output:
            process = subprocess.Popen([sys.executable, "-c", self.code], stdout=output, stderr=output)
        self.started.append(process)
        return process

    def cancel(self, run: str, stage: str | None) -> None:
        self.asked.append(("cancel", run, stage))
        if self.refuses:
            raise self.refuses

    @contextmanager
    def made(self, run: str) -> Iterator[FolderMade]:
        yield self.made_files

    def plan(self, variant: Variant) -> Sequence[Mapping[str, Any]]:
        if isinstance(self.entries, Exception):
            raise self.entries
        return self.entries

    def why(self, stage: str, variant: Variant) -> Sequence[str]:
        self.asked.append(("why", stage))
        if isinstance(self.because, Exception):
            raise self.because
        return self.because

    def differences(self, before: str, after: str, stages: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        self.asked.append(("differences", before, after))
        if isinstance(self.differ, Exception):
            raise self.differ
        return self.differ

    def report(self, run: str) -> Path:
        self.asked.append(("report", run))
        if self.refuses:
            raise self.refuses
        return self.root / "report.html"

    def call(
        self, domain: str, prompt: str, variant: Variant, unwanted: Callable[[], bool] = lambda: False
    ) -> Mapping[str, Any]:
        self.asked.append(("call", domain, prompt))
        while self.thinks and not unwanted():
            time.sleep(0.01)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def tools(self, domain: str, variant: Variant) -> Sequence[Mapping[str, Any]]:
        return self.declared

    def manifest(self, domain: str) -> Path:
        return self.root / "manifests" / f"{domain}.toml"

    def problems(self, path: Path, text: str, variant: Variant) -> Sequence[Problem]:
        return self.found

    def effect(self, path: Path, text: str, variant: Variant) -> Effect:
        return self.would

    def fields(self, path: Path) -> Mapping[str, Field]:
        return self.known_fields


def dashboard(root: Path, run: str | None = None, **desk: Any) -> DashboardApp:
    return DashboardApp(SampleDesk(root, **desk), run)


def write_output(root: Path, text: str | bytes, stage: str = "lint:train", run: str = sample.RUN) -> Path:
    path = runs.output_path(root, run, stage)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
