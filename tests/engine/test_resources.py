from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.engine import resources
from fgbuild.engine.resources import Machine, Pool, gpu_memory
from fgbuild.stages import PIPELINE
from fgbuild.stages.spec import StageSpec


def test_the_pool_grants_no_more_than_there_is() -> None:
    pool = Pool(Machine(cores=4, memory_mb=8000), jobs=3)
    light = StageSpec("light", 1, "w", cores=1, memory_mb=1000)
    assert pool.take("a", replace(light, cores=3)) == 3
    assert pool.take("b", replace(light, cores=2)) is None
    assert pool.take("b", replace(light, memory_mb=7500)) is None
    assert pool.take("b", light) == 1
    pool.give("a")
    assert pool.take("c", replace(light, cores=64)) is None
    pool.give("b")
    assert pool.take("c", replace(light, cores=64, memory_mb=10**6)) == 4
    assert pool.take("d", light) is None


def test_jobs_limits_how_many_run() -> None:
    pool = Pool(Machine(cores=8, memory_mb=8000), jobs=1)
    spec = StageSpec("light", 1, "w")
    assert pool.take("a", spec) == 1
    assert pool.take("b", spec) is None


def test_a_gpu_is_shared_by_those_it_has_room_for_and_nobody_else_cares() -> None:
    pool = Pool(Machine(cores=16, memory_mb=64_000, gpu_memory_mb=10_000))
    train = StageSpec("train", 1, "w", cores=4, gpu_memory_mb=6000)
    assert pool.take("a", train) == 4
    assert pool.take("b", train) is None
    assert pool.take("b", replace(train, gpu_memory_mb=4000)) == 4
    assert pool.take("c", replace(train, gpu_memory_mb=0)) == 4
    without = Pool(Machine(cores=16, memory_mb=64_000))
    assert [without.take(name, train) for name in "abcd"] == [4, 4, 4, 4]


specs = st.builds(
    StageSpec,
    st.just("kind"),
    st.just(1),
    st.just("w"),
    cores=st.integers(1, 20),
    memory_mb=st.integers(1, 20_000),
    gpu_memory_mb=st.integers(0, 20_000),
)


@given(
    st.builds(Machine, st.integers(1, 8), st.integers(1000, 9000), st.sampled_from([0.0, 8000.0])),
    st.lists(st.tuples(specs, st.booleans()), max_size=30),
)
def test_it_never_over_commits_and_what_is_alone_fits(machine: Machine, steps: list[tuple[StageSpec, bool]]) -> None:
    pool, held = Pool(machine), dict[str, StageSpec]()
    for number, (spec, giving) in enumerate(steps):
        if giving and held:
            pool.give(name := next(iter(held)))
            del held[name]
        if pool.take(str(number), spec) is not None:
            held[str(number)] = spec
        else:
            assert held
        needs = [pool.needs(each) for each in held.values()]
        assert sum(need.cores for need in needs) <= machine.cores
        assert sum(need.memory_mb for need in needs) <= machine.memory_mb
        assert sum(need.gpu_memory_mb for need in needs) <= machine.gpu_memory_mb


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A machine whose `nvidia-smi` is this shell script."""
    monkeypatch.setattr(resources, "NVIDIA", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def write(script: str) -> None:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)

    return write


def test_the_first_visible_gpus_memory_is_asked_of_the_driver(
    driver: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver('test "$1" = -i && echo 24564 || printf "81559\\n24564\\n"')
    assert gpu_memory() == pytest.approx(85520, abs=1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert gpu_memory() == pytest.approx(25757, abs=1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu_memory() == 0


@pytest.mark.parametrize("script", ["exit 9", "echo", "echo '[N/A]'"])
def test_a_driver_that_cannot_say_limits_nothing(driver: Callable[[str], None], script: str) -> None:
    driver(script)
    assert gpu_memory() == 0


def test_without_a_driver_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "NVIDIA", Path("/nowhere"))
    assert gpu_memory() == 0


def test_what_trains_says_what_it_needs_of_a_gpu() -> None:
    assert {spec.kind for spec in PIPELINE if spec.gpu_memory_mb} == {"base", "train"}
