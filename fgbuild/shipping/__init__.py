"""What is shipped in `agents/{domain}/`: the files' names, and the JSON Schema of agent.json."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # not from typing: stages import this package, and so does a build with nothing to do
if TYPE_CHECKING:
    from typing import Any

AGENT_SCHEMA = 1
"""Version of agent.json: raised where a field changes its meaning or goes, and not where one is added."""

AGENT, CARD, MODELFILE, MODELS = "agent.json", "README.md", "Modelfile", "models"


def agent_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of agent.json."""
    with open(os.path.join(os.path.dirname(__file__), "agent.schema.json"), encoding="utf-8") as stream:
        schema: dict[str, Any] = json.load(stream)
    return schema
