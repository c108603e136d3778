"""Which library trains, and what is refused before any is loaded."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from train_sample import LORA, TRAINER

from fgbuild.errors import DataError
from fgbuild.workers.training import backends


def chosen(tmp_path: Path, *, resumed: bool = False, initial: str = "default", method: str = "lora") -> str:
    trainer, lora = TRAINER | {"backend": "auto", "method": method}, LORA | {"init_lora_weights": initial}
    return backends.chosen_backend(trainer, lora, tmp_path / "backend", resumed=resumed)


def test_auto_is_unsloth_where_it_is_there_and_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen(tmp_path) == "trl"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen(tmp_path) == "unsloth"
    assert chosen(tmp_path, method="full") == "trl"
    assert chosen(tmp_path, initial="pissa") == "trl"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert chosen(tmp_path) == "trl"


def test_a_resumed_training_keeps_its_library(tmp_path: Path) -> None:
    (tmp_path / "backend").write_text("unsloth")
    assert chosen(tmp_path, resumed=True) == "unsloth"


@pytest.mark.skipif(importlib.util.find_spec("unsloth") is not None, reason="unsloth is installed")
def test_a_library_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSLOTH_COMPILE_LOCATION", "unused")
    monkeypatch.setenv("UNSLOTH_DISABLE_STATISTICS", "1")
    with pytest.raises(DataError, match=r"unsloth cannot be loaded here \(No module named 'unsloth'\); set backend"):
        backends.prepare({**TRAINER, "backend": "unsloth"}, LORA, tmp_path)
