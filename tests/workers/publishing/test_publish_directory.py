"""Publishing to a directory: whole or not at all, and never over what is somebody else's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from shipped_sample import place

from fgbuild.errors import FgbuildError
from fgbuild.workers.publishing import directory
from fgbuild.workers.publishing.parcel import Parcel, pack

NAMES = ["Modelfile", "README.md", "agent.json", "models", "models/lint_functiongemma_q8.gguf"]


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    return pack(place(tmp_path / "agents" / "lint"), "lint")


def publish(parcel: Parcel, target: Path, force: bool = False) -> list[int]:
    done: list[int] = []
    directory.publish(parcel, target, force=force, progress=done.append)
    return done


def names(target: Path) -> list[str]:
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*"))


def test_what_is_shipped_is_copied(parcel: Parcel, tmp_path: Path) -> None:
    target = tmp_path / "out" / "lint"
    done = publish(parcel, target)
    assert names(target) == NAMES
    for name, file in parcel.files.items():
        assert (target / name).read_bytes() == file.read_bytes()
    assert done[-1] == parcel.files[parcel.model].stat().st_size
    assert os.listdir(target.parent) == ["lint"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_an_earlier_publish_is_replaced_whole(parcel: Parcel, tmp_path: Path) -> None:
    target = tmp_path / "lint"
    target.mkdir()  # an empty one is nobody's
    publish(parcel, target)
    (target / "models" / "lint_functiongemma_f16.gguf").write_bytes(b"of another quantisation")
    (target / "README.md").write_text("old")
    publish(parcel, target)
    assert names(target) == NAMES
    assert (target / "README.md").read_text("utf-8") != "old"
    assert sorted(os.listdir(tmp_path)) == ["agents", "lint"]


@pytest.mark.parametrize("swap", [None, lambda *_: -1], ids=["missing", "refused"])
def test_without_an_exchange_it_takes_two_steps(
    parcel: Parcel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: object
) -> None:
    library = type("Library", (), {} if swap is None else {"renameat2": staticmethod(swap)})
    monkeypatch.setattr(directory.ctypes, "CDLL", lambda *_, **__: library)
    publish(parcel, tmp_path / "lint")
    publish(parcel, tmp_path / "lint")
    assert names(tmp_path / "lint") == NAMES
    assert sorted(os.listdir(tmp_path)) == ["agents", "lint"]


@pytest.mark.parametrize("entry", ["notes.txt", "models/other.bin", "src/a.py"])
def test_a_directory_of_something_else_is_left_alone(parcel: Parcel, tmp_path: Path, entry: str) -> None:
    target = tmp_path / "lint"
    publish(parcel, target)
    (target / entry).parent.mkdir(exist_ok=True)
    (target / entry).write_text("mine")
    (target / "README.md").write_text("old")
    with pytest.raises(FgbuildError, match=r"--to: .* holds .*which no publish of lint put there; .*--force"):
        publish(parcel, target)
    assert (target / "README.md").read_text() == "old"
    publish(parcel, target, force=True)
    assert (target / entry).read_text() == "mine"
    assert (target / "README.md").read_text("utf-8") != "old"


def test_another_domains_directory_is_left_alone(parcel: Parcel, tmp_path: Path) -> None:
    target = tmp_path / "lint"
    publish(parcel, target)
    (target / "agent.json").write_text(json.dumps({**parcel.agent, "domain": "test"}))
    with pytest.raises(FgbuildError, match="which no publish of lint put there"):
        publish(parcel, target)


def test_a_model_that_agent_json_does_not_name_leaves_nothing(parcel: Parcel, tmp_path: Path) -> None:
    parcel.files[parcel.model].write_bytes(b"other")
    with pytest.raises(FgbuildError, match=r"is not the file that its agent\.json names .*fgbuild build lint"):
        publish(parcel, tmp_path / "lint", force=True)
    assert os.listdir(tmp_path) == ["agents"]


def test_places_that_cannot_be_meant(parcel: Parcel, tmp_path: Path) -> None:
    for target in (tmp_path / "agents" / "lint", tmp_path / "agents" / "lint" / "deep"):
        with pytest.raises(FgbuildError, match="is where the model comes from"):
            publish(parcel, target, force=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(FgbuildError, match="is a file; name a directory"):
        publish(parcel, tmp_path / "file", force=True)
    with pytest.raises(FgbuildError, match="cannot be written"):
        publish(parcel, tmp_path / "file" / "below")


def test_what_is_not_whole_is_not_packed(parcel: Parcel, tmp_path: Path) -> None:
    gguf = parcel.files[parcel.model]
    folder = gguf.parent.parent
    with pytest.raises(FgbuildError, match=r"is of lint_functiongemma_q8\.gguf and not of other\.gguf"):
        pack(gguf.with_name("other.gguf"), "lint")
    (folder / "Modelfile").unlink()
    with pytest.raises(FgbuildError, match=r"Modelfile is missing; run `fgbuild build lint`"):
        pack(gguf, "lint")
    (folder / "agent.json").write_text(json.dumps({**parcel.agent, "stop_ids": []}))
    with pytest.raises(FgbuildError, match=r"agent\.json: stop_ids: "):
        pack(gguf, "lint")
    (folder / "agent.json").write_text("{")
    with pytest.raises(FgbuildError, match=r"agent\.json cannot be read"):
        pack(gguf, "lint")
