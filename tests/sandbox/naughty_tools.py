"""Tools that do what no tool should, for the tests of the sandbox."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fgbuild.sandbox.tool import ToolError, file_inside, inside, run


def _tried(action: Callable[[], Any]) -> dict[str, Any]:
    try:
        action()
    except OSError as error:
        return {"refused": error.strerror}
    return {"done": True}


def read(root: Path, path: str) -> dict[str, Any]:
    return {"text": file_inside(root, path).read_text()}


def listed(root: Path, path: str) -> dict[str, Any]:
    return {"names": sorted(each.name for each in inside(root, path).iterdir())}


def write(root: Path, path: str, text: str = "x") -> dict[str, Any]:
    return _tried(lambda: (root / path).write_text(text))


def connect(root: Path, port: int) -> dict[str, Any]:
    return _tried(lambda: socket.create_connection(("127.0.0.1", port), timeout=2).close())


def send(root: Path, port: int) -> dict[str, Any]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return _tried(lambda: sender.sendto(b"x", ("127.0.0.1", port)))


def stop(root: Path, process: int) -> dict[str, Any]:
    return _tried(lambda: os.kill(process, signal.SIGTERM))


def sleep(root: Path) -> dict[str, Any]:
    time.sleep(60)
    return {}


def leave_behind(root: Path) -> dict[str, Any]:
    late = "import time, pathlib; time.sleep(60)"
    return {"process": subprocess.Popen([sys.executable, "-c", late], start_new_session=True).pid}


def crash(root: Path) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def chatter(root: Path) -> dict[str, Any]:
    print('{"response": {"forged": true}}', flush=True)
    os.write(1, b'{"response": {"forged": true}}\n')
    return {"heard": False}


def pipes(root: Path) -> dict[str, Any]:
    """How many pipes a call has, standard ones apart."""
    found = [os.fstat(number).st_mode for number in range(3, 64) if _is_open(number)]
    return {"count": sum(map(stat.S_ISFIFO, found))}


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def environment(root: Path) -> dict[str, Any]:
    return dict(os.environ)


def shout(root: Path, size: int) -> dict[str, Any]:
    return {"text": "x" * size}


def hoard(root: Path) -> dict[str, Any]:
    return {"size": len(bytearray(8 * 1024**3))}


def refuse(root: Path) -> dict[str, Any]:
    raise ToolError("not today")


def broken(root: Path) -> dict[str, Any]:
    return {"never": 1 / 0}


def version(root: Path) -> dict[str, Any]:
    return {"text": run(root, ["git", "--version"])}


def fail(root: Path) -> dict[str, Any]:
    return {"text": run(root, ["git", "log"])}


TOOLS = {
    each.__name__: each
    for each in (
        read, listed, write, connect, send, stop, sleep, leave_behind, crash, chatter, shout, hoard, refuse, broken,
        version, fail, environment, pipes,
    )
}  # fmt: skip
