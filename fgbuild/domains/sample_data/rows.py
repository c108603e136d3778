"""Requests about the rows of a data file: check them against a table, mask a column."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import checking
from fgbuild.domains.sample_data.planted import personal_columns
from fgbuild.domains.sample_data.turns import THERE, anonymize, open_both, open_file, validate
from fgbuild.domains.scenario import ANSWERED_MIDWAY, Episode, Scenario, ended
from fgbuild.domains.session import Session


def _validate(s: Session) -> Episode:
    path = s.pick(values.PATHS)
    table = values.table_of(path) if s.chance(0.4) else s.pick(values.TABLES)
    open_both(s, path, table)
    return Episode({"path": path, "table": table}, ended(s, validate(s, path, table).told, ANSWERED_MIDWAY))


def _anonymize(s: Session) -> Episode:
    path, column = s.pick(values.PATHS), s.pick(values.COLUMNS)
    open_file(s, path, personal_columns(s, column if s.chance(THERE) else None), most=200)
    return Episode({"path": path, "column": column}, ended(s, anonymize(s, path, column).told, ANSWERED_MIDWAY))


SCENARIOS = (
    Scenario("validate", "single", _validate, checking.VALIDATE),
    Scenario("anonymize", "single", _anonymize, checking.ANONYMIZE),
)
