from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from export_sample import TOKENS, TOOL, export_job, peft_model

from fgbuild.errors import FgbuildError, StageError
from fgbuild.gguf_io import header
from fgbuild.workers import export
from fgbuild.workers.protocol import Job, Reporter

MODEL = "clock_functiongemma_q8.gguf"
IDS = [2, 105, 48, 500, 900, 1300, 2000, 3500, 106, 107, 46, 52]

FAKE_CONVERTER = """
import json, sys
from pathlib import Path
from fgbuild.gguf_io.metadata import string
from fgbuild.workers.bases.artifact import Meter, write_gguf
from fgbuild.workers.protocol import Reporter
source, _, out, _, kind = sys.argv[1:]
assert kind == "q8_0"
config = json.loads((Path(source) / "config.json").read_text())
assert (Path(source) / "tokenizer.model").is_file()
print("converting")
write_gguf(Path(out), Path(source) / "model.safetensors", config, {"general.architecture": string("gemma3")},
           Meter(Reporter("x"), 1.0))
"""


class Recorder(Reporter):
    """Keeps the events instead of sending them."""

    def __init__(self) -> None:
        super().__init__("clock:export")
        self.events: list[dict[str, Any]] = []

    def emit(self, kind: str, **fields: Any) -> None:
        self.events.append({"kind": kind, **fields})


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """(adapter directory, the same model merged by peft)."""
    directory = tmp_path_factory.mktemp("train")
    model = peft_model(tiny_base, trainable_token_indices=TOKENS)
    model.save_pretrained(directory)
    (directory / "train.json").write_text(json.dumps({"steps": 25, "loss": 0.125, "history": [1, 2]}))
    return directory, model.merge_and_unload()


@pytest.fixture
def exported(tiny_base: Path, trained: tuple[Path, Any], tmp_path: Path) -> tuple[Job, Recorder]:
    job, reporter = export_job(tiny_base, trained[0], tmp_path), Recorder()
    export.run(job, reporter)
    return job, reporter


def test_a_zero_adapter_leaves_every_tensor_as_it_was(tiny_base: Path, tmp_path: Path) -> None:
    peft_model(tiny_base, zero=True, trainable_token_indices=TOKENS).save_pretrained(tmp_path / "train")
    job = export_job(tiny_base, tmp_path / "train", tmp_path)
    export.run(job, Recorder())
    base, tuned = header.read(tiny_base / "base_q8_0.gguf"), header.read(job.output / MODEL)
    assert list(base.tensors) == list(tuned.tensors)
    for name in base.tensors:
        assert base.tensor_bytes(name) == tuned.tensor_bytes(name), name


def test_llama_cpp_computes_what_the_merged_model_does(
    exported: tuple[Job, Recorder],
    trained: tuple[Path, Any],
    open_llama: Callable[[Path], Any],
    tiny_llama: Any,
) -> None:
    with torch.no_grad():
        wanted = trained[1](torch.tensor([IDS])).logits[0].numpy()

    def correlation(model: Any) -> float:
        model.reset()
        model.eval(IDS)
        return float(np.corrcoef(np.array(model.scores[: len(IDS)]).ravel(), wanted.ravel())[0, 1])

    assert correlation(open_llama(exported[0].output / MODEL)) > 0.999
    assert correlation(tiny_llama) < 0.9, "the adapter must change the logits for this test to mean anything"


def test_only_adapted_tensors_and_token_rows_change(
    exported: tuple[Job, Recorder], tiny_base: Path, trained: tuple[Path, Any]
) -> None:
    base, tuned = header.read(tiny_base / "base_q8_0.gguf"), header.read(exported[0].output / MODEL)
    changed = {n for n in base.tensors if base.tensor_bytes(n) != tuned.tensor_bytes(n)}
    assert len(changed) == 42 + 1
    assert not any("norm" in name for name in changed)
    rows = tuned.tensors["token_embd.weight"].rows
    before, after = (
        np.frombuffer(file.tensor_bytes("token_embd.weight"), np.uint8).reshape(rows, -1) for file in (base, tuned)
    )
    assert np.flatnonzero((before != after).any(axis=1)).tolist() == TOKENS


def test_metadata_describes_the_model(exported: tuple[Job, Recorder]) -> None:
    found = header.read(exported[0].output / MODEL)
    assert found.scalar("general.name") == "clock FunctionGemma"
    assert found.scalar("general.license") == "gemma"
    assert found.scalar("general.description") == "Tells the time"
    assert "clock" in found.array("general.tags").values()
    assert found.scalar("tokenizer.ggml.eom_token_id") == 50
    assert found.scalar("fgbuild.domain") == "clock"
    assert json.loads(str(found.scalar("fgbuild.tools"))) == [TOOL]


def test_events_carry_the_predicted_size(exported: tuple[Job, Recorder]) -> None:
    job, reporter = exported
    size = (job.output / MODEL).stat().st_size
    artifact = reporter.events[-1]
    assert artifact == {
        "kind": "stage.artifact", "path": MODEL, "bytes": size, "predicted_bytes": size, "min_mb": 1, "max_mb": 3,
    }  # fmt: skip
    progress = [event for event in reporter.events if event["kind"] == "stage.progress"]
    assert progress[-1]["done"] == progress[-1]["total"]


def test_agent_and_card(exported: tuple[Job, Recorder]) -> None:
    output = exported[0].output
    agent = json.loads((output / "agent.json").read_text())
    data = (output / MODEL).read_bytes()
    assert agent["model"] == {
        "file": MODEL, "path": f"models/{MODEL}", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
        "quantization": "q8_0",
    }  # fmt: skip
    assert agent["tools"] == [TOOL]
    assert agent["stop_ids"] == [1, 106, 50]
    assert agent["context_length"] == 32768
    card = (output / "README.md").read_text()
    assert "\nlicense: gemma\n" in card.partition("\n---\n")[0]
    assert "FROM ./models/clock_functiongemma_q8.gguf\n" in (output / "Modelfile").read_text()
    for words in ("Gemma Terms of Use", "`get_time`: Tells the time.", "rank 4, alpha 8", "| loss | 0.125 |"):
        assert words in card
    assert "history" not in card


def test_exporting_twice_gives_the_same_bytes(
    exported: tuple[Job, Recorder], tiny_base: Path, trained: tuple[Path, Any], tmp_path: Path
) -> None:
    (tmp_path / "again").mkdir()
    job = export_job(tiny_base, trained[0], tmp_path / "again")
    export.run(job, Recorder())
    for path in exported[0].output.iterdir():
        assert path.read_bytes() == (job.output / path.name).read_bytes()


def test_llama_cpps_converter_gives_the_same_tensors(
    exported: tuple[Job, Recorder], tiny_base: Path, trained: tuple[Path, Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "convert.py").write_text(FAKE_CONVERTER)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    job = export_job(tiny_base, trained[0], tmp_path / "other", converter="llama.cpp", converter_path="convert.py")
    export.run(job, Recorder())
    ours, theirs = header.read(exported[0].output / MODEL), header.read(job.output / MODEL)
    for name in ours.tensors:
        assert ours.tensor_bytes(name) == theirs.tensor_bytes(name), name
    for key in ("tokenizer.ggml.eom_token_id", "tokenizer.chat_template", "fgbuild.tools", "general.name"):
        assert ours.metadata[key] == theirs.metadata[key]
    assert not list(job.state.rglob("*.gguf"))
    assert not list(job.state.rglob("*.safetensors"))


def test_a_failing_converter_is_a_stage_error(tiny_base: Path, trained: tuple[Path, Any], tmp_path: Path) -> None:
    (tmp_path / "convert.py").write_text("raise SystemExit(7)")
    job = export_job(tiny_base, trained[0], tmp_path, converter="llama.cpp", converter_path="convert.py")
    with pytest.raises(StageError, match=r"convert\.py ended with 7"):
        export.run(job, Recorder())


@pytest.mark.parametrize(
    ("quant", "words"),
    [
        ({"converter": "llama.cpp", "converter_path": "none.py"}, r"quant\.converter_path: .*none\.py"),
        ({"converter": "llama.cpp"}, r"quant\.converter_path"),
        ({"converter": "magic"}, r"quant\.converter: 'magic'"),
        ({"type": "q4_0"}, r"quant\.type: 'q4_0'"),
    ],
)
def test_bad_settings_name_the_field(
    tiny_base: Path, trained: tuple[Path, Any], tmp_path: Path, quant: dict[str, Any], words: str
) -> None:
    job = export_job(tiny_base, trained[0], tmp_path, **quant)
    with pytest.raises(FgbuildError, match=words):
        export.run(job, Recorder())
    assert not (job.output / MODEL).exists()


def test_a_token_outside_the_vocabulary_is_refused(tiny_base: Path, trained: tuple[Path, Any], tmp_path: Path) -> None:
    train = tmp_path / "train"
    shutil.copytree(trained[0], train)
    config = json.loads((train / "adapter_config.json").read_text())
    config["trainable_token_indices"] = [46, 48, 99_999]
    (train / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(StageError, match="token 99999 does not fit"):
        export.run(export_job(tiny_base, train, tmp_path), Recorder())
