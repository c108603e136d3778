"""What a domain's model got wrong in its evaluation, turn by turn, and the scores that these turns made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from fgbuild.views.describe import EVAL_NAMES
from fgbuild.views.records import StageState
from fgbuild.views.report.evaluation import Evaluation, Failure, evaluation_of
from fgbuild.views.report.scores import Score
from fgbuild.views.report.values import items
from fgbuild.views.text import cell_width, clean, number, pad, percent
from fgbuild.views.tui.browse import BrowseView, Subject, column
from fgbuild.views.tui.pick import Picker
from fgbuild.views.tui.reader import Block, RowList, laid_out
from fgbuild.views.tui.rowfile import request_of
from fgbuild.views.tui.side_by_side import side_by_side
from fgbuild.views.tui.styles import BAD, MUTED
from fgbuild.views.tui.widgets import Part

_MOST_ID_CELLS = 18
_MOST_SCENARIO_CELLS = 18
_NAME_CELLS = 24
_TRAITS: dict[str, Callable[[Failure], str]] = {
    "reason": lambda failure: failure.reason,
    "scenario": lambda failure: failure.scenario,
}
"""What failures can be chosen by."""
_UNLIKE_TOLD = "≠ and reversed: where the two differ"


class FailuresView(BrowseView):
    NAME = "Failures"
    KIND = "eval"
    WHAT = "evaluation"
    KEYS: ClassVar[list[Binding]] = [
        Binding("e", "reason", "Reason", tooltip="only failures of one reason"),
        Binding("t", "scenario", "Scenario", tooltip="only failures of one scenario, the worst first"),
        Binding("c", "table('confusion')", "Confusion", tooltip="which tools were called for which, or the failure"),
        Binding("s", "table('scores')", "Scores", tooltip="scores and scenarios, the worst first, or the failure"),
        Binding("enter,p", "prompt", "Ask again", key_display="p", tooltip="put the request into the prompt view"),
        *BrowseView.MOVES,
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__()
        self._evaluation: Evaluation | None = None
        self._listed: list[Failure] = []
        self._cells = (0, 0)
        self._only: dict[str, str | None] = dict.fromkeys(_TRAITS)
        self._table = ""
        self._shown: Failure | None = None

    def read(self, subject: Subject, stopped: Callable[[], bool]) -> None:
        stage = self.dashboard.feed.whole.stages.get(subject.stage) or StageState(subject.stage)
        with self.dashboard.desk.made(subject.run) as made:
            found = evaluation_of(made, stage, most=None)
        self.post_message(self.Opened(subject, found))

    def have(self, content: Evaluation) -> None:
        worst = {scenario[0]: place for place, scenario in enumerate(content.scenarios)}
        content.failures.sort(key=lambda failure: worst.get(failure.scenario, len(worst)))
        self._evaluation = content
        self.found()
        self._restart()

    def forget(self) -> None:
        self._evaluation, self._listed, self._shown, self._table = None, [], None, ""
        self._only = dict.fromkeys(_TRAITS)

    def _restart(self) -> None:
        """List the failures that fit, from the first on."""
        if (evaluation := self._evaluation) is None:
            return
        self._listed = [
            failure
            for failure in evaluation.failures
            if all(wanted in (None, _TRAITS[name](failure)) for name, wanted in self._only.items())
        ]
        self._shown = None
        ids, scenarios = (
            max((cell_width(name) for name in names), default=0)
            for names in ([each.id for each in self._listed], [each.scenario for each in self._listed])
        )
        self._cells = (
            column("id", ids, _MOST_ID_CELLS),
            column("scenario", scenarios, _MOST_SCENARIO_CELLS),
        )
        self.rows.show(len(self._listed), 0)
        self._tell(evaluation)
        self._draw_text()

    def _tell(self, evaluation: Evaluation) -> None:
        """The scores in a line; then which failures are listed."""
        scores = evaluation.scores
        keen = sorted(scores.shares, key=lambda score: score.passed is not False)
        parts: list[Part] = [(self.subject.domain if self.subject else "", "bold"), "  "]
        for score in keen:
            parts += _brief(score, scores.beside)
        some = [f"{name} {wanted}" for name, wanted in self._only.items() if wanted is not None]
        listed = f"failure {number(self.rows.cursor + 1)} of {number(len(self._listed))}"
        place = listed if self._listed else "no failure"
        if some:
            place += f" (of {number(evaluation.failed)})"
        examples = dict(scores.numbers).get("Examples")
        pieces = [place, f"{examples} example{'' if examples == '1' else 's'}" if examples else "", *some]
        self.about(parts, [(" · ".join(filter(None, pieces)), MUTED)])

    def heading(self) -> str:
        return self._in_columns("id", "scenario", "reason")

    def _in_columns(self, name: str, scenario: str, reason: str) -> str:
        identifier, kind = self._cells
        return f"{pad(name, identifier)} {pad(scenario, kind)} {reason}"

    def line(self, place: int, width: int) -> list[Part]:
        if place >= len(self._listed):
            return []
        failure = self._listed[place]
        return [self._in_columns(failure.id, failure.scenario, failure.reason)]

    def chosen(self) -> dict[str, Any] | None:
        failure = self._failure()
        return failure.source if failure else None

    def _failure(self) -> Failure | None:
        return self._listed[self.rows.cursor] if 0 <= self.rows.cursor < len(self._listed) else None

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        failure = self._failure()
        if failure is not None and failure is not self._shown and self._evaluation is not None:
            self._shown, self._table = failure, ""
            self._tell(self._evaluation)
            self._draw_text()

    def _draw_text(self) -> None:
        evaluation, failure = self._evaluation, self._failure()
        if evaluation is None:
            return
        if self._table == "confusion":
            blocks = list(_confusion(evaluation))
        elif self._table == "scores":
            blocks = list(_tables(evaluation))
        elif failure is None:
            blocks = [Block(Content(self._nothing(evaluation)))]
        else:
            self.text.show(lambda width: _told(failure, width))
            return
        self.text.show(lambda width: laid_out(blocks, width))

    def _nothing(self, evaluation: Evaluation) -> str:
        if any(self._only.values()):
            return "No failure fits; press e or t to choose otherwise."
        if not evaluation.kept:
            if self.subject is not None:
                self.dashboard.selected = self.subject.stage
            return (
                "The report of this evaluation is no longer in the store: the scores above are what the log has kept. "
                "Press b to evaluate again."
            )
        return "The evaluation has no failures: every turn was as it should be. Press s for its scores."

    def action_table(self, name: str) -> None:
        self._table = "" if self._table == name else name
        self._draw_text()

    def action_reason(self) -> None:
        if self._evaluation is not None:
            counted = Counter(failure.reason for failure in self._evaluation.failures)
            self._pick("reason", counted.most_common())

    def action_scenario(self) -> None:
        if self._evaluation is not None:
            # The failures' order is that of their scenarios, the worst first.
            counted = Counter(failure.scenario for failure in self._evaluation.failures)
            self._pick("scenario", list(counted.items()))

    def _pick(self, name: str, counted: list[tuple[str, int]]) -> None:
        options: list[tuple[str | None, str]] = [(None, "all")]
        options += [(value, f"{value or '(none)'}  {number(count)}") for value, count in counted]

        def done(choice: tuple[str | None] | None) -> None:
            if choice is not None:
                self._only[name] = choice[0]
                self._restart()

        self.app.push_screen(Picker(name.capitalize(), options, self._only[name]), done)

    def action_prompt(self) -> None:
        """Open the prompt view with what the user asked last; without a failure, as it is."""
        failure = self._failure()
        if failure is not None and (asked := _asked(failure)):
            self.dashboard.prompt_text = asked
            if self.subject is not None:
                self.dashboard.selected = self.subject.stage
        self.dashboard.action_open("prompt")


def _asked(failure: Failure) -> str:
    """The last words of the user before the turn."""
    return request_of({"messages": items(failure.source.get("prompt"))[::-1]})


def _told(failure: Failure, width: int) -> Content:
    """What was asked, what should have come of it and what did, then the messages before."""
    heading = f"{failure.id} · {failure.scenario} · {failure.reason}"
    asked = clean(_asked(failure), 1_500, keep_newlines=True) or "(nothing)"
    above = laid_out(
        [
            Block(Content(heading).stylize(MUTED)),
            Block(Content.assemble(("asked ", "bold"), asked)),
        ],
        width,
    )
    compared = side_by_side("expected", _apart(failure.expected), "got", _apart(failure.got), width)
    prompt = [Block(Content(f"{_UNLIKE_TOLD}\n\nThe last messages of the prompt").stylize(MUTED))]
    for message in failure.prompt:
        prompt += [Block(Content(message.role).stylize("bold")), Block(Content(message.text), "    ")]
    return Content("\n").join([above, compared, laid_out(prompt, width)])


def _apart(parts: list[tuple[bool, str]]) -> list[tuple[bool, str]]:
    """Each of several calls on lines of its own."""
    found: list[tuple[bool, str]] = []
    for control, text in parts:
        if text == "<start_function_call>" and found:
            found.append((False, "\n"))
        found.append((control, text))
    return found


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _brief(score: Score, beside: list[str]) -> list[Part]:
    """`tool 96.4 % (base 10.9 %)  `; where it misses its threshold `✗ abst.r 64.7 % < 80 %  `."""
    name = EVAL_NAMES.get(score.name, score.title)
    others = [f"{title} {percent(value)}" for title, value in zip(beside, score.beside) if value is not None]
    words = f"{name} {_share(score.value)}" + (f" ({', '.join(others)})" if others else "")
    if score.passed is False and score.minimum is not None:
        return [(f"✗ {words} < {percent(score.minimum)}", BAD), "  "]
    return [words, "  "]


def _confusion(evaluation: Evaluation) -> Iterator[Block]:
    """A line for each tool: how often it was due, how often it was called, and what was called in its place."""
    confusion = evaluation.confusion
    if confusion is None:
        yield Block(Content("This evaluation has no table of tools; press c for the failures."))
        return
    title = f"{pad('should be called', _NAME_CELLS)} {'times':>6} {'right':>6}  called in its place"
    yield Block(Content(title).stylize("bold underline"))
    for name, cells in confusion.rows:
        right = sum(cell.count for cell in cells if cell.right)
        wrong = [
            (cell.count, column) for cell, column in zip(cells, confusion.columns) if cell.count and not cell.right
        ]
        total = right + sum(count for count, _ in wrong)
        others = ", ".join(f"{column} {number(count)}" for count, column in sorted(wrong, reverse=True))
        mark = f"✗ {others}" if others else "✓"
        yield Block(Content(f"{pad(name, _NAME_CELLS)} {number(total):>6} {number(right):>6}  {mark}"))
    if confusion.left_out:
        yield Block(Content(f"and {confusion.left_out} more tools").stylize(MUTED))


def _tables(evaluation: Evaluation) -> Iterator[Block]:
    """Every score beside its threshold and other models' values; then the scenarios, the worst first."""
    scores = evaluation.scores
    others = "".join(f" {name:>7}" for name in scores.beside)
    yield Block(
        Content(f"  {pad('score', _NAME_CELLS)} {'value':>7} {'at least':>8}{others}").stylize("bold underline")
    )
    for score in scores.shares:
        symbol = {True: "✓", False: "✗", None: " "}[score.passed]
        beside = "".join(f" {_share(value):>{max(len(name), 7)}}" for name, value in zip(scores.beside, score.beside))
        minimum = _share(score.minimum) if score.minimum is not None else ""
        title = f"{symbol} {pad(score.title, _NAME_CELLS)}"
        yield Block(Content(f"{title} {_share(score.value):>7} {minimum:>8}{beside}"))
    for name, value in scores.numbers:
        yield Block(Content(f"  {pad(name, _NAME_CELLS)} {value:>7}"))
    if evaluation.scenarios:
        columns = "".join(f" {name:>8}" for name in ("examples", "tools", "exact", "whole"))
        heading = f"{pad('scenario, worst first', _NAME_CELLS)}{columns}"
        yield Block(Content("\n") + Content(heading).stylize("bold underline"))
    for name, examples, *shares in evaluation.scenarios:
        cells = "".join(f" {_share(share):>8}" for share in shares)
        yield Block(Content(f"{pad(name, _NAME_CELLS)} {number(examples):>8}{cells}"))
    for note in evaluation.notes:
        yield Block(Content(f"\n{clean(note, 500)}").stylize(MUTED))
