"""agent.json and the model card, before and after an evaluation, and the Modelfile."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from shipped_sample import REPORT, place, shipped

from fgbuild.shipping import agent_schema
from fgbuild.workers.exporting import evaluated, modelfile
from fgbuild.workers.publishing.parcel import schema_problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return place(tmp_path / "lint").parent.parent


def agent(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "agent.json").read_text("utf-8"))


def test_agent_json_is_what_its_schema_says(folder: Path) -> None:
    Draft202012Validator.check_schema(agent_schema())
    found = agent(folder)
    assert schema_problem(found) == ""
    assert found["accuracy"] is None
    assert found["base"] == {"name": "Gemma 3 270m", "revision": "package==1.0.0", "repo": "google/gemma-3-270m"}


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("schema", 2, "schema"),
        ("model", {"file": "a.gguf"}, "model"),
        ("stop_ids", [], "stop_ids"),
        ("tools", [{"name": "a"}], "tools.0"),
        ("accuracy", {"examples": 3, "scores": {"tool_accuracy": 97}, "thresholds": {}}, "accuracy"),
    ],
)
def test_the_schema_refuses_what_a_runner_could_not_use(folder: Path, field: str, value: Any, where: str) -> None:
    broken = {**agent(folder), field: value}
    assert schema_problem(broken).startswith(f"{where}")
    missing = {name: each for name, each in agent(folder).items() if name != field}
    assert f"'{field}' is a required property" in schema_problem(missing)


def test_an_evaluation_is_put_into_both_files(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "eval"
    output.mkdir()
    before = agent(folder)
    evaluated.finish(folder, output, REPORT)
    after = agent(output)
    assert schema_problem(after) == ""
    assert {**after, "accuracy": None} == before
    assert after["accuracy"] == {
        "examples": 60,
        "prompts": 25,
        "scores": {name: REPORT[name] for name in evaluated.LABELS},
        "thresholds": REPORT["thresholds"],
    }
    card = ModelCard((output / "README.md").read_text("utf-8"))
    assert evaluated.NOT_EVALUATED not in card.text
    assert "| Right tools | 96.4% | 85.0% |" in card.text
    assert "| Abstention precision |  |  |" in card.text
    assert "60 held-out conversations and 25 prompts written by hand" in card.text
    results = {result.metric_type: result.metric_value for result in card.data.eval_results or []}
    assert results == {name: REPORT[name] for name in evaluated.LABELS if REPORT[name] is not None}
    unfinished = ModelCard((folder / "README.md").read_text("utf-8"))
    for heading in ("## Tools", "## Data", "## Training", "## Licence"):
        assert _section(card.text, heading) == _section(unfinished.text, heading)


def _section(text: str, heading: str) -> str:
    return text.partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def test_the_card_before_an_evaluation_claims_none(folder: Path) -> None:
    card = ModelCard((folder / "README.md").read_text("utf-8"))
    assert evaluated.NOT_EVALUATED in card.text
    assert not card.data.eval_results
    assert (card.data.license, card.data.base_model, card.data.language) == ("gemma", "google/gemma-3-270m", ["en"])
    assert "| conversations | 1,380 | 120 |" in card.text
    assert "0.8% of the held-out requests are near copies" in card.text
    assert "LoRA: rank 16, alpha 32, on q_proj, v_proj" in card.text


def test_speed_and_whatever_else_differs_from_run_to_run_is_left_out() -> None:
    slower = {**REPORT, "seconds": 99.0, "decode_tokens_per_s": 1.5}
    assert evaluated.accuracy(slower) == evaluated.accuracy(REPORT)


def test_the_modelfile_has_what_ollama_needs() -> None:
    text = modelfile.modelfile(shipped())
    lines = text.splitlines()
    assert "FROM ./models/lint_functiongemma_q8.gguf" in lines
    for line in ("PARSER functiongemma", "PARAMETER temperature 0", "PARAMETER repeat_penalty 1"):
        assert line in lines
    assert text.count('"""') == 2
    assert "{{ SENTENCE }}" not in text
    assert 'declaration:run_ruff{description:<escape>Check a file, \\"quietly\\" or not.<escape>' in text


@given(st.text())
def test_a_go_string_ends_no_template(text: str) -> None:
    made = modelfile.go_string(text)
    assert '"""' not in made
    assert "\n" not in made
    assert json.loads(made) == text


@pytest.mark.skipif(shutil.which("go") is None, reason="needs a Go compiler")
def test_the_template_prints_what_our_renderer_does(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    script = Path(__file__).parents[3] / "benchmarks" / "ollama_template" / "check.py"
    monkeypatch.setattr(sys, "argv", [str(script)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    assert ended.value.code == 0, capsys.readouterr().out


def test_schema_agent_prints_the_schema() -> None:
    command = [sys.executable, "-m", "fgbuild", "schema", "--agent"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == agent_schema()
