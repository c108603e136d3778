"""Workers that need not import: forks of a process that has the heavy libraries loaded.

Four domains train one after another, and each training begins with the same imports. Here they are made
once a build, while its light stages run. A worker stays a process of its own: nothing of one domain's training
reaches the next, and killing one leaves the others alone.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from fgbuild.engine.executor import RunningWorker, WorkerExit, WorkerRequest
from fgbuild.engine.resources import NVIDIA
from fgbuild.executors.forkserver import MAX_MESSAGE
from fgbuild.executors.local import LocalExecutor
from fgbuild.executors.processes import death_signal, environment, threads

_KILLED = WorkerExit(-signal.SIGKILL, 0.0, 0.0)


class WarmExecutor:
    """Forks workers whose request names modules to have ready; starts the others as `LocalExecutor` does.

    So does it start all of them where there is a GPU, whose context a library may open while it is imported and
    which no fork can use, and on systems other than Linux, where forking a process that has loaded a mathematics
    library is not safe.
    """

    def __init__(self) -> None:
        self._cold = LocalExecutor()
        self._server: ForkServer | None = None
        self._can_fork = sys.platform.startswith("linux") and not NVIDIA.exists()

    def prepare(self, modules: Iterable[str]) -> None:
        """Begin to import these; does not wait for it."""
        names = list(modules)
        if names and self._can_fork and self._server is None:
            self._server = ForkServer(names)

    def start(self, request: WorkerRequest) -> RunningWorker:
        if request.python is not None:
            return self._cold.start(request)
        if request.preload:
            self.prepare(request.preload)
        if request.preload and self._server is not None and self._server.is_alive:
            return self._server.start(request)
        return self._cold.start(request)

    def close(self) -> None:
        """End the process that forks; workers that still run end with it."""
        if self._server is not None:
            self._server.close()


class ForkServer:
    """The build's end of a `forkserver` process."""

    def __init__(self, modules: list[str]) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fgbuild.executors.forkserver", str(theirs.fileno()), *modules],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
                preexec_fn=death_signal(),
            )
        self._count = 0
        self._started: set[int] = set()
        self._killed: set[int] = set()
        self._exits: dict[int, WorkerExit] = {}
        self.is_alive = True

    def start(self, request: WorkerRequest) -> WarmWorker:
        request.log.parent.mkdir(parents=True, exist_ok=True)
        self._count += 1
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        message = {
            "start": self._count,
            "module": request.module,
            "job": str(request.job),
            "log": str(request.log),
            "directory": str(request.directory),
            "threads": threads(request.cores),
        }
        try:
            self._send(message, write_end)
        finally:
            os.close(write_end)
        return WarmWorker(self, self._count, read_end)

    def signal(self, number: int, name: str) -> None:
        """Signal a worker and its children. Before it was forked the server is still importing and hears nothing: it
        is killed with the last of its workers, and else does as it is told once it can."""
        if name == "SIGKILL":
            self._killed.add(number)
            if number not in self._started and {*range(1, self._count + 1)} - self._exits.keys() <= self._killed:
                self._process.kill()
                return
        self._send({"signal": number, "name": name})

    def exit_of(self, worker: int) -> WorkerExit | None:
        """How a worker ended, once it has; killed, where the server is gone."""
        while self.is_alive:
            try:
                data = self._channel.recv(MAX_MESSAGE)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            if not data:
                self.is_alive = False
            elif "started" in (message := json.loads(data)):
                self._started.add(message["started"])
            else:
                number = message.pop("ended")
                self._exits[number] = WorkerExit(**message)
        return self._exits.get(worker) or (None if self.is_alive else _KILLED)

    def close(self) -> None:
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def _send(self, message: dict[str, Any], *descriptors: int) -> None:
        try:
            socket.send_fds(self._channel, [json.dumps(message).encode()], descriptors)
        except (ConnectionError, BlockingIOError):
            self.is_alive = False  # its workers, of which this is one now, count as killed


class WarmWorker:
    def __init__(self, server: ForkServer, number: int, events: int) -> None:
        self._server = server
        self._number = number
        self._events = events

    @property
    def events(self) -> int:
        return self._events

    def poll(self) -> WorkerExit | None:
        return self._server.exit_of(self._number)

    def terminate(self) -> None:
        self._server.signal(self._number, "SIGTERM")

    def kill(self) -> None:
        self._server.signal(self._number, "SIGKILL")

    def close(self) -> None:
        os.close(self._events)
