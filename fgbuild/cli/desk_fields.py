"""The keys of `fgbuild.toml` and of a manifest in words, from their JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbuild.manifest.schema import json_schema
from fgbuild.root import PROJECT_FILE
from fgbuild.views.tui.desk import Field

Schema = Mapping[str, Any]
_DEEPEST = 8
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
    "null": "nothing",
}
_NOUNS = ("text", "whole number", "number", "table", "list")


def fields(root: Path, path: Path) -> dict[str, Field]:
    """Every key that the file may hold, by dotted name: `lora.r`, `tool[].name`, `slots.*.file`."""
    schema = json_schema("project" if path == root / PROJECT_FILE else "manifest")
    return dict(_walk(schema, schema["$defs"], "", 0))


def _walk(schema: Schema, shared: Mapping[str, Schema], name: str, depth: int) -> Iterator[tuple[str, Field]]:
    """The fields inside a schema: of a table, of the tables of a list, of each of its alternatives."""
    schema = _resolved(schema, shared)
    if depth > _DEEPEST:
        return
    for key, inner in schema.get("properties", {}).items():
        dotted = f"{name}.{key}" if name else key
        yield dotted, _field(inner, shared)
        yield from _walk(inner, shared, dotted, depth + 1)
    named = list(schema.get("patternProperties", {}).values())  # tables whose keys are the user's
    named += [others] if isinstance(others := schema.get("additionalProperties"), dict) else []
    for others in named:
        yield f"{name}.*", _field(others, shared)
        yield from _walk(others, shared, f"{name}.*", depth + 1)
    if "items" in schema:
        yield from _walk(schema["items"], shared, f"{name}[]", depth + 1)
    for option in schema.get("anyOf", schema.get("oneOf", ())):
        yield from _walk(option, shared, name, depth + 1)


def _resolved(schema: Schema, shared: Mapping[str, Schema]) -> Schema:
    """A schema with what it refers to; its own words take precedence."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return {**shared[name], **schema} if name in shared else schema


def _field(schema: Schema, shared: Mapping[str, Schema]) -> Field:
    schema = _resolved(schema, shared)
    default = schema.get("default")
    shown = "" if default is None or isinstance(default, dict) else json.dumps(default, ensure_ascii=False)
    return Field(_kind(schema, shared), shown, " ".join(str(schema.get("description", "")).split()))


def _kind(schema: Schema, shared: Mapping[str, Schema]) -> str:
    """A type with its range: `whole number 1–1024`, `"cosine", "linear" or "constant"`."""
    schema = _resolved(schema, shared)
    if options := schema.get("anyOf", schema.get("oneOf")):
        kinds = dict.fromkeys(_kind(option, shared) for option in options if option.get("type") != "null")
        return " or ".join(kinds)
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return _alternatives([json.dumps(value, ensure_ascii=False) for value in schema["enum"]])
    kind = str(schema.get("type", "value"))
    if kind == "array":
        inner = _kind(schema["items"], shared) if "items" in schema else "values"
        return f"list of {_many(inner)}"
    if (only := schema.get("minimum")) is not None and only == schema.get("maximum"):
        return str(only)
    return " ".join(filter(None, [_WORDS.get(kind, kind), _range(schema)]))


def _many(kind: str) -> str:
    """`tables`, `whole numbers at least 0`; of alternatives, each is one."""
    noun = next((noun for noun in _NOUNS if f"{kind} ".startswith(f"{noun} ")), "")
    return f"{noun}s{kind[len(noun) :]}" if noun and " or " not in kind else kind


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{low}–{high}"
    words = (("at least", low), ("above", above), ("at most", high), ("below", below))
    return ", ".join(f"{word} {number}" for word, number in words if number is not None)


def _alternatives(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
