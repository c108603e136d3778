"""JSON Schema of the TOML files, for editors that complete and check them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from fgbuild.manifest.models import Manifest
from fgbuild.manifest.project_models import ProjectFile
from fgbuild.manifest.template_models import TemplateFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


MODELS: dict[str, type[BaseModel]] = {"manifest": Manifest, "project": ProjectFile, "templates": TemplateFile}


def json_schema(file: str = "manifest") -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a kind of file, by name in `MODELS`."""
    return {"$schema": DIALECT, **MODELS[file].model_json_schema()}
