"""The event log: what a run says about itself, one versioned JSON record a line.

A run is `cache/runs/<id>/events.jsonl`, appended by the build process alone. Every view is a
fold of it. Each record has `v` (schema version), `t` (unix seconds), `run` (its id) and `kind`:

    run.started     command, base, profile, pid, stages: [{id, kind, domain, action, after, predicted_seconds,
                    outputs}], beside, made_with: {fgbuild, python, system, cores, memory_mb, gpu_memory_mb}
    stage.started   stage, reasons: [{component, old, new}], predicted_seconds
    stage.progress  stage, done, total, unit, eta_seconds
    stage.metric    stage, step, loss, eval_loss, learning_rate, grad_norm, tokens_per_s, memory_mb
    stage.note      stage, text                     a line worth showing while it runs
    stage.artifact  stage, path, bytes, predicted_bytes, min_mb, max_mb
    stage.check     stage, name, passed, value, expected, reason
    stage.result    stage, summary: {name: number}
    stage.finished  stage, seconds, action ("run" | "cached" | "skip"), cpu_seconds, peak_memory_mb, passed,
                    outputs (digest of its artifact)
    stage.failed    stage, message, log, exit_code
    stage.cancelled stage, checkpoint (step from which the next attempt goes on, or null)
    build.finished  ran, cached, skipped, failed, seconds, exit_code

`after` names the stages that have to be finished first. `beside` counts the stages that are up to date and not among
`stages`: in a project of many domains, those of domains with nothing to do.

`stored`: true on a stage.artifact, stage.check or stage.result tells what the stage gave when it last
ran; in this run it is left alone or restored.

Fields are added freely and renamed never; a reader skips kinds and fields it does not know.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
Event = dict[str, Any]


def encode(event: Event) -> bytes:
    """One event as a UTF-8 line. NaN and infinity become null: JSON has neither."""
    try:
        text = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(event), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


class EventLog:
    """Appends events to a run's log and hands each to the listening views.

    One `os.write` a record on an O_APPEND descriptor, so that a reader never sees half a line
    followed by another record.
    """

    def __init__(self, path: Path, run: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.run = run
        self.listeners: list[Callable[[Event], None]] = []
        self._torn = False
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def emit(self, kind: str, **fields: Any) -> Event:
        event: Event = {
            "v": SCHEMA_VERSION,
            "t": round(time.time(), 3),
            "run": self.run,
            "kind": kind,
            **fields,
        }
        self._append(encode(event))
        for listener in self.listeners:
            listener(event)
        return event

    def _append(self, line: bytes) -> None:
        """One record; what a full disk left of the one before it is ended, so that this one can be read."""
        whole = b"\n" + line if self._torn else line
        self._torn = True
        try:
            if os.write(self._fd, whole) < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            error.filename = str(self.path)
            raise
        self._torn = False

    def close(self) -> None:
        os.close(self._fd)


class EventReader:
    """Reads a log that may still be growing; a last line without its newline waits for the next read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def read(self, limit: int = 10_000) -> list[Event]:
        """Up to `limit` new events since the last call; [] when there is nothing new."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._offset)
                events: list[Event] = []
                for line in stream:
                    if not line.endswith(b"\n") or len(events) >= limit:
                        break
                    self._offset += len(line)
                    event = decode(line)
                    if event is not None:
                        events.append(event)
                return events
        except FileNotFoundError:
            return []


def decode(line: bytes) -> Event | None:
    """One line as an event, or None where it is not one (a torn or foreign line is skipped)."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "kind" in event else None


def read_events(path: Path) -> Iterator[Event]:
    """Every event of a finished log."""
    reader = EventReader(path)
    while batch := reader.read():
        yield from batch
