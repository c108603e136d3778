"""Tools run for real and change nothing but their project."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from fgbuild.sandbox import LimitReached, Sandbox, SandboxFault, Workspace, client
from fgbuild.sandbox.server import MAX_FILE, MAX_RESPONSE

confined = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can take these rights away")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sys.path.insert(0, str(Path(__file__).parent))
    with Sandbox("naughty_tools") as found:
        yield found
    sys.path.pop(0)


@pytest.fixture
def project(sandbox: Sandbox) -> Iterator[Workspace]:
    found = sandbox.project({"a.txt": "hello", "src/b.txt": b"\xc3\xa9"})
    yield found
    found.remove()


def test_a_tool_reads_and_changes_its_project(project: Workspace) -> None:
    assert project.call("read", {"path": "a.txt"}) == {"text": "hello"}
    assert project.call("read", {"path": "./src/../src/b.txt"}) == {"text": "é"}
    assert project.call("write", {"path": "src/c.txt", "text": "new"}) == {"done": True}
    assert project.files() == {"a.txt": b"hello", "src/b.txt": b"\xc3\xa9", "src/c.txt": b"new"}


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("read", {"path": "c.txt"}, "c.txt does not exist"),
        ("read", {"path": "lib/b.txt"}, "lib/b.txt does not exist; there is src/b.txt"),
        ("read", {"path": "src"}, "src is a folder"),
        ("read", {"path": "../../etc/passwd"}, "../../etc/passwd is outside the project"),
        ("read", {"path": "/etc/passwd"}, "/etc/passwd is outside the project"),
        ("read", {}, "missing a required argument: 'path'"),
        ("read", {"path": "a.txt", "mode": "r"}, "got an unexpected keyword argument 'mode'"),
        ("nothing", {}, "no tool is named nothing"),
        ("refuse", {}, "not today"),
        ("read", {"path": "x" * 300}, f"'{'x' * 79} is not a path"),
        ("read", {"path": "a\x00b"}, "'a\\x00b' is not a path"),
        ("read", {"path": 5}, "5 is not a path"),
        ("fail", {}, "fatal: not a git repository (or any of the parent directories): .git"),
    ],
)
def test_what_goes_wrong_is_the_response(project: Workspace, tool: str, arguments: dict[str, Any], error: str) -> None:
    assert project.call(tool, arguments) == {"error": error}


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("crash", {}, "crash crashed"),
        ("hoard", {}, "hoard needs more memory than it may have"),
        ("shout", {"size": MAX_RESPONSE}, "shout gave more than 256 KB"),
    ],
)
def test_a_limit_that_is_reached_is_no_response(
    project: Workspace, tool: str, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(LimitReached, match=error):
        project.call(tool, arguments)
    assert project.call("read", {"path": "a.txt"}) == {"text": "hello"}


def test_a_link_out_of_the_project_is_not_followed(project: Workspace) -> None:
    (project.root / "out").symlink_to("/etc")
    assert project.call("listed", {"path": "out"}) == {"error": "out is outside the project"}


def test_projects_and_calls_are_apart(sandbox: Sandbox, project: Workspace) -> None:
    other = sandbox.project({"a.txt": "untouched"})
    project.call("write", {"path": "a.txt", "text": "changed"})
    assert other.files() == {"a.txt": b"untouched"}
    assert project.call("read", {"path": "a.txt"}) == {"text": "changed"}
    assert project.call("environment", {})["HOME"] != other.call("environment", {})["HOME"]
    if sandbox.confinement.writes != "open":
        assert project.call("write", {"path": str(other.root / "a.txt")}) == {"refused": "Permission denied"}
        assert project.call("write", {"path": str(project.call("environment", {})["TMPDIR"]) + "/x"}) == {"done": True}


def test_what_a_tool_prints_is_no_response(project: Workspace) -> None:
    assert project.call("chatter", {}) == {"heard": False}
    assert project.call("pipes", {}) == {"count": 1}  # that of its own answer: it cannot answer for others
    assert project.call("read", {"path": "a.txt"}) == {"text": "hello"}


def test_a_bug_of_a_tool_is_not_a_response(project: Workspace) -> None:
    with pytest.raises(SandboxFault, match=r"naughty_tools: broken failed:\nTraceback(.|\n)*ZeroDivisionError"):
        project.call("broken", {})


def test_a_module_that_is_not_there_is_told() -> None:
    before = set(Path(tempfile.gettempdir()).glob("fgbuild-sandbox-*"))
    with pytest.raises(SandboxFault, match="no_such_tools: the sandbox ended with exit code 1"):
        Sandbox("no_such_tools").__enter__()
    assert set(Path(tempfile.gettempdir()).glob("fgbuild-sandbox-*")) <= before


def test_a_server_that_dies_is_told_and_leaves_nothing() -> None:
    with Sandbox("naughty_tools") as sandbox:
        project, directory = sandbox.project({}), sandbox.directory
        sandbox._process.kill()
        for _ in range(2):
            with pytest.raises(SandboxFault, match="naughty_tools: the sandbox ended with exit code -9"):
                project.call("listed", {"path": "."})
    assert not directory.exists()


def test_what_a_killed_process_has_left_is_removed() -> None:
    script = (
        "import os, signal, tempfile; from fgbuild.sandbox import Sandbox; s = Sandbox('naughty_tools').__enter__()"
    )
    script += "; print(s.directory, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    left = Path(done.stdout.strip())
    assert left.is_dir()
    with Sandbox("naughty_tools"):
        assert not left.exists()


def test_a_call_that_takes_too_long_is_ended(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SECONDS", 0.1)
    with pytest.raises(LimitReached, match=r"sleep took longer than 0\.1 seconds; give the machine less to do"):
        project.call("sleep", {})


@confined
def test_nothing_that_a_tool_starts_outlives_its_call(project: Workspace) -> None:
    process = project.call("leave_behind", {})["process"]
    assert not psutil.pid_exists(process)


@confined
def test_a_call_ends_with_its_server() -> None:
    with Sandbox("naughty_tools") as sandbox:
        project = sandbox.project({})

        def ask() -> None:
            with contextlib.suppress(SandboxFault):
                project.call("sleep", {})

        asking = threading.Thread(target=ask)
        asking.start()
        server = psutil.Process(sandbox._process.pid)
        while not (children := server.children()):
            time.sleep(0.01)
        server.kill()
        asking.join()
        psutil.wait_procs(children, timeout=10)
        assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


@confined
def test_no_write_outside_of_the_sandbox(project: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "x"
    outside.write_text("before")
    assert project.call("write", {"path": str(outside)}) == {"refused": "Permission denied"}
    assert project.call("write", {"path": str(tmp_path / "y")}) == {"refused": "Permission denied"}
    assert outside.read_text() == "before"
    assert project.call("write", {"path": "big", "text": "x" * (MAX_FILE + 1)}) == {"refused": "File too large"}


@confined
def test_no_network(sandbox: Sandbox, project: Workspace) -> None:
    if sandbox.confinement.network != "none":
        pytest.skip(f"this machine leaves the network {sandbox.confinement.network}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "refused" in project.call("connect", {"port": server.getsockname()[1]})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        assert "refused" in project.call("send", {"port": receiver.getsockname()[1]})


@confined
def test_no_signal_to_other_processes(sandbox: Sandbox, project: Workspace) -> None:
    if sandbox.confinement.signals:
        pytest.skip("this kernel's Landlock leaves signals alone")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert project.call("stop", {"process": other.pid}) == {"refused": "Operation not permitted"}
        assert other.poll() is None


def test_nothing_of_the_users_environment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGBUILD_SECRET", "token")
    with Sandbox("naughty_tools") as sandbox:
        seen = sandbox.project({}).call("environment", {})
        directory = sandbox.directory
    assert "FGBUILD_SECRET" not in seen
    assert seen["PYTHONHASHSEED"] == "0"
    assert not directory.exists()
