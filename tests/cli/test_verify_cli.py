"""`fgbuild verify`, `eval` and `call` on a project with a real, untrained GGUF in place."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fgbuild.cli import call, chat, eval, shipped, verify
from fgbuild.cli.desk import ProjectDesk
from fgbuild.errors import FgbuildError
from fgbuild.manifest import resolve_project
from fgbuild.views.tui.desk import Variant
from fgbuild.workers import base
from fgbuild.workers.digest import sha256
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.verifying.checks import NAMES

PROJECT = 'schema = 1\ndefault_base = "tiny"\n\n[base.tiny]\nkind = "tiny"\n'
MANIFEST = """
schema = 1
name = "{name}"

[dataset]
files = ["rows.jsonl"]

[[tool]]
name = "greet"
description = "Greet someone."

[tool.parameters]
type = "object"
required = ["who"]

[tool.parameters.properties]
who = {{ type = "string", description = "Name." }}

[quant]
min_mb = 1
max_mb = 4

[verify]
smoke = [{smoke}]

[eval]
max_tokens = 6

[eval.thresholds]
call_validity = 0.0
tool_accuracy = {threshold}
argument_match = 0.0
abstention_precision = 0.0
abstention_recall = 0.0
"""
SMOKE = '{ prompt = "Greet Ada.", tool = "greet", arguments = { who = "Ada" } }'
ROW = {
    "id": "a-1",
    "scenario": "greet",
    "messages": [
        {"role": "user", "content": "Greet Bo."},
        {"role": "assistant", "tool_calls": [{"function": {"name": "greet", "arguments": {"who": "Bo"}}}]},
    ],
}


GREET = {
    "name": "greet",
    "description": "Greet someone.",
    "parameters": {
        "type": "object",
        "required": ["who"],
        "properties": {"who": {"type": "string", "description": "Name."}},
    },
}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for one another cost a model this small more than they give."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reporter, "emit", lambda *_, **__: None)
        entry = {"name": "tiny", "kind": "tiny", "seed": 1}
        base.run(Job("base", "base", None, entry, {}, directory, directory, directory, {}), Reporter("base"))
    return directory


@pytest.fixture
def root(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three domains: `good` passes, `strict` fails its gates, `unbuilt` has no GGUF."""
    (tmp_path / "fgbuild.toml").write_text(PROJECT, "utf-8")
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW) + "\n", "utf-8")
    (tmp_path / "manifests").mkdir()
    for name, smoke, threshold in (("good", "", 0.0), ("strict", SMOKE, 0.9), ("unbuilt", "", 0.0)):
        text = MANIFEST.format(name=name, smoke=smoke, threshold=threshold)
        (tmp_path / "manifests" / f"{name}.toml").write_text(text, "utf-8")
    for name in ("good", "strict"):
        models = tmp_path / "agents" / name / "models"
        models.mkdir(parents=True)
        shutil.copyfile(tiny_base / "base_q8_0.gguf", models / f"{name}_functiongemma_q8.gguf")
        shipped_as = {"model": {"sha256": sha256(tiny_base / "base_q8_0.gguf")}, "tools": [GREET]}
        (models.parent / "agent.json").write_text(json.dumps(shipped_as), "utf-8")
    split = tmp_path / "split"
    split.mkdir()
    (split / "eval.jsonl").write_text(json.dumps(ROW) + "\n", "utf-8")

    def artifact(project: Any, stage: str) -> Path | None:
        return {"base": tiny_base, "good:generate": split, "strict:generate": split}.get(stage)

    monkeypatch.setattr(shipped, "artifact", artifact)
    monkeypatch.setattr(eval, "artifact", artifact)
    return tmp_path


def run(command: ModuleType, root: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args(arguments)
    args.root = root
    return command.run(args)


def test_verify_prints_the_documented_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit = root / "report.xml"
    assert run(verify, root, "good", "strict", "--json", "--junit", str(junit)) == 3
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["passed"] is False
    good, strict = document["domains"]["good"], document["domains"]["strict"]
    assert good["passed"] is True
    assert good["path"] == "agents/good/models/good_functiongemma_q8.gguf"
    assert [check["name"] for check in good["checks"]] == list(NAMES)
    assert good["checks"][0] == {
        "name": "size",
        "passed": True,
        "value": 2.2,
        "expected": "1–4 MB",
        "reason": "",
    }
    assert [check["name"] for check in strict["checks"] if not check["passed"]] == ["smoke"]
    assert "✓ size" in err
    assert "✗ smoke" in err
    suites = ElementTree.parse(junit).getroot()
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites] == [
        ("good", "8", "0"),
        ("strict", "8", "1"),
    ]
    assert suites.find("testsuite[@name='strict']/testcase[@name='smoke']/failure") is not None


def test_verify_says_in_words_what_failed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verify, root, "good") == 0
    assert capsys.readouterr().out == "good: passed\n"


def test_verify_does_not_trust_what_it_found_before(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verify, root, "good") == 0
    gguf = root / "agents/good/models/good_functiongemma_q8.gguf"
    gguf.write_bytes(gguf.read_bytes()[:1_500_000])
    assert run(verify, root, "good") == 3
    assert capsys.readouterr().out.splitlines()[-1].startswith("good: failed: digest, header, load")


@pytest.mark.parametrize("command", [verify, eval])
@pytest.mark.parametrize("arguments", [("--all",), ()])
def test_missing_models_are_all_named(root: Path, command: ModuleType, arguments: tuple[str, ...]) -> None:
    shutil.rmtree(root / "agents" / "good")
    with pytest.raises(FgbuildError) as caught:
        run(command, root, *arguments)
    assert str(caught.value) == (
        "good has no GGUF at agents/good/models/good_functiongemma_q8.gguf, "
        "unbuilt has no GGUF at agents/unbuilt/models/unbuilt_functiongemma_q8.gguf; "
        "run `fgbuild build good unbuilt`"
    )
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("command", [verify, eval])
def test_bad_selections_are_refused(root: Path, command: ModuleType) -> None:
    with pytest.raises(FgbuildError, match=r"no domain 'lnt'; choose from good, strict, unbuilt"):
        run(command, root, "lnt")
    with pytest.raises(FgbuildError, match="exclude each other"):
        run(command, root, "--all", "good")


def test_without_a_base_the_next_step_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "artifact", lambda project, stage: None)
    with pytest.raises(FgbuildError, match="fgbuild build --until base"):
        run(verify, root, "good")


def test_junit_in_a_missing_directory_is_a_clear_error(root: Path) -> None:
    with pytest.raises(FgbuildError, match="--junit"):
        run(verify, root, "good", "--junit", str(root / "none" / "report.xml"))


def test_eval_prints_the_documented_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(eval, root, "good", "strict", "--against", "base", "--json") == 3
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is False
    good = document["domains"]["good"]
    documented = ("examples", "call_validity", "tool_accuracy", "argument_match", "sequence_accuracy")
    for report in (good, good["base"]):
        assert report["examples"] == 1
        assert set(report) >= {*documented, "abstention_precision", "abstention_recall", "decode_tokens_per_s"}
    assert good["tool_accuracy"] == good["base"]["tool_accuracy"] == 0.0
    assert good["passed"] is True
    assert document["domains"]["strict"]["passed"] is False
    assert "passed" not in good["base"]


def test_a_second_eval_remembers_the_first(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(eval, root, "good", "--json") == 0
    first = json.loads(capsys.readouterr().out)["domains"]["good"]
    assert run(eval, root, "good", "--json") == 0
    assert json.loads(capsys.readouterr().out)["domains"]["good"] == first  # "seconds" would differ
    assert [path.name for path in (root / "cache" / "eval").iterdir()] == [f"{first['key']}.json"]


def test_evals_table_names_what_is_below_its_threshold(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(eval, root, "strict") == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["examples", "valid"]
    assert lines[-1] == "strict: tool_accuracy is 0.000, below eval.thresholds.tool_accuracy = 0.9"


def test_call_prints_json_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call, root, "good", "Greet Ada, please.", "--json", "--max-tokens", "5") == 0
    out = capsys.readouterr().out
    answer = json.loads(out)
    assert out.count("\n") == 1
    assert set(answer) >= {"calls", "text", "stopped_on", "seconds"}
    assert answer["calls"] == []
    assert run(call, root, "good", "Greet Ada, please.", "--max-tokens", "5") == 0
    assert capsys.readouterr().out.startswith("{\n")


def test_call_declares_the_tools_that_were_shipped(root: Path) -> None:
    model = shipped.shipped_model(resolve_project(root), "good")
    assert [tool["name"] for tool in call.shipped_tools(model)] == ["greet"]
    agent = root / "agents" / "good" / "agent.json"
    agent.write_text(json.dumps({"tools": [{"name": "other", "description": "d"}]}), "utf-8")
    assert [tool["name"] for tool in call.shipped_tools(model)] == ["other"]
    agent.write_text("{", "utf-8")
    with pytest.raises(FgbuildError, match=r"agent\.json.*fgbuild build good"):
        call.shipped_tools(model)


@pytest.mark.parametrize(("prompt", "words"), [("  ", "PROMPT is empty"), ("a<end_of_turn>b", "end_of_turn")])
def test_prompts_that_cannot_be_asked(root: Path, prompt: str, words: str) -> None:
    with pytest.raises(FgbuildError, match=words) as caught:
        run(call, root, "good", prompt)
    assert caught.value.exit_code == 2


def test_call_with_a_broken_model_is_an_error_and_no_traceback(root: Path) -> None:
    (root / "agents/good/models/good_functiongemma_q8.gguf").write_bytes(b"GGUF" * 100)
    with pytest.raises(FgbuildError, match=r"llama\.cpp cannot load") as caught:
        run(call, root, "good", "Greet Ada.")
    assert caught.value.exit_code == 1


def test_the_dashboard_asks_in_a_thread_and_nothing_is_printed(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    desk = ProjectDesk(root)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(desk.call, "good", "Greet Ada, please.", Variant()).result()
    assert set(answer) >= {"calls", "text", "stopped_on", "seconds"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("domain", "variant", "words"),
    [
        ("unbuilt", Variant(), r"unbuilt has no GGUF at .*; run `fgbuild build unbuilt`"),
        ("nobody", Variant(), "there is no domain 'nobody'"),
        ("good", Variant(base="gone"), "gone"),
    ],
)
def test_what_the_dashboard_cannot_ask_is_a_sentence(root: Path, domain: str, variant: Variant, words: str) -> None:
    with pytest.raises(FgbuildError, match=words):
        ProjectDesk(root).call(domain, "Greet Ada.", variant)


def test_a_full_disk_is_a_sentence_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(root / "nowhere"))
    with pytest.raises(FgbuildError, match=r"nowhere.*; put that right and ask again"):
        ProjectDesk(root).call("good", "Greet Ada.", Variant())


def test_an_answer_that_is_not_wanted_any_more_is_not_waited_for(root: Path) -> None:
    started = time.monotonic()
    with pytest.raises(FgbuildError, match="stopped before it had an answer"):
        ProjectDesk(root).call("good", "Greet Ada.", Variant(), lambda: True)
    assert time.monotonic() - started < 10


def test_a_domain_without_tools_that_can_be_run_has_no_chat(root: Path) -> None:
    with pytest.raises(FgbuildError, match=r"good: dataset\.generator = 'none' has no tools .* use `fgbuild call`"):
        run(chat, root, "good", "Greet Ada.")


def test_a_chat_is_told_in_words() -> None:
    function = {"name": "fix_lint", "arguments": {"path": "a.py"}}
    told = [
        {"role": "user", "content": "Fix a.py."},
        {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]},
        {"role": "tool", "content": [{"name": "fix_lint", "response": {"fixed": 1}}]},
        {"role": "assistant", "content": "Fixed 1 problem."},
        {"changed": {"a.py": "-x\n+y\n"}},
        {"role": "assistant", "fault": "it did not stop", "raw": "a"},
    ]
    assert [line for message in told for line in chat._told(message)] == [
        "» Fix a.py.",
        '→ fix_lint {"path": "a.py"}',
        '← {"fixed": 1}',
        "« Fixed 1 problem.",
        "± a.py",
        "-x",
        "+y",
        "✗ it did not stop",
    ]


def test_the_commands_themselves_stay_light() -> None:
    heavy = {"torch", "transformers", "llama_cpp", "numpy", "tokenizers", "jsonschema"}
    script = "import sys, fgbuild.cli.verify, fgbuild.cli.eval, fgbuild.cli.call; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)
