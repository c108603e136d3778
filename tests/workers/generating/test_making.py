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
from typing import Any

import pytest
from drawing import trajectories

from fgbuild.domains.scenario import Draw, Episode, Scenario, call
from fgbuild.domains.session import Session
from fgbuild.errors import DataError, StageError
from fgbuild.workers.generating.making import Count, Recipe, write_generated

TOOL = {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}}


def look(draw: Draw) -> Episode:
    return Episode({"number": draw.number(1, 200)}, [call("look", number=draw.number(1, 9))])


def killed(draw: Draw) -> Episode:
    """Ends the process that makes rows for another one."""
    if multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return look(draw)


def really_look(session: Session) -> Episode:
    session.open({"a.txt": "hello"})
    done = session.call("look", number=session.number(1, 200))
    return Episode({"number": done.response["twice"]}, done.turns)


def timed(session: Session) -> Episode:
    number = session.number(1, 200)
    return Episode({"number": number}, session.call("ask_the_time", number=number).turns)


def scenarios(build: str = "look") -> Sequence[Scenario]:
    """So few values that requests repeat."""
    phrasings = [f"look way {way} at {{number}}" for way in range(10)]
    return [
        Scenario(name, "single", globals()[build], phrasings, weight=weight, literal=True)
        for name, weight in (("look", 3), ("peer", 1))
    ]


RECIPE = Recipe("toy", scenarios, [TOOL], count=150, eval_fraction=0.2, seed=7)


def written(folder: Path, recipe: Recipe, cores: int, patience: float = 0.0) -> tuple[bytes, Count]:
    folder.mkdir()
    count = write_generated(recipe, folder, cores=cores, progress=lambda done, total: None, patience=patience)
    assert sorted(path.name for path in folder.iterdir()) == ["eval.jsonl", "train.jsonl"]
    return b"".join((folder / f"{split}.jsonl").read_bytes() for split in ("train", "eval")), count


@pytest.mark.parametrize("count", [20, 150])
def test_any_number_of_processes_writes_the_rows_of_one(tmp_path: Path, count: int) -> None:
    recipe = replace(RECIPE, count=count)
    rows = trajectories("toy", scenarios(), count=count, eval_fraction=0.2, seed=7)
    lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()
    made = [written(tmp_path / str(cores), recipe, cores) for cores in (1, 2, 3)]
    assert made[0][0] == lines
    assert made.count(made[0]) == 3
    assert (made[0][1].again > 0) == (count > 20)
    assert made[0][1].dropped == 0


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


def with_tools(build: str) -> Recipe:
    names = ("look", "ask_the_time", "wait")
    tools = [{**TOOL, "name": name, "parameters": {"type": "object", "properties": {"number": {}}}} for name in names]
    return replace(RECIPE, scenarios=partial(scenarios, build), tools=tools, count=40, run="clock_tools")


def rows_of(lines: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def test_calls_are_answered_by_the_real_tools_in_every_process(tmp_path: Path) -> None:
    made = [written(tmp_path / str(cores), with_tools("really_look"), cores) for cores in (1, 2)]
    assert made[0] == made[1]
    for row in rows_of(made[0][0]):
        _, request, answered = row["messages"]
        number = request["tool_calls"][0]["function"]["arguments"]["number"]
        response = {"text": "hello", "twice": 2 * number}
        assert answered["content"] == [{"name": "look", "response": response}]


def test_what_does_not_reproduce_is_dropped_and_counted(tmp_path: Path) -> None:
    made = [written(tmp_path / str(cores), with_tools("timed"), cores) for cores in (1, 2)]
    assert made[0] == made[1]
    assert made[0][1].dropped > 3
    assert all(row["messages"][2]["content"][0]["response"] == {"now": 0} for row in rows_of(made[0][0]))


def test_a_tool_that_never_answers_alike_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "close", lambda session: False)
    with pytest.raises(DataError, match="toy: 4 trajectories in a row did not reproduce when their calls were made"):
        written(tmp_path / "out", RECIPE, 1)


def test_a_share_of_the_training_rows_declares_other_tools(tmp_path: Path) -> None:
    recipe = replace(with_tools("really_look"), variants=0.5, count=120)
    made = [written(tmp_path / str(cores), recipe, cores)[0] for cores in (1, 2)]
    assert made[0] == made[1]
    rows = rows_of(made[0])
    assert not any("tools" in row for row in rows if row["split"] == "eval")
    train = [row for row in rows if row["split"] == "train"]
    assert 0.3 < sum("tools" in row for row in train) / len(train) < 0.7
    assert any(row["kind"] == "decline" for row in train)


def test_progress_counts_the_rows_of_both_splits(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_generated(RECIPE, tmp_path, cores=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 150) for number in range(1, 151)]
