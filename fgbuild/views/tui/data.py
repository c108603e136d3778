"""The training data of a domain, row by row: what a build generated, and what of it the model learns to write."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from fgbuild.errors import FgbuildError, FormatError
from fgbuild.views.report.values import document, items
from fgbuild.views.text import clean, pad
from fgbuild.views.text import number as shown
from fgbuild.views.tui.browse import BrowseView, Subject, column
from fgbuild.views.tui.conversation import conversation, prompt
from fgbuild.views.tui.dataset import Dataset, Filter, figures_of
from fgbuild.views.tui.entry import SearchLine
from fgbuild.views.tui.pick import Picker
from fgbuild.views.tui.reader import Block, RowList, laid_out
from fgbuild.views.tui.rowfile import RowFile, request_of, turns_of
from fgbuild.views.tui.styles import MUTED
from fgbuild.views.tui.threads import Unwanted, ask
from fgbuild.views.tui.widgets import Part

SPLITS = ("train", "eval")
_POLL_SECONDS = 0.1
_MOST_SCENARIO_CELLS = 20
_UNNAMED = {"scenario": "(none)", "tool": "(no call)"}


class DataView(BrowseView):
    NAME = "Training data"
    KIND = "generate"
    WHAT = "training data"
    KEYS: ClassVar[list[Binding]] = [
        Binding("s", "split", "Train/eval", tooltip="the other split: train or eval"),
        Binding("slash", "search", "Search", key_display="/", tooltip="only rows that have these words"),
        Binding("t", "scenario", "Scenario", tooltip="only rows of one scenario"),
        Binding("T", "tool", "Tool", tooltip="only rows that call one tool"),
        Binding("e", "exact", "Exact", tooltip="the row as the prompt format writes it"),
        Binding("u", "fold", "Unfold", tooltip="fold or unfold the declared tools"),
        *BrowseView.MOVES,
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = "DataView > #search { dock: bottom; margin-bottom: 1; height: 3; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self._set: Dataset | None = None
        self._split = SPLITS[0]
        self._filter = Filter()
        self._searching = False
        self._exact = False
        self._unfolded = False
        self._read_row: tuple[Any, ...] = ()

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield SearchLine(placeholder="words to look for; nothing shows all rows again", id="search")

    def on_mount(self) -> None:
        self.set_interval(_POLL_SECONDS, self._gather)

    def on_unmount(self) -> None:
        self.forget()

    @property
    def _file(self) -> RowFile | None:
        return self._set.files[self._split] if self._set else None

    def read(self, subject: Subject, stopped: Unwanted) -> None:
        desk, variant, domain = self.dashboard.desk, self.dashboard.variant, subject.domain
        with desk.made(subject.run) as made:
            folder = made.folder(subject.stage)
            card = document(made.read(subject.stage, "stats.json"))
            tokens = document(made.read(f"{domain}:tokenize", "stats.json"))
            shipped = document(made.read(f"{domain}:export", "agent.json"))
        if folder is None:
            self.post_message(self.Opened(subject))
            return
        tools, whence = [tool for tool in items(shipped.get("tools")) if isinstance(tool, dict)], ""
        if not tools:
            try:
                tools = [dict(tool) for tool in desk.tools(domain, variant)]
            except FgbuildError as error:
                whence = clean(str(error), 300)
        files = {split: RowFile(folder / f"{split}.jsonl") for split in SPLITS}
        self.post_message(self.Opened(subject, Dataset(files, card, tokens, tools, whence)))
        for file in files.values():
            file.scan(stopped)

    def have(self, content: Dataset) -> None:
        self._set = content
        self.found()
        self._restart(keep=False)

    def forget(self) -> None:
        for file in self._set.files.values() if self._set else ():
            file.close()
        self.workers.cancel_group(self, "search")
        self._set, self._filter, self._searching = None, Filter(), False

    def _restart(self, *, keep: bool) -> None:
        """List the rows that fit the filter from the first on; keep: with what a search has found."""
        if not keep:
            self.workers.cancel_group(self, "search")
            self._searching = False
            self._filter.found = []
            if self._filter.words:
                self._search()
        self._filter.start()
        self._read_row = ()
        self.rows.show(0, 0)
        self._gather()

    def _search(self) -> None:
        file, filter = self._file, self._filter
        if file is None:
            return
        self._searching, found = True, filter.found

        def ended(problem: str = "") -> None:
            self._searching = False
            if problem:
                self.dashboard.tell(problem, "error")

        words = filter.words
        ask(
            self,
            lambda stopped: file.find(words, stopped, found.append),
            lambda _: ended(),
            ended,
            group="search",
        )

    def _gather(self) -> None:
        file = self._file
        if file is None:
            return
        self._filter.gather(file)
        if len(self._filter.rows) != self.rows.count:
            self.rows.show(len(self._filter.rows))
        self._tell(file)
        if not self._filter.rows:
            self._show_none(file)

    def _show_none(self, file: RowFile) -> None:
        words = "No row fits; press t, T or / to choose otherwise." if self._filter.some else "This split has no rows."
        if not file.done or self._searching:
            words = "Looking …"
        if file.problem:
            words = f"{clean(file.problem)}; press s for the other split, or r to read the latest run again."
        if self._read_row != ("", words):
            self._read_row = ("", words)
            self.text.show(lambda width: laid_out([Block(Content(words))], width))

    def _tell(self, file: RowFile) -> None:
        """Figures of the data set; then which rows are listed."""
        if self._set is None or self.subject is None:
            return
        figures = " · ".join(figures_of(self._set, self._split))
        listed, total = len(self._filter.rows), len(file)
        place = f"row {shown(self.rows.cursor + 1)} of {shown(listed)}" if listed else "no row"
        pieces = [
            place + (f" (of {shown(total)})" if self._filter.some else "") + ("" if file.done else ", still reading …"),
            *(f"{name} {wanted or _UNNAMED[name]}" for name, wanted in self._filter.only.items() if wanted is not None),
            f"with “{clean(self._filter.words, 40)}”" + (", searching …" if self._searching else "")
            if self._filter.words
            else "",
            "┃ supervised",
        ]
        if self._set.whence:
            pieces.append(f"tools unknown: {self._set.whence}")
        name: Part = (clean(self.subject.domain, 40), "bold")
        self.about([name, f"  {self._split}: {figures}"], [(" · ".join(filter(None, pieces)), MUTED)])

    def heading(self) -> str:
        return f" row {pad('scenario', self._scenario_cells)} turns request"

    @property
    def _scenario_cells(self) -> int:
        return column("scenario", self._file.scenario_cells if self._file else 0, _MOST_SCENARIO_CELLS)

    def line(self, place: int, width: int) -> list[Part]:
        file = self._file
        if file is None or place >= len(self._filter.rows):
            return []
        number = self._filter.rows[place]
        row = file.row(number)
        request = clean(request_of(row), 200) if row else "(this line holds no JSON object)"
        scenario = pad(file.scenario(number), self._scenario_cells)
        return [f"{number + 1:>4} {scenario} {turns_of(row):>5} {request}"]

    def chosen(self) -> dict[str, Any] | None:
        file, rows = self._file, self._filter.rows
        if file is None or not 0 <= self.rows.cursor < len(rows):
            return None
        return file.row(rows[self.rows.cursor])

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        row = self.chosen()
        if row is None or self._set is None:
            return
        key = (self._split, self._filter.rows[self.rows.cursor])
        if key != self._read_row:
            self._read_row = key
            self._draw_row(row, self._set)
            if (file := self._file) is not None:
                self._tell(file)

    def _draw_row(self, row: dict[str, Any], of: Dataset, *, stay: bool = False) -> None:
        head = Block(Content(" · ".join(_head(row))).stylize(MUTED))
        if self._exact:
            try:
                blocks = [head, *prompt(row, of.tools)]
            except FormatError as error:
                words = f"The prompt format cannot carry this row: {clean(str(error), 500)} Press e to go back."
                blocks = [head, Block(Content(words))]
        else:
            blocks = [head, *conversation(row, of.tools, self._unfolded)]
        self.text.show(lambda width: laid_out(blocks, width), stay=stay)

    def _draw_again(self) -> None:
        row = self.chosen()
        if row is not None and self._set is not None:
            self._draw_row(row, self._set)

    def action_split(self) -> None:
        if self._set is not None:
            self._split = SPLITS[1 - SPLITS.index(self._split)]
            self._restart(keep=False)

    def action_exact(self) -> None:
        self._exact = not self._exact
        self._draw_again()

    def action_fold(self) -> None:
        self._unfolded = not self._unfolded
        self._exact = False
        self._draw_again()

    def action_search(self) -> None:
        if self._set is not None:
            line = self.query_one(SearchLine)
            line.display = True
            line.ask(self._filter.words)

    def action_leave_entry(self) -> None:
        self.query_one(SearchLine).display = False
        self.set_focus(self.rows)

    def action_take_entry(self) -> None:
        self.action_leave_entry()
        self._filter.words = self.query_one(SearchLine).value.strip()
        self._restart(keep=False)

    def action_scenario(self) -> None:
        if (file := self._file) is not None:
            self._pick("scenario", file.scenarios())

    def action_tool(self) -> None:
        if (file := self._file) is not None:
            self._pick("tool", file.called())

    def _pick(self, name: str, counted: list[tuple[str, int]]) -> None:
        options: list[tuple[str | None, str]] = [(None, "all")]
        options += [(value, f"{value or _UNNAMED[name]}  {shown(count)}") for value, count in counted]

        def done(choice: tuple[str | None] | None) -> None:
            if choice is not None:
                self._filter.only[name] = choice[0]
                self._restart(keep=True)

        self.app.push_screen(Picker(name.capitalize(), options, self._filter.only[name]), done)


def _head(row: dict[str, Any]) -> list[str]:
    """What the row is called; of own data, family and source only say its id again."""
    known = [clean(str(row["id"]), 80)] if isinstance(row.get("id"), (str, int)) else []
    for name in ("scenario", "kind", "family", "source"):
        value = clean(str(row[name]), 80) if isinstance(row.get(name), (str, int)) else ""
        if value and not (known and name in ("family", "source") and known[0] in value):
            known.append(value)
    return known
