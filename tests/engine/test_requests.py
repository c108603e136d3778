"""The requests that a running build takes from other processes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fgbuild.engine.requests import Requests, wake


@pytest.fixture(autouse=True)
def wake_up_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def requests(tmp_path: Path) -> Requests:
    requests = Requests(tmp_path / "requests")
    requests.open()
    return requests


def test_what_was_put_there_is_taken_once(requests: Requests) -> None:
    requests.put("red:join")
    requests.put(None)
    assert sorted(requests.take(), key=str) == [None, "red:join"]
    assert requests.take() == []


def test_everyone_who_asks_is_heard(requests: Requests, tmp_path: Path) -> None:
    for number in range(100):
        Requests(tmp_path / "requests").put(f"red:{number}")
    assert sorted(requests.take(), key=str) == sorted(f"red:{number}" for number in range(100))


def test_what_is_no_request_is_thrown_away(requests: Requests, tmp_path: Path) -> None:
    folder = tmp_path / "requests"
    for name, content in {"a": b"", "b": b"{", "c": b'{"stop": 3}', "d": b"[" * 100_000, "e": b"[]"}.items():
        (folder / name).write_bytes(content)
    (folder / ".half").write_bytes(b'{"stop": null}')
    requests.put("red:make")
    assert requests.take() == ["red:make"]
    assert os.listdir(folder) == [".half"]


def test_after_its_end_a_build_takes_none(requests: Requests, tmp_path: Path) -> None:
    requests.put(None)
    requests.close()
    assert not (tmp_path / "requests").exists()
    assert requests.take() == []
    with pytest.raises(FileNotFoundError):
        requests.put(None)


def test_who_takes_requests_bears_the_signal(tmp_path: Path) -> None:
    lines = (
        "import os, pathlib, signal, sys",
        "from fgbuild.engine.requests import Requests",
        "Requests(pathlib.Path(sys.argv[1])).open()",
        "signal.raise_signal(signal.SIGUSR1)",
        "print('still there')",
    )
    command = [sys.executable, "-c", "\n".join(lines), str(tmp_path / "requests")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "still there\n"), done.stderr


@pytest.mark.parametrize("descriptors", ["given", "unknown to Python", "unknown to the system"])
def test_nobody_is_woken_who_is_not_the_build(descriptors: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pid: int) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if descriptors == "unknown to Python":
        monkeypatch.delattr(os, "pidfd_open")
    elif descriptors == "unknown to the system":
        monkeypatch.setattr(os, "pidfd_open", refused)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        wake(process.pid, lambda: False)
        assert process.poll() is None
        wake(process.pid, lambda: True)  # it does not bear it
        assert process.wait(5) == -signal.SIGUSR1
    wake(process.pid, lambda: True)  # nobody is there any more
