from __future__ import annotations

import itertools
import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.manifest.toml_lines import dotted, scan

EXAMPLE = '''\
# a comment with "quotes" and [brackets]
title = "a # b"
"quoted.key" = 1
'literal key' = 2

[a.b]  # implicit a
x.y = 1
"x".z = 2
dates = [1979-05-27 07:32:00, 07:32:00]

[[tool]]
name = "one"
[tool.parameters.properties]
path = { type = "string", nested = { deep = [ { k = 1 }, { k = 2 } ] } }

[[tool]]
name = "two"
text = """
[not.a.table]
key = "no" \\
""""
literal = \'\'\'
x = 1
''\'\'\'
[[tool.sub]]
v = 1
[[tool.sub]]
v = [
  "p", # first
  [ "]", '}' ],
]
after = true
'''


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found |= paths_of(item, (*path, index))
    return found


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("quoted.key",), 3),
        (("literal key",), 4),
        (("a",), 6),
        (("a", "b"), 6),
        (("a", "b", "x", "y"), 7),
        (("a", "b", "x", "z"), 8),
        (("a", "b", "dates", 1), 9),
        (("tool", 0), 11),
        (("tool", 0, "name"), 12),
        (("tool", 0, "parameters"), 13),
        (("tool", 0, "parameters", "properties", "path", "type"), 14),
        (("tool", 0, "parameters", "properties", "path", "nested", "deep", 1, "k"), 14),
        (("tool", 1), 16),
        (("tool", 1, "literal"), 22),
        (("tool", 1, "sub", 0, "v"), 26),
        (("tool", 1, "sub", 1), 27),
        (("tool", 1, "sub", 1, "v", 0), 29),
        (("tool", 1, "sub", 1, "v", 1, 1), 30),
        (("tool", 1, "sub", 1, "after"), 32),
    ],
)
def test_lines_of_an_example(path: tuple[str | int, ...], line: int) -> None:
    assert scan(EXAMPLE).of(path) == line


def test_every_path_of_the_example_is_found_and_no_other() -> None:
    assert set(scan(EXAMPLE).positions) == paths_of(tomllib.loads(EXAMPLE))


def test_what_is_not_written_is_placed_at_the_table_around_it() -> None:
    lines = scan(EXAMPLE)
    assert lines.of(("tool", 1, "parameters", "type")) == 16
    assert lines.of_field("tool[1].parameters.type") == 16
    assert lines.of_field("tool[0].parameters.properties.path.enum[2]") == 14
    assert lines.of(("nowhere",)) is None
    assert lines.of_field("nowhere.at[3]") is None


def test_a_dotted_field_may_have_keys_with_dots_and_shared_beginnings() -> None:
    lines = scan('[t]\nab = 1\n"a.b" = 2\na = 3\n')
    assert lines.of_field("t.a.b") == 3
    assert lines.of_field("t.a") == 4
    assert lines.of_field("t.abc") == 1


def test_dotted() -> None:
    assert dotted(("tool", 0, "parameters", "type")) == "tool[0].parameters.type"
    assert dotted(()) == ""


scalars = st.one_of(
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["[x]", "[[x]]", "a = 1\n[b]\n", '"""', "'''", "# no", "\\", '\\"', "}", "],"]),
)
stems = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@st.composite
def tables(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    counter = itertools.count()

    def value(depth: int) -> Any:
        kind = draw(st.integers(0, 4 if depth else 2))
        if kind == 4:
            return table(depth - 1)
        if kind == 3:
            return [value(depth - 1) for _ in range(draw(st.integers(0, 3)))]
        return draw(scalars)

    def table(depth: int) -> dict[str, Any]:
        return {f"{draw(stems)}k{next(counter)}z": value(depth) for _ in range(draw(st.integers(0, 4)))}

    return table(depth)


@settings(max_examples=200, deadline=None)
@given(tables(), st.booleans())
def test_every_key_is_on_its_line(data: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(data, multiline_strings=multiline).replace("\r\n", "\n")
    lines = text.split("\n")
    positions = scan(text).positions
    assert set(positions) == paths_of(tomllib.loads(text))
    for path, line in positions.items():
        if isinstance(path[-1], str):
            marker = path[-1][path[-1].rindex("k") :]
            assert marker in lines[line - 1]


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(0, 5))
def test_blank_lines_before_it_move_every_line_alike(data: dict[str, Any], count: int) -> None:
    text = tomli_w.dumps(data)
    moved = scan("# comment\n" * count + text).positions
    assert moved == {path: line + count for path, line in scan(text).positions.items()}
