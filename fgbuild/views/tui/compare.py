"""Two runs side by side, domain by domain: what differs in their inputs, and in what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from fgbuild.views import comparison, text
from fgbuild.views.chart import braille, points, scale_of
from fgbuild.views.comparison import Row, RunFacts, Trained
from fgbuild.views.records import Reason
from fgbuild.views.report.drawing import smoothed
from fgbuild.views.state import reasons_of
from fgbuild.views.tui.loss_chart import AXIS_CELLS, drawn
from fgbuild.views.tui.reasons import reason_parts
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import MUTED, WARNING
from fgbuild.views.tui.threads import Unwanted, ask
from fgbuild.views.tui.view import DetailView
from fgbuild.views.tui.widgets import Panel, Part, TitleBar

READING = "Reading both runs …"
LOOKING = "Looking them up …"
UNKNOWN = "inputs not known"
TITLE = "two runs compared"
NO_DOMAIN = "Neither run has a domain; choose two other runs on the list of past runs."
_FIRST, _SECOND = "$text-primary", WARNING
_FIRST_MARK, _SECOND_MARK = "⣀", "o"
_NAMES = ("A", "B")
_KEPT = {"done", "loss rose", "cached", "current"}
"""Stages that have left what they were made from."""
_MOST_NAME_CELLS, _VALUE_CELLS, _CHANGE_CELLS = 32, 12, 16


class Comparison(Panel):
    """facts: of both runs, None while they are read. differences: stage → reasons, None while they are looked up.
    problem: why one of them cannot be had."""

    facts: tuple[RunFacts, RunFacts] | None = None
    differences: Mapping[str, Sequence[Reason]] | None = None
    problem = ""
    domain = ""

    def domains(self) -> list[str]:
        """Domains of either run, those of the first one first."""
        return list(dict.fromkeys(name for one in self.facts for name in one.domains())) if self.facts else []

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        if self.facts is None:
            return [(self.problem or READING, MUTED)]
        first, second = self.facts
        domains = self.domains()
        if self.domain not in domains:
            return [(NO_DOMAIN, MUTED)]
        parts = [*_heading("A", first, width), *_heading("B", second, width)]
        place = f"  {domains.index(self.domain) + 1} of {len(domains)} domains" if len(domains) > 1 else ""
        parts += [(self.domain, "bold"), (f"{place}\n", MUTED)]
        before, after = (one.trained.get(self.domain, Trained()) for one in self.facts)
        parts += _section("Loss", _curves(before, after, width, 5 if self.screen.size.height < 32 else 12))
        parts += _table(comparison.losses(before, after), width)
        parts += _section("Inputs that differ", self._inputs(first, second, width))
        evaluated = [one.evaluated.get(self.domain, {}) for one in self.facts]
        for title, rows in (
            ("Evaluation", comparison.evaluations(*evaluated)),
            ("Time", comparison.durations(first, second, self.domain)),
            ("Model", comparison.models(first, second, self.domain)),
        ):
            parts += _section(title, _table(rows, width) or [("nothing of either run\n", MUTED)])
        return parts

    def _inputs(self, first: RunFacts, second: RunFacts, width: int) -> list[Part]:
        """Of the domain's own stages, of those it shares with others, of base, profile and machine."""
        parts: list[Part] = []
        found = self.differences or {}
        mine = [stage for stage in found if stage.startswith(f"{self.domain}:")]
        for stage in [*mine, *(stage for stage in found if ":" not in stage)]:
            # What another stage made is told by what changed there.
            own = [reason for reason in found[stage] if not reason.upstream]
            parts += [(f"{stage}\n", MUTED)] if own else []
            for reason in own:
                parts += reason_parts(reason, width, 2, _NAMES)
        if self.problem or self.differences is None:
            parts.append((f"{self.problem or LOOKING}\n", MUTED))
        elif unknown := self._unknown(first, second, mine):
            parts.append((f"{UNKNOWN}: {'; '.join(unknown)}\n", MUTED))
        for reason in comparison.machines(first, second):
            parts += reason_parts(reason, width, 0, _NAMES)
        return parts or [("none: both were built from the same\n", MUTED)]

    def _unknown(self, first: RunFacts, second: RunFacts, known: Sequence[str]) -> list[str]:
        """The domain's stages whose inputs one of the runs has not kept, by why."""
        found: dict[str, list[str]] = {}
        for name in dict.fromkeys([*first.stages, *second.stages]):
            if name.startswith(f"{self.domain}:") and name not in known:
                found.setdefault(_why_unknown(name, first, second), []).append(name)
        return [f"{', '.join(names)} ({why})" for why, names in found.items()]


def _why_unknown(stage: str, *runs: RunFacts) -> str:
    """`not run in B`: what was not finished has left nothing."""
    found = [(label, facts.status(stage)) for label, facts in zip(_NAMES, runs)]
    words = [f"{word} in {label}" for label, word in found if word not in _KEPT]
    return ", ".join(words) or "no longer in the store"


def _heading(name: str, facts: RunFacts, width: int) -> list[Part]:
    summary = facts.summary
    took = text.seconds(summary.seconds) if summary.seconds is not None else ""
    line = text.joined([" ".join(summary.outcome), took, summary.command], "  ", width - 26)
    return [
        (f"{name} ", _FIRST if name == "A" else _SECOND),
        (text.crop(text.clean(summary.id), 22), "bold"),
        f"  {line}\n",
    ]


def _section(title: str, parts: list[Part]) -> list[Part]:
    return [(f"\n{title}\n", "bold underline"), *parts]


def _curves(first: Trained, second: Trained, width: int, rows: int) -> list[Part]:
    """Both smoothed losses in one chart: the first as a line, the second as marks upon it."""
    before, after = smoothed(first.loss), smoothed(second.loss)
    scale = scale_of(before, after)
    columns = width - AXIS_CELLS
    if scale is None or columns < 8:
        return [("neither run has a loss of this domain\n" if scale is None else "", MUTED)]
    layers = [
        (points(after, scale, columns, rows, _SECOND_MARK, every=3), _SECOND),
        (braille(before, scale, columns, rows), _FIRST),
    ]
    legend: list[Part] = [
        (f"{' ' * AXIS_CELLS}{_FIRST_MARK} A (line)", _FIRST),
        (f"   {_SECOND_MARK} B (marks)", _SECOND),
        ("   smoothed\n", MUTED),
    ]
    return [*drawn(layers, scale, width), "\n", *legend]


def _table(rows: list[Row], width: int) -> list[Part]:
    if not rows:
        return []
    name = min(max(width - 2 * _VALUE_CELLS - _CHANGE_CELLS, 10), _MOST_NAME_CELLS)
    lines = [("", "A", "B", "B against A"), *rows]
    parts: list[Part] = []
    for index, row in enumerate(lines):
        cells = [text.pad(text.crop(f" {row[0]}", name - 1), name)]
        cells += [f"{text.crop(value, _VALUE_CELLS - 1):>{_VALUE_CELLS}}" for value in row[1:3]]
        cells.append(f"{text.crop(row[3], _CHANGE_CELLS - 1):>{_CHANGE_CELLS}}")
        parts.append((text.crop("".join(cells), width) + "\n", "" if index else MUTED))
    return parts


class CompareView(DetailView):
    """first, second: run ids; the inputs' differences are told from the first to the second."""

    NAME = "Compare"
    BACK = Binding("escape", "back", "Back", tooltip="go back to the past runs")
    KEYS: ClassVar[list[Binding]] = [
        Binding("n", "domain", "Next domain", tooltip="compare the next domain"),
        Binding("s", "swap", "Swap", tooltip="swap the two runs"),
        Binding("h", "back", "Runs", tooltip="back to the past runs"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = """
    CompareView #compare-scroll { height: 1fr; padding: 0 1; }
    CompareView #compare { width: 100%; height: auto; }
    """

    def __init__(self, first: str, second: str) -> None:
        super().__init__()
        self._pair = (first, second)

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, TitleBar):
                widget.words = TITLE  # the run that is shown elsewhere would be a third one
            yield widget

    def body(self) -> Iterable[Widget]:
        yield VerticalScroll(Comparison(id="compare"), id="compare-scroll")

    def on_mount(self) -> None:
        self.query_one("#compare-scroll").focus()
        ask(self, self._read, self._read_both, self._failed, group="facts")

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        self.query_one(Comparison).show(snapshot)

    def _read(self, _: Unwanted) -> tuple[RunFacts, RunFacts]:
        """In a thread: what both runs' logs and the store tell of them."""
        first, second = (self._facts(run) for run in self._pair)
        return first, second

    def _facts(self, run: str) -> RunFacts:
        desk = self.dashboard.desk
        with desk.made(run) as made:
            return comparison.facts_of(desk.root, run, made)

    def _read_both(self, facts: tuple[RunFacts, RunFacts]) -> None:
        """Show both runs, and look up what their inputs differ in."""
        panel, stage = self.query_one(Comparison), self.dashboard.stage
        panel.facts = facts
        wanted, domains = stage.domain if stage is not None else "", panel.domains()
        panel.domain = wanted if wanted in domains else next(iter(domains), "")
        stages = list(dict.fromkeys(name for one in facts for name in one.stages))
        ask(self, lambda unwanted: self._compare(stages), self._compared, self._failed, group="differences")
        self.draw(self.dashboard.feed.snapshot())

    def _compare(self, stages: list[str]) -> dict[str, Sequence[Reason]]:
        """In a thread: what the stages' inputs differ in."""
        differ = self.dashboard.desk.differences(*self._pair, stages)
        return {text.clean(stage, 200): reasons_of(list(entries)) for stage, entries in differ.items()}

    def _compared(self, differences: Mapping[str, Sequence[Reason]]) -> None:
        self.query_one(Comparison).differences = differences
        self.draw(self.dashboard.feed.snapshot())

    def _failed(self, problem: str) -> None:
        self.query_one(Comparison).problem = problem
        self.draw(self.dashboard.feed.snapshot())

    def action_domain(self) -> None:
        """Compare the next domain, round about."""
        panel = self.query_one(Comparison)
        if domains := panel.domains():
            panel.domain = domains[(domains.index(panel.domain) + 1) % len(domains)]
            self.draw(self.dashboard.feed.snapshot())

    def action_swap(self) -> None:
        """Make the second run the first one; once both have been read."""
        panel = self.query_one(Comparison)
        if panel.facts is None or (panel.differences is None and not panel.problem):
            self.dashboard.tell("Both runs are still being read; press s again in a moment.")
            return
        panel.facts = panel.facts[::-1]
        if panel.differences is not None:
            panel.differences = {
                stage: [comparison.swapped(reason) for reason in reasons]
                for stage, reasons in panel.differences.items()
            }
        self.draw(self.dashboard.feed.snapshot())
