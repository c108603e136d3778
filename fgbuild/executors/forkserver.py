"""A process that has imported heavy libraries and forks a worker for each request.

`python -m fgbuild.executors.forkserver FD MODULE…`: FD is a SOCK_SEQPACKET socket to the build, which sends
{"start": number, "module", "job", "log", "directory", "threads"} with the worker's event descriptor, and
{"signal": number, "name"}; back come {"started": number} and, once a worker has ended, {"ended": number, "code",
"cpu_seconds", "peak_memory_mb"}. When the build closes its end, or dies, everything here ends.

Importing what training needs takes seconds, forking a process that has it a few hundredths of one. The modules
named are libraries, whose versions are in the action keys; fgbuild's own are read from disk by each worker, as its
key says. No library is called before the fork: threads and GPU contexts do not survive one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from typing import Any, NoReturn

from fgbuild.executors.processes import death_signal, reaped, signal_group

MAX_MESSAGE = 1 << 16


@dataclass(frozen=True)
class _Child:
    pid: int
    events: int
    """A copy of its event descriptor: the build sees the end of events after it has been told of the worker's."""


class _Server:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: dict[int, _Child] = {}
        self._die_with_parent = death_signal()

    def serve(self) -> dict[str, Any] | None:
        """Until the build is gone: None. In a forked worker: the request that it is for."""
        woken, wake = os.pipe()
        for end in (woken, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == woken:
                        os.read(woken, 4096)
                        self._reap()
                        continue
                    message, events = _receive(self._channel)
                    if message is None:
                        return None
                    if "signal" in message:
                        self._signal(message)
                    elif self._fork(message, events):
                        signal.set_wakeup_fd(-1)
                        for descriptor in (woken, wake):
                            os.close(descriptor)
                        return message

    def _fork(self, message: dict[str, Any], events: int) -> bool:
        """True in the worker."""
        if not (pid := os.fork()):
            if self._die_with_parent:
                self._die_with_parent()
            os.setsid()
            for child in self._children.values():
                os.close(child.events)
            self._channel.close()
            message["events"] = events
            return True
        self._children[message["start"]] = _Child(pid, events)
        _send(self._channel, {"started": message["start"]})
        return False

    def _signal(self, message: dict[str, Any]) -> None:
        if child := self._children.get(message["signal"]):
            signal_group(child.pid, getattr(signal, message["name"]))

    def _reap(self) -> None:
        for number, child in list(self._children.items()):
            if (result := reaped(child.pid)) is not None:
                _send(self._channel, {"ended": number, **result._asdict()})
                os.close(child.events)
                del self._children[number]


def _receive(channel: socket.socket) -> tuple[dict[str, Any] | None, int]:
    """A message and the descriptor that came with it (−1: none); None where the other end is closed."""
    data, descriptors, _, _ = socket.recv_fds(channel, MAX_MESSAGE, 1)
    return (json.loads(data) if data else None), (descriptors[0] if descriptors else -1)


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the build is gone, which the next receive will show
        channel.send(json.dumps(message).encode())


def _become(message: dict[str, Any]) -> None:
    """Make this process what `python -m module job`, started by itself, would be."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(message["directory"])
    log = os.open(message["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for standard in (1, 2):
        os.dup2(log, standard)
    os.close(log)
    os.environ |= {"FGBUILD_EVENTS_FD": str(message["events"]), "OMP_NUM_THREADS": message["threads"]}
    torch = sys.modules.get("torch")
    if torch is not None and message["threads"].isdigit():
        torch.set_num_threads(int(message["threads"]))  # it read the variable when it was imported
    sys.argv = [message["module"], message["job"]]


def _import(names: list[str]) -> None:
    for name in names:
        # What cannot be imported is the worker's to report, in its log and by its name.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a worker would touch, and so copy, every page of what is shared


def main() -> NoReturn:
    channel = socket.socket(fileno=int(sys.argv[1]))
    _import(sys.argv[2:])
    message = _Server(channel).serve()
    if message is None:
        os._exit(0)  # workers that still run die with this process
    try:
        _become(message)
    except OSError:
        traceback.print_exc()
        os._exit(1)
    runpy.run_module(message["module"], run_name="__main__", alter_sys=True)
    raise SystemExit(0)


if __name__ == "__main__":
    main()
