"""A toy domain that the tiny base can learn: two tools, three devices, requests put together from a few parts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import product
from pathlib import Path

DEVICES = ("lamp", "fan", "radio")
VERBS = {
    "turn_on": ("turn on the {}", "switch on the {}", "put the {} on"),
    "turn_off": ("turn off the {}", "switch off the {}", "put the {} off"),
}
OPENINGS = ("", "please ", "now ")
REFUSED = ("what is the weather", "tell me a joke", "write a poem", "who are you", "sing a song", "what time is it")
SMOKE = ("turn on the radio", "now switch on the fan", "please turn off the lamp", "put the fan off")
"""Requests that the rows hold: what a random model of two million parameters makes of others is luck, which
differs from machine to machine. How a model copes with words it has not seen is measured on the real base."""

NO_THRESHOLDS = """
[eval.thresholds]
call_validity = 0
tool_accuracy = 0
argument_match = 0
abstention_precision = 0
abstention_recall = 0
"""

MANIFEST = """\
schema = 1
name = "toy"
summary = "Turn devices on and off"

[dataset]
generator = "none"
files = ["data/toy.jsonl"]
eval_fraction = 0.02

[[tool]]
name = "turn_on"
description = "Turn a device on."

[tool.parameters]
type = "object"
required = ["device"]
properties.device = { type = "string", description = "Name." }

[[tool]]
name = "turn_off"
description = "Turn a device off."

[tool.parameters]
type = "object"
required = ["device"]
properties.device = { type = "string", description = "Name." }
"""

FGBUILD = """\
schema = 1
default_base = "tiny"

[base.tiny]
kind = "tiny"
seed = 1

[base.tiny.overrides.lora]
r = 32
alpha = 64
target_modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
dropout = 0.0
trainable_tokens = [46, 47, 48, 49, 50, 51, 52]

[base.tiny.overrides.trainer]
batch_size = 16
gradient_accumulation = 1
learning_rate = 3e-3
warmup_steps = 5
precision = "fp32"

[base.tiny.overrides.quant]
min_mb = 1
max_mb = 60
"""


def call(tool: str, device: str) -> dict:
    return {"type": "function", "function": {"name": tool, "arguments": {"device": device}}}


def requests() -> Iterator[tuple[str, str, str]]:
    """(request, tool, device) of every row that makes a call."""
    for tool, verbs in VERBS.items():
        for opening, verb, device in product(OPENINGS, verbs, DEVICES):
            yield f"{opening}{verb.format(device)}", tool, device


def rows() -> list[dict]:
    made = []
    for request, tool, device in requests():
        answer = {"role": "assistant", "tool_calls": [call(tool, device)]}
        made.append({"messages": [{"role": "user", "content": request}, answer]})
    for opening, request in product(OPENINGS, REFUSED):
        answer = {"role": "assistant", "content": "I cannot do that."}
        made.append({"messages": [{"role": "user", "content": f"{opening}{request}"}, answer]})
    return made


def smoke(asked: Collection[str]) -> str:
    blocks = [
        f'[[verify.smoke]]\nprompt = "{request}"\ntool = "{tool}"\narguments = {{ device = "{device}" }}\n'
        for request, tool, device in requests()
        if request in asked
    ]
    return "\n".join(blocks)


def write_project(root: Path, *, steps: int, thresholds: str = "", asked: Collection[str] = SMOKE) -> Path:
    """A project with the toy domain on the tiny base; returns its root.

    steps: of training, with `--profile test`. asked: what verify asks the model, of `SMOKE`.
    """
    (root / "manifests").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "fgbuild.toml").write_text(FGBUILD + f"\n[profile.test.trainer]\nmax_steps = {steps}\n", "utf-8")
    (root / "manifests" / "toy.toml").write_text(f"{MANIFEST}\n{smoke(asked)}\n{thresholds}", "utf-8")
    lines = [json.dumps(row) + "\n" for row in rows()]
    (root / "data" / "toy.jsonl").write_text("".join(lines), "utf-8")
    return root
