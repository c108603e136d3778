"""What the log view says around its lines: above them, below them, and in their place."""

from __future__ import annotations

from bisect import bisect_left

from fgbuild.views import text
from fgbuild.views.lines import NO_FILE, FileLines, Scan
from fgbuild.views.tui.log_lines import LogLines

_WORDS_CELLS = 30


def heading(stage: str | None, status: str, output: FileLines | None, *, events: bool) -> str:
    """What is shown, and what Tab would show. stage: None for the whole build. events: whether those are shown."""
    printed = f"{output.size:,} bytes" if output is not None and output.size else "nothing"
    other = f"Tab: what its worker printed ({printed})" if stage is not None else ""
    kind = "events" if events else "what its worker printed"
    pieces = (f" {stage or 'the whole build'}", status, kind, other if events else "Tab: events")
    return " · ".join(filter(None, pieces))


def lines(count: int, kind: str = "") -> str:
    return f"{count:,} {kind}line{'s' if count != 1 else ''}"


def place(rows: LogLines) -> str:
    """`following`, or what is in sight and what came since."""
    if rows.following:
        return "following"
    sight, new = rows.rows_in_sight, rows.new_below
    if new > 0:
        return f"{lines(new, 'new ')} below · End follows"
    return f"lines {sight.start + 1:,}–{sight.stop:,} of {rows.row_count:,} · End follows" if sight else ""


def searched(words: str, search: Scan | None, at: int | None) -> list[str]:
    """How often the words were found, and at which of these places one is. at: number of that line."""
    if search is None:
        return []
    shown, found = f"“{text.clean(words, _WORDS_CELLS)}”", search.found
    said = f"{shown} in {lines(len(found))}"
    if at is not None and (index := bisect_left(found, at)) < len(found):
        said = f"{shown} {index + 1:,} of {len(found):,}"
    return [said, "" if search.current else "searching…"]


def filtered(words: str, only: Scan | None, count: int) -> list[str]:
    """How many of `count` lines the filter lets through."""
    if only is None:
        return []
    return [f"only “{text.clean(words, _WORDS_CELLS)}”: {len(only.found):,} of {count:,}"]


def nothing(stage: str | None, output: FileLines | None, *, events: bool) -> str:
    """Why no line has been written, and what to do."""
    if events:
        return "Nothing has happened to it in this run; → goes to the next that did something."
    if stage is None:
        return "What workers print is kept stage by stage: → goes to the first; Tab shows the build's events."
    problem = output.problem if output is not None else "Its id can be no file's name."
    return f"{problem or NO_FILE} Tab shows its events."
