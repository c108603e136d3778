"""Upkeep: nothing that is needed goes, damage is found and built again, old results go oldest first."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_project import ToyProject

from fgbuild.engine.plan import SKIP
from fgbuild.engine.upkeep import Stored, collect, collectable, stored_artifacts, verify_store


def build_with(toy: ToyProject, r: int) -> None:
    toy.manifests["red"]["join"]["r"] = r
    assert toy.build().exit_code == 0


def gc(toy: ToyProject, keep_last: int = 0, max_bytes: int | None = None) -> list[Stored]:
    with toy.open() as workspace:
        doomed = collectable(workspace, keep_last, max_bytes)
        collect(workspace, doomed)
    return doomed


def is_current(toy: ToyProject) -> bool:
    return all(decision.action == SKIP for decision in toy.plan().values())


def damage(toy: ToyProject, name: str) -> None:
    path = next(toy.root.glob(f"cache/store/*/{name}"))
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    os.chmod(path, 0o644)
    path.write_bytes(content)


def test_gc_leaves_what_current_outputs_need_and_takes_the_rest(toy: ToyProject) -> None:
    for r in (1, 2, 3):
        build_with(toy, r)
    doomed = gc(toy)
    # check and base come out the same each time; join and last have two old results each
    assert sorted(artifact.stage for artifact in doomed) == ["red:join", "red:join", "red:last", "red:last"]
    assert is_current(toy)
    toy.taken()
    build_with(toy, 1)
    assert toy.taken() == ["red:join", "red:last"]


def test_keep_last_counts_results_of_each_stage(toy: ToyProject) -> None:
    for r in (1, 2, 3, 4):
        build_with(toy, r)
    gc(toy, keep_last=2)
    toy.taken()
    build_with(toy, 3)
    assert toy.taken() == []
    build_with(toy, 2)
    assert toy.taken() == ["red:join", "red:last"]


def test_max_size_takes_the_oldest_first_and_stops_at_what_is_needed(toy: ToyProject) -> None:
    for r in (1, 2, 3):
        build_with(toy, r)
    with toy.open() as workspace:
        found = stored_artifacts(workspace)
    total = sum(artifact.bytes for artifact in found)
    oldest = next(artifact for artifact in found if not artifact.needed)
    assert gc(toy, keep_last=9, max_bytes=total) == []
    assert gc(toy, keep_last=9, max_bytes=total - 1) == [oldest]
    gc(toy, keep_last=9, max_bytes=0)
    assert is_current(toy)
    with toy.open() as workspace:
        assert all(artifact.needed for artifact in stored_artifacts(workspace))


def test_the_report_of_a_check_that_did_not_pass_is_kept(toy: ToyProject) -> None:
    toy.manifests["red"]["fail"] = {"check": 3}
    toy.pipeline = tuple(
        replace(spec, fields=("check", "fail")) if spec.kind == "check" else spec for spec in toy.pipeline
    )
    assert toy.build().exit_code == 3
    assert gc(toy) == []


@pytest.mark.parametrize("name", ["joined.txt", "base.txt"])
def test_damage_is_found_removed_and_built_again(toy: ToyProject, name: str) -> None:
    build_with(toy, 1)
    damage(toy, name)
    with toy.open() as workspace:
        check = verify_store(workspace, lambda *_: None)
        assert [artifact.stage for artifact in check.damaged] == [{"joined.txt": "red:join"}.get(name, "base")]
        assert check.artifacts == 5
        assert verify_store(workspace, lambda *_: None).damaged == ()
    toy.taken()
    build_with(toy, 1)
    assert len(toy.taken()) == 1
    assert is_current(toy)


def test_a_removal_that_was_cut_off_is_finished(toy: ToyProject) -> None:
    build_with(toy, 1)
    half = toy.root / "cache" / "store" / f".removing-{'0' * 64}"
    half.mkdir()
    (half / "left").write_text("x")
    gc(toy)
    assert not half.exists()
    assert is_current(toy)


def test_an_empty_store_has_nothing_to_do(toy: ToyProject) -> None:
    assert gc(toy) == []
    with toy.open() as workspace:
        assert verify_store(workspace, lambda *_: None).artifacts == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(st.integers(1, 4), st.tuples(st.integers(0, 3), st.none() | st.integers(0, 400))), max_size=8)
)
def test_no_collection_ever_makes_a_build_do_work_again(tmp_path_factory, steps) -> None:
    toy = ToyProject(tmp_path_factory.mktemp("toy"))
    for step in steps:
        if isinstance(step, int):
            build_with(toy, step)
        else:
            before = is_current(toy)
            gc(toy, *step)
            assert is_current(toy) == before
