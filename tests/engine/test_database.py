from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from fgbuild.engine import database
from fgbuild.engine.database import Rows, open_database
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_database(tmp_path / "db")
    connection.executemany("INSERT INTO current VALUES (?, ?)", [(f"s{number}", f"k{number}") for number in range(300)])
    yield connection
    connection.close()


@pytest.mark.parametrize("few", [0, 1, 100, 1000])
def test_rows_are_the_same_one_by_one_and_as_a_whole(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(database, "_FEW", few)
    rows = Rows(connection, "SELECT stage, key FROM current", "stage", str)
    rows["s1"] = rows["new"] = "set"
    for number in range(0, 300, 2):
        assert rows.get(f"s{number}") == f"k{number}"
        assert rows.get(f"none{number}") is None
    assert (rows.get("s1"), rows.get("new"), rows.get("s3")) == ("set", "set", "k3")
    whole = {key: value for key, value in rows.whole().items() if value is not None}
    assert whole == {**{f"s{number}": f"k{number}" for number in range(300)}, "s1": "set", "new": "set"}


def test_many_are_read_at_once(connection: sqlite3.Connection) -> None:
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    rows = Rows(connection, "SELECT stage, key FROM current", "stage", str)
    for number in range(300):
        rows.get(f"s{number}")
    assert len(asked) == database._FEW + 1


def test_an_older_database_gets_the_indexes_and_keeps_its_rows(tmp_path: Path) -> None:
    first = open_database(tmp_path / "db")
    first.execute("INSERT INTO current VALUES ('s', 'k')")
    first.execute("DROP INDEX actions_by_stage")
    first.close()
    again = open_database(tmp_path / "db")
    assert again.execute("SELECT * FROM current").fetchall() == [("s", "k")]
    plan = again.execute(
        "EXPLAIN QUERY PLAN SELECT key FROM actions WHERE stage = 's' ORDER BY finished_at DESC LIMIT 1"
    )
    assert "actions_by_stage" in str(plan.fetchall())
    again.close()


def test_what_cannot_be_kept_is_one_sentence(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        workspace.database.execute("ALTER TABLE fingerprints RENAME TO elsewhere")
        with pytest.raises(FgbuildError, match="no such table: fingerprints; check that the cache folder"):
            workspace.save()
        workspace.database.execute("ALTER TABLE elsewhere RENAME TO fingerprints")
    with pytest.raises(FgbuildError, match="no such table"), Workspace(tmp_path) as workspace:
        workspace.database.execute("DROP TABLE fingerprints")
