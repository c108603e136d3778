"""A witness holds exactly as long as nothing it rests on has changed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fgbuild.engine import witness as module
from fgbuild.engine.stamps import stamp
from fgbuild.engine.witness import Witness, forget

QUESTION = {"domains": [], "base": None}
LONG_AGO = 1_600_000_000_123_456_789


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose files were left alone for long, and a package beside it."""
    monkeypatch.setattr(module, "settled", lambda found, now: found is None or found[1] < now - 10**9)
    package, project = tmp_path / "package", tmp_path / "project"
    for folder in (package / "inner" / "__pycache__", project / "manifests", project / "cache/tmp"):
        folder.mkdir(parents=True)
    (project / "cache/store/abc").mkdir(parents=True)
    for name in (
        "fgbuild.toml",
        "manifests/lint.toml",
        "manifests/test.toml",
        "rows.jsonl",
        "model.gguf",
        "cache/index.sqlite",
    ):
        (project / name).write_text("1")
    for name in ("a.py", "inner/b.py"):
        (package / name).write_text("1")
    monkeypatch.setattr(module, "_PACKAGE", str(package))
    monkeypatch.setattr(module.sys, "path", [str(package)])
    rest(tmp_path)
    return project


def rest(top: Path) -> None:
    for folder, _, names in os.walk(top):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.utime(path, ns=(LONG_AGO, LONG_AGO))


def kept(root: Path, *, gguf_sure: bool = True) -> Witness:
    """A witness of two domains: lint with an own data file and a model, test with its manifest alone."""
    seen = {str(root / name): stamp(str(root / name)) for name in ("rows.jsonl", "model.gguf", "none")}
    witness = Witness(str(root), QUESTION)
    witness.begin()
    lint = ("manifests/lint.toml", ["lint:make", "lint:train"], seen if gguf_sure else None)
    test = ("manifests/test.toml", ["test:make"], {})
    witness.keep(["base"], {str(root / "weights"): None}, {"lint": lint, "test": test})
    return Witness(str(root), QUESTION)


def test_it_answers_while_everything_is_as_it_was(root: Path) -> None:
    assert Witness(str(root), QUESTION).look() is None
    witness = kept(root)
    assert witness.look() == []
    assert witness.stages() == ["base", "lint:make", "lint:train", "test:make"]
    assert Witness(str(root), {**QUESTION, "base": "tiny"}).look() is None


OF_ONE_DOMAIN: dict[str, Callable[[Path], object]] = {
    "its manifest is edited": lambda root: (root / "manifests/lint.toml").write_text("2"),
    "its manifest is replaced by a file of the same size and time": lambda root: replace(root / "manifests/lint.toml"),
    "a data file grows": lambda root: (root / "rows.jsonl").write_text("12"),
    "an output is removed": lambda root: (root / "model.gguf").unlink(),
    "a file that was missing appears": lambda root: (root / "none").touch(),
}
OF_ALL: dict[str, Callable[[Path], object]] = {
    "a manifest is added": lambda root: (root / "manifests/new.toml").touch(),
    "a manifest is removed": lambda root: (root / "manifests/lint.toml").unlink(),
    "a manifest is renamed": lambda root: (root / "manifests/lint.toml").rename(root / "manifests/lynt.toml"),
    "the project's file is touched": lambda root: os.utime(root / "fgbuild.toml"),
    "a time is set back": lambda root: os.utime(root / "fgbuild.toml", ns=(0, LONG_AGO - 5)),
    "a lock file appears": lambda root: (root / "fgbuild.lock").touch(),
    "what all share appears": lambda root: (root / "weights").touch(),
    "an artifact is removed": lambda root: (root / "cache/store/abc").rmdir(),
    "the database is written": lambda root: (root / "cache/index.sqlite").write_text("2"),
    "a build died": lambda root: (root / "cache/tmp/left.json").touch(),
    "the code changes": lambda root: (root.parent / "package/inner/b.py").write_text("2"),
    "code is added": lambda root: (root.parent / "package/inner/c.py").touch(),
    "the witness is damaged": lambda root: next((root / "cache/unchanged").iterdir()).write_text('{"question": 1}'),
    "a build begins to write": lambda root: forget(str(root / "cache")),
}


def replace(path: Path) -> None:
    path.with_suffix(".new").write_text("2")
    os.utime(path.with_suffix(".new"), ns=(LONG_AGO, LONG_AGO))
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize("change", OF_ALL)
def test_it_knows_nothing_once(root: Path, change: str) -> None:
    witness = kept(root)
    OF_ALL[change](root)
    assert witness.look() is None


@pytest.mark.parametrize("change", OF_ONE_DOMAIN)
def test_it_still_holds_for_the_other_domains_once(root: Path, change: str) -> None:
    witness = kept(root)
    OF_ONE_DOMAIN[change](root)
    assert witness.look() == ["lint"]
    assert (witness.domains, witness.manifest("lint"), witness.beside(["lint"])) == (
        2,
        "manifests/lint.toml",
        ["test:make"],
    )


def test_a_domain_that_was_looked_at_again_joins_the_others(root: Path) -> None:
    kept(root)
    lint = root / "manifests/lint.toml"
    lint.write_text("222")
    os.utime(lint, ns=(LONG_AGO, LONG_AGO))
    witness = Witness(str(root), QUESTION)
    assert witness.look() == ["lint"]
    witness.begin(["lint"])
    witness.keep(["base"], None, {"lint": ("manifests/lint.toml", ["lint:train"], {})})
    again = Witness(str(root), QUESTION)
    assert again.look() == []
    assert sorted(again.stages()) == ["base", "lint:train", "test:make"]
    (root / "weights").touch()
    assert again.look() is None


def test_compiled_code_and_the_cache_beside_and_editors_leftovers_do_not_count(root: Path) -> None:
    witness = kept(root)
    (root.parent / "package/inner/__pycache__/b.pyc").touch()
    (root / "cache/runs").mkdir()
    (root / "manifests/.lint.toml.swp").touch()
    (root / "manifests/.tmp.toml").touch()
    assert witness.look() == []


def test_what_was_written_a_moment_ago_is_not_believed(root: Path) -> None:
    """A second write within the same tick of the file system's clock would not show."""
    (root / "manifests/lint.toml").write_text("2")
    assert kept(root).look() == ["lint"]
    (root / "fgbuild.toml").write_text("2")
    assert kept(root).look() is None


def test_what_the_build_was_not_sure_of_is_looked_at_again(root: Path) -> None:
    assert kept(root, gguf_sure=False).look() == ["lint"]


def test_what_changed_while_it_was_worked_out_is_not_taken_for_what_was_read(root: Path) -> None:
    witness = Witness(str(root), QUESTION)
    witness.begin()
    for name in ("manifests/lint.toml", "fgbuild.lock"):
        (root / name).write_text("longer")
        os.utime(root / name, ns=(LONG_AGO, LONG_AGO))
    witness.keep([], {}, {"lint": ("manifests/lint.toml", [], {})})
    assert Witness(str(root), QUESTION).look() is None
    (root / "fgbuild.lock").unlink()
    assert Witness(str(root), QUESTION).look() == ["lint"]


def test_a_cache_that_cannot_be_written_costs_nothing_else(root: Path) -> None:
    (root / "cache/unchanged").write_text("in the way")
    assert kept(root).look() is None


def test_its_file_says_what_it_rests_on(root: Path) -> None:
    kept(root)
    (file,) = (root / "cache/unchanged").iterdir()
    record = json.loads(file.read_text())
    manifest, stages, seen = record["domains"]["lint"]
    assert (manifest, stages) == ("manifests/lint.toml", ["lint:make", "lint:train"])
    assert seen[str(root / "none")] is None
    assert seen[str(root / "rows.jsonl")][1] == LONG_AGO < time.time_ns()
