from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fgbuild.workers.bases import lock
from fgbuild.workers.bases.lock import Pin


def _work(root: Path, manifest: dict[str, Any]) -> tuple[int, list[dict[str, Any]], str]:
    """Run the worker as the engine does; (exit code, events, stderr)."""
    (root / "out").mkdir(exist_ok=True)
    job = {
        "stage": "base", "kind": "base", "manifest": manifest, "inputs": {}, "output": str(root / "out"),
        "state": str(root / "state"), "root": str(root),
    }  # fmt: skip
    (root / "job.json").write_text(json.dumps(job))
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "fgbuild.workers.base", str(root / "job.json")],
        env={**os.environ, "FGBUILD_EVENTS_FD": str(writing)},
        pass_fds=[writing],
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    with open(reading) as stream:
        events = [json.loads(line) for line in stream]
    return process.wait(), events, process.communicate()[1]


def test_tiny_is_made_with_progress(tmp_path: Path) -> None:
    code, events, _ = _work(tmp_path, {"name": "tiny", "kind": "tiny"})
    assert code == 0
    progress = [event for event in events if event["kind"] == "stage.progress"]
    assert progress[-1]["done"] == progress[-1]["total"] > 0
    assert (tmp_path / "out" / "base_q8_0.gguf").is_file()


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"name": "x", "kind": "magic"}, "fgbuild.toml: base.x.kind: 'magic' is unknown"),
        ({"name": "x", "kind": "path", "path": "nowhere"}, "nowhere: config.json"),
    ],
)
def test_user_errors_are_one_line_and_exit_2(tmp_path: Path, manifest: dict[str, Any], words: str) -> None:
    code, events, stderr = _work(tmp_path, manifest)
    assert code == 2
    assert words in events[-1]["message"]
    assert "Traceback" not in stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_the_pin_is_checked_before_anything_is_written(tiny_base: Path, tmp_path: Path) -> None:
    lock.write(tmp_path / "fgbuild.lock", "mine", Pin("local", {"config.json": "00"}))
    code, events, _ = _work(tmp_path, {"name": "mine", "kind": "path", "path": str(tiny_base)})
    assert code == 2
    assert "base.mine pins another model" in events[-1]["message"]
    assert list((tmp_path / "out").iterdir()) == []


def test_no_heavy_library_is_imported(tmp_path: Path) -> None:
    code = "import sys, fgbuild.workers.base, fgbuild.workers.export; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("torch", "transformers", "peft", "gguf", "tokenizers", "sentencepiece", "huggingface_hub"):
        assert f"'{name}'" not in done.stdout
