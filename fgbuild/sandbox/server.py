"""The confined process that runs tools: `python -m fgbuild.sandbox.server MODULE DIRECTORY`.

It imports MODULE, whose `TOOLS` maps names to functions of a project's root and a call's arguments, gives up the
network and all writes outside DIRECTORY, and answers requests, a line of JSON each, on standard input: {"root", "area",
"tool", "arguments", "seconds", "memory"} → {"response"}, {"limit"} for one that was reached, or {"fault"} for a bug of
the tool. Each call runs in a fork of this process, which has all libraries loaded and so costs milliseconds; it may
write below its `area` alone, where its home is, and ends with all that it started.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fgbuild.sandbox.confine import adopt_orphans, confinement, end_with, leave_network, stay_below
from fgbuild.sandbox.tool import ToolError

Tools = Mapping[str, Callable[..., dict[str, Any]]]

MAX_RESPONSE = 256 * 1024
"""Bytes of a response, as JSON."""
MAX_FILE = 16 * 1024 * 1024
"""Bytes of a file that a tool writes."""
_FAULT, _LIMIT = "fault", "limit"


def serve(module: str, directory: Path) -> None:
    alone = leave_network()  # before an import starts threads
    tools: Tools = importlib.import_module(module).TOOLS
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):  # what a tool prints is no answer
        os.dup2(nowhere, number)
    adopt_orphans()
    _send(answers, asdict(confinement(alone, stay_below(directory))))
    for line in requests:
        _send(answers, _in_fork(tools, json.loads(line), (requests, answers)))


def _send(stream: Any, value: dict[str, Any]) -> None:
    stream.write(json.dumps(value).encode() + b"\n")
    stream.flush()


def _in_fork(tools: Tools, request: dict[str, Any], streams: Iterable[Any]) -> dict[str, Any]:
    """The answer of a child process, or what became of it. streams: those of this process, which are none of its."""
    reading, writing = os.pipe()
    server = os.getpid()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            end_with(server)
            os.setsid()
            for descriptor in (reading, *(stream.fileno() for stream in streams)):
                os.close(descriptor)
            with os.fdopen(writing, "wb") as out:
                out.write(json.dumps(_run(tools, request)).encode())
            status = 0
        finally:
            os._exit(status)  # nothing of the parent's is flushed or cleaned up twice
    os.close(writing)
    answer, in_time = _read(reading, time.monotonic() + request["seconds"])
    os.close(reading)
    _end(child)
    if not in_time:
        return {_LIMIT: f"took longer than {request['seconds']} seconds"}
    if len(answer) > MAX_RESPONSE:
        return {_LIMIT: f"gave more than {MAX_RESPONSE // 1024} KB"}
    try:
        return dict(json.loads(answer))
    except ValueError:
        return {_LIMIT: "crashed"}


def _end(child: int) -> None:
    """End the child and all that it started, even what has left its group: orphans become children of this process."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    while listed.exists() and (left := listed.read_text("ascii").split()):
        for orphan in map(int, left):
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)


def _read(pipe: int, until: float) -> tuple[bytes, bool]:
    """What comes through a pipe until its end, the limit of size or of time; whether it came in time."""
    found = b""
    while len(found) <= MAX_RESPONSE:
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return found, False
        part = os.read(pipe, 65536)
        if not part:
            break
        found += part
    return found, True


def _run(tools: Tools, request: dict[str, Any]) -> dict[str, Any]:
    seconds = int(request["seconds"]) + 1
    for limit, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, MAX_FILE),
        (resource.RLIMIT_AS, request["memory"]),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower one is in force, or there is none of this kind
            resource.setrlimit(limit, (most, most))
    home = Path(request["area"], "home")
    home.mkdir(exist_ok=True)
    os.environ |= {"HOME": str(home), "TMPDIR": str(home)}
    stay_below(home.parent)
    os.chdir(request["root"])
    tool = tools.get(request["tool"])
    if tool is None:
        return {"response": {"error": f"no tool is named {request['tool']}"}}
    root, arguments = Path(request["root"]), request["arguments"]
    try:
        inspect.signature(tool).bind(root, **arguments)
    except TypeError as error:  # "missing a required argument: 'path'"
        return {"response": {"error": str(error)}}
    try:
        return {"response": tool(root, **arguments)}
    except ToolError as error:
        return {"response": {"error": str(error)}}
    except MemoryError:
        return {_LIMIT: "needs more memory than it may have"}
    except Exception:
        return {_FAULT: traceback.format_exc()}


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
