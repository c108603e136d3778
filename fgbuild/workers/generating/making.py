"""Makes a generator's rows in as many processes as there are cores, and writes them as they come.

The rows are the same bytes for any number of processes: each can draw any row (see `sampling.Plan`), and one process
looks at the requests, in the plan's order, and draws again what has been asked before. What it keeps of a row is a
hash of its request and its place in a file.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from fgbuild.domains.sampling import ATTEMPTS, SPLITS, Plan, Requests, Row, mark_of
from fgbuild.domains.scenario import Scenario, Split
from fgbuild.domains.variants import tool_lists
from fgbuild.errors import DataError, StageError
from fgbuild.sandbox.client import Sandbox
from fgbuild.workers.generating.checks import CallCheck
from fgbuild.workers.generating.lines import encoded

PATIENCE = 0.5
"""Seconds after which other processes are started: where rows are made in no time, starting them takes longer."""

_TRIES = 4
"""Trajectories in a row that may not reproduce."""
_CHUNK = 16
_AHEAD = 3
"""Chunks in work and done for each process: more would only be kept in memory."""

Progress = Callable[[int, int], None]
Made = tuple[int, bytes, int]
"""A row: its request's mark, its line without an id, and how many before it were dropped."""
_Task = tuple[Split, range]


@dataclass(frozen=True)
class Recipe:
    """All that a process needs to make rows. scenarios: found by name in another process, so no lambda.

    tools: the manifest's, against which calls are checked. run: the module whose `TOOLS` answer them in a sandbox, or
    "" where scenarios make none for real. variants: share of training rows with another list of tools.
    """

    domain: str
    scenarios: Callable[[], Sequence[Scenario]]
    tools: list[dict[str, Any]]
    count: int
    eval_fraction: float
    seed: int
    run: str = ""
    variants: float = 0.0


class Count(NamedTuple):
    """Rows drawn again since another had their request, and rows dropped since they did not reproduce."""

    again: int
    dropped: int


class Finisher:
    """Checks the calls of drawn rows, and gives a share of the training rows another list of tools."""

    def __init__(self, tools: list[dict[str, Any]], seed: int, variants: float) -> None:
        self._check = CallCheck(tools)
        self._seed = seed
        self._share = variants
        self._lists = tool_lists(tools, seed) if variants else []

    def __call__(self, row: Row, split: Split, number: int) -> Row:
        """Raises DataError for a call that the manifest does not have."""
        self._check(row)
        rng = random.Random(f"{self._seed}/{split}/{number}/tools")
        if split == "train" and self._lists and rng.random() < self._share:
            return rng.choice(self._lists).apply(row)
        return row


class _Maker:
    """Makes rows in this process; close it."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._finish = Finisher(recipe.tools, recipe.seed, recipe.variants)
        self.plan = Plan(
            recipe.domain,
            recipe.scenarios(),
            count=recipe.count,
            eval_fraction=recipe.eval_fraction,
            seed=recipe.seed,
        )
        self._sandbox = Sandbox(recipe.run).__enter__() if recipe.run else None

    def close(self) -> None:
        if self._sandbox is not None:
            self._sandbox.__exit__(None, None, None)

    def row(self, split: Split, number: int, attempt: int = 0) -> Made:
        for dropped in range(_TRIES):
            row = self.plan.draw(split, number, attempt + dropped * (ATTEMPTS + 1), self._sandbox)
            if row is not None:
                return mark_of(row), encoded(self._finish(row, split, number)), dropped
        raise DataError(
            f"{self._recipe.domain}: {_TRIES} trajectories in a row did not reproduce when their calls were made "
            "again; a tool's response must depend on its arguments and the project's files alone"
        )

    def rows(self, task: _Task) -> list[Made]:
        split, numbers = task
        return [self.row(split, number) for number in numbers]


def write_generated(
    recipe: Recipe, folder: Path, *, cores: int, progress: Progress, patience: float = PATIENCE
) -> Count:
    """Write train.jsonl and eval.jsonl into a folder; returns what was not kept.

    progress: told rows made and rows in all. Raises DataError where a scenario runs out of requests, calls what the
    manifest does not have or does not reproduce, StageError where a process is killed.
    """
    with tempfile.TemporaryFile(dir=folder) as spool, closing(_Maker(recipe)) as maker:
        starts = array("Q", [0])
        again = dropped = 0
        for line, count in _without_repeats(maker, _chunks(recipe, maker, cores, patience)):
            starts.append(starts[-1] + spool.write(line))
            again += count.again
            dropped += count.dropped
            progress(len(starts) - 1, recipe.count)
        _write_shuffled(maker.plan, spool, starts, folder)
    return Count(again, dropped)


def _without_repeats(maker: _Maker, chunks: Iterator[tuple[_Task, list[Made]]]) -> Iterator[tuple[bytes, Count]]:
    """The lines of all rows, in the plan's order, and what was not kept before each."""
    asked = {split: Requests() for split in SPLITS}
    for (split, numbers), rows in chunks:
        for number, (mark, line, dropped) in zip(numbers, rows, strict=True):
            again = 0
            while not asked[split].is_new(mark):
                again += 1
                mark, line, more = maker.row(split, number, again)
                dropped += more
            yield line, Count(again, dropped)


def _write_shuffled(plan: Plan, spool: BinaryIO, starts: Sequence[int], folder: Path) -> None:
    """starts: where each line of the spool begins, and where the last one ends."""
    first = written = 0
    for split in SPLITS:
        with (folder / f"{split}.jsonl").open("wb") as stream:
            for number in plan.order(split):
                start, end = starts[first + number], starts[first + number + 1]
                spool.seek(start)
                stream.write(b'{"id":"%s",%s' % (plan.row_id(written).encode(), spool.read(end - start)[1:]))
                written += 1
        first += plan.sizes[split]


def _chunks(recipe: Recipe, maker: _Maker, cores: int, patience: float) -> Iterator[tuple[_Task, list[Made]]]:
    """All rows as they are drawn the first time, in the plan's order."""
    tasks = _tasks(maker.plan)
    started = time.monotonic()
    for task in tasks:
        if cores > 1 and time.monotonic() - started >= patience:
            yield from _in_processes(recipe, chain([task], tasks), cores)
        else:
            yield task, maker.rows(task)


def _tasks(plan: Plan) -> Iterator[_Task]:
    for split in SPLITS:
        size = plan.sizes[split]
        for first in range(0, size, _CHUNK):
            yield split, range(first, min(first + _CHUNK, size))


def _in_processes(recipe: Recipe, tasks: Iterator[_Task], cores: int) -> Iterator[tuple[_Task, list[Made]]]:
    # Spawned on every system: a fork takes over whatever threads and locks this process happens to have.
    context = multiprocessing.get_context("spawn")
    waiting: deque[tuple[_Task, Future[list[Made]]]] = deque()
    with ProcessPoolExecutor(cores, mp_context=context, initializer=_begin, initargs=(recipe,)) as pool:
        try:
            for task in tasks:
                waiting.append((task, pool.submit(_rows, task)))
                if len(waiting) >= _AHEAD * cores:
                    task, rows = waiting.popleft()
                    yield task, rows.result()
            for task, rows in waiting:
                yield task, rows.result()
        except BrokenProcessPool:
            raise StageError(
                "a process that makes rows was killed, probably for want of memory; close programs and build again"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


_maker: _Maker | None = None
"""This process's own, in those that make rows for another."""


def _begin(recipe: Recipe) -> None:
    global _maker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _maker = _Maker(recipe)
    Finalize(_maker, _maker.close, exitpriority=0)


def _rows(task: _Task) -> list[Made]:
    assert _maker is not None
    return _maker.rows(task)


def _end_with_parent() -> None:
    """A parent that was killed outright tells its processes nothing: they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
