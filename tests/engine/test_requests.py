"""The requests that a running build takes from other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fgbuild.engine.requests import Requests, wake


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


def test_who_takes_requests_bears_the_signal(requests: Requests) -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


@pytest.mark.parametrize("descriptors", [True, False])
def test_nobody_is_woken_who_is_not_the_build(descriptors: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not descriptors:
        monkeypatch.delattr(os, "pidfd_open")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        wake(process.pid, lambda: False)
        assert process.poll() is None
        wake(process.pid, lambda: True)  # it does not bear it
        assert process.wait(5) == -signal.SIGUSR1
    wake(process.pid, lambda: True)  # nobody is there any more
