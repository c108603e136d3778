"""The rows of a data file: JSON Lines, or one JSON array that may be far larger than memory.

Rows are read one at a time and keep the line they begin on, which is why the array is not left to
a JSON library: none that streams says where in the file it is. A row of JSON Lines that cannot be
read is handed on as a problem; where an array is broken, what follows cannot be told apart any
more, and reading ends with a DataError.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from fgbuild.domains.lines import MAX_BYTES, parse_line, read_lines
from fgbuild.errors import DataError

_CHUNK = 1 << 18
_HEAD = 64
_SPACE = re.compile(r"[ \t\r\n]*")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_OTHER_KINDS = {
    b"PAR1": "a Parquet file; save its rows as JSON Lines first",
    b"\x1f\x8b": "compressed by gzip; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it first",
}


class Record(NamedTuple):
    """One row. line: where it begins. problem: why there is no value, else ""."""

    line: int
    value: Any
    problem: str = ""


def read_records(path: Path, display: str, progress: Callable[[int], None]) -> Iterator[Record]:
    """The rows of a file. progress is called with the bytes read so far. Raises DataError."""
    empty = True
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
            stream.seek(0)
            if kind := next((kind for magic, kind in _OTHER_KINDS.items() if head.startswith(magic)), None):
                raise DataError(f"{display}: is {kind}")
            is_array = head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")
            for record in _Array(stream, display).records() if is_array else _lines(stream):
                empty = False
                progress(stream.tell())
                yield record
    except OSError as error:
        raise DataError(f"{display}: cannot be read ({error.strerror}); name a JSON or JSONL file") from None
    if empty:
        raise DataError(f"{display}: is empty; name a file with rows")


def _lines(stream: BinaryIO) -> Iterator[Record]:
    for line in read_lines(stream):
        try:
            yield Record(line.number, parse_line(line))
        except ValueError as error:
            yield Record(line.number, None, str(error))


class _Array:
    """A JSON array, read a chunk at a time: never more of it is held than a chunk and one row."""

    def __init__(self, stream: BinaryIO, display: str) -> None:
        self._stream = stream
        self._display = display
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._json = json.JSONDecoder(parse_constant=self._note_constant)
        self._constant = ""  # NaN or an infinity in the row that is being read
        self._text = ""
        self._at = 0  # of the next character in text
        self._line = 1  # of that character
        self._whole = False  # whether text goes up to the end of the file

    def records(self) -> Iterator[Record]:
        self._next()
        self._pass(self._at + 1)  # the opening bracket
        if self._next() != "]":
            yield self._record()
            while (mark := self._next()) == ",":
                self._pass(self._at + 1)
                self._next()
                yield self._record()
            if mark != "]":
                raise self._broken("a comma or the array's end is missing" if mark else "the file is cut off")
        self._pass(self._at + 1)
        if self._next():
            raise self._broken("something follows the array's end")

    def _record(self) -> Record:
        """The row that begins here."""
        while True:
            self._constant = ""
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                reason, place = f"is not JSON: {error.msg}", error.pos
                if error.msg.startswith("Unterminated"):
                    place = len(self._text)  # where the string goes on to, not where it begins
            except (ValueError, RecursionError) as error:
                nested = isinstance(error, RecursionError)
                reason, place = f"is not JSON: {'it is nested too deeply' if nested else error}", self._at
            else:
                if end < len(self._text) or self._whole:  # else a number could go on
                    return self._taken(value, end)
            if len(self._text) - self._at > MAX_BYTES:
                raise self._broken(f"the row that begins here {reason}, or is longer than {MAX_BYTES / 1e6:.0f} MB")
            if not self._more():
                at_end = place >= len(self._text.rstrip())
                self._pass(self._at if at_end else place)
                raise self._broken("the file is cut off in the row that begins here" if at_end else reason)

    def _taken(self, value: Any, end: int) -> Record:
        problem = ""
        if _NOT_UTF8.search(self._text, self._at, end):
            problem = "is not UTF-8 text; save the file as UTF-8"
        elif self._constant:
            problem = f"is not JSON: {self._constant} is not a JSON number"
        record = Record(self._line, value, problem)
        self._pass(end)
        return record

    def _note_constant(self, name: str) -> None:
        self._constant = name

    def _next(self) -> str:
        """The next character that is not white space, "" at the end of the file."""
        while True:
            self._pass(_SPACE.match(self._text, self._at).end())  # type: ignore[union-attr]  # it matches nothing, too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _pass(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        if self._whole:
            return False
        chunk = self._stream.read(_CHUNK)
        self._whole = not chunk
        self._text = self._text[self._at :] + self._decoder.decode(chunk, final=self._whole)
        self._at = 0
        return True

    def _broken(self, reason: str) -> DataError:
        return DataError(f"{self._display}:{self._line}: {reason}; the rest cannot be read, so get the file whole")
