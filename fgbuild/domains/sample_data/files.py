"""Requests that look into a data file: its schema, or its first rows."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import inspecting
from fgbuild.domains.sample_data.planted import plain_columns
from fgbuild.domains.sample_data.project import Project
from fgbuild.domains.sample_data.turns import infer, open_file, open_project, preview
from fgbuild.domains.scenario import ANSWERED_MIDWAY, Episode, Scenario, ended, say
from fgbuild.domains.session import Session


def _infer(s: Session) -> Episode:
    path = s.pick(values.PATHS)
    open_file(s, path, plain_columns(s, s.number(2, 4)))
    return Episode({"path": path}, ended(s, infer(s, path).told, ANSWERED_MIDWAY))


def _preview(s: Session, counted: bool) -> Episode:
    path = s.pick(values.PATHS)
    count = s.number(2, 90) if counted else None
    open_file(s, path, plain_columns(s, s.number(2, 4)))
    return Episode({"path": path, **({"count": count} if count else {})}, ended(s, preview(s, path, count).told))


def _two_schemas(s: Session) -> Episode:
    path = s.pick(values.PATHS)
    other = s.pick([each for each in values.PATHS if values.table_of(each) != values.table_of(path)])
    project = Project()
    for each in (path, other):
        project.file(s, each, plain_columns(s, 2), s.number(2, 40))
    open_project(s, project)
    done = s.calls(("infer_schema", {"path": path}), ("infer_schema", {"path": other}))
    answer = "; ".join(f"{found['table']} has {found['columns']}" for found in done.responses)
    return Episode({"path": path, "other": other}, ended(s, [*done.turns, say(f"{answer}.")], 0.5))


SCENARIOS = (
    Scenario("infer", "single", _infer, inspecting.INFER, weight=1.6),
    Scenario("preview", "single", partial(_preview, counted=False), inspecting.PREVIEW, weight=1.2),
    Scenario("preview_count", "single", partial(_preview, counted=True), inspecting.PREVIEW_COUNT),
    Scenario("two_schemas", "parallel", _two_schemas, inspecting.TWO_SCHEMAS, weight=1.3),
)
