"""Failures, gates, resources and the event log of whole builds."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from toy_project import PIPELINE, InProcessExecutor, ToyProject, manifest

from fgbuild.engine import actions
from fgbuild.engine.executor import WorkerRequest
from fgbuild.engine.paths import Paths
from fgbuild.engine.resources import Machine
from fgbuild.engine.runs import run_ids, summarise
from fgbuild.engine.store import Store
from fgbuild.errors import FgbuildError, StageError
from fgbuild.executors.local import LocalExecutor


def test_a_failed_stage_stops_what_is_below_it_and_is_tried_again(toy: ToyProject) -> None:
    toy.manifests["red"]["fail"] = {"join": 1}
    result = toy.build()
    assert result.exit_code == 1
    assert (result.failed, result.not_run) == (["red:join"], ["red:check", "red:last"])
    assert not (toy.root / "agents").exists()
    failed = next(event for event in toy.events(result.run) if event["kind"] == "stage.failed")
    assert failed["message"] == "join was told to fail"
    assert "working on red:join" in (toy.root / failed["log"]).read_text()
    toy.taken()
    assert [reason.text for reason in toy.plan()["red:join"].reasons] == ["failed last time"]
    toy.manifests["red"]["fail"] = {}
    assert toy.build().exit_code == 0
    assert toy.taken() == ["red:check", "red:join", "red:last"]


def test_the_users_fault_is_exit_code_2(toy: ToyProject) -> None:
    toy.manifests["red"]["fail"] = {"make": 2}
    assert toy.build().exit_code == 2


@pytest.mark.parametrize("keep_going", [False, True])
def test_keep_going_builds_what_does_not_need_the_failed_stage(toy: ToyProject, keep_going: bool) -> None:
    toy.manifests = {"red": manifest("red", fail={"make": 1}), "blue": manifest("blue")}
    result = toy.build(keep_going=keep_going, jobs=1)
    assert result.exit_code == 1
    assert result.failed == ["red:make"]
    assert (toy.root / "agents" / "blue" / "joined.txt").exists() is keep_going


def test_a_gate_that_does_not_pass_is_exit_code_3_and_runs_again(toy: ToyProject) -> None:
    toy.manifests["blue"] = manifest("blue")
    toy.manifests["red"]["fail"] = {"check": 3}
    result = toy.build()
    assert result.exit_code == 3
    assert (result.failed, result.not_run) == (["red:check"], ["red:last"])
    assert "blue:last" in result.ran
    finished = [event for event in toy.events(result.run) if event["kind"] == "stage.finished"]
    assert [event["stage"] for event in finished if event["passed"] is False] == ["red:check"]
    toy.taken()
    with toy.open() as workspace:
        attempt = workspace.actions.attempt("red:check")
        assert attempt is not None
        assert attempt.outcome == actions.GATE
        assert attempt.outputs is not None
        assert "false" in (workspace.store.path(attempt.outputs) / "report.json").read_text()
    assert [reason.text for reason in toy.plan()["red:check"].reasons] == ["did not pass last time"]
    assert toy.build().exit_code == 3
    assert toy.taken() == ["red:check"]


def test_behind_a_gate_keep_going_goes_on(toy: ToyProject) -> None:
    toy.manifests["red"]["fail"] = {"check": 3}
    result = toy.build(keep_going=True)
    assert (result.exit_code, result.failed, result.not_run) == (3, ["red:check"], [])
    assert "red:last" in result.ran


def test_exit_code_3_of_a_stage_that_is_no_gate_is_a_failure(toy: ToyProject) -> None:
    toy.manifests["red"]["fail"] = {"join": 3}
    result = toy.build()
    assert (result.exit_code, result.failed) == (1, ["red:join"])


def test_an_unwritable_output_fails_in_one_sentence_and_loses_no_work(toy: ToyProject) -> None:
    (toy.root / "agents").write_text("a file where a directory has to be")
    result = toy.build()
    assert (result.exit_code, result.failed) == (1, ["red:join"])
    message = next(event for event in toy.events(result.run) if event["kind"] == "stage.failed")["message"]
    assert "agents/red/joined.txt: cannot be written" in message
    (toy.root / "agents").unlink()
    toy.taken()
    result = toy.build()
    assert toy.taken() == ["red:check", "red:last"]
    assert result.cached == ["red:join"]


def test_a_full_disk_fails_the_stage_and_the_next_build_is_right(
    toy: ToyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(self: Store, directory: Path) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(directory))

    with monkeypatch.context() as patch:
        patch.setattr(Store, "publish", publish)
        result = toy.build()
    assert result.exit_code == 1
    failed = next(event for event in toy.events(result.run) if event["kind"] == "stage.failed")
    assert "No space left on device; put that right and build again" in failed["message"]
    assert toy.build().exit_code == 0
    assert toy.joined() == "base-+redred16"


def test_a_read_only_database_is_one_sentence(toy: ToyProject) -> None:
    def write() -> None:
        with toy.open() as workspace:
            workspace.database.execute("PRAGMA query_only = 1")
            workspace.actions.stand_at("a", "b", "c")

    with pytest.raises(FgbuildError, match=r"index\.sqlite: attempt to write a readonly database"):
        write()


def test_an_error_in_the_build_itself_stops_its_workers(toy: ToyProject) -> None:
    """A view that fails is a defect of ours: it ends the build, and leaves no worker behind."""

    def fail(event: dict[str, Any]) -> None:
        if event["kind"] == "stage.progress":
            raise RuntimeError("a defect")

    toy.manifests["red"]["sleep"] = {"make": 60}
    with pytest.raises(RuntimeError, match="a defect"):
        toy.build(executor=LocalExecutor, until="make", listeners=(fail,))
    leftovers = [path.suffix for path in (toy.root / "cache" / "tmp").iterdir()]
    assert leftovers == []
    (run,) = run_ids(Paths(toy.root))
    last = toy.events(run)[-1]
    assert (last["kind"], last["exit_code"], last["ran"], last["not_run"]) == ("build.finished", 1, [], ["red:make"])
    assert summarise(Paths(toy.root), run).exit_code == 1


def test_a_disk_that_fills_while_the_log_is_written_ends_the_run_readably(
    toy: ToyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a record gets onto the disk; stopping the stage makes room for the last one."""
    write = os.write

    def short(descriptor: int, data: bytes) -> int:
        if b'"stage.progress"' in data and b'"run"' in data:
            return write(descriptor, data[:20])
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OSError, match=r"No space left on device: .*events\.jsonl"):
        toy.build(until="make")
    monkeypatch.undo()
    (run,) = run_ids(Paths(toy.root))
    assert summarise(Paths(toy.root), run).exit_code == 1
    assert [event["kind"] for event in toy.events(run)][-2:] == ["stage.cancelled", "build.finished"]


def test_a_full_disk_is_no_configuration_error(toy: ToyProject) -> None:
    def fill() -> None:
        with toy.open() as workspace:
            workspace.database.execute("PRAGMA max_page_count = 1")
            workspace.database.execute("CREATE TABLE big (x)")

    with pytest.raises(StageError, match=r"index\.sqlite: the disk is full; free some space"):
        fill()


def test_a_placed_file_the_worker_did_not_write_is_a_failure(toy: ToyProject) -> None:
    toy.write_worker("join", 'finish("other.txt", "x")')
    result = toy.build()
    assert result.failed == ["red:join"]


def test_an_output_that_is_a_link_is_refused(toy: ToyProject) -> None:
    toy.write_worker("make", '(output / "made.txt").symlink_to("/etc/hostname")')
    result = toy.build()
    assert result.failed == ["red:make"]
    assert list((toy.root / "cache" / "tmp").iterdir()) == []


def test_the_log_tells_the_run_from_start_to_end(toy: ToyProject) -> None:
    toy.build(until="make")
    seen: list[dict[str, Any]] = []
    result = toy.build(listeners=(seen.append,))
    assert seen == toy.events(result.run)
    first, last = seen[0], seen[-1]
    assert (first["kind"], last["kind"]) == ("run.started", "build.finished")
    assert [(stage["id"], stage["action"]) for stage in first["stages"]][:3] == [
        ("base", "run"),
        ("red:make", "skip"),
        ("red:join", "run"),
    ]
    assert last["ran"] == ["base", "red:join", "red:check", "red:last"]
    assert (last["skipped"], last["cached"], last["failed"], last["exit_code"]) == (["red:make"], [], [], 0)
    join = [event for event in seen if event.get("stage") == "red:join"]
    assert [event["kind"] for event in join] == [
        "stage.started",
        "stage.progress",
        "stage.artifact",
        "stage.finished",
    ]
    assert join[0]["reasons"][0]["component"] == "never built"
    assert join[2]["path"] == "agents/red/joined.txt"
    assert join[3]["peak_memory_mb"] > 0


def test_history_predicts_from_the_same_stage_then_from_its_kind(toy: ToyProject) -> None:
    toy.build()
    toy.manifests["blue"] = manifest("blue")
    with toy.open() as workspace:
        graph = toy.graph()
        own = workspace.history.predict(graph.stages["red:join"], None)
        other = workspace.history.predict(graph.stages["blue:join"], None)
        assert own is not None
        assert own == other
        assert own.memory_mb == 50.0
        assert not own.guessed


def test_a_prediction_is_scaled_by_what_the_manifest_asks_for(toy: ToyProject) -> None:
    costly = replace(PIPELINE[1], cost=lambda manifest: 3.0 * manifest["make"]["count"])
    toy.pipeline = (PIPELINE[0], costly, *PIPELINE[2:])
    toy.build()
    toy.manifests["red"]["make"]["count"] = 8
    with toy.open() as workspace:
        stage = toy.graph().stages["red:make"]
        longer = workspace.history.predict(stage, None)
        again = workspace.history.predict(replace(stage, manifest=manifest("red")), None)
    assert again is not None
    assert longer is not None
    assert longer.seconds == pytest.approx(4 * again.seconds)


def test_without_history_a_stage_says_what_it_costs_unless_its_base_is_a_toy(toy: ToyProject) -> None:
    costly = replace(PIPELINE[1], cost=lambda manifest: 3.0, memory_mb=700)
    toy.pipeline = (PIPELINE[0], costly, *PIPELINE[2:])
    with toy.open() as workspace:
        stage = toy.graph().stages["red:make"]
        assert workspace.history.predict(stage, None) == (3.0, 700, True)
        assert workspace.history.predict(replace(stage, toy=True), None) is None


def test_what_another_base_took_says_nothing(toy: ToyProject) -> None:
    toy.build()
    with toy.open() as workspace:
        stages = toy.graph().stages
        reading = next(stage for stage in stages.values() if "base" in stage.inputs)
        base = workspace.actions.standing("base")
        assert base is not None
        assert workspace.history.predict(reading, base[1]) is not None
        assert workspace.history.predict(reading, "0" * 64) is None
        assert workspace.history.predict(reading, None) is not None


def test_a_base_that_pins_itself_while_it_runs_is_up_to_date_afterwards(toy: ToyProject) -> None:
    def pins(manifest: Any, root: Path) -> dict[str, Any]:
        lock = root / "toy.lock"
        return {"toy.lock": lock.read_text()} if lock.exists() else {}

    toy.write_worker("base", '(Path(job["root"]) / "toy.lock").write_text("abc")\nfinish("base.txt", "b")')
    toy.pipeline = (replace(PIPELINE[0], extras=pins), *PIPELINE[1:])
    toy.build()
    assert toy.build().run is None
    (toy.root / "toy.lock").write_text("def")
    assert [reason.text for reason in toy.plan()["base"].reasons] == ["toy.lock: changed"]


def test_state_is_kept_until_the_stage_succeeds(toy: ToyProject) -> None:
    toy.write_worker("make", '(state / "checkpoint").write_text("half")\nfinish("made.txt", "redred")')
    toy.manifests["red"]["fail"] = {"make": 1}
    toy.build()
    assert [path.read_text() for path in (toy.root / "cache" / "state").rglob("checkpoint")] == ["half"]
    toy.manifests["red"]["fail"] = {}
    toy.build()
    assert list((toy.root / "cache" / "state").iterdir()) == []


class _CountingExecutor(InProcessExecutor):
    def __init__(self) -> None:
        self.started: list[str] = []
        self.prepared: list[str] = []
        self.closed = 0

    def prepare(self, modules: Iterable[str]) -> None:
        self.prepared += modules

    def close(self) -> None:
        self.closed += 1

    def start(self, request: WorkerRequest) -> Any:
        self.started.append(f"{request.module} {request.cores}")
        return super().start(request)


def test_light_stages_start_before_heavy_ones(toy: ToyProject) -> None:
    toy.manifests["blue"] = manifest("blue")
    heavy = (PIPELINE[0], replace(PIPELINE[1], cores=64), *PIPELINE[2:])
    toy.pipeline = heavy
    executor = _CountingExecutor()
    toy.build(executor=lambda: executor, jobs=1, until="make")
    assert executor.started[0].startswith("toy.make")
    cores = Machine.detect().cores
    assert executor.started == [f"toy.make {cores}"] * 2


def test_what_workers_like_to_find_imported_is_prepared_where_they_have_to_run(toy: ToyProject) -> None:
    toy.pipeline = (PIPELINE[0], replace(PIPELINE[1], preload=("torch", "peft")), *PIPELINE[2:])
    executor = _CountingExecutor()
    toy.build(executor=lambda: executor)
    assert (executor.prepared, executor.closed) == (["torch", "peft"], 1)
    toy.build(executor=lambda: executor)
    assert executor.prepared == ["torch", "peft"]


def test_a_worker_killed_from_outside_says_so(toy: ToyProject) -> None:
    toy.write_worker("make", "os.kill(os.getpid(), 9)")
    result = toy.build(executor=LocalExecutor, until="make")
    failed = next(event for event in toy.events(result.run) if event["kind"] == "stage.failed")
    assert "killed by SIGKILL" in failed["message"]
    assert result.exit_code == StageError.exit_code


def test_a_worker_that_crashes_is_reported_by_its_last_words(toy: ToyProject) -> None:
    toy.write_worker("make", "raise RuntimeError('no more ink')")
    result = toy.build(executor=LocalExecutor, until="make")
    failed = next(event for event in toy.events(result.run) if event["kind"] == "stage.failed")
    assert failed["message"] == "RuntimeError: no more ink"


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="has no real-time signals")
def test_a_signal_without_a_name_is_told_by_its_number(toy: ToyProject) -> None:
    number = signal.SIGRTMIN + 1
    toy.write_worker("make", f"os.kill(os.getpid(), {number})")
    result = toy.build(executor=LocalExecutor, until="make")
    (failed,) = [event for event in toy.events(result.run) if event["kind"] == "stage.failed"]
    assert f"killed by signal {number}" in failed["message"]
