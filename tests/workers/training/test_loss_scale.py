"""The loss of a step is the mean over the targets of all its rows, shared ones as often as rows ask for them."""

from __future__ import annotations

import json

import pytest
from train_sample import Jobs, rows, run

from fgbuild.workers.jsonl import write_jsonl


@pytest.mark.parametrize("passes", [1, 2])
def test_targets_that_rows_share_count_for_each_of_them(make_job: Jobs, passes: int) -> None:
    settings = {"max_steps": 2, "gradient_accumulation": passes}
    job = make_job("shared", **settings)
    first, second = rows(2)
    write_jsonl(job.inputs["tokenize"] / "train.jsonl", [*[first] * 9, *[second] * 7])
    shared = [json.loads(line) for line in run(job)["metrics.jsonl"].decode().splitlines()]
    apart = [
        json.loads(line) for line in run(make_job("apart", sharing="off", **settings))["metrics.jsonl"].splitlines()
    ]
    for mine, theirs in zip(shared, apart, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
        assert mine["grad_norm"] == pytest.approx(theirs["grad_norm"], rel=1e-3)
