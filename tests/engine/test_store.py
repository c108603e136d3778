from __future__ import annotations

import os
from pathlib import Path

import pytest

from fgbuild.engine.actions import ActionCache
from fgbuild.engine.database import open_database
from fgbuild.engine.digests import Digests
from fgbuild.engine.graph import Stage
from fgbuild.engine.place import Placer
from fgbuild.engine.store import DamagedArtifact, Store, list_files, tree_digest
from fgbuild.stages.spec import Placed, StageSpec


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", open_database(tmp_path / "db"))


def output(tmp_path: Path, **files: str) -> Path:
    directory = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
    directory.mkdir()
    for name, text in files.items():
        path = directory / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return directory


def test_published_read_only_under_the_digest_of_its_content(tmp_path: Path, store: Store) -> None:
    source = output(tmp_path, a="1", sub__b="22", empty="")
    expected = tree_digest(list_files(source))
    digest = store.publish(source)
    assert digest == expected
    assert not source.exists()
    assert store.has(digest)
    assert [(entry.path, entry.size) for entry in store.listing(digest)] == [("a", 1), ("empty", 0), ("sub/b", 2)]
    assert (store.path(digest) / "sub/b").read_text() == "22"
    assert {os.stat(store.path(digest) / name).st_mode & 0o222 for name in ("", "a", "sub", "sub/b")} == {0}


def test_the_digest_depends_on_names_and_content_alone(tmp_path: Path, store: Store) -> None:
    first = store.publish(output(tmp_path, a="1", b="2"))
    assert store.publish(output(tmp_path, b="2", a="1")) == first
    others = [output(tmp_path, a="2", b="1"), output(tmp_path, a="12", b=""), output(tmp_path, a="1", c="2")]
    assert len({first, *map(store.publish, others)}) == 4


def test_damage_is_found_and_mended_by_publishing_again(tmp_path: Path, store: Store) -> None:
    digest = store.publish(output(tmp_path, a="1"))
    path = store.path(digest) / "a"
    path.chmod(0o644)
    path.write_text("2")
    assert not store.is_sound(digest)
    assert store.publish(output(tmp_path, a="1")) == digest
    assert store.is_sound(digest)


def test_a_file_is_read_only_as_its_artifact_says(tmp_path: Path, store: Store) -> None:
    digest = store.publish(output(tmp_path, a="1"))
    path = store.path(digest) / "a"
    assert store.read(digest, "a") == b"1"
    assert store.read(digest, "b") is None
    path.chmod(0o644)
    path.write_text("2")
    assert store.read(digest, "a") is None


def test_removed_is_gone_for_the_next_process_too(tmp_path: Path, store: Store) -> None:
    digest = store.publish(output(tmp_path, sub__a="1"))
    store.remove(digest)
    assert not store.has(digest)
    assert not Store(tmp_path / "store", open_database(tmp_path / "db")).has(digest)
    assert list((tmp_path / "store").iterdir()) == []
    assert not store.is_sound(digest)


@pytest.fixture
def stage() -> Stage:
    spec = StageSpec("export", 1, "w", placed=lambda manifest: (Placed("a", "agents/x/a.txt"),))
    return Stage("x:export", spec, "x", {})


def placing(root: Path, store: Store) -> Placer:
    database = open_database(root / "db")
    return Placer(root, store, Digests(database), ActionCache(database))


def test_placing_copies_and_leaves_no_temporary_file(tmp_path: Path, store: Store, stage: Stage) -> None:
    digest = store.publish(output(tmp_path, a="1"))
    placer = placing(tmp_path, store)
    assert [reason.text for reason in placer.out_of_place(stage, digest)] == ["output missing: agents/x/a.txt"]
    placer.place(stage, digest)
    assert [(item.target, size) for item, size in placer.sizes(stage, digest)] == [("agents/x/a.txt", 1)]
    assert placer.out_of_place(stage, digest) == []
    assert os.listdir(tmp_path / "agents/x") == ["a.txt"]
    placed = tmp_path / "agents/x/a.txt"
    assert placed.stat().st_ino != (store.path(digest) / "a").stat().st_ino
    placed.write_text("2")
    assert [reason.text for reason in placer.out_of_place(stage, digest)] == ["output changed: agents/x/a.txt"]
    assert (store.path(digest) / "a").read_text() == "1"


def test_a_damaged_file_is_never_placed(tmp_path: Path, store: Store, stage: Stage) -> None:
    digest = store.publish(output(tmp_path, a="1"))
    path = store.path(digest) / "a"
    path.chmod(0o644)
    path.write_text("2")
    placer = placing(tmp_path, store)
    with pytest.raises(DamagedArtifact):
        placer.place(stage, digest)
    assert os.listdir(tmp_path / "agents/x") == []
