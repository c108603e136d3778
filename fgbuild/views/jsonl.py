"""Events as JSON lines, for programs."""

from __future__ import annotations

import json
from typing import TextIO

from fgbuild.events import Event, encode


class JsonlView:
    """Writes each event as one line and flushes it; a reader that went away stops nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._open = True

    def handle(self, event: Event) -> None:
        if not self._open:
            return
        try:
            self._stream.write(_line(event, self._stream.encoding))
            self._stream.flush()
        except (OSError, ValueError):
            self._open = False

    def close(self) -> None:
        """Stop writing; the stream itself stays open, it is the caller's."""
        self._open = False


def _line(event: Event, encoding: str | None) -> str:
    """The event's line; where the stream cannot write it, the same JSON in ASCII."""
    line = encode(event).decode("utf-8")
    try:
        line.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return json.dumps(json.loads(line), separators=(",", ":")) + "\n"
    return line
