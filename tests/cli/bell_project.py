"""A small project with one domain of own data."""

from __future__ import annotations

import json

PROJECT = """
schema = 1
default_base = "tiny"

[base.tiny]
kind = "tiny"
seed = 1

[base.other]
kind = "tiny"
seed = 2
"""

MANIFEST = """
schema = 1
name = "bell"
summary = "Ring a bell"

[dataset]
files = ["data/bell.jsonl"]

[[tool]]
name = "ring"
description = "Ring the bell."

[tool.parameters]
type = "object"

[tool.parameters.properties]
"""


def row(number: int) -> str:
    call = {"type": "function", "function": {"name": "ring", "arguments": {}}}
    messages = [{"role": "user", "content": f"Ring {number}"}, {"role": "assistant", "tool_calls": [call]}]
    return json.dumps({"id": f"bell-{number}", "messages": messages})
