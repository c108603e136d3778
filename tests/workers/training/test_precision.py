"""The precision of a training: what was asked for, what the probe finds, what the training began with."""

from __future__ import annotations

import pytest
import torch

from fgbuild.workers.training import precision
from fgbuild.workers.training.precision import bf16_speedup, choose_precision

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="the probe is for CPUs")


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
def test_a_precision_that_is_named_is_taken(tmp_path, monkeypatch, wanted):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: pytest.fail("probed for nothing"))
    assert choose_precision(wanted, tmp_path / "precision", resumed=False) == wanted


@pytest.mark.parametrize(("speedup", "expected"), [(0.4, "fp32"), (1.1, "fp32"), (1.3, "bf16"), (2.2, "bf16")])
def test_auto_is_bf16_where_that_is_faster(tmp_path, monkeypatch, speedup, expected):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: speedup)
    assert choose_precision("auto", tmp_path / "precision", resumed=False) == expected


@pytest.mark.parametrize(("kept", "expected"), [("fp32", "fp32"), ("bf16", "bf16"), ("", "bf16"), ("fp3", "bf16")])
def test_a_resumed_training_keeps_what_it_began_with_if_that_is_legible(tmp_path, monkeypatch, kept, expected):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: 2.0)
    (tmp_path / "precision").write_text(kept, "utf-8")
    assert choose_precision("auto", tmp_path / "precision", resumed=True) == expected
    assert choose_precision("auto", tmp_path / "precision", resumed=False) == "bf16"


def test_the_probe_measures_a_positive_ratio():
    assert bf16_speedup() > 0
