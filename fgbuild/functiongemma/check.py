"""What FunctionGemma's format cannot express, found before anything is trained.

Rendered keywords: `type`, `description`, `enum` (of strings), `properties`, `required`, `items`.

Tolerated keywords: `default`, `title`, `examples`, `deprecated`, `format`, `pattern`, `minLength`,
`maxLength`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `minItems`,
`maxItems`, `uniqueItems`, and `additionalProperties` as true or false. They are never shown to the
model and only used when a call is validated as JSON Schema: say in the description what the model
must know. Inside `items` they are refused, because the official template would print them there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fgbuild.functiongemma.tokens import KEY, RESERVED_NAMES, TOOL_NAME, bare_tool, unfit_text

Problem = tuple[str, str]

TYPES = ("string", "integer", "number", "boolean", "array", "object")
RENDERED = frozenset({"type", "description", "enum", "properties", "required", "items"})
TOLERATED = frozenset(
    {
        "default",
        "title",
        "examples",
        "deprecated",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
        "additionalProperties",
    }
)
A_COUNT, A_NUMBER, A_FLAG = "a whole number from 0 up", "a number", "true or false"
VALUES = {
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), A_COUNT),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), A_NUMBER),
    **dict.fromkeys(("uniqueItems", "deprecated"), A_FLAG),
    **dict.fromkeys(("title", "format"), "text"),
    "multipleOf": "a number above 0",
    "examples": "a list",
    "pattern": "a regular expression",
}
"""Tolerated keyword → what its value must be; a validator of JSON Schema trusts in that."""
ONLY_FOR = {"enum": "string", "items": "array", "properties": "object", "required": "object"}
MAX_SCHEMA_DEPTH = 16
"""Deepest nesting of `properties` and `items`."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError, OverflowError, RecursionError):
        return False
    return isinstance(value, str)


_VALUE_CHECKS: dict[str, Callable[[Any], bool]] = {
    A_COUNT: lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    A_NUMBER: _is_number,
    A_FLAG: lambda value: isinstance(value, bool),
    "text": lambda value: isinstance(value, str),
    "a number above 0": lambda value: _is_number(value) and value > 0,
    "a list": lambda value: isinstance(value, list),
    "a regular expression": _is_pattern,
}


def problems(tools: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Everything in `tools` that the format cannot carry, as (field path, message); [] when fine.

    Paths are dotted, as in `tool[0].parameters.properties.type`. Tools may be bare or in the
    OpenAI wrapper. Never raises on data that came from JSON or TOML.
    """
    found: list[Problem] = []
    names: dict[str, int] = {}
    for index, tool in enumerate(tools):
        path = f"tool[{index}]"
        if not isinstance(tool, Mapping):
            found.append((path, "a tool must be a table with name, description and parameters"))
            continue
        tool = bare_tool(tool)
        found.extend(_tool_problems(tool, path))
        name = tool.get("name")
        if not isinstance(name, str):
            continue
        if name in names:
            found.append((f"{path}.name", f"{name!r} is already the name of tool[{names[name]}]; rename one of them"))
        names.setdefault(name, index)
    return found


def _tool_problems(tool: Mapping[str, Any], path: str) -> Iterator[Problem]:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        yield f"{path}.name", 'a tool needs a name; add name = "…"'
    elif not TOOL_NAME.fullmatch(name):
        yield (
            f"{path}.name",
            f"{name!r} is not a tool name; start with a letter or `_` and go on with letters, digits, `_`, `-` or `.`",
        )
    yield from _description_problems(tool, path, "the tool")
    for key in tool:
        if key not in ("name", "description", "parameters", "strict"):
            yield f"{path}.{key}", f"`{key}` is not part of a tool; remove it"
    parameters = tool.get("parameters", {"type": "object"})
    path = f"{path}.parameters"
    if not isinstance(parameters, Mapping):
        yield path, 'parameters must be a JSON Schema object; write {type = "object", properties = {…}}'
    elif parameters.get("type") != "object":
        yield f"{path}.type", 'parameters must have type "object"; add type = "object"'
    else:
        yield from _keyword_problems(parameters, "object", path)
        yield from _object_problems(parameters, path, 1)


def _schema_problems(schema: Any, path: str, depth: int, *, in_items: bool = False) -> Iterator[Problem]:
    """Problems of one property, or of an array's `items`."""
    if not isinstance(schema, Mapping):
        yield path, 'expected a JSON Schema object; write {type = "string", description = "…"}'
        return
    if depth > MAX_SCHEMA_DEPTH:
        yield path, f"nested deeper than {MAX_SCHEMA_DEPTH} levels; make the schema flatter"
        return
    if not in_items or "description" in schema:
        yield from _description_problems(schema, path, "the array's items" if in_items else "the parameter")
    kind = schema.get("type")
    if kind is None:
        yield f"{path}.type", f"a type is missing; add type = one of {', '.join(TYPES)}"
    elif isinstance(kind, list):
        yield f"{path}.type", "a union of types cannot be expressed; choose one type, or make two parameters"
    elif kind not in TYPES:
        yield f"{path}.type", f"{kind!r} is not a type; use one of {', '.join(TYPES)}"
    yield from _keyword_problems(schema, kind, path, in_items=in_items)
    if kind == "string" and "enum" in schema:
        yield from _enum_problems(schema["enum"], f"{path}.enum")
    if kind == "array":
        yield from _items_problems(schema, path, depth)
    if kind == "object":
        if "properties" not in schema:
            yield path, "an object parameter needs properties; list its fields, or write properties = {}"
        if in_items and schema.get("required") == []:
            yield f"{path}.required", "an empty list would be printed in the prompt here; leave required out"
        yield from _object_problems(schema, path, depth)


def _keyword_problems(schema: Mapping[str, Any], kind: Any, path: str, *, in_items: bool = False) -> Iterator[Problem]:
    for key, value in schema.items():
        where = f"{path}.{key}"
        if key not in RENDERED and key not in TOLERATED:
            yield where, f"FunctionGemma's format has no `{key}`; remove it, and say in the description what it meant"
        elif key in TOLERATED and in_items:
            yield where, f"`{key}` inside items would be printed in the prompt; remove it"
        elif key == "additionalProperties" and not isinstance(value, bool):
            yield where, "FunctionGemma's format has no schema for additional properties; use true or false"
        elif key in ONLY_FOR and kind in TYPES and kind != ONLY_FOR[key]:
            yield where, f"`{key}` is only for type {ONLY_FOR[key]!r}, not {kind!r}; remove it or change the type"
        elif key in VALUES and not _VALUE_CHECKS[VALUES[key]](value):
            yield where, f"`{key}` must be {VALUES[key]}, not {value!r}; correct it"


def _description_problems(schema: Mapping[str, Any], path: str, what: str) -> Iterator[Problem]:
    description = schema.get("description")
    where = f"{path}.description"
    if not isinstance(description, str) or not description.strip():
        yield where, f"{what} needs a description, which is all that the model knows of it; add one"
    elif reason := unfit_text(description):
        yield where, reason


def _enum_problems(values: Any, path: str) -> Iterator[Problem]:
    if not isinstance(values, list) or not values:
        yield path, "enum must be a list of at least one string"
        return
    for index, value in enumerate(values):
        if not isinstance(value, str):
            yield f"{path}[{index}]", f"enum values must be strings, not {value!r}; put it in quotes"
        elif reason := unfit_text(value):
            yield f"{path}[{index}]", reason


def _items_problems(schema: Mapping[str, Any], path: str, depth: int) -> Iterator[Problem]:
    items = schema.get("items")
    if items is None:
        yield f"{path}.items", 'an array needs items; add items = {type = "string"} or another type'
    elif isinstance(items, list):
        yield f"{path}.items", "a list of schemas cannot be expressed; give one schema for every item"
    elif isinstance(items, Mapping) and items.get("type") == "array":
        yield f"{path}.items.type", "an array of arrays cannot be expressed; use an array of objects"
    else:
        yield from _schema_problems(items, f"{path}.items", depth + 1, in_items=True)


def _object_problems(schema: Mapping[str, Any], path: str, depth: int) -> Iterator[Problem]:
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        yield f"{path}.properties", "properties must map parameter names to schemas"
        return
    for name, value in properties.items():
        where = f"{path}.properties.{name}"
        if name in RESERVED_NAMES:
            yield where, f"FunctionGemma's template drops a parameter named `{name}`; rename it, e.g. `{name}_value`"
        elif not isinstance(name, str) or not KEY.fullmatch(name):
            yield where, f"{name!r} is not a parameter name; use letters, digits, `_`, `-`, `.` and `/` only"
        yield from _schema_problems(value, where, depth + 1)
    required = schema.get("required", [])
    if not isinstance(required, list):
        yield f"{path}.required", "required must be a list of parameter names on the object that holds them"
        return
    for index, name in enumerate(required):
        if not isinstance(name, str) or name not in properties:
            yield f"{path}.required[{index}]", f"{name!r} is not among the properties; add it there or remove it here"
