"""Requests that call something by a wrong name: the tool's error says what is there, and the next call uses it."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import recovering
from fgbuild.domains.sample_data.planted import personal_columns, plain_columns
from fgbuild.domains.sample_data.project import Project
from fgbuild.domains.sample_data.turns import anonymize, generate, hinted, infer, joined, open_project, preview
from fgbuild.domains.scenario import Episode, Scenario
from fgbuild.domains.session import Session

_NESTED = tuple(path for path in values.PATHS if "/" in path)


def misspelled(s: Session, column: str) -> str:
    """A column's name as somebody writes it who does not look: customerEmail, customer-email, Email, emails."""
    first, *rest = column.split("_")
    forms = ["".join([first, *(part.capitalize() for part in rest)]), "-".join([first, *rest])] if rest else []
    forms += [column.capitalize(), column.upper()]
    if len(column) > 4 and not column.endswith("s"):
        forms.append(f"{column}s")
    return str(s.choice(forms))


def _mask_misspelled(s: Session) -> Episode:
    path, column = s.pick(values.PATHS), s.pick(values.COLUMNS)
    called = misspelled(s, column)
    project = Project()
    project.file(s, path, personal_columns(s, column), s.number(4, 200))
    open_project(s, project)
    missed = anonymize(s, path, called)
    turns = [*missed.done.turns, *anonymize(s, path, hinted(missed.done)).told]
    return Episode({"path": path, "column": called}, turns)


def _generate_undescribed(s: Session) -> Episode:
    """The table has no schema yet, but there is a file to infer it from."""
    path, count = s.pick(values.PATHS), s.number(2, 500)
    table = values.table_of(path)
    project = Project()
    project.file(s, path, plain_columns(s, s.number(2, 3)), s.number(4, 60))
    open_project(s, project)
    missed = generate(s, table, count)
    rest = joined(lambda: infer(s, hinted(missed.done)), lambda: generate(s, table, count))
    return Episode({"table": table, "count": count}, [*missed.done.turns, *rest])


def _preview_misplaced(s: Session) -> Episode:
    """The file is named without its folder."""
    full = s.pick(_NESTED)
    path = full.rsplit("/", 1)[-1]
    project = Project()
    project.file(s, full, plain_columns(s, s.number(2, 4)), s.number(4, 60))
    open_project(s, project)
    missed = preview(s, path)
    return Episode({"path": path}, [*missed.done.turns, *preview(s, hinted(missed.done)).told])


SCENARIOS = (
    Scenario("mask_misspelled", "sequence", _mask_misspelled, recovering.MASK_MISSPELLED, weight=0.6),
    Scenario("generate_undescribed", "sequence", _generate_undescribed, recovering.GENERATE_UNDESCRIBED, weight=0.6),
    Scenario("preview_misplaced", "sequence", _preview_misplaced, recovering.PREVIEW_MISPLACED, weight=0.6),
)
