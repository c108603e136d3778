"""Plain lines that a person can follow, on a terminal or in a log.

Everything that happened is a line of its own. On a terminal one more line at the bottom shows what
is running, redrawn in place; elsewhere a running stage says how far it is now and then.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from typing import TextIO

from fgbuild.events import Event
from fgbuild.views import describe, table, text
from fgbuild.views.estimate import build_remaining, stage_remaining
from fgbuild.views.records import DONE, FAILED, StageState
from fgbuild.views.state import BuildState, apply

# Without a terminal: at least this long between two progress lines of a stage, …
PROGRESS_SECONDS = 10.0
# … and then only once it is this much further, or has been silent for this long.
PROGRESS_SHARE = 0.10
SILENCE_SECONDS = 60.0
REDRAW_SECONDS = 0.1
_BAR_CELLS = 16
_MAX_NAME_CELLS = 32
_CLEAR_LINE = "\r\x1b[2K"
_RED, _GREEN, _YELLOW, _CYAN, _DIM, _BOLD = "31", "32", "33", "36", "2", "1"


class PlainView:
    """Writes a run to `stream` (not closed by `close`); a reader that went away stops nothing.

    color: use ANSI colours. live: on a terminal, show what is running in a line that is redrawn.
    width: cells of the live line, by default those of the terminal.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        color: bool,
        live: bool = True,
        width: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = BuildState()
        self._stream = stream
        self._color = color
        self._width = width
        self._clock = clock
        self._lock = threading.RLock()
        self._open = True
        self._live = live and stream.isatty() and os.environ.get("TERM") != "dumb"
        self._live_shown = ""
        self._name_cells = 0
        self._drawn_at = 0.0
        self._ticker: threading.Thread | None = None
        self._stopped = threading.Event()
        self._untouched: list[StageState] = []  # had nothing to do; not yet said
        self._said_progress: dict[str, tuple[float, float]] = {}  # stage → (time, fraction)
        self._said_failure: dict[str, tuple[str, str]] = {}  # stage → (message, log)

    def handle(self, event: Event) -> None:
        with self._lock:
            apply(self.state, event)
            kind = event.get("kind")
            stage_id = event.get("stage")
            stage = self.state.stages.get(text.clean(stage_id, 200)) if isinstance(stage_id, str) else None
            if kind == "run.started":
                self._name_cells = min(max(map(len, self.state.stages), default=0), _MAX_NAME_CELLS)
                self._lines(table.header(self.state), _BOLD)
                self._start_ticker()
            elif kind == "build.finished":
                self._build_finished()
            elif stage is not None:
                self._stage_event(str(kind), stage, event)
            self._draw()

    def close(self) -> None:
        """Stop the live line; call it before anything else is printed."""
        self._stopped.set()
        with self._lock:
            self._say_untouched()
            if self._live_shown:
                self._write(_CLEAR_LINE)
            self._live = False
            self._live_shown = ""
        if self._ticker is not None:
            self._ticker.join(timeout=1.0)

    def _stage_event(self, kind: str, stage: StageState, event: Event) -> None:
        if event.get("stored") is True:
            return  # made by an earlier run: the table at the end has it
        if kind == "stage.started":
            why = describe.because(stage.reasons)
            about = f"about {text.seconds(stage.predicted_seconds)}" if stage.predicted_seconds else ""
            self._said_progress[stage.id] = (stage.started_at or 0.0, 0.0)
            self._say(stage, "started", " · ".join(filter(None, (f"because {why}" if why else "", about))), _CYAN)
        elif kind in ("stage.progress", "stage.metric"):
            self._progress(stage)
        elif kind == "stage.note" and isinstance(event.get("text"), str):
            self._say(stage, "note", text.clean(event["text"]), _DIM)
        elif kind == "stage.artifact" and stage.artifacts:
            item = list(stage.artifacts.values())[-1]
            if describe.is_model(item):
                colour = _RED if item.inside is False else ""
                self._say(stage, "wrote", f"{item.path}  {describe.artifact(item)}", colour)
        elif kind == "stage.check":
            self._failed_check(stage)
        elif kind == "stage.finished":
            self._finished(stage)
        elif kind == "stage.failed":
            self._failed(stage)
        elif kind == "stage.cancelled":
            self._say(stage, "cancelled", describe.resuming(stage), _YELLOW)

    def _progress(self, stage: StageState) -> None:
        now, fraction = self.state.updated_at, stage.fraction or 0.0
        if self._live or now is None:
            return
        said_at, said = self._said_progress.setdefault(stage.id, (now, 0.0))
        waited = now - said_at
        if waited < PROGRESS_SECONDS or (fraction - said < PROGRESS_SHARE and waited < SILENCE_SECONDS):
            return
        self._said_progress[stage.id] = (now, fraction)
        share = [text.percent(round(fraction, 2))] if stage.fraction is not None else []
        left = stage_remaining(stage, now)
        ending = [f"{text.seconds(left)} left"] if left is not None else []
        details = filter(None, [*share, describe.progress(stage), *describe.metrics(stage), *ending])
        self._say(stage, "running", " · ".join(details))

    def _failed_check(self, stage: StageState) -> None:
        check = list(stage.checks.values())[-1] if stage.checks else None
        if check is None or check.passed is not False:
            return  # passed checks are counted when the stage finishes
        expected = f", expected {check.expected}" if check.expected else ""
        why = f": {check.reason}" if check.reason else ""
        self._say(stage, "check", f"{check.name} did not pass: {check.value or 'no value'}{expected}{why}", _RED)

    def _finished(self, stage: StageState) -> None:
        if stage.action in ("cached", "skip") and not stage.refused:
            if stage.planned != "skip":  # the header has said those
                self._untouched.append(stage)
            return
        peak = [f"peak {text.megabytes(stage.peak_memory_mb)}"] if stage.peak_memory_mb else []
        took = text.seconds(stage.seconds) if stage.seconds is not None else ""
        details = [took, describe.last_loss(stage), *peak, describe.checks(stage), describe.results(stage)]
        word, colour = ("not passed", _RED) if stage.refused else ("finished", _GREEN)
        self._say(stage, word, " · ".join(filter(None, details)), colour)

    def _failed(self, stage: StageState) -> None:
        said_message, said_log = self._said_failure.get(stage.id, ("", ""))
        self._said_failure[stage.id] = (stage.message, stage.log)
        message = stage.message if stage.message != said_message else ""
        log = f"log: {stage.log}" if stage.log and stage.log != said_log else ""
        if message or log or not said_message:
            exit_code = f"exit code {stage.exit_code}" if stage.exit_code is not None and not message else ""
            first, *rest = (message or exit_code or "").split("\n")
            self._say(stage, "failed", " · ".join(filter(None, (first, log if not rest else ""))), _RED)
            self._lines([f"    {line}" for line in (*rest, *([log] if rest and log else []))])

    def _build_finished(self) -> None:
        self._say_untouched()
        bad = self.state.exit_code not in (0, None)
        if any(stage.action == "run" or stage.status != DONE for stage in self.state.stages.values()):
            self._lines(["", *table.result_table(self.state, self._columns() if self._live else self._width)])
        logs = [
            f"  {stage.id}: {stage.log}" for stage in self.state.stages.values() if stage.status == FAILED and stage.log
        ]
        self._lines(["", describe.outcome(self.state)], _RED if bad else _GREEN)
        self._lines(logs)

    def _say(self, stage: StageState, word: str, details: str, colour: str = "") -> None:
        """A permanent line: `lint:train  started  because lora.r: 16 → 32`."""
        self._say_untouched()
        painted = self._paint(word, colour) + " " * (10 - len(word)) if details else self._paint(word, colour)
        self._lines([f"{text.pad(stage.id, self._name_cells)}  {painted} {details}".rstrip()])

    def _say_untouched(self) -> None:
        """The stages with nothing to do since the last line, in one line for each way."""
        stages, self._untouched = self._untouched, []
        for action, words in (("skip", "up to date"), ("cached", "restored from the cache")):
            those = [stage for stage in stages if stage.action == action]
            if those:
                self._lines([f"{words}: {table.grouped(those)}"], _DIM)

    def _lines(self, lines: list[str], first_colour: str = "") -> None:
        """Write permanent lines; the first that says something is coloured."""
        painted = []
        for line in lines:
            painted.append(self._paint(line, first_colour) + "\n" if line else "\n")
            first_colour = "" if line else first_colour
        if painted:
            clear = _CLEAR_LINE if self._live_shown else ""
            self._live_shown = ""
            self._write(clear + "".join(painted))

    def _paint(self, line: str, colour: str) -> str:
        return f"\x1b[{colour}m{line}\x1b[0m" if self._color and colour and line else line

    def _write(self, line: str) -> None:
        if not self._open:
            return
        try:
            self._stream.write(text.for_encoding(line, self._stream.encoding))
            self._stream.flush()
        except (OSError, ValueError):
            self._open = False

    def _start_ticker(self) -> None:
        if self._live and self._ticker is None:
            self._ticker = threading.Thread(target=self._tick, name="plain-view", daemon=True)
            self._ticker.start()

    def _tick(self) -> None:
        """Keep elapsed time and ETA moving while no event comes."""
        while not self._stopped.wait(1.0):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        """Redraw the live line, at most ten times a second."""
        now = time.monotonic()
        if not self._live or not self._open or self._stopped.is_set():
            return
        if self._live_shown and now - self._drawn_at < REDRAW_SECONDS:
            return
        line = "" if self.state.finished else self._live_line()
        if line != self._live_shown:
            self._live_shown = line
            self._drawn_at = now
            self._write(_CLEAR_LINE + line)

    def _live_line(self) -> str:
        running = self.state.running()
        if not running:
            return ""
        now = self._clock()
        parts = [f"{self.state.settled()}/{len(self.state.stages)}"]
        left = build_remaining(self.state, now)
        if left is not None:
            parts.append(f"{text.seconds(left)} left")
        parts += [_live_stage(stage, now) for stage in running]
        return text.crop("  ".join(parts), self._columns() - 1)

    def _columns(self) -> int:
        if self._width is not None:
            return self._width
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            return shutil.get_terminal_size().columns


def _live_stage(stage: StageState, now: float) -> str:
    """`lint:train ████░░░░ 45 % · 18/40 steps · loss 0.12 · 3m 12s left`."""
    fraction = stage.fraction
    share = f"{text.bar(fraction, _BAR_CELLS)} {text.percent(round(fraction, 2))}" if fraction is not None else ""
    left = stage_remaining(stage, now)
    details = [share, describe.progress(stage), *describe.metrics(stage)[:1]]
    if left is not None:
        details.append(f"{text.seconds(left)} left")
    elif stage.started_at is not None:
        details.append(text.seconds(now - stage.started_at))
    return f"{stage.id} " + " · ".join(filter(None, details))
