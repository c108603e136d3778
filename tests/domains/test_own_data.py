from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains import lines
from fgbuild.domains.own_data import NEXT_STEP, inspect_rows, one_family_per_request, read_files
from fgbuild.errors import DataError
from fgbuild.functiongemma.render import render

TOOLS: list[dict[str, Any]] = [
    {
        "name": "set_timer",
        "description": "Start a timer",
        "parameters": {
            "type": "object",
            "properties": {
                "minutes": {"type": "integer", "description": "Length in minutes"},
                "label": {"type": "string", "description": "What it is for"},
            },
            "required": ["minutes"],
        },
    },
    {
        "name": "list_timers",
        "description": "List timers",
        "parameters": {"type": "object", "properties": {}, "required": []},
    },
]
OTHER_TOOL = {
    "type": "function",
    "function": {"name": "ring", "description": "Ring the bell", "parameters": {"type": "object"}},
}


def with_default(value: str) -> dict[str, Any]:
    at = {"type": "string", "description": "When", "default": value}
    return {"name": "ring", "description": "Ring", "parameters": {"type": "object", "properties": {"at": at}}}


USER = {"role": "user", "content": "Five minutes, please"}
WORDS = {"role": "assistant", "content": "For what?"}


def calling(*pairs: tuple[str, Any], **more: Any) -> dict[str, Any]:
    calls = [{"type": "function", "function": {"name": name, "arguments": value}} for name, value in pairs]
    return {"role": "assistant", "tool_calls": calls, **more}


def answer(name: str, response: Any) -> dict[str, Any]:
    return {"role": "tool", "content": [{"name": name, "response": response}]}


FIVE = calling(("set_timer", {"minutes": 5}))
DONE = answer("set_timer", {"ok": True})


def read(tmp_path: Path, *rows: Any, raw: bytes | None = None) -> list[dict[str, Any]]:
    write(tmp_path, "data/mine.jsonl", raw if raw is not None else jsonl(*rows))
    return read_files(tmp_path, ["data/mine.jsonl"], TOOLS, max_bad=0).rows


def write(root: Path, name: str, content: bytes) -> str:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(content)
    return name


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def refused(tmp_path: Path, *rows: Any, raw: bytes | None = None) -> list[str]:
    """The lines of the error, without the next step."""
    with pytest.raises(DataError) as caught:
        read(tmp_path, *rows, raw=raw)
    *lines, last = str(caught.value).split("\n")
    assert last.endswith(NEXT_STEP)
    return lines


def messages(*items: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(items), **more}


def test_ids_are_unique_across_the_files_of_a_domain(tmp_path: Path) -> None:
    row = '{"id": "x", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_text(row, "utf-8")
    with pytest.raises(DataError, match=r'^two\.jsonl:1: id "x" is the id of one\.jsonl:1 too; change one of them'):
        read_files(tmp_path, ["one.jsonl", "two.jsonl"], TOOLS, max_bad=0)


def test_a_row_in_our_shape_comes_out_whole(tmp_path: Path) -> None:
    assert read(tmp_path, messages(USER, FIVE, DONE, WORDS)) == [
        {
            "id": "data/mine.jsonl:1",
            "scenario": "own",
            "kind": "single",
            "family": "own/data/mine.jsonl:1",
            "messages": [USER, FIVE, DONE, WORDS],
            "source": "data/mine.jsonl:1",
        }
    ]


def test_openai_shape_is_brought_into_ours(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "set_timer", "arguments": '{"minutes": 5}'}}
    other = {"id": "c2", "type": "function", "function": {"name": "list_timers", "arguments": "{}"}}
    (row,) = read(
        tmp_path,
        messages(
            {"role": "system", "content": "Be brief"},
            USER,
            {"role": "assistant", "content": None, "tool_calls": [call, other]},
            {"role": "tool", "tool_call_id": "c2", "content": '{"timers": []}'},
            {"role": "tool", "tool_call_id": "c1", "content": "started"},
            {"role": "assistant", "content": "Done", "tool_calls": None},
            tools=None,
            id="a",
        ),
    )
    assert row["messages"] == [
        {"role": "developer", "content": "Be brief"},
        USER,
        calling(("set_timer", {"minutes": 5}), ("list_timers", {})),
        {
            "role": "tool",
            "content": [
                {"name": "list_timers", "response": {"timers": []}},
                {"name": "set_timer", "response": {"result": "started"}},
            ],
        },
        {"role": "assistant", "content": "Done"},
    ]
    assert (row["id"], row["kind"]) == ("a", "parallel")


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ([USER, WORDS], "decline"),
        ([USER, FIVE], "single"),
        ([USER, WORDS, USER, FIVE], "single"),
        ([USER, calling(("set_timer", {"minutes": 1}), ("set_timer", {"minutes": 2}))], "parallel"),
        ([USER, FIVE, DONE, FIVE], "sequence"),
    ],
)
def test_the_kind_is_guessed_from_the_calls(tmp_path: Path, items: list[Any], kind: str) -> None:
    assert read(tmp_path, messages(*items))[0]["kind"] == kind
    assert read(tmp_path, messages(*items, kind="clarify"))[0]["kind"] == "clarify"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([], "must be a JSON object"),
        ({}, "messages must be a list"),
        (messages(), "at least one message"),
        (messages("hello"), "messages[0] must be an object"),
        (messages({"role": "robot", "content": "x"}), "'robot' is not a role"),
        (messages({"role": ["user"], "content": "x"}), "is not a role"),
        (messages({"role": "user", "content": " "}), "messages[0].content must be text"),
        (messages({"role": "user", "content": [1]}), "messages[0].content must be text"),
        (messages(USER), "no assistant message"),
        (messages(USER, {"role": "assistant"}), "needs content or tool_calls"),
        (messages(USER, {"role": "assistant", "content": 3}), "messages[1].content must be text"),
        (messages(USER, {"role": "assistant", "tool_calls": {}}), "tool_calls must be a list"),
        (messages(USER, {"role": "assistant", "tool_calls": [3]}), "tool_calls[0] must be"),
        (messages(USER, calling(("set_timr", {}))), 'no tool is named "set_timr" (did you mean "set_timer"?)'),
        (messages(USER, calling(("set_timer", {"minutes": "5"}))), "arguments.minutes: '5' is not of type 'integer'"),
        (messages(USER, calling(("set_timer", {}))), "'minutes' is a required property"),
        (messages(USER, calling(("set_timer", {"minutes": 5, "lable": "x"}))), 'did you mean "label"?'),
        (messages(USER, calling(("set_timer", {"minutes": 5, "label": None}))), "None is not of type 'string'"),
        (messages(USER, calling(("set_timer", "{"))), "arguments is not JSON"),
        (messages(USER, calling(("set_timer", '{"minutes": NaN}'))), "NaN is not a JSON number"),
        (messages(USER, calling(("set_timer", "[5]"))), "arguments must be an object"),
        (messages(USER, calling(("set_timer", None))), "arguments must be an object"),
        (messages(USER, WORDS, DONE), 'no call of "set_timer" before it'),
        (messages(USER, WORDS, {"role": "tool", "content": "x"}), "which call it answers is not clear"),
        (messages(USER, FIVE, answer("list_timers", {})), 'no call of "list_timers" before it'),
        (messages(USER, FIVE, WORDS), "must be followed by a tool message"),
        (messages(USER, {"role": "developer", "content": "x"}, WORDS), "first"),
        (messages({"role": "user", "content": "a <end_of_turn> b"}, WORDS), "<end_of_turn>"),
        (messages(USER, WORDS, id=""), "id must be text"),
        (messages(USER, WORDS, id=3), "id must be text"),
        (messages(USER, WORDS, family=["x"]), "family must be text"),
        (messages(USER, WORDS, id="\ud800"), "lone surrogate"),
        (messages(USER, WORDS, family="\udfff"), "lone surrogate"),
        (messages(USER, WORDS, tools=[with_default("\ud800")]), "lone surrogate"),
        (messages(USER, WORDS, kind="other"), "'other' is not a kind"),
        (messages(USER, WORDS, kind=[1]), "is not a kind"),
        (messages(USER, WORDS, tools="["), "tools is not JSON"),
        (messages(USER, WORDS, tools={}), "tools must be a list"),
        (messages(USER, WORDS, tools=[{"name": "x"}]), "tool[0].description"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, row: Any, words: str) -> None:
    (line,) = refused(tmp_path, messages(USER, WORDS), row)
    assert line.startswith("data/mine.jsonl:2: ")
    assert words in line


def test_every_problem_is_listed(tmp_path: Path) -> None:
    call = calling(("set_timer", {"minutes": "5", "lable": 1}), ("nope", {}))
    lines = refused(tmp_path, messages(USER, call), messages(USER, WORDS), {}, raw=None)
    assert [line.split(": ")[0] for line in lines] == ["data/mine.jsonl:1"] * 3 + ["data/mine.jsonl:3"]


def test_a_file_of_another_kind_does_not_flood_the_terminal(tmp_path: Path) -> None:
    lines = refused(tmp_path, raw=b"x\n" * 1500)
    assert len(lines) == 1001
    assert lines[-1] == "data/mine.jsonl: and 500 problems more"


@pytest.mark.parametrize("given", [[OTHER_TOOL], json.dumps([OTHER_TOOL])])
def test_a_row_may_bring_its_own_tools(tmp_path: Path, given: Any) -> None:
    (row,) = read(tmp_path, messages(USER, calling(("ring", {})), tools=given))
    assert row["tools"] == [
        {
            "name": "ring",
            "description": "Ring the bell",
            "parameters": {"type": "object", "properties": {}, "required": []},
        }
    ]
    assert "no tool is named" in refused(tmp_path, messages(USER, FIVE, tools=given))[0]


def test_the_manifests_own_tools_are_not_repeated_in_the_row(tmp_path: Path) -> None:
    (row,) = read(tmp_path, messages(USER, FIVE, tools=TOOLS))
    assert "tools" not in row


def test_ids_are_unique(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, messages(USER, WORDS, id="a"), messages(USER, WORDS), messages(USER, WORDS, id="a"))
    assert line == 'data/mine.jsonl:3: id "a" is the id of line 1 too; change one of them'
    (line,) = refused(tmp_path, messages(USER, WORDS, id="data/mine.jsonl:2"), messages(USER, WORDS))
    assert line.startswith('data/mine.jsonl:2: id "data/mine.jsonl:2" is the id of line 1 too')


def test_files_of_one_name_in_two_directories_have_different_ids_and_families(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{name}/mine.jsonl", GOOD) for name in ("a", "b")]
    rows = read_files(tmp_path, files, TOOLS, max_bad=0).rows
    assert len({row["id"] for row in rows}) == len({row["family"] for row in rows}) == 2


def asking(request: str, family: str, **first: str) -> dict[str, Any]:
    opening = [{"role": "developer", "content": first["developer"]}] if first else []
    return {"family": family, "messages": [*opening, {"role": "user", "content": request}, WORDS]}


def test_rows_with_the_same_request_are_of_one_family() -> None:
    rows = [
        asking("one", "a"),
        asking("two", "b", developer="Be brief"),
        asking(" one\n", "c", developer="Be brief"),  # whitespace around is not in the prompt
        asking("three", "c"),
        asking("three", "d"),
        asking("four", "b"),
        {"family": "e", "messages": [WORDS]},
        {"family": "f", "messages": [WORDS]},
    ]
    joined = one_family_per_request(rows)
    assert [row["family"] for row in joined] == ["a", "b", "a", "a", "a", "b", "e", "f"]
    assert [row["messages"] for row in joined] == [row["messages"] for row in rows]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), max_size=20))
def test_neither_a_request_nor_a_given_family_is_in_two_families(pairs: list[tuple[str, str]]) -> None:
    joined = one_family_per_request([asking(request, family) for request, family in pairs])
    for index in (0, 1):
        found = {(pair[index], row["family"]) for pair, row in zip(pairs, joined)}
        assert len(found) == len({pair[index] for pair in pairs})


GOOD = json.dumps(messages(USER, WORDS)).encode()


@pytest.mark.parametrize(
    ("raw", "numbers"),
    [
        (GOOD, [1]),
        (GOOD + b"\n" + GOOD, [1, 2]),
        (b"\n  \n" + GOOD + b"\n\n\n" + GOOD + b"\n\n", [3, 6]),
        (GOOD + b"\r\n\r\n" + GOOD + b"\r\n", [1, 3]),
        (b"\xef\xbb\xbf" + GOOD + b"\n", [1]),
        (GOOD.replace(b"Five", "Fünf\u2028".encode()), [1]),
    ],
)
def test_line_ends_blank_lines_and_byte_order_mark(tmp_path: Path, raw: bytes, numbers: list[int]) -> None:
    rows = read(tmp_path, raw=raw)
    assert [row["source"] for row in rows] == [f"data/mine.jsonl:{number}" for number in numbers]
    assert [row["id"] for row in rows] == [row["source"] for row in rows]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\xef\xbb\xbf", b" \r\n"])
def test_a_file_without_rows(tmp_path: Path, raw: bytes) -> None:
    assert refused(tmp_path, raw=raw) == ["data/mine.jsonl: is empty; add at least one row"]


def test_a_last_line_cut_off(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, raw=GOOD + b"\n" + GOOD[:-4])
    assert line.startswith("data/mine.jsonl:2: is not JSON: ")
    assert line.endswith("the file seems to be cut off here")
    (line,) = refused(tmp_path, raw=GOOD[:-4] + b"\n" + GOOD)
    assert "cut off" not in line


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"messages": "caf\xe9"}', "is not UTF-8 text (byte 18)"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"not json", "is not JSON"),
    ],
)
def test_what_is_no_json(tmp_path: Path, raw: bytes, words: str) -> None:
    (line,) = refused(tmp_path, raw=raw + b"\n")
    assert line.startswith("data/mine.jsonl:1: ")
    assert words in line


def test_a_missing_file_is_an_error_however_many_lines_may_be_bad(tmp_path: Path) -> None:
    for max_bad in (0, 100):
        with pytest.raises(DataError, match=r"no\.jsonl: cannot be read"):
            read_files(tmp_path, ["no.jsonl"], TOOLS, max_bad=max_bad)


def test_so_many_bad_lines_may_be_left_out_as_is_said(tmp_path: Path) -> None:
    twice_bad = messages(USER, calling(("nope", {}), ("set_timer", {})))
    files = [
        write(tmp_path, "a.jsonl", jsonl(messages(USER, WORDS), {}, messages(USER, FIVE))),
        write(tmp_path, "b.jsonl", jsonl(twice_bad, messages(USER, WORDS))),
    ]
    own = read_files(tmp_path, files, TOOLS, max_bad=2)
    assert [row["source"] for row in own.rows] == ["a.jsonl:1", "a.jsonl:3", "b.jsonl:2"]
    assert own.left_out == 2
    assert [problem.split(": ")[0] for problem in own.problems] == ["a.jsonl:2", "b.jsonl:1", "b.jsonl:1"]
    with pytest.raises(DataError, match=r"Bad lines: 2; dataset\.max_bad lets 1 be left out\."):
        read_files(tmp_path, files, TOOLS, max_bad=1)


def test_a_line_of_many_megabytes_is_named_and_never_held(tmp_path: Path) -> None:
    tracemalloc.start()
    with (tmp_path / "huge.jsonl").open("wb") as stream:
        stream.write(GOOD + b"\n")
        for _ in range(12):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\n" + GOOD)
    rows, problems = inspect_rows(tmp_path / "huge.jsonl", TOOLS, display="huge.jsonl")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row["source"] for row in rows] == ["huge.jsonl:1", "huge.jsonl:3"]
    assert problems == [(2, "is 12.0 MB long, and a row has at most 4 MB; shorten or remove it")]
    assert peak < 2.5 * lines.MAX_BYTES


@given(st.lists(st.integers(0, 40), max_size=12), st.booleans(), st.sampled_from([b"\n", b"\r\n"]))
def test_lines_of_any_length_keep_their_numbers(lengths: list[int], ended: bool, end: bytes) -> None:
    raw = end.join(b"x" * length for length in lengths) + (end if ended else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "MAX_BYTES", 20)
        patch.setattr(lines, "_CHUNK", 7)
        found = list(lines.read_lines(io.BytesIO(raw)))
    kept = [line.content for line in found if line.size <= 20]
    whole = [(number, line) for number, line in enumerate(raw.split(b"\n"), start=1) if line.strip()]
    last = raw.count(b"\n") + 1
    sizes = [len(line) + (number < last) for number, line in whole]
    assert [(line.number, line.size) for line in found] == [(number, size) for (number, _), size in zip(whole, sizes)]
    assert kept == [line.rstrip(b"\r") for (_, line), size in zip(whole, sizes) if size <= 20]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "tool_calls", "function", "name", "arguments", "response", "id", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "tool", "system"])},
            optional={"content": json_values, "tool_calls": json_values, "name": json_values},
        )
        | st.sampled_from([USER, WORDS, FIVE, DONE]),
        max_size=5,
    ),
    st.dictionaries(st.sampled_from(["id", "tools", "kind", "family"]), json_values, max_size=2),
)
def test_any_json_is_either_refused_or_can_be_rendered(
    tmp_path_factory: pytest.TempPathFactory, items: list[Any], more: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps({"messages": items, **more}), "utf-8")
    rows, problems = inspect_rows(path, TOOLS, display="any.jsonl")
    assert bool(rows) != bool(problems)
    for row in rows:
        assert any(segment.supervised for segment in render(row["messages"], row.get("tools") or TOOLS))
