from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fgbuild.engine.executor import RunningWorker, WorkerExit, WorkerRequest
from fgbuild.executors.local import LocalWorker
from fgbuild.executors.processes import import_path
from fgbuild.executors.warm import WarmExecutor, WarmWorker

pytestmark = pytest.mark.skipif(not WarmExecutor()._can_fork, reason="workers are not forked here")


class Toy:
    """Workers whose module is written anew for each; `slow` is a module that takes long to import."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.executor = WarmExecutor()
        (directory / "job.json").write_text("{}")
        (directory / "library.py").write_text("state = []\n")
        (directory / "slow.py").write_text("import time\ntime.sleep(60)\n")

    def start(self, name: str, body: str, preload: tuple[str, ...] = ("library",)) -> RunningWorker:
        (self.directory / f"{name}.py").write_text(body)
        job, log = self.directory / "job.json", self.directory / f"{name}.log"
        return self.executor.start(WorkerRequest(name, job, log, self.directory, 1, preload))

    def said(self, name: str) -> list[str]:
        return (self.directory / f"{name}.log").read_text().split()


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    toy = Toy(tmp_path)
    yield toy
    toy.executor.close()


def ended(worker: RunningWorker) -> WorkerExit:
    deadline = time.monotonic() + 10
    while (result := worker.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    worker.close()
    return result


def test_a_worker_finds_what_was_imported_for_it_and_none_of_another_workers_state(toy: Toy) -> None:
    body = "import sys\nprint('library' in sys.modules)\nimport library\n"
    body += "print(library.state)\nlibrary.state.append(1)\n"
    for name in ("one", "two"):
        assert ended(toy.start(name, body)).code == 0
        assert toy.said(name) == ["True", "[]"]


def test_a_worker_without_anything_to_have_ready_is_started_as_ever(toy: Toy) -> None:
    worker = toy.start("plain", "print('here')", preload=())
    assert isinstance(worker, LocalWorker)
    assert ended(worker).code == 0


def test_its_own_code_is_what_is_on_disk_when_it_starts(toy: Toy) -> None:
    (toy.directory / "helper.py").write_text("text = 'old'\n")
    body = "import helper\nprint(helper.text)\n"
    ended(toy.start("one", body))
    (toy.directory / "helper.py").write_text("text = 'edited'\n")
    ended(toy.start("two", body))
    assert (toy.said("one"), toy.said("two")) == (["old"], ["edited"])


def test_its_events_end_with_it_while_another_works(toy: Toy) -> None:
    long = toy.start("long", "import time\ntime.sleep(60)\n")
    short = toy.start("short", "import os\nos.write(int(os.environ['FGBUILD_EVENTS_FD']), b'event')\n")
    os.set_blocking(short.events, True)
    assert os.read(short.events, 100) == b"event"
    assert os.read(short.events, 100) == b""
    assert short.poll() is not None  # told of before its events end: nobody has to wait for it then
    long.kill()
    assert ended(long).code == -signal.SIGKILL
    short.close()


def test_nothing_is_left_of_a_build_that_is_killed(toy: Toy) -> None:
    (toy.directory / "one.py").write_text("import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    script = (
        "import time\nfrom pathlib import Path\n"
        "from fgbuild.engine.executor import WorkerRequest\nfrom fgbuild.executors.warm import WarmExecutor\n"
        f"here = Path({str(toy.directory)!r})\nexecutor = WarmExecutor()\n"
        "worker = executor.start(WorkerRequest('one', here / 'job.json', here / 'one.log', here, 1, ('library',)))\n"
        "time.sleep(60)\n"
    )
    build = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": import_path()})
    note, deadline = toy.directory / "pid", time.monotonic() + 10
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    build.kill()
    build.wait()
    while Path(f"/proc/{note.read_text()}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_cannot_be_imported_is_left_to_the_worker_to_report(toy: Toy) -> None:
    (toy.directory / "broken.py").write_text("raise OSError('no such device')\n")
    assert ended(toy.start("one", "import broken\n", preload=("broken",))).code == 1
    assert "device" in toy.said("one")


def test_a_worker_that_still_waits_for_the_imports_is_killed_at_once(toy: Toy) -> None:
    worker = toy.start("one", "print('here')", preload=("slow",))
    started = time.monotonic()
    worker.terminate()
    worker.kill()
    assert ended(worker).code == -signal.SIGKILL
    assert time.monotonic() - started < 5


def test_without_its_server_a_worker_counts_as_killed_and_the_next_is_started_as_ever(toy: Toy) -> None:
    worker = toy.start("one", "import os, time\nprint(os.getppid(), flush=True)\ntime.sleep(60)\n")
    assert isinstance(worker, WarmWorker)
    deadline = time.monotonic() + 10
    while not (toy.directory / "one.log").exists() or not toy.said("one"):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(int(toy.said("one")[0]), signal.SIGKILL)
    assert ended(worker).code == -signal.SIGKILL
    second = toy.start("two", "print('here')")
    assert isinstance(second, LocalWorker)
    assert ended(second).code == 0


def test_one_that_still_waits_for_the_imports_does_not_take_another_with_it(toy: Toy) -> None:
    (toy.directory / "slow.py").write_text("import time\ntime.sleep(1)\n")
    first = toy.start("one", "import time\ntime.sleep(60)\n", preload=("slow",))
    second = toy.start("two", "print('here')", preload=("slow",))
    first.terminate()
    first.kill()
    assert ended(second).code == 0
    assert toy.said("two") == ["here"]
    assert ended(first).code in (-signal.SIGTERM, -signal.SIGKILL)


def test_all_that_wait_for_the_imports_are_killed_at_once(toy: Toy) -> None:
    workers = [toy.start(name, "print('here')", preload=("slow",)) for name in ("one", "two")]
    started = time.monotonic()
    for worker in workers:
        worker.kill()
    assert [ended(worker).code for worker in workers] == [-signal.SIGKILL] * 2
    assert time.monotonic() - started < 5
