from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from fgbuild.engine.keys import action_key, canonical, fields
from fgbuild.engine.reasons import differences

PARTS = {
    "c1": {"fgbuild/workers/train.py": "1", "same.py": "s"},
    "c2": {"fgbuild/workers/train.py": "2", "same.py": "s"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def components(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "train",
        "version": 1,
        "fields": {},
        "inputs": {},
        "files": {},
        "code": "c1",
        "libraries": {},
        "extras": {},
        **changes,
    }


def texts(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [reason.text for reason in differences(components(**old), components(**new), PARTS.__getitem__)]


def test_each_kind_of_component_in_words() -> None:
    assert texts({"fields": {"lora": {"r": 16, "a": 1}}}, {"fields": {"lora": {"r": 32, "a": 1}}}) == [
        "lora.r: 16 → 32"
    ]
    assert texts({"fields": {"lora": {}}}, {"fields": {"lora": {"r": 32}}}) == ["lora.r: added, 32"]
    assert texts({"fields": {"lora": {"r": 16}}}, {"fields": {"lora": {}}}) == ["lora.r: removed, was 16"]
    assert texts({"inputs": {"tokenize": "a"}}, {"inputs": {"tokenize": "b"}}) == ["tokenize: output changed"]
    assert texts({"libraries": {"torch": "2.12"}}, {"libraries": {"torch": "2.13"}}) == ["torch: 2.12 → 2.13"]
    assert texts({"code": "c1"}, {"code": "c2"}) == ["code: changed (fgbuild/workers/train.py)"]
    assert texts({"files": {"a.jsonl": "1"}}, {"files": {"a.jsonl": "2", "b.jsonl": "3"}}) == [
        "a.jsonl: changed",
        "b.jsonl: added",
    ]
    assert texts({"version": 1}, {"version": 2}) == ["stage version: 1 → 2"]
    assert texts({"extras": {}}, {"extras": {"fgbuild.lock": "x"}}) == ["fgbuild.lock: changed"]


def test_tools_are_compared_by_name() -> None:
    run, fix = {"name": "run", "description": "Run."}, {"name": "fix", "description": "Fix."}
    changed = {**run, "description": "Run it."}
    assert texts({"fields": {"tool": [run, fix]}}, {"fields": {"tool": [fix, changed]}}) == [
        'tool: ["run", "fix"] → ["fix", "run"]',
        "tool.run.description: Run. → Run it.",
    ]
    assert texts({"fields": {"tool": [run]}}, {"fields": {"tool": [run, fix]}}) == ['tool: ["run"] → ["run", "fix"]']


def test_of_long_lists_what_differs_is_shown() -> None:
    lines = [f"a phrasing with the number {number}" for number in range(9)]

    def said(new: list[str]) -> list[str]:
        return texts({"fields": {"x": lines}}, {"fields": {"x": new}})

    assert said([*lines[:4], "other", *lines[5:]]) == ["x[4]: a phrasing with the number 4 → other"]
    assert said([*lines, "more"]) == ['x[9:]: [] → ["more"]']
    assert said([lines[0], *lines]) == ['x[1:]: [] → ["a phrasing with the number 0"]']
    assert said(["other", *lines[2:]]) == [
        'x[0:]: ["a phrasing with the number 0", "a phrasing with the numbe… → ["other"]'
    ]


def test_an_unknown_upstream_is_passed_over() -> None:
    assert texts({"inputs": {"tokenize": "a", "base": "b"}}, {"inputs": {"base": "b"}}) == []


def test_true_and_1_and_1_0_are_three_values() -> None:
    assert texts({"fields": {"x": 1}}, {"fields": {"x": True}}) == ["x: 1 → true"]
    assert len({canonical(1), canonical(1.0), canonical(True)}) == 3


@given(JSON, JSON)
@example({"a": None}, {})
@example([{"name": "a"}], [{"name": "a"}, {"name": "a"}])
def test_keys_differ_exactly_when_a_reason_says_why(old: Any, new: Any) -> None:
    before, after = components(fields={"x": {"y": old}}), components(fields={"x": {"y": new}})
    differ = action_key(before) != action_key(after)
    assert bool(differences(before, after, PARTS.__getitem__)) is differ


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=5))
def test_the_order_of_keys_does_not_count(table: dict[str, Any]) -> None:
    reverse = dict(reversed(table.items()))
    assert action_key(components(fields=table)) == action_key(components(fields=reverse))


def test_fields_takes_declared_prefixes_without_what_is_excluded() -> None:
    manifest = {"name": "lint", "dataset": {"count": 2, "max_length": 9, "deep": {"a": 1, "b": 2}}, "lora": {"r": 1}}
    assert fields(manifest, ("name", "dataset", "absent"), ("dataset.max_length", "dataset.deep.a")) == {
        "name": "lint",
        "dataset": {"count": 2, "deep": {"b": 2}},
    }
    assert fields(manifest, ("dataset.count", "lora.none"), ()) == {"dataset.count": 2}
    assert fields(manifest, ("",), ()) == {"": manifest}
    assert manifest["dataset"]["max_length"] == 9  # type: ignore[index]
