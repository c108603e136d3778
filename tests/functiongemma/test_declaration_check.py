from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.functiongemma import problems, render_declaration
from fgbuild.functiongemma.check import ONLY_FOR, RENDERED, TOLERATED, TYPES, VALUES

GOOD: dict[str, Any] = {
    "name": "run_ruff",
    "description": "Runs ruff.",
    "parameters": {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "A path.", "minLength": 1, "default": "."},
            "level": {"type": "string", "description": "A level.", "enum": ["low", "high"]},
            "rules": {"type": "array", "description": "Rules.", "items": {"type": "string"}, "uniqueItems": True},
            "span": {
                "type": "object",
                "description": "Lines.",
                "properties": {"first": {"type": "integer", "description": "First line.", "minimum": 1}},
                "required": ["first"],
                "additionalProperties": False,
            },
        },
        "required": ["path"],
        "additionalProperties": False,
    },
}
P = "tool[0].parameters.properties"


def _with(path: str, value: Any) -> dict[str, Any]:
    """GOOD with the value at a slash-separated path replaced; `...` removes it."""
    tool = copy.deepcopy(GOOD)
    *parents, last = path.split("/")
    place = tool
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return tool


def test_a_good_tool_has_no_problems() -> None:
    assert problems([GOOD]) == []
    assert problems([{"type": "function", "function": GOOD}]) == []
    assert problems([{"name": "now", "description": "Tells the time."}]) == []
    assert problems([]) == []


@pytest.mark.parametrize(
    ("path", "value", "where", "message"),
    [
        ("name", ..., "tool[0].name", "a tool needs a name"),
        ("name", "", "tool[0].name", "a tool needs a name"),
        ("name", 3, "tool[0].name", "a tool needs a name"),
        ("name", "run ruff", "tool[0].name", "'run ruff' is not a tool name"),
        ("name", "1st", "tool[0].name", "start with a letter"),
        ("name", "run\n", "tool[0].name", "is not a tool name"),
        ("description", ..., "tool[0].description", "the tool needs a description"),
        ("description", "  ", "tool[0].description", "the tool needs a description"),
        ("description", "a <escape> b", "tool[0].description", "the special token `<escape>`"),
        ("returns", {}, "tool[0].returns", "`returns` is not part of a tool"),
        ("parameters", [], "tool[0].parameters", "must be a JSON Schema object"),
        ("parameters", {}, "tool[0].parameters.type", 'must have type "object"'),
        ("parameters/type", "array", "tool[0].parameters.type", 'must have type "object"'),
        ("parameters/anyOf", [], "tool[0].parameters.anyOf", "has no `anyOf`"),
        ("parameters/properties", [], P, "must map parameter names"),
        ("parameters/required", ["nope"], "tool[0].parameters.required[0]", "'nope' is not among the properties"),
        ("parameters/required", [["path"]], "tool[0].parameters.required[0]", "is not among the properties"),
        ("parameters/required", "path", "tool[0].parameters.required", "must be a list of parameter names"),
        ("parameters/properties/path", "string", f"{P}.path", "expected a JSON Schema object"),
        ("parameters/properties/path/description", ..., f"{P}.path.description", "the parameter needs a description"),
        ("parameters/properties/path/description", "<bos>", f"{P}.path.description", "the special token `<bos>`"),
        ("parameters/properties/path/type", ..., f"{P}.path.type", "a type is missing"),
        ("parameters/properties/path/type", "text", f"{P}.path.type", "'text' is not a type; use one of string"),
        ("parameters/properties/path/type", "STRING", f"{P}.path.type", "'STRING' is not a type"),
        ("parameters/properties/path/type", "null", f"{P}.path.type", "'null' is not a type"),
        ("parameters/properties/path/type", {"a": 1}, f"{P}.path.type", "is not a type"),
        ("parameters/properties/path/type", ["string", "null"], f"{P}.path.type", "a union of types"),
        ("parameters/properties/path/required", True, f"{P}.path.required", "only for type 'object', not 'string'"),
        ("parameters/properties/path/items", {}, f"{P}.path.items", "only for type 'array', not 'string'"),
        ("parameters/properties/path/nullable", True, f"{P}.path.nullable", "has no `nullable`"),
        ("parameters/properties/path/const", "x", f"{P}.path.const", "has no `const`"),
        ("parameters/properties/level/type", "integer", f"{P}.level.enum", "only for type 'string', not 'integer'"),
        ("parameters/properties/level/enum", [1], f"{P}.level.enum[0]", "must be strings, not 1"),
        ("parameters/properties/level/enum", [], f"{P}.level.enum", "at least one string"),
        ("parameters/properties/level/enum", ["<escape>"], f"{P}.level.enum[0]", "the special token"),
        ("parameters/properties/rules/items", ..., f"{P}.rules.items", "an array needs items"),
        ("parameters/properties/rules/items", [{}], f"{P}.rules.items", "a list of schemas"),
        ("parameters/properties/rules/items", {}, f"{P}.rules.items.type", "a type is missing"),
        ("parameters/properties/rules/items/type", "array", f"{P}.rules.items.type", "an array of arrays"),
        ("parameters/properties/rules/items/minLength", 1, f"{P}.rules.items.minLength", "inside items"),
        ("parameters/properties/rules/items/description", "", f"{P}.rules.items.description", "items needs a desc"),
        ("parameters/properties/span/properties", ..., f"{P}.span", "an object parameter needs properties"),
        (
            "parameters/properties/span/additionalProperties",
            {"type": "string"},
            f"{P}.span.additionalProperties",
            "no schema for additional properties",
        ),
        (
            "parameters/properties/rules/items",
            {"type": "object", "properties": {}, "required": []},
            f"{P}.rules.items.required",
            "an empty list would be printed",
        ),
    ],
)
def test_each_problem_is_named_at_its_field(path: str, value: Any, where: str, message: str) -> None:
    found = problems([_with(path, value)])
    assert where in [place for place, _ in found]
    assert message in dict(found)[where]


@pytest.mark.parametrize(
    "keyword", ["$ref", "anyOf", "oneOf", "allOf", "not", "patternProperties", "if", "prefixItems"]
)
def test_keywords_that_the_format_does_not_have(keyword: str) -> None:
    found = problems([_with(f"parameters/properties/path/{keyword}", {})])
    assert [place for place, _ in found] == [f"{P}.path.{keyword}"]


@pytest.mark.parametrize("name", ["description", "type", "properties", "required", "nullable"])
@pytest.mark.parametrize("parent", ["parameters", "parameters/properties/span"])
def test_names_that_the_official_template_drops(name: str, parent: str) -> None:
    found = problems([_with(f"{parent}/properties/{name}", {"type": "string", "description": "D."})])
    ((place, message),) = found
    assert place.endswith(f".properties.{name}")
    assert f"`{name}_value`" in message


def test_a_reserved_name_inside_items_is_found() -> None:
    items = {"type": "object", "properties": {"type": {"type": "string", "description": "T."}}}
    assert [place for place, _ in problems([_with("parameters/properties/rules/items", items)])] == [
        f"{P}.rules.items.properties.type"
    ]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a{", "a,b", "é", "a\n"])
def test_parameter_names_outside_the_key_alphabet(name: str) -> None:
    found = problems([_with(f"parameters/properties/{name}", {"type": "string", "description": "D."})])
    ((_, message),) = found
    assert "is not a parameter name" in message


def test_tool_names_must_differ() -> None:
    found = problems([GOOD, {**GOOD, "name": "other"}, GOOD])
    assert found == [("tool[2].name", "'run_ruff' is already the name of tool[0]; rename one of them")]


def test_every_problem_is_reported_at_once() -> None:
    assert len(problems([{"name": "1", "parameters": {"type": "object", "properties": {"a": {}}}}])) == 4


def test_a_schema_that_is_too_deep() -> None:
    schema: dict[str, Any] = {"type": "string", "description": "D."}
    for _ in range(20):
        schema = {"type": "object", "description": "D.", "properties": {"a": schema}}
    ((_, message),) = problems([_with("parameters/properties/path", schema)])
    assert "nested deeper than 16 levels" in message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(TYPES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sorted(RENDERED), *sorted(TOLERATED)[:3], "name", "x"]), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.lists(st.fixed_dictionaries({"name": JSON, "description": JSON, "parameters": JSON}) | JSON, max_size=3))
def test_no_json_makes_it_raise_and_what_passes_can_be_rendered(tools: list[Any]) -> None:
    if problems(tools) == []:
        for tool in tools:
            assert render_declaration(tool).startswith("<start_function_declaration>")


def test_the_keyword_tables_are_disjoint() -> None:
    assert not RENDERED & TOLERATED
    assert set(ONLY_FOR) <= RENDERED


@pytest.mark.parametrize(
    ("keyword", "bad", "words"),
    [
        ("pattern", "[", "a regular expression"),
        ("pattern", 3, "a regular expression"),
        ("minLength", "a", "a whole number from 0 up"),
        ("maxLength", -1, "a whole number from 0 up"),
        ("minItems", True, "a whole number from 0 up"),
        ("maximum", "9", "a number"),
        ("exclusiveMinimum", float("nan"), "a number"),
        ("multipleOf", 0, "a number above 0"),
        ("uniqueItems", "yes", "true or false"),
        ("examples", "one", "a list"),
        ("title", 1, "text"),
    ],
)
def test_a_keyword_whose_value_no_validator_understands_is_placed(keyword: str, bad: Any, words: str) -> None:
    ((where, message),) = problems([_with(f"parameters/properties/path/{keyword}", bad)])
    assert where == f"{P}.path.{keyword}"
    assert words in message


def test_every_tolerated_keyword_with_a_meaning_has_its_value_checked() -> None:
    assert set(VALUES) == TOLERATED - {"default", "additionalProperties"}
