"""Tools as public data sets declare them → tools that FunctionGemma's format can declare.

What is loose is read as it is meant: `"str, optional"`, `List[int]`, `dict` and `OBJECT` are types,
a map of parameters without the schema around it gets one, nulls are absent keys. Nothing is made up
but a missing description of a parameter (its name in words) and the type of an array's items (that
of its default's items, else string). What cannot be said in the format stays as it is, for
`functiongemma.check.problems` to refuse with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fgbuild.functiongemma.check import MAX_SCHEMA_DEPTH, ONLY_FOR, TOLERATED
from fgbuild.functiongemma.tokens import bare_tool

Schema = dict[str, Any]

_NAMES = {
    **dict.fromkeys(("str", "string", "text"), "string"),
    **dict.fromkeys(("int", "integer", "long"), "integer"),
    **dict.fromkeys(("float", "double", "number"), "number"),
    **dict.fromkeys(("bool", "boolean"), "boolean"),
    **dict.fromkeys(("list", "array", "tuple", "set", "sequence"), "array"),
    **dict.fromkeys(("dict", "object", "map"), "object"),
}
_NOTHING = ("none", "nonetype", "null")
_PARAMETRISED = re.compile(r"(\w+)\s*\[(.*)\]", re.DOTALL)
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


def declared(tools: list[Any]) -> tuple[list[Any], dict[str, str]]:
    """Tools in our shape, each once, and the names that had to change: as given → as it is now.

    A name keeps its letters, digits, `_`, `-` and `.`; what is between them becomes `_`.
    """
    renamed: dict[str, str] = {}
    fitted: list[Any] = []
    for given in tools:
        if isinstance(given, Mapping):
            tool = dict(bare_tool(given))
            name = tool.get("name")
            if isinstance(name, str) and (fit := _fit_name(name)) != name:
                renamed[name] = tool["name"] = fit
            given = _tool(tool)
        if given not in fitted:
            fitted.append(given)
    return fitted, renamed


def _fit_name(name: str) -> str:
    fit = _UNFIT.sub("_", name.strip()).strip("_") if _UNFIT.search(name) else name
    return f"_{fit}" if fit[:1].isdigit() or fit[:1] in ("-", ".") else fit


def _tool(tool: Mapping[str, Any]) -> Schema:
    """What the format has of a tool. ToolACE writes `required` beside the parameters too."""
    parameters = tool.get("parameters")
    if parameters is None:
        parameters = {}
    if isinstance(parameters, Mapping):
        parameters = _parameters(parameters)
        if isinstance(tool.get("required"), list) and not parameters.get("required"):
            parameters["required"] = tool["required"]
    return {"name": tool.get("name"), "description": tool.get("description"), "parameters": parameters}


def _parameters(parameters: Mapping[str, Any]) -> Schema:
    if isinstance(parameters.get("type"), str) or isinstance(parameters.get("properties"), Mapping):
        schema, _ = _schema({"type": "object", **parameters}, "", 1, described=False)
        return schema
    properties, flags = _properties(parameters, 1)
    # xLAM's map of parameters: whatever is neither optional nor has a default must be given.
    required = [name for name in properties if flags.get(name, not _has_default(parameters[name]))]
    return {"type": "object", "properties": properties, "required": required}


def _has_default(schema: Any) -> bool:
    """Whether there is a value to take where none is given; an empty text is written for want of one."""
    return isinstance(schema, Mapping) and schema.get("default") not in (None, "")


def _properties(properties: Mapping[str, Any], depth: int) -> tuple[Schema, dict[str, bool]]:
    """The properties, and of those that say so by themselves whether they are required."""
    fitted: Schema = {}
    required: dict[str, bool] = {}
    for name, given in properties.items():
        if given is None:
            continue
        fitted[name], needed = _schema(given, name, depth + 1)
        if needed is not None:
            required[name] = needed
    return fitted, required


def _schema(given: Any, name: str, depth: int, *, described: bool = True) -> tuple[Any, bool | None]:
    """A parameter's schema, and whether it is required where it says so itself.

    described: whether it needs a description (a parameter does; items and the parameters as a whole do not).
    """
    if not isinstance(given, Mapping) or depth > MAX_SCHEMA_DEPTH:
        return given, None
    schema = {key: value for key, value in given.items() if value is not None}
    required = _take_required(schema)
    kind, optional = _kind(schema)
    schema |= {key: value for key, value in kind.items() if key == "type" or not schema.get(key)}
    if "example" in schema:
        schema.setdefault("examples", [schema.pop("example")])
    if described and not str(schema.get("description", "")).strip():
        schema["description"] = name.replace("_", " ").strip() or name
    _say_enum(schema)
    if schema.get("type") == "array":
        schema["items"] = _items(schema, name, depth)
    if schema.get("type") == "object":
        _fit_object(schema, depth)
    return schema, False if optional and required is None else required


def _take_required(schema: Schema) -> bool | None:
    """Take out `required` or `optional` where it is a flag of the parameter."""
    required: bool | None = None
    if isinstance(schema.get("required"), bool):
        required = schema.pop("required")
    if isinstance(schema.get("optional"), bool):
        required = not schema.pop("optional")
    return required


def _kind(schema: Schema) -> tuple[Schema, bool]:
    """The type, with what else its text says (`items`, `properties`), and whether it says that it is optional."""
    given = schema.get("type")
    if isinstance(given, str):
        return _typed(given)
    if isinstance(given, list) and all(isinstance(member, str) for member in given):
        return _union(given)[0], False  # a null among them says what may be given, not that nothing may be
    if given is None:
        keyword = next((key for key in ("properties", "items", "enum") if key in schema), None)
        return ({"type": ONLY_FOR[keyword]} if keyword else {}), False
    return {"type": given}, False


def _typed(text: str) -> tuple[Schema, bool]:
    """A type as text: `str`, `int, optional`, `Optional[List[int]]`, `dict`, `float | None`, …"""
    first, *notes = _split(text, ",")
    optional = any(note.strip().lower().startswith(("optional", "default")) for note in notes)
    members = _split(first, "|")
    if len(members) > 1:
        schema, may_be_none = _union(members)
        return schema, optional or may_be_none
    word = first.strip()
    if word.lower() in _NAMES:
        return _bare(_NAMES[word.lower()]), optional
    if not (match := _PARAMETRISED.fullmatch(word)):
        return {"type": word.lower()}, optional
    outer, inner = match[1].lower(), _split(match[2], ",")
    if outer == "optional":
        return _typed(match[2])[0], True
    if outer == "union":
        schema, may_be_none = _union(inner)
        return schema, optional or may_be_none
    if _NAMES.get(outer) == "array":
        return {"type": "array", "items": _union([part for part in inner if part.strip() != "..."])[0]}, optional
    return _bare(_NAMES.get(outer, word.lower())), optional


def _bare(kind: str) -> Schema:
    return {"type": kind, "properties": {}} if kind == "object" else {"type": kind}


def _union(members: Iterable[str]) -> tuple[Schema, bool]:
    """Alternatives as one schema, and whether one of them is nothing; integer and number are number."""
    names = [member.strip() for member in members]
    schemas: list[Schema] = []
    for name in names:
        schema = _typed(name)[0] if name.lower() not in _NOTHING else None
        if schema is not None and schema not in schemas:
            schemas.append(schema)
    may_be_none = any(name.lower() in _NOTHING for name in names)
    if {"type": "number"} in schemas and {"type": "integer"} in schemas:
        schemas.remove({"type": "integer"})
    if len(schemas) == 1:
        return schemas[0], may_be_none
    return {"type": [schema["type"] for schema in schemas]}, may_be_none


def _split(text: str, mark: str) -> list[str]:
    """`text` at each `mark` that is in no bracket."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character in "[(") - (character in "])")
        if character == mark and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _say_enum(schema: Schema) -> None:
    """Move a list of values that are no strings into the description: the format prints those of strings alone."""
    values = schema.get("enum")
    if values == []:
        del schema["enum"]
    elif isinstance(values, list) and schema.get("type") != "string":
        del schema["enum"]
        said = f"One of: {', '.join(map(str, values))}."
        schema["description"] = f"{schema['description']} {said}" if schema.get("description") else said


def _items(schema: Schema, name: str, depth: int) -> Any:
    """The schema of an array's items; keywords that only a validator uses would be printed there, and go."""
    items = schema.get("items")
    if not items:
        default = schema.get("default")
        items = {"type": _kind_of(default[0]) if isinstance(default, list) and default else "string"}
    fitted, _ = _schema(items if not isinstance(items, str) else {"type": items}, name, depth + 1, described=False)
    if isinstance(fitted, dict):
        fitted = {key: value for key, value in fitted.items() if key not in TOLERATED}
        if fitted.get("required") == []:
            del fitted["required"]
    return fitted


def _kind_of(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", dict: "object"}
    return kinds.get(type(value), "string")


def _fit_object(schema: Schema, depth: int) -> None:
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        return
    schema["properties"], flags = _properties(properties, depth)
    listed = schema.get("required", [])
    if isinstance(listed, list):
        flagged = [name for name, needed in flags.items() if needed and name not in listed]
        schema["required"] = [name for name in listed if not isinstance(name, str) or flags.get(name, True)] + flagged
