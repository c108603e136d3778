"""The whole pipeline for real, on the tiny base: generate, train, export, load in llama.cpp, verify, eval.

One model has learnt the toy domain and passes; one has not, and fails for the right reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from toy_domain import NO_THRESHOLDS, write_project

STAGES = ["generate", "tokenize", "train", "export", "verify", "eval"]


def fgbuild(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # One thread: with matrices this small, a second one costs more than it does.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-m", "fgbuild", "--root", str(root), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)


def build(root: Path, *arguments: str) -> tuple[int, list[dict]]:
    done = fgbuild(root, "build", "--all", "--headless", "--json", "--profile", "test", *arguments)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory) -> Path:
    root = write_project(tmp_path_factory.mktemp("learnt"), steps=100, thresholds=NO_THRESHOLDS)
    code, events = build(root)
    told = [event for event in events if event["kind"] in ("stage.failed", "stage.check")]
    assert code == 0, [event for event in told if not event.get("passed")]
    assert set(events[-1]["ran"]) == {"base", *(f"toy:{stage}" for stage in STAGES)}
    return root


def test_the_model_is_shipped_with_its_agent_file_and_card(learnt):
    agent = learnt / "agents" / "toy"
    assert (agent / "models" / "toy_functiongemma_q8.gguf").read_bytes()[:4] == b"GGUF"
    described = json.loads((agent / "agent.json").read_text("utf-8"))
    assert {tool["name"] for tool in described["tools"]} == {"turn_on", "turn_off"}
    assert described["stop_ids"] == [1, 106, 50]
    assert "Gemma" in (agent / "README.md").read_text("utf-8")


def test_verify_passes_on_the_shipped_file(learnt):
    done = fgbuild(learnt, "verify", "--all", "--json", "--profile", "test")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["passed"] is True
    checks = {check["name"]: check for check in report["domains"]["toy"]["checks"]}
    assert {"size", "load", "template", "stop", "smoke"} <= checks.keys()
    assert all(check["passed"] for check in checks.values())


def test_call_prints_the_tool_call_as_json(learnt):
    done = fgbuild(learnt, "call", "toy", "turn on the radio", "--json", "--profile", "test")
    answer = json.loads(done.stdout)
    assert answer["calls"] == [{"name": "turn_on", "arguments": {"device": "radio"}}]
    assert answer["stopped_on"] == 50


def test_eval_has_the_promised_shape(learnt):
    done = fgbuild(learnt, "eval", "--all", "--json", "--profile", "test")
    shares = json.loads(done.stdout)["domains"]["toy"]
    assert done.returncode == 0
    assert shares["examples"] >= 1
    assert 0 <= shares["call_validity"] <= 1


def test_nothing_runs_the_second_time_and_a_rank_reruns_train_and_below(learnt):
    code, events = build(learnt)
    assert code == 0
    assert events[-1]["ran"] == []
    manifest = learnt / "manifests" / "toy.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text + "\n[lora]\nr = 16\n", "utf-8")
    planned = json.loads(fgbuild(learnt, "plan", "--all", "--json", "--profile", "test").stdout)["stages"]
    manifest.write_text(text, "utf-8")
    running = {stage["id"]: stage for stage in planned if stage["action"] == "run"}
    assert set(running) == {"toy:train", "toy:export", "toy:verify", "toy:eval"}
    reason = running["toy:train"]["reasons"][0]
    assert (reason["component"], reason["old"], reason["new"]) == ("lora.r", 32, 16)


def test_a_model_that_has_not_learnt_fails_its_smoke_calls(tmp_path):
    root = write_project(tmp_path / "unlearnt", steps=2, thresholds=NO_THRESHOLDS)
    code, events = build(root)
    assert code == 3
    checks = {event["name"]: event["passed"] for event in events if event["kind"] == "stage.check"}
    assert checks["smoke"] is False
    assert all(passed for name, passed in checks.items() if name != "smoke")
    assert "toy:verify" in events[-1]["failed"]


def test_training_with_the_same_seed_gives_the_same_adapter(learnt, tmp_path):
    root = write_project(tmp_path / "again", steps=100, thresholds=NO_THRESHOLDS)
    code, _ = build(root, "--until", "train")
    assert code == 0
    adapters = [next((top / "cache" / "store").glob("*/adapter_model.safetensors")) for top in (learnt, root)]
    assert adapters[0].read_bytes() == adapters[1].read_bytes()
