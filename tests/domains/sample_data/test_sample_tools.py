"""Each sample-data tool on a project that is written by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from fgbuild.domains.sample_data.formats import to_bytes
from fgbuild.domains.sample_data.tools import MAX_ROWS
from fgbuild.sandbox import Sandbox, Workspace

SCHEMA = """\
[orders]
id = { type = "int", unique = true }
status = { type = "text", values = ["new", "paid"] }
price = { type = "float", minimum = 0, maximum = 900 }
bought_on = { type = "date" }
note = { type = "text", optional = true }

[users]
id = { type = "int" }
user_email = { type = "text", unique = true }
joined = { type = "datetime" }
active = { type = "bool" }

[switches]
state = { type = "bool", unique = true }
level = { type = "int", unique = true, maximum = 3 }
"""
ORDERS = """\
id,status,price,bought_on,note
1,new,12.5,2024-03-01,
2,paid,80,2024-03-02,late
2,lost,-1,soon,"a, b"
3,,901,2024-03-02,late
"""
LOGINS = [
    {"id": 7, "user_email": "ann@example.com", "at": "2024-03-01T10:00:00", "ok": True},
    {"id": 8, "user_email": "ben@example.com", "at": "2024-03-02T11:30:00", "ok": False},
    {"id": 9, "user_email": "ann@example.com", "at": None, "ok": True},
]
FILES = {
    "schema.toml": SCHEMA,
    "data/orders.csv": ORDERS,
    "data/logins.json": json.dumps(LOGINS),
    "data/logs.jsonl": "".join(f"{json.dumps(row)}\n" for row in LOGINS),
    "data/cities.tsv": "city\tpeople\nOslo\t709000\nLima\t10000000\n",
    "data/visits.parquet": to_bytes(".parquet", [{"page": "home", "count": 3}, {"page": "cart", "count": None}]),
    "data/bad.csv": "a,b\n1,2,3\n",
    "data/bad.json": '{"a": 1}',
    "data/bad.jsonl": "{",
    "data/bad.parquet": "a,b\n",
    "data/latin.csv": b"name\nJos\xe9\n",
    "data/none.json": "[]",
    "notes.txt": "hello",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("fgbuild.domains.sample_data.tools") as found:
        yield found


@pytest.fixture
def project(sandbox: Sandbox) -> Iterator[Workspace]:
    found = sandbox.project(FILES)
    yield found
    found.remove()


@pytest.mark.parametrize(
    ("tool", "arguments", "response"),
    [
        (
            "infer_schema",
            {"path": "data/orders.csv"},
            {"table": "orders", "columns": "id int, status text, price float, bought_on text, note text"},
        ),
        (
            "infer_schema",
            {"path": "data/logins.json"},
            {"table": "logins", "columns": "id int, user_email text, at datetime, ok bool"},
        ),
        (
            "infer_schema",
            {"path": "./data/logs.jsonl"},
            {"table": "logs", "columns": "id int, user_email text, at datetime, ok bool"},
        ),
        ("infer_schema", {"path": "data/cities.tsv"}, {"table": "cities", "columns": "city text, people int"}),
        ("infer_schema", {"path": "data/visits.parquet"}, {"table": "visits", "columns": "page text, count int"}),
        ("preview_rows", {"path": "data/orders.csv"}, {"shown": 4, "first": "1,new,12.5,2024-03-01,"}),
        ("preview_rows", {"path": "data/none.json"}, {"shown": 0, "first": ""}),
        ("preview_rows", {"path": "data/cities.tsv", "count": 1}, {"shown": 1, "first": "Oslo,709000"}),
        ("preview_rows", {"path": "data/visits.parquet", "count": 9}, {"shown": 2, "first": "home,3"}),
        ("generate_rows", {"table": "orders", "count": 40}, {"table": "orders", "rows": 40}),
        ("generate_rows", {"table": "users", "count": 1, "seed": 9}, {"table": "users", "rows": 1}),
        (
            "validate_rows",
            {"path": "data/orders.csv", "table": "orders"},
            {"rows": 4, "invalid": 2, "reason": "status is unknown"},
        ),
        (
            "validate_rows",
            {"path": "data/cities.tsv", "table": "orders"},
            {"rows": 2, "invalid": 2, "reason": "id is missing"},
        ),
        ("anonymize_column", {"path": "data/orders.csv", "column": "note"}, {"changed": 3}),
        ("anonymize_column", {"path": "data/visits.parquet", "column": "count"}, {"changed": 1}),
        ("export_table", {"table": "users", "format": "parquet"}, {"path": "out/users.parquet"}),
    ],
)
def test_a_tool_says(project: Workspace, tool: str, arguments: dict[str, Any], response: dict[str, Any]) -> None:
    assert project.call(tool, arguments) == response


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("preview_rows", {"path": "orders.csv"}, "orders.csv does not exist; there is data/orders.csv"),
        ("infer_schema", {"path": "data"}, "data is a folder"),
        ("infer_schema", {"path": "notes.txt"}, "notes.txt is no csv, tsv, json, jsonl or parquet file"),
        ("preview_rows", {"path": "notes.txt"}, "notes.txt is no csv, tsv, json, jsonl or parquet file"),
        *(
            (tool, {"path": f"data/bad.{suffix}"}, f"data/bad.{suffix} is no valid {suffix} file")
            for tool in ("infer_schema", "preview_rows")
            for suffix in ("csv", "json", "jsonl", "parquet")
        ),
        ("infer_schema", {"path": "data/none.json"}, "data/none.json has no columns"),
        ("preview_rows", {"path": "data/latin.csv"}, "data/latin.csv is no valid csv file"),
        ("preview_rows", {"path": "data/orders.csv", "count": 0}, f"count is between 1 and {MAX_ROWS}"),
        ("generate_rows", {"table": "orders", "count": MAX_ROWS + 1}, f"count is between 1 and {MAX_ROWS}"),
        ("generate_rows", {"table": "cities", "count": 3}, "no table is named cities; infer it from data/cities.tsv"),
        ("generate_rows", {"table": "user", "count": 3}, "no table is named user; there is users"),
        ("generate_rows", {"table": "switches", "count": 3}, "state has too few different values for 3 rows"),
        ("export_table", {"table": "refunds", "format": "csv"}, "no table is named refunds"),
        ("export_table", {"table": "users", "format": "xml"}, "format is one of csv, json, parquet"),
        ("validate_rows", {"path": "data/orders.csv", "table": "Orders"}, "no table is named Orders; there is orders"),
        (
            "anonymize_column",
            {"path": "data/logins.json", "column": "userEmail"},
            "data/logins.json has no column userEmail; there is user_email",
        ),
        ("anonymize_column", {"path": "data/logins.json", "column": "x"}, "data/logins.json has no column x"),
    ],
)
def test_an_error_names_what_is_there(project: Workspace, tool: str, arguments: dict[str, Any], error: str) -> None:
    before = project.files()
    assert project.call(tool, arguments) == {"error": error}
    assert project.files() == before


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        ("[orders", "schema.toml is no TOML"),
        ("orders = 1", "orders is no table of columns"),
        ("[orders]", "orders is no table of columns"),
        ("[orders]\nid = 1", "orders.id has a field that no column has"),
        ("[orders]\nid = { type = 'int', size = 3 }", "orders.id has a field that no column has"),
        ("[orders]\nid = { type = 'uuid' }", "orders.id has none of the types int, float, text, date, datetime, bool"),
        ("[orders]\nid = { type = 'int', minimum = 'a' }", "orders.id has limits that are no whole numbers"),
        ("[orders]\nid = { type = 'int', minimum = 9, maximum = 1 }", "orders.id has limits"),
    ],
)
def test_a_schema_with_a_mistake_is_told(sandbox: Sandbox, schema: str, error: str) -> None:
    response = sandbox.project({"schema.toml": schema}).call("generate_rows", {"table": "orders", "count": 2})
    assert error in response["error"]


def test_an_inferred_table_can_be_generated_and_one_that_is_there_is_kept(project: Workspace) -> None:
    project.call("infer_schema", {"path": "data/cities.tsv"})
    assert project.call("generate_rows", {"table": "cities", "count": 3}) == {"table": "cities", "rows": 3}
    schema = project.files()["schema.toml"]
    project.call("infer_schema", {"path": "data/orders.csv"})
    assert project.files()["schema.toml"] == schema
    assert b'"paid"' in schema


def test_rows_are_added_with_new_ids_and_fit_their_table(project: Workspace) -> None:
    for count in (5, 30):
        project.call("generate_rows", {"table": "orders", "count": count})
    rows = [json.loads(line) for line in project.files()["tables/orders.jsonl"].splitlines()]
    assert [row["id"] for row in rows] == list(range(1, 36))
    for form in ("csv", "json", "parquet"):
        path = project.call("export_table", {"table": "orders", "format": form})["path"]
        checked = project.call("validate_rows", {"path": path, "table": "orders"})
        assert checked == {"rows": 35, "invalid": 0, "reason": ""}


def test_unique_numbers_end_at_their_maximum(sandbox: Sandbox) -> None:
    schema = "[levels]\nlevel = { type = 'int', unique = true, minimum = 2, maximum = 4 }"
    project = sandbox.project({"schema.toml": schema})
    assert project.call("generate_rows", {"table": "levels", "count": 3}) == {"table": "levels", "rows": 3}
    assert "too few" in project.call("generate_rows", {"table": "levels", "count": 1})["error"]


def made(project: Workspace, **seed: int) -> bytes:
    project.call("generate_rows", {"table": "users", "count": 20, **seed})
    return project.files()["tables/users.jsonl"]


def test_the_same_seed_makes_the_same_rows_in_any_process(sandbox: Sandbox) -> None:
    with Sandbox("fgbuild.domains.sample_data.tools") as other:
        assert made(sandbox.project(FILES), seed=5) == made(other.project(FILES), seed=5)
    assert made(sandbox.project(FILES), seed=5) != made(sandbox.project(FILES), seed=6)


def test_without_a_seed_each_call_makes_other_rows(project: Workspace) -> None:
    first = made(project).splitlines()
    both = made(project).splitlines()
    assert both[:20] == first
    assert len({json.loads(line)["user_email"] for line in both}) == 40


def test_an_export_has_the_same_bytes_each_time_and_the_table_s_types(sandbox: Sandbox) -> None:
    exported = []
    for _ in range(2):
        project = sandbox.project(FILES)
        made(project, seed=1)
        project.call("export_table", {"table": "users", "format": "parquet"})
        exported.append(project.files()["out/users.parquet"])
    assert exported[0] == exported[1]
    types = {field.name: str(field.type) for field in pa_parquet.read_schema(io.BytesIO(exported[0]))}
    assert types == {"id": "int64", "user_email": "string", "joined": "timestamp[us]", "active": "bool"}


def test_a_table_without_rows_is_exported_with_its_header(project: Workspace) -> None:
    project.call("export_table", {"table": "users", "format": "csv"})
    assert project.files()["out/users.csv"] == b"id,user_email,joined,active\n"


def test_what_parquet_cannot_hold_is_told(sandbox: Sandbox) -> None:
    project = sandbox.project({**FILES, "tables/users.jsonl": '{"id": "?"}\n'})
    error = project.call("export_table", {"table": "users", "format": "parquet"})
    assert error == {"error": "users has values that parquet cannot hold"}
    assert "out/users.parquet" not in project.files()


def test_a_masked_column_keeps_which_values_are_equal_and_the_rest_of_the_file(project: Workspace) -> None:
    assert project.call("anonymize_column", {"path": "data/logs.jsonl", "column": "user_email"}) == {"changed": 3}
    rows = [json.loads(line) for line in project.files()["data/logs.jsonl"].splitlines()]
    first, second, third = (row.pop("user_email") for row in rows)
    assert first == third != second
    assert {first, second}.isdisjoint({row["user_email"] for row in LOGINS})
    assert rows == [{key: value for key, value in row.items() if key != "user_email"} for row in LOGINS]


def test_a_masked_file_keeps_its_types_and_its_empty_values(project: Workspace) -> None:
    project.call("anonymize_column", {"path": "data/orders.csv", "column": "note"})
    rows = list(csv.DictReader(io.StringIO(project.files()["data/orders.csv"].decode())))
    assert rows[0]["note"] == ""
    assert rows[1]["note"] == rows[3]["note"] != "late"
    old = pa_parquet.read_schema(io.BytesIO(project.files()["data/visits.parquet"]))
    project.call("anonymize_column", {"path": "data/visits.parquet", "column": "count"})
    assert pa_parquet.read_schema(io.BytesIO(project.files()["data/visits.parquet"])) == old


def test_a_column_of_a_type_without_made_up_values_is_left_as_it_is(sandbox: Sandbox) -> None:
    table = pa.table({"level": pa.array([1, 2], pa.int8()), "tags": [["a"], ["b", "c"]]})
    pa_parquet.write_table(table, content := io.BytesIO())
    project = sandbox.project({"a.parquet": content.getvalue()})
    for column in table.column_names:
        error = project.call("anonymize_column", {"path": "a.parquet", "column": column})
        assert error == {"error": f"{column} holds values that cannot be made up"}
    assert project.files()["a.parquet"] == content.getvalue()
