"""Each check's verdict on what was measured, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import TOOLS

from fgbuild.functiongemma import Call, render_call, render_text
from fgbuild.gguf_io import writer
from fgbuild.gguf_io.header import GgufFile, read
from fgbuild.gguf_io.metadata import string, uint32
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.workers.inference.tool_calls import ToolSet
from fgbuild.workers.verifying import checks
from fgbuild.workers.verifying.conversations import conversations, example

SMOKE = {"prompt": "Check a.py.", "tool": "run_ruff", "arguments": {"path": "a.py", "limit": 3}}
RIGHT = render_call("run_ruff", {"path": "a.py", "limit": 3})


def sample(path: Path, architecture: str = "gemma3", file_type: int = 7, kind: TensorType = TensorType.Q8_0) -> Path:
    metadata = {
        "general.architecture": string(architecture),
        "general.file_type": uint32(file_type),
        "tokenizer.ggml.eot_token_id": uint32(106),
        "tokenizer.ggml.eom_token_id": uint32(50),
    }
    blocks = writer.Tensor("w", (32, 4), kind, lambda: [b"\0" * (4 * (34 if kind is TensorType.Q8_0 else 64))])
    writer.write(path, metadata, [blocks])
    return path


def sound(tmp_path: Path) -> GgufFile:
    return read(sample(tmp_path / "m.gguf"))


@pytest.mark.parametrize(
    ("size", "passed", "words"),
    [
        (250_000_000, True, ""),
        (320_000_000, True, ""),
        (249_999_999, False, "below quant.min_mb = 250"),
        (320_000_001, False, "above quant.max_mb = 320"),
    ],
)
def test_size(tmp_path: Path, size: int, passed: bool, words: str) -> None:
    path = tmp_path / "m.gguf"
    with path.open("wb") as stream:
        stream.truncate(size)
    check = checks.size(path, 250, 320)
    assert check.passed is passed
    assert words in check.reason
    assert check.value == round(size / 1e6, 1)
    assert check.expected == "250–320 MB"


def test_a_sound_header(tmp_path: Path) -> None:
    check, file = checks.header(sample(tmp_path / "m.gguf"), "q8_0")
    assert (check.passed, check.value, check.reason) == (True, "gemma3, Q8_0, 1 tensors", "")
    assert file is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "llama"}, "general.architecture is 'llama', not 'gemma3'"),
        ({"file_type": 1}, "general.file_type is 1, not 7"),
        ({"kind": TensorType.F16}, "w is F16, not Q8_0, as are 1 of 1 matrices"),
    ],
)
def test_a_foreign_header(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    check, file = checks.header(sample(tmp_path / "m.gguf", **changes), "q8_0")
    assert not check.passed
    assert words in check.reason
    assert file is not None


@pytest.mark.parametrize(
    ("quant_type", "file_type", "kind", "passed"),
    [
        ("f16", 1, TensorType.F16, True),
        ("q8_0", 7, TensorType.F16, False),
        ("bf16", 32, TensorType.F16, False),
        ("q4_k_m", 15, TensorType.Q8_0, True),
        ("q4_k_m", 15, TensorType.F16, False),
        ("q4_k_m", 7, TensorType.Q8_0, False),
        ("q6_k", 18, TensorType.Q8_0, True),
    ],
)
def test_a_header_is_held_against_the_type_that_was_asked_for(
    tmp_path: Path, quant_type: str, file_type: int, kind: TensorType, passed: bool
) -> None:
    check, _ = checks.header(sample(tmp_path / "m.gguf", file_type=file_type, kind=kind), quant_type)
    assert check.passed is passed, check.reason


@given(st.data())
def test_any_damage_to_a_header_is_a_verdict(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = sample(tmp_path_factory.mktemp("damage") / "m.gguf")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    check, file = checks.header(path, "q8_0")
    assert check.passed <= (file is not None)
    assert check.passed == (not check.reason)


def test_repeat_names_the_prompt_that_changed_its_answer() -> None:
    assert checks.repeat([["a", "a", "a"], ["", "", ""]]).value == "2 prompts, 6 answers"
    check = checks.repeat([["a", "a"], ["b", "b", "c"]])
    assert not check.passed
    assert check.value == "1 of 2 prompts"
    assert check.reason == "prompt 2 gave 'b' and then 'c'"


def test_template_names_the_first_difference() -> None:
    check = checks.template([[2, 5], [2, 7, 9]], [[2, 5], [2, 8, 9]], "", lambda token: f"<{token}>")
    assert not check.passed
    assert check.value == "1 of 2 prompts"
    expected = "prompt 2 of 2: token 1 is 7 ('<7>') by the GGUF's template and 8 ('<8>') in training"
    assert check.reason == expected


def test_template_notices_a_missing_end() -> None:
    check = checks.template([[2]], [[2, 5]], "", str)
    assert not check.passed
    assert "1 tokens by the GGUF's template and 2 in training" in check.reason
    assert checks.template([[2, 5]], [[2, 5]], "", str).value == "1 prompts, 2 tokens"
    assert checks.template([], [[2]], "no template", str).reason == "no template"


@pytest.mark.parametrize(
    ("ends", "words"), [([1, 50, 106], ""), ([1, 106], "does not stop on 50"), ([], "does not stop on 1, 50, 106")]
)
def test_stop_ends(tmp_path: Path, ends: list[int], words: str) -> None:
    check = checks.stop(sound(tmp_path), ends)
    assert check.passed is (not words)
    assert words in check.reason


@pytest.mark.parametrize("key", ["eom", "eot"])
def test_stop_declarations(tmp_path: Path, key: str) -> None:
    file = sound(tmp_path)
    del file.metadata[f"tokenizer.ggml.{key}_token_id"]
    check = checks.stop(file, [1, 50, 106])
    assert not check.passed
    assert f"tokenizer.ggml.{key}_token_id is None" in check.reason
    assert not checks.stop(None, [1, 50, 106]).passed


@pytest.mark.parametrize(
    ("text", "stopped_on", "words"),
    [
        (RIGHT, 50, ""),
        (render_call("run_ruff", {"path": "a.py", "limit": 3, "mode": "full"}), 50, ""),  # more than expected is fine
        ("I cannot.", 106, "0 calls"),
        (RIGHT * 2, 50, "2 calls"),
        (RIGHT, None, "did not stop"),
        (RIGHT[:-30], None, "malformed call"),
        (render_call("undo", {}), 50, "called undo, not run_ruff"),
        (render_call("run_ruff", {"path": "a.py", "limit": "3"}), 50, "does not fit its declaration"),
        (render_call("run_ruff", {"path": "a.py", "limit": 3, "depth": 1}), 50, "does not fit its declaration"),
        (render_call("run_ruff", {"path": "b.py", "limit": 3}), 50, "argument path is 'b.py', not 'a.py'"),
        (render_call("run_ruff", {"path": "a.py"}), 50, "argument limit is missing"),
        ("", 106, "got nothing"),
    ],
)
def test_smoke(text: str, stopped_on: int | None, words: str) -> None:
    check = checks.smoke([SMOKE], [{"text": text, "stopped_on": stopped_on}], ToolSet(TOOLS))
    assert check.passed is (not words)
    assert check.value == ("0 of 1" if words else "1 of 1")
    assert words in check.reason
    if words:
        assert "prompt 'Check a.py.', expected run_ruff{path: 'a.py', limit: 3}, got " in check.reason


def test_smoke_counts_every_prompt_and_names_the_first_failure() -> None:
    answers = [{"text": RIGHT, "stopped_on": 50}, {"text": "No.", "stopped_on": 106}, {"text": RIGHT, "stopped_on": 50}]
    check = checks.smoke([SMOKE] * 3, answers, ToolSet(TOOLS))
    assert (check.passed, check.value) == (False, "2 of 3")
    assert not checks.smoke([SMOKE] * 3, answers[:1], ToolSet(TOOLS)).passed
    assert checks.smoke([], [], ToolSet(TOOLS)).passed


def test_conversations_use_every_tool_with_valid_arguments_and_can_be_rendered() -> None:
    made = conversations(["One.", "Two."], TOOLS)
    assert [len(messages) for messages in made[:2]] == [1, 1]
    text = render_text(made[-1], TOOLS, add_generation_prompt=True)
    for tool in TOOLS:
        call = Call(tool["name"], example(tool["parameters"]))
        assert ToolSet(TOOLS).problem(call) == ""
        assert render_call(call.name, call.arguments) in text
    assert text.endswith("<start_of_turn>model\n")


def test_examples_of_nested_schemas() -> None:
    schema = {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
            "where": {"type": "object", "properties": {"line": {"type": "integer"}, "ok": {"type": "boolean"}}},
            "share": {"type": "number"},
        },
    }
    assert example(schema) == {"tags": ["x", "x"], "where": {"line": 3, "ok": True}, "share": 2.5}
