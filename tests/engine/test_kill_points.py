"""Killed at whatever moment: no partial output, nothing finished is done again, and the next build is right."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from kill_points import build_and_die
from toy_project import ToyProject, manifest

STRIDE = 17
"""Every so many of the moments are tried in the quick test; of each build there are some hundreds."""


def recorded(toy: ToyProject) -> set[str]:
    """Stages that stand at a result."""
    with toy.open() as workspace:
        return {stage for (stage,) in workspace.database.execute("SELECT stage FROM current")}


def check_killed(toy: ToyProject, moment: int, before: str | None, after: str) -> bool:
    """One death and what follows. before, after: the placed file's content without and with the build."""
    placed = toy.root / "agents" / "red" / "joined.txt"
    died = build_and_die(toy, moment)
    assert (placed.read_text() if placed.exists() else None) in (before, after)
    toy.taken()
    standing, plan = recorded(toy), toy.plan()
    finished = {name for name in standing if plan[name].action != "run"}
    result = toy.build()
    assert result.exit_code == 0
    assert not finished & set(toy.taken()), moment
    assert placed.read_text() == after
    assert toy.build().run is None
    assert not os.listdir(toy.root / "cache" / "tmp")
    return died


def try_all(top: Path, first: int, stride: int) -> int:
    """A first build and one after an edit, killed at each of these moments; how many deaths there were."""
    deaths = 0
    for edited in (False, True):
        template = ToyProject(make(top / f"template-{edited}"))
        before = None
        if edited:
            template.build()
            before = template.joined()
            template.manifests["red"] = manifest("red", join={"r": 32})
        moment, died = first, True
        while died:
            toy = ToyProject(shutil.copytree(template.root, top / f"{edited}-{moment}"))
            toy.manifests = template.manifests
            died = check_killed(toy, moment, before, "base-+redred" + ("32" if edited else "16"))
            deaths += died
            moment += stride
            remove(toy.root)
    return deaths


def make(root: Path) -> Path:
    root.mkdir()
    return root


def remove(root: Path) -> None:
    for folder, _, _ in os.walk(root):
        os.chmod(folder, 0o755)
    shutil.rmtree(root)


def test_killed_at_many_moments(tmp_path: Path) -> None:
    assert try_all(tmp_path, 3, STRIDE) > 20


@pytest.mark.slow
def test_killed_at_every_moment(tmp_path: Path) -> None:
    assert try_all(tmp_path, 1, 1) > 400
