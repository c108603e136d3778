"""The dashboard's panels. Each draws a `Snapshot` as text; nothing from an event is read as markup."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from fgbuild.views import describe, table, text
from fgbuild.views.estimate import build_remaining, stage_remaining
from fgbuild.views.records import Artifact, StageState
from fgbuild.views.runs import RunSummary
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import ACTIVE, BAD, GOOD, MUTED, WARNING

Part = str | tuple[str, str]
_NAME_CELLS = 12
_GAUGE_CELLS = 24


class Panel(Static):
    """Draws the last snapshot it was shown, again when its size changes."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._snapshot: Snapshot | None = None
        self._drawn: list[Part] = []
        self._width = 0

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        width = max(self.content_size.width, 1)
        parts = self.parts(snapshot, width, max(self.content_size.height, 1))
        if parts != self._drawn:
            before, now = (self._width, _lines(self._drawn)), (width, _lines(parts))
            self._width, self._drawn = width, parts
            # Laying all widgets out anew draws the whole screen, which is most of what a frame costs.
            self.update(Content.assemble(*parts), layout=before != now)

    def on_resize(self) -> None:
        if self._snapshot is not None:
            lines = _lines(self._drawn)
            self.show(self._snapshot)
            if _lines(self._drawn) != lines:
                # Asked for while it lays out, textual forgets it.
                self.call_after_refresh(self.refresh, layout=True)

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        """The panel's text for that many cells and rows: plain or (text, style) pieces."""
        raise NotImplementedError


def wrapped(content: Content, width: int, most: int = 3) -> list[Content]:
    """Broken between words into lines of at most `width` cells; the last of `most` ends in … where there is more."""
    lines = content.wrap(max(width, 1))
    if len(lines) <= most:
        return lines
    rest = Content(" ").join(lines[most - 1 :])
    return [*lines[: most - 1], rest.truncate(max(width, 1), ellipsis=True)]


def _lines(parts: list[Part]) -> int:
    return sum((part if isinstance(part, str) else part[0]).count("\n") for part in parts)


class TitleBar(Panel):
    """Run, what it is doing, elapsed, ETA, how many stages are done. words: what stands there in place of these."""

    words = ""

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        state = snapshot.state
        if self.words:
            return [(" fgbuild", "bold"), f"  {self.words}"]
        if not state.run:
            return [(" fgbuild", "bold"), "  no run yet"]
        elapsed = state.elapsed(snapshot.moment)
        left = build_remaining(state, snapshot.now) if snapshot.going else None
        pieces = [
            "a build runs (r)" if snapshot.later_going else "" if snapshot.latest else "not the latest (r)",
            f"elapsed {text.seconds(elapsed)}" if elapsed is not None else "",
            f"ETA {text.seconds(left)}" if left is not None else "",
            f"{state.settled()}/{len(state.stages)} stages",
            f"base {state.base}" if state.base else "",
            f"profile {state.profile}" if state.profile else "",
        ]
        symbol, word, style = _run_status(snapshot)
        start, status = f" fgbuild {text.crop(state.run, 32)}  ", f"{symbol} {word}"
        rest = text.joined(pieces, "  ", width - text.cell_width(start + status) - 2)
        return [(start, "bold"), (status, style), f"  {rest}"]


def _run_status(snapshot: Snapshot) -> tuple[str, str, str]:
    """Symbol, word and style of how the run stands."""
    state = snapshot.state
    ended = (state.exit_code or 0) if state.finished else None
    symbol, word = RunSummary(state.run, exit_code=ended, going=snapshot.going).outcome
    return symbol, word, {"●": ACTIVE, "■": f"bold {WARNING}", "✗": BAD, "✓": f"bold {GOOD}"}[symbol]


class RunningPanel(Panel):
    """What runs now: progress, metrics, time left; afterwards how the build ended."""

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        state = snapshot.state
        if state.finished:
            return [(self._sentence(describe.outcome(state), width), BAD if state.exit_code else GOOD)]
        if not snapshot.going:
            words = "The build process is gone; finished stages stay finished. Press B to go on."
            return [(self._sentence(words, width), WARNING)]
        running = state.running()
        lines = [self._line(stage, snapshot, width) for stage in running]
        return ["\n".join(lines) or " Between two stages."]

    @staticmethod
    def _sentence(words: str, width: int) -> str:
        return "\n".join(f" {line.plain}" for line in wrapped(Content(words), width - 1))

    @staticmethod
    def _line(stage: StageState, snapshot: Snapshot, width: int) -> str:
        fraction = stage.fraction
        left = stage_remaining(stage, snapshot.now)
        details = [
            f"{text.bar(fraction, 12)} {fraction:.0%}" if fraction is not None else "",
            f"{text.seconds(left)} left" if left is not None else "",
            describe.progress(stage),
            *describe.load(stage),
        ]
        start = f" {stage.id}  "
        return text.crop(start + text.joined(details, " · ", width - text.cell_width(start)), width)


class ModelsPanel(Panel):
    """For each domain: the GGUF's size in its window, verification, evaluation."""

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        parts: list[Part] = []
        domains = snapshot.whole.by_domain()
        domains.pop("", None)
        names = min(max(map(text.cell_width, domains), default=0) + 1, _NAME_CELLS)
        for domain, stages in domains.items():
            item = describe.model_of(stages)
            by_kind = {stage.kind: stage for stage in stages}
            results = _results(by_kind.get("verify"), by_kind.get("eval"), width)
            parts.append((text.pad(text.crop(domain, names - 1), names), "bold"))
            if item is None and not results:
                current = all(snapshot.status(stage)[1] == "current" for stage in stages)
                words = ["unchanged in this run", "unchanged", "same"] if current else ["nothing yet", "none yet"]
                parts.append((text.fitting(words, width - names) + "\n", MUTED))
                continue
            parts += [*_size(item, width - names), "\n", *results]
        return parts or [("No domain yet.", MUTED)]


def _results(verify: StageState | None, evaluate: StageState | None, width: int) -> list[Part]:
    """A line of verification and evaluation, or nothing where nothing is known of either."""
    verified, evaluated = table.verified(verify, " checks"), table.evaluated(evaluate, len(describe.EVAL_NAMES))
    if not verified and not evaluated:
        return []
    checks = verified if "checks" in verified else f"verify {verified or '–'}"
    options = [f" {checks}  {numbers}" for numbers in _scores(evaluated)]
    bad = "✗" in verified or "✗" in evaluated
    return [(text.fitting(options, width) + "\n", BAD if bad else MUTED)]


def _scores(evaluated: str) -> list[str]:
    """An evaluation in ever fewer words: all numbers, fewer of them, the first without its name, `✓` or `✗` alone."""
    if not evaluated:
        return ["eval –", ""]
    numbers = evaluated.replace(" %", "%").split(" · ")
    symbol = numbers[0][0] if numbers[0][0] in "✓✗" else ""
    first = f"{symbol} {numbers[0].split()[-1]}".strip()
    return [*(" ".join(numbers[:count]) for count in range(len(numbers), 0, -1)), first, symbol]


def _size(item: Artifact | None, width: int) -> list[Part]:
    """`291.5 MB ✓ inside 250–320 MB`, with a gauge where there is room."""
    if item is None:
        return [(text.fitting(["no GGUF in this run", "no GGUF"], width), MUTED)]
    if item.bytes is None:
        expected = item.predicted_bytes
        words = f"{text.megabytes(expected / 1e6)} predicted" if expected is not None else "size unknown"
        return [(text.crop(words, width), MUTED)]
    symbol = {True: "✓", False: "✗", None: " "}[item.inside]
    size, window, verdict = text.megabytes(item.bytes / 1e6), describe.window(item), describe.verdict(item)
    options = [f"{size} {symbol} {verdict} {window}", f"{size} {symbol} {window if item.inside else verdict}"]
    words = text.fitting([*options, f"{size} {symbol}", size], width)
    parts: list[Part] = [(words, BAD if item.inside is False else GOOD)]
    if width >= text.cell_width(words) + _GAUGE_CELLS + 2 and item.inside is not None:
        parts.append(("  " + _gauge(item, _GAUGE_CELLS), MUTED))
    return parts


def _gauge(item: Artifact, cells: int) -> str:
    """The window as a line, ● where the size is in it and ◇ where it was predicted."""
    low, high = item.min_mb or 0.0, item.max_mb or 0.0
    line = ["─"] * cells
    for size, mark in ((item.predicted_bytes, "◇"), (item.bytes, "●")):
        if size is not None and high > low:
            share = min(max((size / 1e6 - low) / (high - low), 0.0), 1.0)
            line[round(share * (cells - 1))] = mark
    return f"├{''.join(line[1:-1])}┤" if line[0] == line[-1] == "─" else "".join(line)
