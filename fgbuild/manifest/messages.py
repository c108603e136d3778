"""pydantic's complaints in the words of someone who edits TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fgbuild.manifest.toml_lines import KeyPath

_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("greater than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def explain(error: Mapping[str, Any], schema: dict[str, Any]) -> tuple[KeyPath, str]:
    """One of `ValidationError.errors()` as (key path, message). schema: the model's JSON Schema."""
    path, node = _locate(error["loc"], schema)
    return path, _message(error, path, node, schema)


def _message(error: Mapping[str, Any], path: KeyPath, node: dict[str, Any], schema: dict[str, Any]) -> str:
    kind, value, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind == "extra_forbidden":
        known = list(node.get("properties", {}))
        return "unknown key" + (did_you_mean(str(path[-1]), known) or f"; known here: {', '.join(known)}")
    if kind == "missing":
        return f"is missing; add {path[-1]} = …"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {shown(value)}"
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        if node.get("minimum") is not None and node.get("minimum") == node.get("maximum"):
            return f"must be {node['minimum']}, not {shown(value)}"
        return f"must be {words} {context[name]:.10g}, not {shown(value)}"
    if kind == "literal_error":
        choices = node.get("enum") or [node["const"]]
        return f"must be {_choice(choices)}, not {shown(value)}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        given = value.get("kind") if isinstance(value, dict) else None
        kinds = list(node.get("discriminator", {}).get("mapping", {}))
        return f"kind must be {_choice(kinds)}" + (f", not {shown(given)}" if given is not None else "; add kind = …")
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} does not fit; {_pattern_words(context['pattern'])}"
    if kind in ("string_too_short", "too_short"):
        return "must not be empty"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind == "value_error":
        return str(context["error"])
    return str(error["msg"])


def _locate(loc: tuple[str | int, ...], schema: dict[str, Any]) -> tuple[KeyPath, dict[str, Any]]:
    """The key path of an error, and the schema of that value (for an unknown key: of its table).

    pydantic's location has parts that are not in the file: the kind of a base, `[key]`.
    """
    path: KeyPath = ()
    node = schema
    for part in loc:
        node = _resolved(node, schema)
        if part == "[key]":
            continue
        if part in node.get("discriminator", {}).get("mapping", {}):
            node = {"$ref": node["discriminator"]["mapping"][part]}
            continue
        path += (part,)
        if isinstance(part, int):
            node = node.get("items", {})
        elif part in node.get("properties", {}):
            node = node["properties"][part]
        elif isinstance(node.get("additionalProperties"), dict):
            node = node["additionalProperties"]
        elif isinstance(node.get("patternProperties"), dict):
            node = next(iter(node["patternProperties"].values()))
    return path, _resolved(node, schema)


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references; of an optional value, the schema of one that is there."""
    while "$ref" in node or "anyOf" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else node["anyOf"][0]
    return node


def did_you_mean(name: str, known: list[str]) -> str:
    """` (did you mean "lint"?)`, or "" where nothing is close."""
    close = get_close_matches(name, known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _choice(values: list[Any]) -> str:
    quoted = [f'"{value}"' if isinstance(value, str) else str(value) for value in values]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


def _pattern_words(pattern: str) -> str:
    if "/" in pattern:
        return "write owner/name"
    alone = pattern.replace("a-z", "").replace("0-9", "")
    others = "digits, _, - and ." if "-" in alone else "digits and _"
    return f"use lower-case letters, {others}, a letter first"


def shown(value: Any) -> str:
    """A value as TOML would write it, short enough for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    # JSON and TOML escape the same characters in text.
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
