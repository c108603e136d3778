"""The dashboard on a pseudo-terminal: keys go in as bytes, and `pyte` makes a screen of what comes out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import psutil
import pyte

REPOSITORY = Path(__file__).parents[2]
LEFT, RIGHT, ESCAPE, CTRL_C = b"\x1b[D", b"\x1b[C", b"\x1b", b"\x03"
SECONDS = 20.0
"""More than anything takes that a test waits for, on a busy machine."""
# The shell a user has: it owns the terminal, and is still there when the dashboard has ended. Were the dashboard the
# session's leader, the system would put the terminal's settings back, and tests could not fail. `trap :` keeps the
# shell, and is not inherited as an ignored signal would be.
_SHELL = 'trap : HUP INT TERM; "$@"; echo $? > /dev/fd/$0; read -r line'
_HIDDEN = ("CI", "NO_COLOR", "COLUMNS", "LINES", "TERM_PROGRAM")
_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_KITTY_PUSH, _KITTY_POP = re.compile(rb"\x1b\[>\d+u"), b"\x1b[<u"
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\^_])")
_ALTERNATE_SCREEN_LEFT = b"\x1b[?1049l"
_ON_BEFORE = {"7", "25"}
"""Modes that a terminal has on before a program begins: lines wrap, and the cursor is seen."""
_FRAME_BEGINS, _FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
PLAIN = {b"\x1b[?2026$p": b"\x1b[?2026;2$y"}
"""Asked → answered: knows where a frame begins and ends, so that no half-drawn screen is looked at."""
MODERN = {**PLAIN, b"\x1b[?2048$p": b"\x1b[?2048;2$y"}
"""Tells its size unasked, as kitty, ghostty and foot do."""


class Terminal:
    """`fgbuild ARGUMENTS` in a shell on a pseudo-terminal; use as a context manager, which leaves neither behind.

    size: columns and rows. code: Python to run in place of `fgbuild`'s entry point. owned: whether the terminal is the
    session's, so that closing it sends SIGHUP. answers: what the terminal says when it is asked.
    """

    def __init__(
        self,
        root: Path,
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        code: str = "from fgbuild.cli import entry; entry()",
        owned: bool = True,
        answers: dict[bytes, bytes] = PLAIN,
    ) -> None:
        self.output = b""
        self._answers = dict(answers)
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self.master, slave = pty.openpty()
        self._set_size(*size)
        self._settings = termios.tcgetattr(self.master)
        environment = {name: value for name, value in os.environ.items() if name not in _HIDDEN}
        environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        self._ended, write_end = os.pipe()
        self._shell = subprocess.Popen(
            ["sh", "-c", _SHELL, str(write_end), sys.executable, "-P", "-c", code, "--root", str(root), *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            pass_fds=(write_end,),
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if owned else None,
        )
        os.close(slave)
        os.close(write_end)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGKILL)  # the dashboard too; a build has a group of its own
        self._shell.wait()
        self.close()
        os.close(self._ended)

    def close(self) -> None:
        """Close the window."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def afterwards(self) -> str:
        """What was printed once the screen was given back, as words."""
        printed = self.output.rpartition(_ALTERNATE_SCREEN_LEFT)[2]
        return " ".join(_ESCAPE.sub(b"", printed).decode().split())

    @property
    def _is_whole(self) -> bool:
        """Whether no frame is half drawn."""
        return self.output.rfind(_FRAME_ENDS) >= self.output.rfind(_FRAME_BEGINS)

    def press(self, *keys: bytes) -> None:
        for key in keys:
            os.write(self.master, key)

    def signal(self, number: signal.Signals) -> None:
        """To the dashboard, and not to its shell."""
        (dashboard,) = psutil.Process(self._shell.pid).children()
        dashboard.send_signal(number)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size; what it showed is gone until it is drawn anew."""
        self._screen.resize(rows, columns)
        self._screen.reset()
        self._set_size(columns, rows)  # the system tells the dashboard

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def shows(self, *words: str, gone: str = "", seconds: float = SECONDS) -> str:
        """The screen, once all the words are on it, and `gone` is not."""
        deadline = time.monotonic() + seconds
        while not (self._is_whole and all(word in self.text for word in words) and not (gone and gone in self.text)):
            assert self._read(deadline), f"no {words} on\n{self.text}"
        return self.text

    def becomes(self, screen: str, seconds: float = SECONDS) -> None:
        """Wait for that very screen: parts of it are read by threads, and come later."""
        deadline = time.monotonic() + seconds
        while self.text != screen and self._read(deadline):
            pass
        assert self.text == screen

    def settled(self, seconds: float = 1.5) -> str:
        """The screen, once nothing was written for so long."""
        while self._read(time.monotonic() + seconds):
            pass
        return self.text

    def read_until(self, *wanted: bytes, seconds: float = SECONDS) -> None:
        """Read until all of `wanted` was written."""
        deadline = time.monotonic() + seconds
        while not all(part in self.output for part in wanted):
            assert self._read(deadline), self.output[-2000:]

    def fill(self) -> None:
        """Have the dashboard write, without reading it, until it waits for the terminal."""
        (dashboard,) = psutil.Process(self._shell.pid).children()
        deadline = time.monotonic() + SECONDS
        columns, idle = self._screen.columns, 0
        while idle < 50:  # looks in which it did nothing, though it was told of another size
            assert time.monotonic() < deadline, "it never waits"
            before = sum(dashboard.cpu_times()[:2])
            columns += 1
            self._set_size(columns, self._screen.lines)
            time.sleep(0.01)
            idle = idle + 1 if sum(dashboard.cpu_times()[:2]) == before else 0

    def exit_code(self, seconds: float = SECONDS, *, drain: bool = True) -> int:
        """The dashboard's, once it has ended. drain: whether what it writes is read meanwhile."""
        deadline = time.monotonic() + seconds
        while not select.select([self._ended], [], [], 0 if drain else seconds)[0]:
            assert time.monotonic() < deadline, f"it goes on, and shows\n{self.text}"
            self._read(deadline)
        while self.master >= 0 and self._read(0.0):
            pass  # what it wrote last
        code = os.read(self._ended, 16)
        assert code, "its shell ended before it did"
        return int(code)

    def _read(self, deadline: float) -> bool:
        """Take in what was written; False where nothing was until then, or the dashboard has ended."""
        sources = [self._ended, *([self.master] if self.master >= 0 else [])]
        ready = select.select(sources, [], [], max(0.0, deadline - time.monotonic()))[0]
        if self.master not in ready:
            return False
        chunk = os.read(self.master, 65536)
        self.output += chunk
        self._stream.feed(_KITTY_PUSH.sub(b"", chunk).replace(_KITTY_POP, b""))  # pyte shows them as text
        for question in [question for question in self._answers if question in self.output]:
            self.press(self._answers.pop(question))
        return True

    def assert_settings_restored(self) -> None:
        assert termios.tcgetattr(self.master) == self._settings

    def assert_restored(self) -> None:
        """Settings, modes and screen are those that the shell had."""
        self.assert_settings_restored()
        modes: dict[str, bool] = {}
        for names, switch in _MODE.findall(self.output):
            modes |= dict.fromkeys(names.decode().split(";"), switch == b"h")
        assert {"1000", "1004", "2004"} <= modes.keys(), "it never took the terminal"
        left_on = {name for name, on in modes.items() if on}
        assert left_on | _ON_BEFORE == _ON_BEFORE, left_on
        assert "25" in left_on, "the cursor is hidden"
        assert len(_KITTY_PUSH.findall(self.output)) == self.output.count(_KITTY_POP)
