"""`fgbuild lock`: what it pins, what it says of it, and what it leaves alone."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fgbuild.cli import main
from fgbuild.engine.lock import TreeLock
from fgbuild.workers import base
from fgbuild.workers.bases import lock as lock_file
from fgbuild.workers.protocol import Job, Reporter

PROJECT = """
schema = 1
default_base = "mine"

[base.mine]
kind = "path"
path = "models/mine"

[base.tiny]
kind = "tiny"
seed = 1

[base.hub]
kind = "hub"
repo = "owner/name"
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoint")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reporter, "emit", lambda *_, **__: None)
        entry = {"name": "tiny", "kind": "tiny", "seed": 1}
        base.run(Job("base", "base", None, entry, {}, directory, directory, directory, {}), Reporter("base"))
    return directory


@pytest.fixture
def root(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose default base is a local checkpoint."""
    (tmp_path / "fgbuild.toml").write_text(PROJECT)
    shutil.copytree(checkpoint, tmp_path / "models" / "mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pins(root: Path) -> dict[str, Any]:
    bases: dict[str, Any] = tomllib.loads((root / "fgbuild.lock").read_text())["base"]
    return bases


def test_every_source_of_the_default_base_is_pinned_and_nothing_is_built(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lock"]) == 0
    pin = pins(root)["mine"]
    assert pin["revision"] == "local"
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer.model"} <= set(pin["files"])
    for name, digest in pin["files"].items():
        assert digest == hashlib.sha256((root / "models" / "mine" / name).read_bytes()).hexdigest()
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "pinned base mine in fgbuild.lock; commit that file"
    assert [line.split() for line in lines] == [["revision", "local"], *map(list, pin["files"].items())]
    assert not (root / "cache" / "store").exists()
    assert not (root / "agents").exists()


def test_a_changed_source_stops_a_build_until_it_is_pinned_again(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lock"]) == 0
    assert main(["lock", "--base", "tiny"]) == 0
    before = pins(root)
    config = root / "models" / "mine" / "generation_config.json"
    config.write_text(config.read_text() + "\n")
    (root / "models" / "mine" / "chat_template.jinja").unlink()
    capsys.readouterr()
    assert main(["build", "--all", "--until", "base"]) == 2
    assert "accept the new one with `fgbuild lock`" in capsys.readouterr().err
    assert main(["lock"]) == 0
    new, old = pins(root)["mine"]["files"], before["mine"]["files"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pinned base mine again in fgbuild.lock; commit that file"
    changes = [line.split(maxsplit=1) for line in lines if "was" in line]
    name = "generation_config.json"
    assert changes == [
        [name, f"{new[name]} (was {old[name]})"],
        ["chat_template.jinja", f"no longer there, was {old['chat_template.jinja']}"],
    ]
    assert pins(root)["tiny"] == before["tiny"]
    assert main(["build", "--all", "--until", "base"]) == 0


def test_what_is_pinned_already_is_not_written_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["lock", "--base", "tiny"])
    (root / "fgbuild.lock").write_text("# ours\n" + (root / "fgbuild.lock").read_text())
    capsys.readouterr()
    assert main(["lock", "--base", "tiny"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "base tiny is pinned already; fgbuild.lock is unchanged",
        "  revision  seed-1",
    ]
    assert (root / "fgbuild.lock").read_text().startswith("# ours\n")


def test_a_broken_lock_file_is_written_anew(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "fgbuild.lock").write_text("<<<<<<< ours\n")
    assert main(["lock", "--base", "tiny"]) == 0
    assert list(pins(root)) == ["tiny"]
    assert "fgbuild.lock could not be read and was written anew" in capsys.readouterr().err


def test_the_present_pin_does_not_choose_the_commit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_file.write(root / "fgbuild.lock", "hub", lock_file.Pin("owner/name@" + "0" * 40, {}))
    asked: list[Any] = []

    class Stop(Exception):
        pass

    def load(entry: dict[str, Any], pin: Any) -> None:
        asked.append(pin)
        raise Stop

    monkeypatch.setattr(base.hub, "load", load)
    entry = {"name": "hub", "kind": "hub", "repo": "owner/name", "revision": "main"}
    for options in ({"pin": True}, {}):
        with pytest.raises(Stop):
            base.run(Job("base", "base", None, entry, {}, root, root, root, options), Reporter("base"))
    assert asked == [None, lock_file.Pin("owner/name@" + "0" * 40, {})]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--base", "mien"], 'no base is named "mien" (did you mean "mine"?)'), ([], "config.json")],
)
def test_what_cannot_be_pinned_is_one_sentence_and_leaves_the_file(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    main(["lock"])
    text = (root / "fgbuild.lock").read_text()
    shutil.rmtree(root / "models")
    capsys.readouterr()
    assert main(["lock", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert (root / "fgbuild.lock").read_text() == text


def test_not_while_a_build_holds_the_tree(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with TreeLock(root / "cache" / "build.lock"):
        assert main(["lock"]) == 4
    assert "holds this tree" in capsys.readouterr().err
    assert not (root / "fgbuild.lock").exists()
