"""Priming a base: trained once, merged into the weights, the same bytes however it was interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fgbuild.functiongemma.tokens import CONTROL_TOKENS
from fgbuild.workers import base
from fgbuild.workers.bases import gemma, primer
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.jsonl import read_jsonl, write_jsonl
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.training import run as training_run
from fgbuild.workers.training.callbacks import ReportingCallback

STEPS = 3
EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rows of two toolsets with short tools: the tiny tokenizer spells most words letter by letter."""
    kept, counts = [], dict.fromkeys(("lint", "test"), 0)
    for entry in read_jsonl(primer.ROWS):
        if entry["toolset"] in counts and ("tools" in entry or counts[entry["toolset"]] < 12):
            counts[entry["toolset"]] += "tools" not in entry
            kept.append({**entry, "tools": entry["tools"][:2]} if "tools" in entry else entry)
    write_jsonl(tmp_path / "rows.jsonl", kept)
    monkeypatch.setattr(primer, "ROWS", tmp_path / "rows.jsonl")
    monkeypatch.setattr(primer, "TRAINER", {**primer.TRAINER, "precision": "fp32", "batch_size": 4})
    monkeypatch.setattr(primer, "_MAX_LENGTH", 100_000)
    monkeypatch.setattr(training_run, "CHECKPOINT_EVERY", 1)


def job(root: Path, **entry: object) -> Job:
    (root / "out").mkdir(parents=True, exist_ok=True)
    manifest = {"name": "tiny", "kind": "tiny", "seed": 1, **entry}
    return Job("base", "base", None, manifest, {}, root / "out", root / "state", root, {})


def run(root: Path, **entry: object) -> dict[str, bytes]:
    made = job(root, **entry)
    base.run(made, Reporter("base"))
    return {path.name: path.read_bytes() for path in made.output.iterdir()}


def test_the_adapter_is_in_the_weights_and_nothing_else_changes(tmp_path: Path) -> None:
    plain, made = run(tmp_path / "plain"), run(tmp_path / "primed", primer_steps=STEPS)
    assert plain.keys() == made.keys()
    before, after = (SafetensorsFile(tmp_path / name / "out" / "model.safetensors") for name in ("plain", "primed"))
    for name in before.entries.keys() - {EMBEDDING}:
        assert np.array_equal(before.bf16(name), after.bf16(name)) == gemma.is_norm(name), name
    changed = (before.bf16(EMBEDDING) != after.bf16(EMBEDDING)).any(1).nonzero()[0]
    assert set(changed.tolist()) <= set(primer.LORA["trainable_tokens"])
    assert changed.size
    facts = json.loads(made["base.json"])["primer"]
    assert facts["steps"] == STEPS
    assert "primer" not in json.loads(plain["base.json"])
    assert made["base_q8_0.gguf"] != plain["base_q8_0.gguf"]


def test_a_priming_that_was_killed_ends_with_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = run(tmp_path / "straight", primer_steps=STEPS)

    class Killed(Exception):
        pass

    def on_step_end(self: object, args: object, state: object, control: object, **_: object) -> None:
        if state.global_step == 2:  # type: ignore[attr-defined]
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ReportingCallback, "on_step_end", on_step_end)
        with pytest.raises(Killed):
            run(tmp_path / "killed", primer_steps=STEPS)
    assert run(tmp_path / "killed", primer_steps=STEPS) == straight


def test_the_rows_that_ship_are_sound() -> None:
    rows = read_jsonl(Path(primer.__file__).with_name("primer.jsonl"))
    toolsets = {entry["toolset"]: {tool["name"] for tool in entry["tools"]} for entry in rows if "tools" in entry}
    examples = [entry for entry in rows if "tools" not in entry]
    assert len(examples) >= 8 * 120, "fewer than the default's steps need"
    called = set()
    for entry in examples:
        for message in entry["messages"]:
            for call in message.get("tool_calls", ()):
                assert call["function"]["name"] in toolsets[entry["toolset"]]
                called.add(call["function"]["name"])
        assert not any(token in json.dumps(entry) for token in CONTROL_TOKENS.values())
    assert called == set().union(*toolsets.values())
