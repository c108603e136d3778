from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from fgbuild import events
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import find_run, new_run_id, run_ids, summarise
from fgbuild.errors import FgbuildError
from fgbuild.events import EventLog


def write_run(paths: Paths, run: str, exit_code: int | None, notes: int = 0, pid: int = 1) -> None:
    log = EventLog(paths.events(run), run)
    log.emit("run.started", command="fgbuild build --all", pid=pid, stages=[])
    for _ in range(notes):
        log.emit("stage.note", stage="a", text="x" * 1000)
    if exit_code is not None:
        log.emit("build.finished", ran=["a"] * 20_000, cached=["b"], failed=[], seconds=1.5, exit_code=exit_code)
    log.close()


def test_ids_sort_by_time_and_differ() -> None:
    ids = []
    for _ in range(20):
        ids.append(new_run_id())
        time.sleep(0.001)
    assert ids == sorted(set(ids))
    assert all(len(name) == len("20261122-114503-4f2a") for name in ids)


def test_a_run_is_found_by_id_start_or_latest(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(FgbuildError, match="fgbuild runs lists them"):
        find_run(paths, "latest")
    for run in ("20260101-1", "20260101-12", "20260202-1"):
        write_run(paths, run, 0)
    assert run_ids(paths) == ["20260101-1", "20260101-12", "20260202-1"]
    assert find_run(paths, "latest") == "20260202-1"
    assert find_run(paths, "202602") == "20260202-1"
    assert find_run(paths, "20260101-1") == "20260101-1"
    with pytest.raises(FgbuildError, match="2 runs start with"):
        find_run(paths, "202601")


def test_summary_from_the_ends_of_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = Paths(tmp_path)
    write_run(paths, "r", 3, notes=100)
    decoded: list[bytes] = []
    monkeypatch.setattr(events, "decode", lambda line: decoded.append(line) or json.loads(line))
    summary = summarise(paths, "r")
    assert (summary.exit_code, summary.ran, summary.cached, summary.seconds) == (3, 20_000, 1, 1.5)
    assert summary.command == "fgbuild build --all"
    assert len(decoded) == 1  # of what may be hundreds of thousands


def test_without_an_end_there_is_no_exit_code(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    write_run(paths, "gone", None, pid=17)
    with paths.events("gone").open("ab") as stream:
        stream.write(json.dumps({"kind": "stage.note"}).encode()[:10])
    summary = summarise(paths, "gone")
    assert (summary.exit_code, summary.pid) == (None, 17)
