from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

import fgbuild
from fgbuild.engine.executor import RunningWorker, WorkerExit, WorkerRequest
from fgbuild.executors.local import LocalExecutor
from fgbuild.executors.warm import WarmExecutor

BUSY = """
import time
end = time.process_time() + 0.1
while time.process_time() < end:
    pass
block = bytearray(80_000_000)
"""


@pytest.fixture(params=[LocalExecutor, WarmExecutor])
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    executor = request.param()

    def start(body: str, cores: int = 1) -> RunningWorker:
        (tmp_path / "oneoff.py").write_text(body)
        job = tmp_path / "job.json"
        job.write_text("{}")
        log = tmp_path / "logs" / "one.log"
        return executor.start(WorkerRequest("oneoff", job, log, tmp_path, cores, preload=("decimal",)))

    yield start
    executor.close()


def wait(worker: RunningWorker) -> WorkerExit:
    deadline = time.monotonic() + 10
    while (result := worker.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return result


def received(worker: RunningWorker) -> bytes:
    data = b""
    while chunk := os.read(worker.events, 4096):
        data += chunk
    return data


def test_output_events_exit_code_and_usage(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    worker = run(
        "import os, sys\n"
        "print('out'); print('err', file=sys.stderr)\n"
        "os.write(int(os.environ['FGBUILD_EVENTS_FD']), b'event')\n" + BUSY + "sys.exit(3)\n"
    )
    result = wait(worker)
    assert result.code == 3
    assert result.cpu_seconds >= 0.1
    assert 80 < result.peak_memory_mb < 2000
    assert received(worker) == b"event"
    assert sorted((tmp_path / "logs" / "one.log").read_text().split()) == ["err", "out"]
    assert worker.poll() == result
    worker.close()


def test_workers_are_repeatable_and_kept_to_their_cores(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    names = ["HF_HUB_OFFLINE", "OMP_NUM_THREADS", "PYTHONHASHSEED", "TOKENIZERS_PARALLELISM"]
    worker = run(f"import os\nfor name in {names}: print(os.environ[name])\nimport fgbuild\n", cores=3)
    assert wait(worker).code == 0
    assert (tmp_path / "logs" / "one.log").read_text().split() == ["1", "3", "0", "false"]
    worker.close()


def test_a_file_of_the_project_does_not_hide_a_module(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "json.py").write_text("raise SystemExit(9)")
    (tmp_path / "oneoff.py").write_text("import json")
    job = tmp_path / "job.json"
    job.write_text("{}")
    worker = LocalExecutor().start(WorkerRequest("oneoff", job, tmp_path / "one.log", project, 1))
    assert wait(worker).code == 0
    worker.close()


def test_terminate_and_kill_reach_the_workers_children(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    worker = run(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child.pid', 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    note = tmp_path / "child.pid"
    deadline = time.monotonic() + 10
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    worker.terminate()
    assert wait(worker).code == -signal.SIGTERM
    assert _gone(int(note.read_text()))
    worker.close()


def test_children_left_behind_end_with_the_worker(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    worker = run(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child.pid', 'w').write(str(child.pid))\n"
    )
    assert wait(worker).code == 0
    assert _gone(int((tmp_path / "child.pid").read_text()))
    worker.close()


def test_the_protocols_reporter_and_exit_codes(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    job = '{"stage": "x:y", "kind": "y", "manifest": {}, "inputs": {}, "output": "o", "state": "s", "root": "."}'
    worker = run(
        f"import sys, pathlib\npathlib.Path(sys.argv[1]).write_text('''{job}''')\n"
        "from fgbuild.errors import DataError\n"
        "from fgbuild.workers.protocol import main\n"
        "def work(job, reporter):\n"
        "    reporter.note(job.stage)\n"
        "    raise DataError('rows.jsonl:3: no messages')\n"
        "main(work)\n"
    )
    assert wait(worker).code == 2
    assert received(worker).splitlines() == [
        b'{"kind":"stage.note","stage":"x:y","text":"x:y"}',
        b'{"kind":"stage.failed","stage":"x:y","message":"rows.jsonl:3: no messages"}',
    ]
    worker.close()


def _gone(pid: int) -> bool:
    """Whether a process has ended; a zombie waiting for init to reap it has."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("executor", [LocalExecutor, WarmExecutor])
def test_another_interpreter_runs_a_worker_and_finds_this_fgbuild(  # type: ignore[no-untyped-def]
    executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    python, elsewhere = tmp_path / "python", tmp_path / "elsewhere"
    python.write_text(f'#!/bin/sh\necho "[$PYTHONPATH]"\nPYTHONPATH="{elsewhere}" exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    elsewhere.mkdir()
    (elsewhere / "worker.py").write_text(
        "import sys, fgbuild.workers.protocol\n"
        "print(__name__, sys.argv[1], fgbuild.__file__, 'decimal' in sys.modules)\n"
    )
    running = executor()
    request = WorkerRequest("worker", tmp_path / "job", tmp_path / "log", tmp_path, 1, ("decimal",), python)
    worker = running.start(request)
    assert wait(worker).code == 0
    said = f"[]\n__main__ {tmp_path / 'job'} {fgbuild.__file__} False\n"
    assert (tmp_path / "log").read_text() == said
    worker.close()
    running.close()
