"""The lines of a JSONL file, however long, and the JSON on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

MAX_BYTES = 4_000_000
"""Longest row: a hundred bytes for each of the 32,768 tokens that the model can read, and some."""
_CHUNK = 1_000_000


class Line(NamedTuple):
    """content: without the line's end; empty where the line is too long to be kept.

    size: bytes in the file. ended: whether a newline ends it; the last line of a file cut off has none.
    """

    number: int
    content: bytes
    size: int
    ended: bool


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines that are not blank, without a byte order mark; never more than MAX_BYTES are held."""
    number = 0
    while content := stream.readline(MAX_BYTES + 1):
        number += 1
        size, ended = len(content), content.endswith(b"\n")
        if size > MAX_BYTES:
            content = b""
            while not ended and (more := stream.readline(_CHUNK)):
                size, ended = size + len(more), more.endswith(b"\n")
        elif number == 1:
            content = content.removeprefix(b"\xef\xbb\xbf")
        if size > MAX_BYTES or content.strip():
            yield Line(number, content.rstrip(b"\r\n"), size, ended)


def parse_line(line: Line) -> Any:
    """The JSON on a line. Raises ValueError with what is wrong with the line."""
    if line.size > MAX_BYTES:
        raise ValueError(too_long(line.size))
    try:
        return parse_json(line.content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text (byte {error.start + 1}); save the file as UTF-8") from None
    except ValueError as error:
        cut = "" if line.ended else "; the file seems to be cut off here"
        raise ValueError(f"is not JSON: {error}{cut}") from None


def too_long(size: int) -> str:
    return f"is {size / 1e6:.1f} MB long, and a row has at most {MAX_BYTES / 1e6:.0f} MB; shorten or remove it"


def parse_json(text: str) -> Any:
    """JSON without the NaN and infinities that Python would let pass. Raises ValueError with the reason."""
    try:
        return json.loads(text, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg.removesuffix(' at')} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
