"""Whole files of each format, hand-written in the shapes in which they are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.importing import FORMATS, Importer
from fgbuild.domains.own_data import inspect_rows
from fgbuild.errors import DataError

SAMPLES = Path(__file__).parent / "samples"
FILES = {
    "xlam": "xlam.json",
    "glaive": "glaive.json",
    "sharegpt": "sharegpt.json",
    "toolace": "toolace.json",
    "mobile-actions": "mobile_actions.jsonl",
}


def run(importer: Importer, *paths: Path) -> list[dict[str, Any]]:
    return [row for path in paths for row in importer.rows(path, path.name, lambda done: None)]


def sample(name: str) -> tuple[Importer, list[dict[str, Any]]]:
    importer = Importer(None)
    return importer, run(importer, SAMPLES / FILES[name])


def written(tmp_path: Path, *rows: Any) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def calls(row: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    functions = [call["function"] for message in row["messages"] for call in message.get("tool_calls", ())]
    return [(function["name"], function["arguments"]) for function in functions]


def test_every_format_has_a_sample_from_which_it_is_guessed() -> None:
    assert set(FILES) == set(FORMATS)
    assert {name: sample(name)[0].format for name in FILES} == {name: name for name in FILES}


@pytest.mark.parametrize("name", list(FILES))
def test_what_is_kept_is_sound_own_data(tmp_path: Path, name: str) -> None:
    importer, rows = sample(name)
    kept, problems = inspect_rows(written(tmp_path, *rows), [], display="rows.jsonl")
    assert problems == []
    assert [row["id"] for row in kept] == [row["id"] for row in rows]
    assert len({row["id"] for row in rows}) == len(rows) == importer.kept > 0
    assert all(row["tools"] for row in rows)


@pytest.mark.parametrize(
    ("name", "refusals"),
    [
        (
            "xlam",
            [
                (14, "tool[0].parameters.properties.type: FunctionGemma's template drops a parameter named `type`"),
                (20, "messages[1].tool_calls[0].arguments.numbers[0]: 'one' is not of type 'integer'"),
                (20, "messages[1].tool_calls[0].arguments.numbers[1]: 'two' is not of type 'integer'"),
            ],
        ),
        ("glaive", [(6, "declares no tools"), (14, "chat: a call is not JSON: Expecting property name")]),
        ("sharegpt", [(24, "messages[1].tool_calls[0].arguments.reason: 'bored' is not one of")]),
        (
            "toolace",
            [
                (36, "system has no list of tools in JSON"),
                (49, "conversations[1].value: the value of symbol is neither JSON nor a Python literal, `ACME`"),
            ],
        ),
        ("mobile-actions", [(4, "messages[2].tool_calls[0].arguments: 'to' is a required property")]),
    ],
)
def test_what_is_refused_has_its_line_and_reason(name: str, refusals: list[tuple[int, str]]) -> None:
    importer, _ = sample(name)
    assert importer.refused == len({line for line, _ in refusals})
    for problem, (line, words) in zip(importer.problems, refusals, strict=True):
        assert (problem.path, problem.line) == (FILES[name], line)
        assert problem.message.startswith(words)


def test_xlam_calls_are_made_at_once() -> None:
    _, (first, second) = sample("xlam")
    assert [row["id"] for row in (first, second)] == ["xlam-0", "xlam-1"]
    assert calls(first) == [("tide_table", {"port": "Cork"}), ("tide_table", {"port": "Galway", "days": 2})]
    assert [len(message.get("tool_calls", ())) for message in first["messages"]] == [0, 2]
    assert calls(second) == [("sum_of", {"numbers": [2.5, 4]})]
    assert first["tools"][0]["parameters"]["required"] == ["port"]


def test_glaive_turns_and_quoted_arguments() -> None:
    _, (first, second) = sample("glaive")
    assert [message["role"] for message in first["messages"]] == ["user", "assistant", "tool", "assistant"] * 2
    assert calls(first)[1] == ("save_note", {"text": "it's Anna's birthday"})
    assert first["messages"][4]["content"] == "Note: it's Anna's birthday."
    assert first["messages"][5]["content"] == "I'll save that."
    assert first["messages"][6]["content"] == [{"name": "save_note", "response": {"result": "saved"}}]
    assert second["messages"][1] == {"role": "assistant", "content": "I can only save notes."}


def test_other_words_of_a_glaive_system_text_are_kept(tmp_path: Path) -> None:
    tool = json.dumps({"name": "ring", "description": "Ring", "parameters": {}})
    row = {"system": f"SYSTEM: Be brief.\n{tool}", "chat": "USER: Hi\n\n\nASSISTANT: Hello <|endoftext|>"}
    (kept,) = run(Importer(None), written(tmp_path, row))
    assert kept["messages"][0] == {"role": "developer", "content": "Be brief."}


def test_toolace_names_results_and_the_time() -> None:
    importer, (first, second) = sample("toolace")
    assert importer.renamed == {"Market Price/v2": "Market_Price_v2"}
    assert first["messages"][0] == {"role": "developer", "content": "The current time is 2024-05-06 09:08:07."}
    assert calls(first) == [
        ("Market_Price_v2", {"symbol": "ACME", "fields": ["low"]}),
        ("Market_Price_v2", {"symbol": "INIT", "fields": ["low"], "decimals": 3}),
    ]
    assert first["messages"][3]["content"] == [
        {"name": "Market_Price_v2", "response": {"low": 1.25}},
        {"name": "Market_Price_v2", "response": {"low": 7.125}},
    ]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Sure. [Market Price/v2(symbol='A')]", "conversations[1].value has a call among words"),
        ("[Market Price/v2(symbol='A') and more]", "conversations[1].value has a call among words"),
        ("[Market Price/v2('A')]", "conversations[1].value: an argument must be written name=value"),
    ],
)
def test_toolace_calls_that_are_not_as_calls_are_written(tmp_path: Path, said: str, reason: str) -> None:
    row = json.loads((SAMPLES / FILES["toolace"]).read_text())[1]
    row["conversations"][1]["value"] = said
    importer = Importer(None)
    assert run(importer, written(tmp_path, row)) == []
    assert importer.problems[0].message.startswith(reason)


def test_results_without_names_are_those_of_the_calls_before_them(tmp_path: Path) -> None:
    row = json.loads((SAMPLES / FILES["toolace"]).read_text())[0]
    row["conversations"][2]["value"] = '[{"low": 1}, "none"]'
    (kept,) = run(Importer(None), written(tmp_path, row))
    assert [entry["response"] for entry in kept["messages"][3]["content"]] == [{"low": 1}, {"result": "none"}]


def test_mobile_actions_without_the_nulls_that_columns_leave() -> None:
    _, rows = sample("mobile-actions")
    assert [calls(row) for row in rows] == [
        [("turn_on_torch", {})],
        [("write_mail", {"to": "Ann", "subject": "tea"})],
        [("write_mail", {"to": "Bob"})],
    ]
    assert rows[0]["tools"][0]["parameters"] == {"type": "object", "properties": {}, "required": []}
    assert rows[0]["messages"][0]["content"].startswith("Current date and time")


def test_a_sharegpt_observation_answers_the_call_before_it() -> None:
    _, (row,) = sample("sharegpt")
    assert row["messages"][0] == {"role": "developer", "content": "Cancel an order only if the reason is known."}
    assert row["messages"][3]["content"] == [
        {"name": "cancel_order", "response": {"order": "7", "status": "cancelled"}}
    ]


def test_only_looks_at_rows_that_have_the_value() -> None:
    importer = Importer(None, only=("metadata", "eval"))
    assert len(run(importer, SAMPLES / FILES["mobile-actions"])) == 1
    assert (importer.read, importer.passed_over, importer.refused) == (4, 3, 0)


XLAM = {"query": "Ring", "answers": '[{"name": "ring"}]', "tools": '[{"name": "ring", "description": "Ring"}]'}


def test_ids_are_the_sources_own_or_follow_from_the_content(tmp_path: Path) -> None:
    rows = [XLAM, {**XLAM, "id": 7, "family": "bells"}, {**XLAM, "query": "Ring it"}]
    found = run(Importer(None), written(tmp_path, *rows))
    assert run(Importer(None), written(tmp_path, {**XLAM, "id": "\ud800", "family": "\ud800"})) == found[:1]
    again = run(Importer(None), written(tmp_path, *reversed(rows)))
    assert found[1]["id"] == "xlam-7"
    assert [row["family"] for row in found] == [found[0]["id"], "bells", found[2]["id"]]
    assert {row["id"] for row in again} == {row["id"] for row in found}


def test_ids_that_are_there_twice_and_copies_are_refused(tmp_path: Path) -> None:
    importer = Importer(None)
    path = written(tmp_path, XLAM, {**XLAM, "id": 7}, XLAM, {**XLAM, "query": "Other", "id": 7})
    assert len(run(importer, path)) == 2
    assert [(problem.line, problem.message) for problem in importer.problems] == [
        (3, "is a copy of rows.jsonl:1; remove one of them"),
        (4, "has the id of rows.jsonl:2; give it another"),
    ]
    run(importer, path)
    assert (importer.read, importer.kept) == (8, 2)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([1], "must be a JSON object"),
        ({**XLAM, "query": None}, "query must be text, not nothing"),
        ({**XLAM, "answers": "[]"}, "answers is empty"),
        ({**XLAM, "answers": "["}, "answers is not JSON"),
        ({**XLAM, "answers": "{}"}, "answers must be a list, or a list as a JSON string, not an object"),
        ({**XLAM, "answers": "[1]"}, "answers[0] must be"),
        ({**XLAM, "answers": '[{"name": "rang"}]'}, 'messages[1].tool_calls[0]: no tool is named "rang"'),
        (
            {**XLAM, "answers": '[{"name": "ring", "arguments": {"at": 1}}]'},
            "messages[1].tool_calls[0].arguments: ring",
        ),
        ({**XLAM, "tools": "[]"}, "declares no tools"),
        ({**XLAM, "tools": '["ring"]'}, "tool[0]: a tool must be a table"),
        ({**XLAM, "tools": '[{"name": "ring"}]'}, "tool[0].description: the tool needs a description"),
        ({**XLAM, "query": "a <end_of_turn> b"}, "messages[0].content: the text contains the special token"),
        ({"query": "x"}, "answers must be a list"),
    ],
)
def test_a_row_that_is_not_as_its_format_says_is_refused(tmp_path: Path, row: Any, words: str) -> None:
    importer = Importer("xlam")
    assert run(importer, written(tmp_path, row)) == []
    assert importer.problems[0].message.startswith(words)


def test_a_type_nested_without_end_is_refused(tmp_path: Path) -> None:
    tools = [{"name": "f", "description": "d", "parameters": {"a": {"type": "List[" * 5000 + "int" + "]" * 5000}}}]
    importer = Importer("xlam")
    assert run(importer, written(tmp_path, {**XLAM, "tools": tools})) == []
    assert importer.problems[0].message == "a tool or a call is nested too deeply"


def test_a_shape_that_is_not_known_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl:1: the format cannot be told .* xlam \(answers, query, tools\)"):
        run(Importer(None), written(tmp_path, {"prompt": "x"}))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(["ring", "USER: x", "[ring()]", "[]"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "role",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "from",
                    "value",
                    "description",
                    "type",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
KEYS = ["query", "answers", "tools", "system", "chat", "conversations", "messages", "id", "family"]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(FORMATS)), st.dictionaries(st.sampled_from(KEYS), json_values), st.data())
def test_any_json_is_refused_or_becomes_sound_own_data(
    tmp_path_factory: pytest.TempPathFactory, name: str, row: dict[str, Any], data: st.DataObject
) -> None:
    base = tmp_path_factory.getbasetemp()
    good = json.loads((SAMPLES / FILES[name]).read_text().splitlines()[0]) if name == "mobile-actions" else None
    good = good or json.loads((SAMPLES / FILES[name]).read_text())[0]
    changed = {**good, **{key: row[key] for key in row if data.draw(st.booleans())}}
    importer = Importer(name)
    rows = run(importer, written(base, changed))
    assert bool(rows) != bool(importer.problems)
    if rows:
        assert inspect_rows(written(base, *rows), [], display="rows.jsonl")[1] == []


def test_a_required_list_that_holds_more_than_names_is_refused_and_no_crash(tmp_path: Path) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": [["city"]]}
    tool = {"name": "weather", "description": "d", "parameters": parameters}
    row = {"id": 1, "query": "q", "tools": json.dumps([tool]), "answers": "[]"}
    importer = Importer("xlam")
    assert run(importer, written(tmp_path, row)) == []
    assert importer.refused == 1


def test_a_call_without_arguments_is_one_with_none(tmp_path: Path) -> None:
    tool = {"name": "ping", "description": "Ping.", "parameters": {"type": "object", "properties": {}}}
    said = [{"function": {"name": "ping", "arguments": None}}, {"function": {"name": "ping"}}]
    messages = [{"role": "user", "content": "ping"}, {"role": "assistant", "tool_calls": said}]
    (row,) = run(Importer("mobile-actions"), written(tmp_path, {"messages": messages, "tools": [tool]}))
    assert calls(row) == [("ping", {}), ("ping", {})]


def test_only_takes_values_as_json_writes_them(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (SAMPLES / FILES["mobile-actions"]).read_text("utf-8").splitlines()]
    path = written(tmp_path, *({**row, "flag": number == 0} for number, row in enumerate(rows)))
    importer = Importer("mobile-actions", ("flag", "true"))
    run(importer, path)
    assert importer.passed_over == len(rows) - 1
