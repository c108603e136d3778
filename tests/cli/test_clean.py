from __future__ import annotations

from pathlib import Path

import pytest

from fgbuild.cli import main
from fgbuild.engine.actions import Action, ActionCache
from fgbuild.engine.database import open_database
from fgbuild.engine.paths import Paths

GGUF = "agents/bell/models/bell_functiongemma_q8.gguf"


@pytest.fixture
def built(project: Path) -> Path:
    """The project as after a build: bell's export stands in the database, its model is placed."""
    placed = project / GGUF
    placed.parent.mkdir(parents=True)
    placed.write_text("weights")
    (project / "agents" / "README.md").write_text("tracked")
    database = open_database(Paths(project).database)
    actions = ActionCache(database)
    fields = {"name": "bell", "quant": {"type": "q8_0"}}
    actions.record(Action("k", "bell:export", "export", "o", 1.0, 1.0, 1.0, {"fields": fields}, "r", 0.0))
    actions.stand_at("bell:export", "k", "o")
    database.close()
    return project


def test_it_says_what_it_removed_and_all_removes_what_was_built(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["build", "bell", "--until", "generate"])
    (built / "cache" / "tmp" / "left").mkdir(parents=True)
    (built / "cache" / "tmp" / "left" / "over").write_text("x")
    capsys.readouterr()
    assert main(["clean"]) == 0
    assert capsys.readouterr().out == "removed cache/tmp (0.0 MB)\n"
    assert (built / GGUF).exists()
    assert main(["clean", "--placed"]) == 0
    assert f"removed {GGUF}" in capsys.readouterr().out
    assert (built / "agents" / "README.md").exists()
    assert not (built / "agents" / "bell").exists()
    assert main(["plan", "--until", "generate"]) == 0
    assert "up to date" in capsys.readouterr().out
    assert main(["clean", "--all"]) == 0
    assert not (built / "cache" / "store").exists()
    assert main(["plan", "--until", "generate"]) == 0
    assert "never built" in capsys.readouterr().out


def test_all_leaves_the_page_and_the_lock_alone(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = built / "cache"
    (cache / "README.md").write_text("what is here")
    for name in ("eval/scores.json", "ui/build.log", "of a later version/file"):
        (cache / name).parent.mkdir()
        (cache / name).write_text("x")
    assert main(["clean", "--all"]) == 0
    assert sorted(path.name for path in cache.iterdir()) == ["README.md", "build.lock"]
    assert "removed cache/eval" in capsys.readouterr().out


@pytest.mark.parametrize("broken", ["manifests/bell.toml", "fgbuild.toml"])
def test_a_broken_manifest_keeps_no_model_in_place(
    built: Path, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    (built / broken).write_text("schema = [")
    assert main(["clean", "--all"]) == 0
    captured = capsys.readouterr()
    assert broken in captured.err
    assert "known from past builds" in captured.err
    assert f"removed {GGUF}" in captured.out
    assert not (built / "agents" / "bell").exists()


def test_a_domain_whose_manifest_is_gone_goes_too(built: Path) -> None:
    (built / "manifests" / "bell.toml").unlink()
    assert main(["clean", "--placed"]) == 0
    assert not (built / GGUF).exists()


def test_a_damaged_database_does_not_stop_it(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Paths(built).database.write_bytes(b"not a database" * 1000)
    assert main(["clean", "--all"]) == 0
    assert "index.sqlite" in capsys.readouterr().err
    assert not (built / GGUF).exists()
    assert not Paths(built).database.exists()
