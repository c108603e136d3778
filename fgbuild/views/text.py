"""Text that is safe to print, and numbers as people read them.

Events carry text from models, tools and files. `clean` makes it inert: what a terminal would act
on (escape sequences, carriage returns, direction overrides) is replaced by a visible stand-in.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

MAX_TEXT = 2_000
MAX_MESSAGE = 8_000
MAX_VALUE = 20_000
_ONE_LINE = 60

# C0 and C1 controls, zero-width and direction marks, line separators, surrogates, tag characters:
# everything a terminal acts on or that hides or reorders what a person sees.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_ASCII = str.maketrans(
    {"✓": "+", "●": "*", "○": "o", "✗": "x", "≡": "=", "■": "#", "→": "->", "█": "#", "░": ".", "·": "-"}
    | {"…": "...", "–": "-", "│": "|", "─": "-"}
)


def clean(text: str, limit: int | None = MAX_TEXT, *, keep_newlines: bool = False) -> str:
    """`text` as one inert line of at most `limit` characters (`keep_newlines`: lines stay lines)."""
    cut = text if limit is None or len(text) <= limit else text[: limit - 1] + "…"
    if _UNSAFE.search(cut) is None:
        return cut
    return _UNSAFE.sub(lambda match: _stand_in(match.group(), keep_newlines), cut)


def _stand_in(character: str, keep_newlines: bool) -> str:
    code = ord(character)
    if character == "\n":
        return "\n" if keep_newlines else " ⏎ "
    if character == "\t":
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "�"


def for_encoding(text: str, encoding: str | None) -> str:
    """`text` as a stream of that encoding can write it: symbols become ASCII, the rest question marks."""
    name = encoding or "utf-8"
    try:
        text.encode(name)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(name, "replace").decode(name)
    except LookupError:
        return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    return text


def cell_width(text: str) -> int:
    """How many terminal cells `text` takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def crop(text: str, width: int) -> str:
    """`text` in at most `width` cells, ending in … where it was cut."""
    if cell_width(text) <= width:
        return text
    used, kept = 0, []
    for character in text:
        used += _character_width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def pad(text: str, width: int) -> str:
    """`text` cropped or filled with spaces to exactly `width` cells."""
    cropped = crop(text, width)
    return cropped + " " * (width - cell_width(cropped))


def joined(pieces: list[str], separator: str, width: int) -> str:
    """As many of the pieces, from the first on, as fit into `width` cells; empty ones are left out."""
    line = ""
    for piece in filter(None, pieces):
        longer = f"{line}{separator}{piece}" if line else piece
        if cell_width(longer) > width:
            break
        line = longer
    return line


def fitting(options: list[str], width: int) -> str:
    """The first that fits into `width` cells; else the last one, cropped."""
    return next((option for option in options if cell_width(option) <= width), crop(options[-1], width))


def scalar(value: Any, limit: int = 200) -> str:
    """Any JSON value as inert text; long hexadecimal digests are shortened; None is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        if len(value) >= 32 and all(character in "0123456789abcdef" for character in value):
            return value[:12] + "…"
        return clean(value, limit)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value) if math.isfinite(value) else "NaN"
    try:
        return clean(json.dumps(value, ensure_ascii=False), limit)
    except (TypeError, ValueError, RecursionError):
        return "?"


def whole(value: Any) -> str:
    """As `scalar`, with up to `MAX_VALUE` characters: texts keep their lines, long lists and tables get some."""
    if (isinstance(value, str) and len(value) > 200) or (isinstance(value, str) and "\n" in value):
        return clean(value, MAX_VALUE, keep_newlines=True)
    if not isinstance(value, (list, dict)):
        return scalar(value)
    try:
        line = json.dumps(value, ensure_ascii=False)
        indented = line if len(line) <= _ONE_LINE else json.dumps(value, ensure_ascii=False, indent=2)
        return clean(indented, MAX_VALUE, keep_newlines=True)
    except (TypeError, ValueError, RecursionError):
        return "?"


def number(value: float) -> str:
    """A number in a few digits: 1,234 · 291.5 · 0.1234 · 2.0e-04."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    if size < 1e-3 or size >= 1e15:
        return f"{value:.1e}"
    return f"{value:,.1f}" if size >= 100 else f"{value:.4g}"


def counted(value: float, name: str) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{number(value)} {name}{'' if value == 1 else 's'}"


def percent(share: float) -> str:
    """A share from 0 to 1 as a percentage, never rounded up to 100 %."""
    value = share * 100
    if 99.9 < value < 100:
        return "99.9 %"
    text = f"{value:.1f}"
    return f"{text[:-2] if text.endswith('.0') else text} %"


def seconds(value: float) -> str:
    """A duration: 0.4 s · 42 s · 6m 11s · 1h 02m."""
    if value < 9.95:
        return f"{max(value, 0.0):.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def megabytes(value: float) -> str:
    """Megabytes (1e6 bytes) as `291.5 MB` or `3.1 GB`."""
    return f"{value / 1000:.1f} GB" if value >= 1000 else f"{value:.1f} MB"


def bar(fraction: float, width: int) -> str:
    """A progress bar of `width` cells."""
    filled = round(min(max(fraction, 0.0), 1.0) * width)
    return "█" * filled + "░" * (width - filled)
