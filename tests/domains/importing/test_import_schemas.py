"""Loose declarations of public data sets → FunctionGemma's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.importing.schemas import declared
from fgbuild.functiongemma.check import TYPES, problems
from fgbuild.functiongemma.render import render_declaration


def parameters(given: Any, **tool: Any) -> dict[str, Any]:
    (fitted,), _ = declared([{"name": "f", "description": "d", "parameters": given, **tool}])
    return fitted["parameters"]


def one(schema: Any) -> dict[str, Any]:
    return parameters({"x": schema})["properties"]["x"]


def refusal(schema: Any) -> str:
    tools, _ = declared([{"name": "f", "description": "d", "parameters": {"x": schema}}])
    ((field, message),) = problems(tools)
    return f"{field.removeprefix('tool[0].parameters.properties.')}: {message}"


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("str", {"type": "string"}),
        ("STRING", {"type": "string"}),
        ("int", {"type": "integer"}),
        ("float", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("list", {"type": "array", "items": {"type": "string"}}),
        ("List[int]", {"type": "array", "items": {"type": "integer"}}),
        ("list[str]", {"type": "array", "items": {"type": "string"}}),
        ("List[Union[int, float]]", {"type": "array", "items": {"type": "number"}}),
        ("Tuple[int, int]", {"type": "array", "items": {"type": "integer"}}),
        ("tuple[float, ...]", {"type": "array", "items": {"type": "number"}}),
        ("List[Dict[str, int]]", {"type": "array", "items": {"type": "object", "properties": {}}}),
        ("dict", {"type": "object", "properties": {}, "required": []}),
        ("Dict[str, List[int]]", {"type": "object", "properties": {}, "required": []}),
        ("Optional[str]", {"type": "string"}),
        ("str | None", {"type": "string"}),
        ("Union[str, None]", {"type": "string"}),
        ("int | float", {"type": "number"}),
        ("str, optional", {"type": "string"}),
        ("int, default=3", {"type": "integer"}),
        (["string", "null"], {"type": "string"}),
        (["integer", "number"], {"type": "number"}),
    ],
)
def test_a_type_however_it_is_written(text: Any, schema: dict[str, Any]) -> None:
    assert one({"type": text, "description": "d"}) == {"description": "d", **schema}


@pytest.mark.parametrize(
    ("schema", "required"),
    [
        ({"type": "str"}, True),
        ({"type": "str", "default": ""}, True),
        ({"type": "str", "default": "game"}, False),
        ({"type": "str, optional"}, False),
        ({"type": "str, optional", "default": ""}, False),
        ({"type": "Optional[int]"}, False),
        ({"type": "int | None"}, False),
        ({"type": "int", "required": False}, False),
        ({"type": "int", "required": True, "default": 3}, True),
        ({"type": "int", "optional": True}, False),
        ({"type": ["string", "null"]}, True),
    ],
)
def test_a_parameter_of_a_bare_map_is_required_unless_it_says_otherwise(schema: Any, required: bool) -> None:
    assert parameters({"x": schema})["required"] == (["x"] if required else [])


def test_a_schema_keeps_its_own_list_of_required_parameters() -> None:
    fitted = parameters(
        {
            "type": "dict",
            "properties": {
                "a": {"type": "string"},
                "b": {"type": "string, optional"},
                "c": {"type": "integer", "required": True},
                "d": {"type": "integer"},
            },
            "required": ["a", "b"],
        }
    )
    assert fitted["type"] == "object"
    assert fitted["required"] == ["a", "c"]


def test_required_beside_the_parameters_is_theirs() -> None:
    given = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert parameters(given, required=["a"])["required"] == ["a"]
    assert parameters(given, required=None)["required"] == []


@pytest.mark.parametrize("given", [None, {}, {"type": "object"}, {"type": "OBJECT", "properties": None}])
def test_a_tool_without_parameters(given: Any) -> None:
    tools, _ = declared([{"name": "f", "description": "d", "parameters": given}])
    assert problems(tools) == []
    assert not tools[0]["parameters"]["properties"]


def test_nulls_are_absent_keys() -> None:
    given = {"type": "object", "properties": {"a": {"type": "string", "description": "d", "enum": None}, "b": None}}
    assert parameters(given)["properties"] == {"a": {"type": "string", "description": "d"}}


def test_a_parameter_without_a_description_gets_its_name_in_words() -> None:
    assert parameters({"base_currency": {"type": "str", "description": " "}})["properties"] == {
        "base_currency": {"type": "string", "description": "base currency"}
    }


def test_values_that_are_no_strings_are_said_in_the_description() -> None:
    assert one({"type": "int", "description": "How many.", "enum": [1, 2]}) == {
        "type": "integer",
        "description": "How many. One of: 1, 2.",
    }
    assert one({"type": "string", "description": "d", "enum": ["a"]})["enum"] == ["a"]


def test_items_lose_what_only_a_validator_uses() -> None:
    given = {"type": "array", "description": "d", "items": {"type": "int", "minimum": 1, "default": 2}, "minItems": 1}
    assert one(given) == {"type": "array", "description": "d", "items": {"type": "integer"}, "minItems": 1}


def test_items_without_a_type_are_like_those_of_the_default() -> None:
    assert one({"type": "list", "description": "d", "default": [1, 2]})["items"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "Union[str, int]"}, "x.type: a union of types cannot be expressed"),
        ({"type": "str | List[str]"}, "x.type: a union of types cannot be expressed"),
        ({"type": "any"}, "x.type: 'any' is not a type"),
        ({"type": "Callable[[float], float]"}, "x.type: 'callable[[float], float]' is not a type"),
        ({"type": "List[List[int]]"}, "x.items.type: an array of arrays cannot be expressed"),
        ({"description": "d"}, "x.type: a type is missing"),
        ({"type": "str", "$ref": "#/x"}, "x.$ref: FunctionGemma's format has no `$ref`"),
        ("str", "x: expected a JSON Schema object"),
    ],
)
def test_what_cannot_be_said_stays_for_the_check_to_refuse(schema: Any, words: str) -> None:
    assert refusal(schema).startswith(words)


def test_a_name_that_cannot_be_written_is_fitted() -> None:
    names = ["Market Trends API", "Get User's Profile/v2", "2fa", "fine.name-1", " (x) "]
    tools, renamed = declared([{"name": name, "description": "d"} for name in names])
    assert [tool["name"] for tool in tools] == [
        "Market_Trends_API",
        "Get_User_s_Profile_v2",
        "_2fa",
        "fine.name-1",
        "x",
    ]
    assert renamed == {given: tool["name"] for given, tool in zip(names, tools, strict=True) if given != "fine.name-1"}
    assert problems(tools) == []


def test_a_tool_that_is_declared_twice_is_declared_once() -> None:
    tool = {"name": "f", "description": "d", "parameters": {"x": {"type": "str"}}}
    tools, _ = declared([tool, {"function": tool}, {**tool, "description": "e"}])
    assert [given["description"] for given in tools] == ["d", "e"]
    assert "already the name" in problems(tools)[0][1]


def test_two_names_that_become_one_are_refused() -> None:
    tools, _ = declared([{"name": name, "description": name} for name in ("a b", "a_b")])
    assert "already the name" in problems(tools)[0][1]


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,6}", fullmatch=True).filter(
    lambda name: name not in ("description", "type", "properties", "required", "nullable")
)
words = st.from_regex(r"[A-Za-z ]{0,8}[a-z]", fullmatch=True)


def objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(names, inner, max_size=3).map(
        lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)[:1]}
    )


leaves = st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "number", "boolean"])})
schemas = st.recursive(
    leaves.flatmap(
        lambda leaf: st.fixed_dictionaries({"description": words, **{k: st.just(v) for k, v in leaf.items()}})
    ),
    lambda inner: (
        st.builds(lambda schema, said: {"description": said, **schema}, objects(inner), words)
        | st.builds(lambda items, said: {"type": "array", "items": items, "description": said}, leaves, words)
    ),
    max_leaves=5,
)


@given(
    st.builds(
        lambda name, said, given: {"name": name, "description": said, "parameters": given},
        names,
        words,
        objects(schemas),
    )
)
def test_a_strict_declaration_is_left_as_it_is(tool: dict[str, Any]) -> None:
    assert problems([tool]) == []
    (fitted,), renamed = declared([{"type": "function", "function": tool}])
    assert renamed == {}
    assert render_declaration(fitted) == render_declaration(tool)


KEYWORDS = ["name", "description", "parameters", "type", "properties", "items", "enum", "required", "default", "x"]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from([*TYPES, "List[", "a|b", "dict, x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=5),
    max_leaves=15,
)


@settings(max_examples=300)
@given(
    st.lists(
        st.fixed_dictionaries({"name": names, "description": words, "parameters": anything}) | anything, max_size=2
    )
)
def test_no_json_makes_it_raise_and_the_check_can_judge_what_comes_out(tools: list[Any]) -> None:
    fitted, _ = declared(tools)
    assert len(fitted) <= len(tools)
    if not problems(fitted):
        for tool in fitted:
            render_declaration(tool)
