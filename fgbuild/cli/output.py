"""How commands print: JSON for programs, lines for people; and arguments that several of them take."""

from __future__ import annotations

import argparse
import json
import sys


def print_json(document: object, *, indent: int | None = 2) -> None:
    """One JSON document on stdout; what its encoding cannot write is escaped and so not lost."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=indent)
    print(text)


def say(line: str) -> None:
    """A line for people: never on stdout, which belongs to the result."""
    print(line, file=sys.stderr, flush=True)


def whole_number(value: str) -> int:
    """An argument that counts something, for argparse."""
    if not (value.isascii() and value.isdigit()):
        raise argparse.ArgumentTypeError(f"{value!r} is no count; give a whole number, 0 or more")
    return int(value)


def stages(count: int) -> str:
    return "1 stage" if count == 1 else f"{count} stages"
