"""Runs one command: no shell, no input, a time limit, and no more of its output than is asked for."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_ERRORS_KEPT = 4096
"""Bytes of the error output that are looked at for a reason."""
_CHUNK = 65536


class CommandFailed(Exception):
    """The command did not end well; the message is a few words on why."""


def run(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float, most: int) -> bytes:
    """What a command prints. All of its processes are ended with it.

    timeout: seconds. most: bytes; a command that prints more is ended. Raises CommandFailed where it cannot be
    started, takes longer, prints more, or exits with another code than 0.
    """
    deadline = time.monotonic() + timeout
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise CommandFailed(f"cannot be started ({error})") from None
        assert process.stdout is not None
        try:
            printed = _read(process.stdout.fileno(), deadline, most)
            code = process.wait(max(deadline - time.monotonic(), 0.01))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise CommandFailed(f"takes longer than {timeout:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
        if code:
            errors.seek(0)
            said = errors.read(_ERRORS_KEPT).decode("utf-8", "replace").strip()
            raise CommandFailed(f"exits with {code}" + (f": {said.splitlines()[0]}" if said else ""))
    return printed


def _read(descriptor: int, deadline: float, most: int) -> bytes:
    printed = b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            raise TimeoutError
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            return printed
        printed += chunk
        if len(printed) > most:
            raise CommandFailed(f"prints more than {most:,} bytes")
