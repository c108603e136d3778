"""Rows are the same bytes for any number of processes, and those that `trajectories` gives."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fgbuild.domains.sampling import trajectories
from fgbuild.domains.scenario import Draw, Episode, Scenario, call
from fgbuild.errors import DataError, StageError
from fgbuild.workers.generating.making import Recipe, write_generated

TOOL = {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}}


def look(draw: Draw) -> Episode:
    return Episode({"number": draw.number(1, 200)}, [call("look", number=draw.number(1, 9))])


def killed(draw: Draw) -> Episode:
    """Ends the process that makes rows for another one."""
    if multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return look(draw)


def scenarios(build: str = "look") -> Sequence[Scenario]:
    """So few values that requests repeat."""
    phrasings = [f"look way {way} at {{number}}" for way in range(10)]
    return [
        Scenario(name, "single", globals()[build], phrasings, weight=weight, literal=True)
        for name, weight in (("look", 3), ("peer", 1))
    ]


RECIPE = Recipe("toy", scenarios, [TOOL], count=150, eval_fraction=0.2, seed=7)


def written(folder: Path, recipe: Recipe, cores: int, patience: float = 0.0) -> tuple[bytes, int]:
    folder.mkdir()
    again = write_generated(recipe, folder, cores=cores, progress=lambda done, total: None, patience=patience)
    assert sorted(path.name for path in folder.iterdir()) == ["eval.jsonl", "train.jsonl"]
    return b"".join((folder / f"{split}.jsonl").read_bytes() for split in ("train", "eval")), again


@pytest.mark.parametrize("count", [20, 150])
def test_any_number_of_processes_writes_the_rows_of_one(tmp_path: Path, count: int) -> None:
    recipe = replace(RECIPE, count=count)
    rows = trajectories("toy", scenarios(), count=count, eval_fraction=0.2, seed=7)
    lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()
    made = [written(tmp_path / str(cores), recipe, cores) for cores in (1, 2, 3)]
    assert made[0][0] == lines
    assert made.count(made[0]) == 3
    assert (made[0][1] > 0) == (count > 20)


def test_processes_are_not_started_for_what_takes_no_time(tmp_path: Path) -> None:
    recipe = replace(RECIPE, scenarios=partial(scenarios, "killed"))
    assert written(tmp_path / "patient", recipe, 2, patience=60.0)[0]


def test_a_process_that_is_killed_ends_the_stage_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="a process that makes rows was killed"):
        written(tmp_path / "out", replace(RECIPE, scenarios=partial(scenarios, "killed")), 2)


@pytest.mark.parametrize("cores", [1, 2])
def test_what_is_wrong_with_a_row_is_said_by_any_process(tmp_path: Path, cores: int) -> None:
    with pytest.raises(DataError, match="tool look: scenario look calls it and the manifest does not declare it"):
        written(tmp_path / "out", replace(RECIPE, tools=[]), cores)


def test_progress_counts_the_rows_of_both_splits(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_generated(RECIPE, tmp_path, cores=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 150) for number in range(1, 151)]
