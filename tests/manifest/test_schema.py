from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from manifest_sample import MANIFEST, PROJECT

from fgbuild.manifest.schema import MODELS, json_schema

REPOSITORY = Path(__file__).parents[2]


TEMPLATES = (REPOSITORY / "examples" / "git" / "templates" / "reading.toml").read_text("utf-8")
WITH_TEMPLATES = (REPOSITORY / "examples" / "git" / "manifests" / "git.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("file", "text"),
    [("manifest", MANIFEST), ("manifest", WITH_TEMPLATES), ("project", PROJECT), ("templates", TEMPLATES)],
)
def test_the_schema_accepts_what_is_good_and_refuses_an_unknown_key(file: str, text: str) -> None:
    schema = json_schema(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    data = tomllib.loads(text)
    assert list(validator.iter_errors(data)) == []
    assert list(validator.iter_errors({**data, "surprise": 1}))


def test_the_project_file_of_the_repository_fits() -> None:
    data = tomllib.loads((REPOSITORY / "fgbuild.toml").read_text("utf-8"))
    jsonschema.Draft202012Validator(json_schema("project")).validate(data)


@pytest.mark.parametrize("file", MODELS)
def test_every_field_is_described(file: str) -> None:
    schema = json_schema(file)
    tables: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    missing = [
        f"{table.get('title')}.{name}"
        for table in tables
        for name, field in table.get("properties", {}).items()
        if not {**schema["$defs"].get(field.get("$ref", "").removeprefix("#/$defs/"), {}), **field}.get("description")
    ]
    assert missing == []
