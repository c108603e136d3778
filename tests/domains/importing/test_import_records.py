"""Rows of JSON Lines and of JSON arrays, one at a time, with the lines they begin on."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains import lines
from fgbuild.domains.importing import records
from fgbuild.domains.importing.records import Record, read_records
from fgbuild.errors import DataError


def read(tmp_path: Path, content: bytes) -> list[Record]:
    path = tmp_path / "data.json"
    path.write_bytes(content)
    return list(read_records(path, "data.json", lambda done: None))


def refusal(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{"a": 1}\n\n{"a": 2}', [(1, {"a": 1}), (3, {"a": 2})]),
        (b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'[{"a": 1}, {"a": 2}]', [(1, {"a": 1}), (1, {"a": 2})]),
        (b'\xef\xbb\xbf [\r\n{"a":\r\n1},\r\n\r\n{"a": 2}\r\n]\r\n', [(2, {"a": 1}), (5, {"a": 2})]),
        (b'[12, "x", null]', [(1, 12), (1, "x"), (1, None)]),
    ],
)
def test_rows_with_the_lines_they_begin_on(tmp_path: Path, content: bytes, found: list[tuple[int, Any]]) -> None:
    assert [(record.line, record.value) for record in read(tmp_path, content)] == found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u00e9\u2028", max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(st.tuples(json_values, st.sampled_from(["", " ", "\n", "\r\n\t", "\n\n"])), min_size=1, max_size=6),
    st.integers(1, 9),
    st.sampled_from([None, 2]),
    st.booleans(),
    st.booleans(),
)
def test_an_array_is_read_the_same_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[Any, str]],
    chunk: int,
    indent: int | None,
    escaped: bool,
    marked: bool,
) -> None:
    text, expected = "[", []
    for row, space in rows:
        text += space
        expected.append(Record(1 + text.count("\n"), row))
        text += json.dumps(row, indent=indent, ensure_ascii=escaped) + space + ","
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(b"\xef\xbb\xbf" * marked + text[:-1].encode() + b"]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_CHUNK", chunk)
        assert list(read_records(path, "any.json", lambda done: None)) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "data.json: is empty; name a file with rows"),
        (b"[]", "data.json: is empty; name a file with rows"),
        (b"[\n1,\n", "data.json:3: the file is cut off in the row that begins here"),
        (b'[\n{"a": 1},\n{"a": "x', "data.json:3: the file is cut off in the row that begins here"),
        (b'[\n{"a": 1},\n{"a": ', "data.json:3: the file is cut off in the row that begins here"),
        (b'[\n{"a": 1}\n', "data.json:3: the file is cut off"),
        (b'[\n{"a": 1}\n{"a": 2}]', "data.json:3: a comma or the array's end is missing"),
        (b'[\n{"a": 1,\n b: 2}]', "data.json:3: is not JSON: Expecting property name enclosed in double quotes"),
        (b"[1]\n[2]", "data.json:2: something follows the array's end"),
        (b"[" * 100_000, "data.json:1: is not JSON: it is nested too deeply"),
        (b"PAR1\0\0", "data.json: is a Parquet file; save its rows as JSON Lines first"),
        (b"\x1f\x8b\x08", "data.json: is compressed by gzip; unpack it first"),
    ],
)
def test_a_file_that_cannot_be_read_on_says_where(tmp_path: Path, content: bytes, message: str) -> None:
    assert refusal(tmp_path, content).startswith(message)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.json: cannot be read \(No such file or directory\)"):
        list(read_records(tmp_path / "no.json", "no.json", lambda done: None))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'[{"a": "caf\xe9"}, 2]', "is not UTF-8 text"),
        (b'[{"a": NaN}, 2]', "is not JSON: NaN is not a JSON number"),
        (b'{"a": "caf\xe9"}\n2', "is not UTF-8 text (byte 11)"),
        (b'{"a": NaN}\n2', "is not JSON: NaN is not a JSON number"),
        (b"{\n2", "is not JSON: Expecting property name"),
    ],
)
def test_a_row_that_cannot_be_used_does_not_end_the_reading(tmp_path: Path, content: bytes, problem: str) -> None:
    first, second = read(tmp_path, content)
    assert first.problem.startswith(problem)
    assert (second.value, second.problem) == (2, "")


def test_a_last_line_cut_off_is_a_row_that_cannot_be_used(tmp_path: Path) -> None:
    *_, last = read(tmp_path, b'{"a": 1}\n{"a": "x')
    assert last.problem.endswith("the file seems to be cut off here")


@pytest.mark.parametrize("end", [b'"},', b'"}]', b""])
def test_a_row_of_an_array_that_is_too_long_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(records, "_CHUNK", 10)
    monkeypatch.setattr(records, "MAX_BYTES", 50)
    message = refusal(tmp_path, b'[\n1,\n{"a": "' + b"x" * 200 + end)
    assert message.startswith("data.json:3: the row that begins here is not JSON")
    assert "or is longer than" in message


def test_a_long_line_and_a_long_array_take_little_memory(tmp_path: Path) -> None:
    row = json.dumps({"a": "x" * 1000}).encode()
    (tmp_path / "array.json").write_bytes(b"[" + b",\n".join([row] * 9000) + b"]")
    with (tmp_path / "line.jsonl").open("wb") as stream:
        stream.write(b'{"a": 1}\n' + b"x" * 9_000_000 + b"\n" + row)
    for name, count in (("array.json", 9000), ("line.jsonl", 3)):
        tracemalloc.start()
        assert sum(1 for _ in read_records(tmp_path / name, name, lambda done: None)) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2.5 * lines.MAX_BYTES, name


def test_progress_goes_up_to_the_files_size(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"a": 1}\n' * 3)
    seen: list[int] = []
    list(read_records(path, "data.jsonl", seen.append))
    assert seen == [9, 18, 27]
