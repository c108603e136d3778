"""Runs the probe process within a time and memory limit, and says how it ended."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import psutil

# -P: a file of the project named like a module must not be taken for it.
COMMAND = (sys.executable, "-P", "-m", "fgbuild.workers.verifying.probe")
PACKAGES = Path(__file__).parents[3]
POLL_SECONDS = 0.05

Message = dict[str, Any]


def run_probe(
    request: Mapping[str, Any],
    timeout_seconds: float,
    memory_mb: float,
    on_message: Callable[[Message], None],
    command: tuple[str, ...] = COMMAND,
) -> str:
    """Serve one request; returns "" where the probe finished, else why it did not.

    on_message gets each step's result as it arrives. The memory limit (10^6 bytes) is on the
    resident set, watched every 50 ms: an address-space limit would count the mapped file and
    reserved pages, and native code answers it with a crash that names no cause.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            _serve(process, request, timeout_seconds, memory_mb, on_message)
        except _Failed as failure:
            return str(failure)
        except _Ended:
            return _exit_reason(process.wait(), errors)
        finally:
            process.kill()
            process.wait()
    return ""


class _Failed(Exception):
    """The probe is to be stopped, or said itself that a step failed; the message is the reason."""


class _Ended(Exception):
    """The probe ended without a word."""


def _environment() -> dict[str, str]:
    """Ours, and a path on which the probe finds fgbuild also where it is not installed."""
    paths = [str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _serve(
    process: subprocess.Popen[bytes],
    request: Mapping[str, Any],
    timeout_seconds: float,
    memory_mb: float,
    on_message: Callable[[Message], None],
) -> None:
    """Hand on what the probe sends until it says that it is done. Raises _Failed or _Ended where it does not."""
    deadline = time.monotonic() + timeout_seconds
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    assert process.stdin is not None
    assert process.stdout is not None
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    threading.Thread(target=_write, args=(process.stdin, json.dumps(request).encode()), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            line = b""
        if line is None:
            raise _Ended
        if line:
            message = _message(line)
            if message["step"] == "done":
                return
            if message["step"] == "error":
                raise _Failed(message["message"])
            on_message(message)
        if time.monotonic() > deadline:
            raise _Failed(f"stopped after verify.timeout_seconds = {timeout_seconds:g}")
        if _resident_bytes(process.pid) > memory_mb * 1e6:
            raise _Failed(f"stopped above verify.memory_mb = {memory_mb:g}")


def _message(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict) or "step" not in message:
        raise _Failed(f"the probe sent what is no result: {line[:80]!r}")
    return message


def _pump(stream: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _write(stream: IO[bytes], data: bytes) -> None:
    """The request may exceed the pipe's buffer: it is written apart, so that a stuck probe cannot stall us."""
    try:
        stream.write(data)
        stream.close()
    except OSError:
        return  # the probe died before it had read all: its exit says why


def _resident_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _exit_reason(code: int, errors: IO[bytes]) -> str:
    """How a process ended that did not say so itself: the signal's name, or what it last wrote to stderr."""
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    last = f" ({lines[-1].strip()[:300]})" if lines else ""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"llama.cpp was killed by {name}{last}"
    return f"the probe ended with exit code {code}{last}"
