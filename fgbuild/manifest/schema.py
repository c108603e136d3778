"""JSON Schema of the TOML files, for editors that complete and check them."""

from __future__ import annotations

from typing import Any

from fgbuild.manifest.models import Manifest, ProjectFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(*, project: bool = False) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a manifest, or of `fgbuild.toml`."""
    model = ProjectFile if project else Manifest
    return {"$schema": DIALECT, **model.model_json_schema()}
