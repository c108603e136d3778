"""The lines of a text that may be large and may still grow: indexed, read and searched in slices.

A slice ends at a deadline (`time.monotonic()` seconds), so that whoever draws meanwhile is not held up.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import time
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from fgbuild.views.overwritten import last_state
from fgbuild.views.text import clean

MAX_LINE = 4_000
"""Characters of a line that are shown; what is longer says how long it is."""
MAX_SEARCHED = 1 << 22
"""Bytes of a line that are searched."""
NO_FILE = "Its worker printed nothing."
_BLOCK = 1 << 16
_CHUNK = 1 << 18
_HEAD = 256
_TEXTS = 2_000


class Lines(Protocol):
    """count: lines so far. complete: those that can no longer change (all but an unfinished last one).
    generation: grows when the text begins anew, so that line numbers mean something else.
    size: grows or changes whenever the text does. bad: numbers of the lines that tell of a failure, where they are
    known."""

    @property
    def count(self) -> int: ...
    @property
    def complete(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def bad(self) -> Set[int]: ...

    def line(self, number: int) -> str:
        """One line, inert; from 0. "" where it is no longer there."""

    def chunk(self, number: int) -> tuple[str, int]:
        """The text of some lines from `number` on, and how many (at least one)."""


class TextLines:
    """Lines that are in memory, inert already."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.bad: set[int] = set()
        self.generation = 0

    @property
    def count(self) -> int:
        return len(self._lines)

    complete = size = count

    def add(self, line: str, *, bad: bool = False) -> None:
        if bad:
            self.bad.add(len(self._lines))
        self._lines.append(line)

    def line(self, number: int) -> str:
        return self._lines[number] if number < len(self._lines) else ""

    def chunk(self, number: int) -> tuple[str, int]:
        some = self._lines[number : number + _TEXTS]
        return "\n".join(some), max(len(some), 1)


class FileLines:
    """Lines of the file at `path`, which may grow, be replaced, vanish or not be UTF-8.

    For each block of the file it keeps how many lines end before it: 100 MB take 13 kB. problem: why there is nothing,
    or nothing more, to show; "" where all is well.
    """

    bad: Set[int] = frozenset()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self.generation = 0
        self._fd = -1
        self._status: os.stat_result | None = None
        self._reset()

    def _reset(self) -> None:
        self._head = b""
        self._before = array("Q", [0])
        self._newlines = 0
        self._tail = 0  # where the last, unfinished line begins
        self.size = 0
        self._newlines_in = lru_cache(64)(self._find_newlines)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def count(self) -> int:
        return self._newlines + (self.size > self._tail)

    @property
    def complete(self) -> int:
        return self._newlines

    def grow(self, deadline: float) -> bool:
        """Look at the file again and index what is new of it; whether there is more."""
        try:
            self._look()
            if self._fd < 0:
                return False
            end = os.fstat(self._fd).st_size
            while self.size < end:
                if not self._index(min(end - self.size, _BLOCK - self.size % _BLOCK)):
                    return False
                if time.monotonic() > deadline:
                    return self.size < end
        except (OSError, ValueError) as error:
            self.problem = f"{self.path} cannot be read: {getattr(error, 'strerror', None) or error}."
        return False

    def _look(self) -> None:
        """Open the file, again where it is another one than before."""
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            self.problem = "The file was removed; this is what was in it." if self._fd >= 0 else NO_FILE
            return
        if not stat.S_ISREG(status.st_mode):
            self.problem = f"{self.path} is not a file."
            return
        self.problem = ""
        if self._fd >= 0 and self._is_another(status):
            self.close()
            self._reset()
            self.generation += 1
        if self._fd < 0:
            # Not blocking: between the look and this, it may have become a pipe.
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self._status = status

    def _is_another(self, status: os.stat_result) -> bool:
        was = self._status
        if was is None or (was.st_dev, was.st_ino) != (status.st_dev, status.st_ino) or status.st_size < self.size:
            return True
        changed = (was.st_size, was.st_mtime_ns) != (status.st_size, status.st_mtime_ns)
        return changed and os.pread(self._fd, len(self._head), 0) != self._head

    def _index(self, length: int) -> bool:
        data = os.pread(self._fd, length, self.size)
        if not data:
            return False
        if len(self._head) < _HEAD:
            self._head = os.pread(self._fd, min(self.size + len(data), _HEAD), 0)
        last = data.rfind(b"\n")
        if last >= 0:
            self._newlines += data.count(b"\n")
            self._tail = self.size + last + 1
        self.size += len(data)
        if self.size % _BLOCK == 0:
            self._before.append(self._newlines)
        return True

    def _find_newlines(self, block: int, length: int) -> list[int]:
        data = os.pread(self._fd, length, block * _BLOCK)
        return [match.start() for match in re.finditer(b"\n", data)]

    def _end(self, number: int) -> int:
        """Where line `number` ends: the offset of its newline, or of the end."""
        if number >= self._newlines:
            return self.size
        block = bisect_right(self._before, number) - 1
        places = self._newlines_in(block, min(_BLOCK, self.size - block * _BLOCK))
        place = number - self._before[block]
        # Fewer than were counted: the file was cut off since.
        return block * _BLOCK + places[place] if place < len(places) else self.size

    def _start(self, number: int) -> int:
        return self._end(number - 1) + 1 if number else 0

    def _read(self, start: int, length: int) -> bytes:
        try:
            return os.pread(self._fd, max(length, 0), start) if self._fd >= 0 else b""
        except OSError:
            return b""

    def line(self, number: int) -> str:
        if not 0 <= number < self.count:
            return ""
        start, end = self._start(number), self._end(number)
        wanted = min(end - start, 4 * MAX_LINE)
        data = self._read(start, wanted)
        whole = wanted == end - start or len(data) < wanted  # less than there was: the file was cut off since
        if not whole and b"\r" in data and (states := self._last_states(end, wanted)):
            data, whole = states, True
        text = last_state(codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=whole))
        if whole and len(text) <= MAX_LINE:
            return clean(text, None)
        return f"{clean(text[:MAX_LINE], None)}… ({end - start:,} bytes in this line)"

    def _last_states(self, end: int, length: int) -> bytes:
        """Of a line that was written over, those states that are whole in its last bytes."""
        return self._read(end - length, length).rstrip(b"\r").partition(b"\r")[2]

    def chunk(self, number: int) -> tuple[str, int]:
        start = self._start(number)
        data = self._read(start, min(_CHUNK, self.size - start))
        last = data.rfind(b"\n")
        if last < 0:
            data = self._read(start, min(self._end(number) - start, MAX_SEARCHED))
        else:
            data = data[:last]
        text = data.decode("utf-8", "replace").replace("\t", " ")
        if "\r" in text:
            text = "\n".join(map(last_state, text.split("\n")))
        return text, data.count(b"\n") + 1


def pattern(words: str) -> re.Pattern[str]:
    """What finds `words` as they stand; capital letters matter where there is one among them."""
    return re.compile(re.escape(words), re.IGNORECASE if words == words.lower() else 0)


class Scan:
    """The numbers of the lines that all the patterns match, ascending, found as the lines grow."""

    def __init__(self, lines: Lines, patterns: Sequence[re.Pattern[str]]) -> None:
        self.lines = lines
        self.patterns = patterns
        self._begin()

    def _begin(self) -> None:
        self.found = array("Q")
        self.seen = 0  # lines that were looked at
        self._generation = self.lines.generation
        self._size = -1
        self._provisional = False

    @property
    def current(self) -> bool:
        """Whether it has seen all there is."""
        return self._size == self.lines.size and self._generation == self.lines.generation

    def grow(self, deadline: float) -> bool:
        """Look at more lines; whether there are more."""
        if self._generation != self.lines.generation:
            self._begin()
        if self.current:
            return False
        if self._provisional:
            self.found.pop()
            self._provisional = False
        while self.seen < self.lines.complete:
            text, count = self.lines.chunk(self.seen)
            self.found.extend(self.seen + number for number in _matching(text, self.patterns))
            self.seen += count
            if time.monotonic() > deadline:
                return True
        if self.lines.count > self.seen:
            # The last line may go on: it is looked at again when it has.
            self._provisional = any(True for _ in _matching(self.lines.chunk(self.seen)[0], self.patterns))
            if self._provisional:
                self.found.append(self.seen)
        self._size = self.lines.size
        return False


def _matching(text: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[int]:
    """Numbers of the lines of `text` that all the patterns match."""
    first, *others = patterns
    number = counted = 0
    while counted < len(text) and (match := first.search(text, counted)) is not None:
        number += text.count("\n", counted, match.start())
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
        if all(other.search(text, start, end) for other in others):
            yield number
        counted = end
