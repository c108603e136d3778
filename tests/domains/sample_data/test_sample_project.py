"""The tools find in generated data what was planted there, and made-up rows fit the table they are made for."""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.sample_data.columns import load_tables, nearest, to_toml
from fgbuild.domains.sample_data.faking import make_rows
from fgbuild.domains.sample_data.formats import SUFFIXES, read_rows, to_bytes
from fgbuild.domains.sample_data.planted import (
    FAULTS,
    personal_columns,
    plain_columns,
    possible_faults,
    rows_of,
    ruled_columns,
)
from fgbuild.domains.sample_data.project import Project
from fgbuild.domains.sample_data.recovery import misspelled
from fgbuild.domains.sample_data.validity import invalid_rows
from fgbuild.domains.sample_data.values import COLUMNS, PERSONAL
from fgbuild.domains.scenario import Draw
from fgbuild.domains.session import Session
from fgbuild.sandbox import Sandbox

seeds = given(st.integers(0, 2**32))


def draw(seed: int) -> Draw:
    return Draw(random.Random(seed), "train" if seed % 2 else "eval")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("fgbuild.domains.sample_data.tools") as found:
        yield found


def line(row: dict) -> str:
    csv.writer(text := io.StringIO(), lineterminator="").writerow(row.values())
    return text.getvalue()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("seed", range(6))
def test_a_file_holds_what_is_said_of_it(sandbox: Sandbox, suffix: str, seed: int) -> None:
    d, project = draw(seed), Project()
    project.file(d, f"a{suffix}", plain_columns(d, 3), d.number(1, 40))
    project.file(d, f"b{suffix}", personal_columns(d, d.choice(COLUMNS)), d.number(20, 40))
    workspace = sandbox.project(project.files())
    for path, facts in project.facts.items():
        inferred = workspace.call("infer_schema", {"path": path})
        assert inferred == {"table": path[0], "columns": facts.columns}
        shown = workspace.call("preview_rows", {"path": path, "count": 99})
        assert shown == {"shown": facts.rows, "first": line(facts.first)}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_found_in_as_many_rows_as_have_it(sandbox: Sandbox, suffix: str, kind: str) -> None:
    for seed in range(40):
        d, project = draw(seed), Project()
        columns = ruled_columns(d, 4)
        faults = [fault for fault in possible_faults(columns) if fault.kind == kind]
        if faults:
            project.table(d, "orders", columns)
            project.file(d, f"a{suffix}", columns, d.number(2, 60), d.choice(faults))
            project.file(d, f"b{suffix}", columns, d.number(2, 60))
            break
    workspace = sandbox.project(project.files())
    for path, facts in project.facts.items():
        checked = workspace.call("validate_rows", {"path": path, "table": "orders"})
        assert checked == {"rows": facts.rows, "invalid": facts.invalid, "reason": facts.reason}
    assert project.facts[f"a{suffix}"].invalid
    assert project.facts[f"b{suffix}"].invalid == 0


@settings(max_examples=40, deadline=None)
@seeds
def test_rows_without_a_fault_fit_their_table_and_with_one_do_not(seed: int) -> None:
    d = draw(seed)
    columns = ruled_columns(d, 4)
    path = f"orders{d.choice(SUFFIXES)}"
    fault = d.choice([None, *possible_faults(columns)])
    project = Project()
    project.file(d, path, columns, d.number(2, 30), fault)
    found = invalid_rows(rows_in(path, project.data[path]), columns)
    assert len(found) == project.facts[path].invalid
    assert set(found.values()) == ({fault.reason} if fault else set())


def rows_in(path: str, content: bytes) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.write_bytes(content)
        return read_rows(file, path)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 2**32))
def test_made_up_rows_fit_their_table(seed: int, count: int, rng: int) -> None:
    d = draw(seed)
    columns = ruled_columns(d, 4)
    before = rows_of(d, columns, d.number(1, 9))
    rows = [*before, *make_rows(columns, count, rng, before)]
    assert len(rows) == len(before) + count
    assert invalid_rows([json.loads(json.dumps(row, default=str)) for row in rows], columns) == {}


@settings(max_examples=40, deadline=None)
@seeds
def test_the_same_seed_draws_the_same_project(seed: int) -> None:
    def files() -> dict[str, bytes]:
        d, project = draw(seed), Project()
        columns = ruled_columns(d, 3)
        project.table(d, "orders", columns, 5)
        project.file(d, f"data/a{d.choice(SUFFIXES)}", columns, 9, d.choice(possible_faults(columns)))
        return project.files()

    assert files() == files()


@settings(max_examples=30, deadline=None)
@seeds
def test_a_schema_is_read_as_it_was_written(seed: int) -> None:
    d = draw(seed)
    tables = {"orders": tuple(ruled_columns(d, 4)), "web_users": tuple(plain_columns(d, 2))}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "schema.toml").write_text(to_toml(tables), "utf-8")
        assert load_tables(Path(folder)) == tables


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
def test_rows_survive_a_file_with_types(suffix: str) -> None:
    rows = [{"id": 1, "ok": True, "x": 1.5, "t": 'a "b"\n\u2028c'}, {"id": 2, "ok": None, "x": -2.0, "t": ""}]
    assert rows_in(f"a{suffix}", to_bytes(suffix, rows)) == rows


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(COLUMNS))
def test_a_misspelled_column_is_found_among_others(seed: int, column: str) -> None:
    s = Session(random.Random(seed), "train", None)
    called = misspelled(s, column)
    assert called != column
    assert nearest(called, [each.name for each in personal_columns(s, column)]) == column


def test_personal_columns_are_told_from_others() -> None:
    for group in PERSONAL.values():
        for column in group:
            found = personal_columns(draw(1), column)
            assert [each.name for each in found if each.name in COLUMNS] == [column]
