"""doctor: every finding has a verdict, and what is wrong has a next step."""

from __future__ import annotations

import json
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from fgbuild.cli import doctor, main
from fgbuild.engine.build import locked
from fgbuild.engine.libraries import Libraries
from fgbuild.engine.paths import Paths
from fgbuild.engine.resources import Machine


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the libraries, which take seconds to load."""
    monkeypatch.setattr(doctor, "libraries", lambda project: iter(()))


def findings(capsys: pytest.CaptureFixture[str], code: int) -> dict[str, dict[str, str]]:
    assert main(["doctor", "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] == (code == 0)
    return {finding["name"]: finding for finding in found["findings"]}


def test_a_sound_machine_is_ready(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the real libraries and the tiny base."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("ready to build\n")
    for fact in ("Python", "torch", "llama-cpp-python", "tiny (tiny) is there", "bell on base tiny"):
        assert fact in out


@pytest.mark.usefixtures("light")
def test_a_broken_manifest_is_in_the_way(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "manifests" / "bell.toml"
    path.write_text(path.read_text() + "\n[lora]\nrank = 3\n")
    finding = findings(capsys, 1)["manifests"]
    assert finding["status"] == "problem"
    assert finding["text"].startswith("manifests/bell.toml:")
    assert finding["step"] == "correct it"


@pytest.mark.usefixtures("light")
def test_a_damaged_database_is_in_the_way(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = Paths(project).database
    database.parent.mkdir(exist_ok=True)
    database.write_bytes(b"not a database" * 1000)
    assert findings(capsys, 1)["cache"]["step"] == "remove cache/index.sqlite and build again"


@pytest.mark.usefixtures("light")
def test_what_is_short_is_a_warning_with_a_step(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 10**9))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(Machine, "detect", classmethod(lambda cls: cls(1, 2000.0)))
    found = findings(capsys, 0)
    for name in ("disk", "compiler", "machine"):
        assert found[name]["status"] == "warning"
        assert found[name]["step"]


@pytest.mark.usefixtures("light")
def test_a_running_build_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(Paths(project)):
        finding = findings(capsys, 0)["tree"]
    assert finding["status"] == "warning"
    assert "pid" in finding["text"]


def test_a_base_that_is_not_there_is_in_the_way(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "fgbuild.toml"
    path.write_text(path.read_text() + '\n[base.mine]\nkind = "path"\npath = "models/mine"\n')
    assert main(["doctor", "--base", "mine"]) == 1
    out = capsys.readouterr().out
    assert "✗ base model" in out
    assert "1 in the way of a build" in out


@pytest.mark.usefixtures("light")
def test_the_training_libraries_are_named_without_being_imported(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"trl": "1.15.0", "unsloth": None}
    monkeypatch.setattr(Libraries, "versions", lambda self, names: {name: installed[name] for name in names})
    found = findings(capsys, 0)
    assert found["trl"]["text"] == "1.15.0"
    assert found["unsloth"]["text"] == "not installed"
    assert "pip install 'fgbuild[unsloth]', or [backends.unsloth] python" in found["unsloth"]["step"]
    installed["unsloth"] = "2026.10.7"
    assert findings(capsys, 0)["unsloth"] == {"name": "unsloth", "status": "ok", "text": "2026.10.7", "step": ""}
    assert "unsloth" not in sys.modules


@pytest.mark.usefixtures("light")
def test_an_environment_with_unsloth_is_named_with_its_version(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python, packages = project / "python", project / "site-packages"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    packages.mkdir()
    with (project / "fgbuild.toml").open("a") as stream:
        stream.write('\n[backends.unsloth]\npython = "python"\n')
    missing = findings(capsys, 1)["unsloth"]
    assert missing["status"] == "problem"
    assert f"run {python} -m pip install unsloth" in missing["text"]
    (packages / "unsloth-7.0.dist-info").mkdir()
    assert findings(capsys, 0)["unsloth"]["text"].startswith(f"7.0 in the environment of {python} (Python 3.")
