"""Stage verify on real GGUFs: an untrained one, and what is damaged, foreign or altered."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_model import GGUF, SMOKE, Events, job, make_base, manifest, rewritten

from fgbuild.errors import FgbuildError
from fgbuild.functiongemma import chat_template, render_call
from fgbuild.gguf_io import header
from fgbuild.gguf_io.metadata import Scalar, string, strings, uint32
from fgbuild.workers import verify
from fgbuild.workers.bases import template
from fgbuild.workers.digest import sha256
from fgbuild.workers.verifying import process
from fgbuild.workers.verifying.checks import NAMES

EOM = "tokenizer.ggml.eom_token_id"
TEMPLATE = "tokenizer.chat_template"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for one another cost a model this small more than they give."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("tiny") / "base")


def run(
    base: Path, gguf: Path, output: Path, **sections: dict[str, Any]
) -> tuple[bool, dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The verdict, the checks by name, and the events."""
    sections.setdefault("verify", {"smoke": []})
    agent = output.parent / "agent.json"
    if not agent.exists():
        agent.write_text(json.dumps({"model": {"sha256": sha256(gguf)}}))
    events = Events()
    passed = verify.work(
        job("verify", base, output, manifest(**sections), {}, {"gguf": str(gguf), "agent": str(agent)}), events
    )
    report = json.loads((output / "report.json").read_text("utf-8"))
    assert report["passed"] == passed == all(check["passed"] for check in report["checks"])
    assert [check["name"] for check in report["checks"]] == list(NAMES)
    return passed, {check["name"]: check for check in report["checks"]}, events.seen


def failed(checks: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, check in checks.items() if not check["passed"]]


def test_a_sound_file_passes(tiny_base: Path, tmp_path: Path) -> None:
    passed, checks, events = run(tiny_base, tiny_base / GGUF, tmp_path / "out")
    assert passed, checks
    sent = [event for event in events if event["kind"] == "stage.check"]
    assert [event["name"] for event in sent] == list(NAMES)
    assert sum(event["kind"] == "stage.progress" for event in events) >= 1


def test_an_untrained_model_fails_its_smoke_calls_and_nothing_else(tiny_base: Path, tmp_path: Path) -> None:
    passed, checks, _ = run(tiny_base, tiny_base / GGUF, tmp_path / "out", verify={"smoke": SMOKE})
    assert not passed
    assert failed(checks) == ["smoke"]
    assert checks["smoke"]["value"] == "0 of 1"
    assert "expected run_ruff{path: 'src/app.py'}" in checks["smoke"]["reason"]


def test_a_right_answer_passes(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's answer is replaced: what counts here is that a right one reaches a right verdict."""
    real = process.run_probe

    def played(request: Any, timeout: float, memory: float, on_message: Callable[[Any], None]) -> str:
        def exchange(message: dict[str, Any]) -> None:
            if message["step"] == "smoke":
                message |= {"text": render_call("run_ruff", {"path": "src/app.py"}), "stopped_on": 50}
            on_message(message)

        return real(request, timeout, memory, exchange)

    monkeypatch.setattr(verify, "run_probe", played)
    passed, checks, _ = run(tiny_base, tiny_base / GGUF, tmp_path / "out", verify={"smoke": SMOKE})
    assert passed
    assert checks["smoke"]["value"] == "1 of 1"


def test_a_wrong_size(tiny_base: Path, tmp_path: Path) -> None:
    _, checks, _ = run(tiny_base, tiny_base / GGUF, tmp_path / "out", quant={"min_mb": 3})
    assert failed(checks) == ["size"]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_truncated_file(tiny_base: Path, tmp_path: Path, share: float) -> None:
    content = (tiny_base / GGUF).read_bytes()
    gguf = tmp_path / "cut.gguf"
    gguf.write_bytes(content[: int(len(content) * share)])
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out")
    assert {"header", "load"} <= set(failed(checks))
    assert str(gguf) in checks["header"]["reason"]
    assert checks["smoke"]["reason"] == "not reached: load failed"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ({"model": {"sha256": "0" * 64}}, "not 000000000000…: the file was changed"),
        ({"model": {}}, "agent.json names none (KeyError): build the domain again"),
    ],
)
def test_a_file_that_agent_json_does_not_name(
    tiny_base: Path, tmp_path: Path, agent: dict[str, Any], words: str
) -> None:
    (tmp_path / "agent.json").write_text(json.dumps(agent))
    _, checks, _ = run(tiny_base, tiny_base / GGUF, tmp_path / "out")
    assert failed(checks) == ["digest"]
    assert words in checks["digest"]["reason"]


def test_a_flipped_bit_in_the_weights_is_found(tiny_base: Path, tmp_path: Path) -> None:
    gguf = tmp_path / "m.gguf"
    shutil.copyfile(tiny_base / GGUF, gguf)
    (tmp_path / "agent.json").write_text(json.dumps({"model": {"sha256": sha256(gguf)}}))
    weights = header.read(gguf).tensor("blk.0.ffn_up.weight")
    with gguf.open("r+b") as stream:
        stream.seek(weights.offset + weights.nbytes // 2 + 7)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 4]))
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out")
    assert failed(checks) == ["digest"]


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_in_the_header_end_in_a_report(tiny_base: Path, tmp_path: Path, seed: int) -> None:
    content = bytearray((tiny_base / GGUF).read_bytes())
    chosen = random.Random(seed)
    for _ in range(40):
        content[chosen.randrange(4, header.read(tiny_base / GGUF).data_offset)] ^= 1 << chosen.randrange(8)
    gguf = tmp_path / "flipped.gguf"
    gguf.write_bytes(content)
    passed, _, _ = run(tiny_base, gguf, tmp_path / "out")
    assert not passed


@pytest.mark.parametrize("smoke", [SMOKE, []])
def test_damaged_weights_that_give_no_numbers(tiny_base: Path, tmp_path: Path, smoke: list[dict[str, Any]]) -> None:
    gguf = tmp_path / "nan.gguf"
    shutil.copyfile(tiny_base / GGUF, gguf)
    norm = header.read(gguf).tensor("output_norm.weight")
    with gguf.open("r+b") as stream:
        stream.seek(norm.offset)
        stream.write(b"\xff" * norm.nbytes)
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out", verify={"smoke": smoke})
    assert failed(checks) == ["load", "template", "stop", "smoke", "repeat"]
    assert "not numbers" in checks["load"]["reason"]


def test_another_architecture(tiny_base: Path, tmp_path: Path) -> None:
    gguf = rewritten(tiny_base / GGUF, tmp_path / "m.gguf", {"general.architecture": string("llama")})
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out")
    assert failed(checks)[:2] == ["header", "load"]
    assert "'llama', not 'gemma3'" in checks["header"]["reason"]
    assert "llama.cpp cannot load" in checks["load"]["reason"]


def test_a_missing_stop_token(tiny_base: Path, tmp_path: Path) -> None:
    gguf = rewritten(tiny_base / GGUF, tmp_path / "m.gguf", {EOM: None})
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out")
    assert failed(checks) == ["stop"]
    assert f"{EOM} is None" in checks["stop"]["reason"]


def test_the_wrong_stop_token(tiny_base: Path, tmp_path: Path) -> None:
    gguf = rewritten(tiny_base / GGUF, tmp_path / "m.gguf", {EOM: uint32(51)})
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out")
    assert failed(checks) == ["stop"]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (None, "the file has no tokenizer.chat_template"),
        ("{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}", "prompt 1 of 1: token 1"),
        ("{% for %}", "TemplateSyntaxError"),
        ("{{ raise_exception('no tools, please') }}", "no tools, please"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
    ],
)
def test_a_swapped_template(tiny_base: Path, tmp_path: Path, template: str | None, words: str) -> None:
    change = None if template is None else string(template)
    gguf = rewritten(tiny_base / GGUF, tmp_path / "m.gguf", {TEMPLATE: change})
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out")
    assert failed(checks) == ["template"]
    assert words in checks["template"]["reason"]


@pytest.mark.parametrize(
    "change",
    [
        ("{%- elif tools -%}\n    {%- set developer = sentence -%}\n", ""),
        (
            "{%- for message in turns -%}",
            "{%- for x in turns -%}{%- break -%}{%- endfor -%}{%- for message in turns -%}",
        ),
    ],
    ids=["no default sentence", "loop controls"],
)
def test_a_template_of_the_base_s_own_passes(tiny_base: Path, tmp_path: Path, change: tuple[str, str]) -> None:
    ours = chat_template(generation_markers=False)
    assert change[0] in ours
    theirs = ours.replace(*change)
    template.check(theirs, "the base")
    gguf = rewritten(tiny_base / GGUF, tmp_path / "m.gguf", {TEMPLATE: string(theirs)})
    passed, checks, _ = run(tiny_base, gguf, tmp_path / "out", verify={"smoke": []})
    assert passed, checks


def test_a_template_that_never_ends(tiny_base: Path, tmp_path: Path) -> None:
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    gguf = rewritten(tiny_base / GGUF, tmp_path / "m.gguf", {TEMPLATE: string(loop)})
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out", verify={"smoke": [], "timeout_seconds": 3})
    assert failed(checks) == ["template", "stop", "smoke", "repeat"]
    assert checks["template"]["reason"] == "stopped after verify.timeout_seconds = 3"
    assert checks["stop"]["reason"] == "not reached: template failed"


def test_a_vocabulary_of_another_model(tiny_base: Path, tmp_path: Path) -> None:
    tokens = header.read(tiny_base / GGUF).array("tokenizer.ggml.tokens")
    values = tokens.values()
    values[500:600] = reversed(values[500:600])
    gguf = tmp_path / "m.gguf"
    rewritten(tiny_base / GGUF, gguf, {"tokenizer.ggml.tokens": strings(values)})
    _, checks, _ = run(tiny_base, gguf, tmp_path / "out")
    assert "template" in failed(checks)
    assert "in training" in checks["template"]["reason"]


def test_an_artifact_without_exactly_one_gguf_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    empty = tmp_path / "export"
    empty.mkdir()
    with pytest.raises(FgbuildError, match="holds 0 GGUF files"):
        verify.work(job("verify", tiny_base, tmp_path / "out", manifest(), {"export": empty}, {}), Events())


def test_the_ggufs_template_is_ours_without_markers(tiny_base: Path) -> None:
    stored = header.read(tiny_base / GGUF).metadata[TEMPLATE]
    assert isinstance(stored, Scalar)
    assert stored.value == chat_template(generation_markers=False)
