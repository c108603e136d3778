from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fgbuild.cli import main

BUILD = ["build", "bell", "--until", "generate"]


def edit(project: Path, text: str) -> None:
    path = project / "data" / "bell.jsonl"
    path.write_text(path.read_text() + text)


@pytest.fixture
def built(project: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    main(BUILD)
    capsys.readouterr()
    return project


def test_stats_say_what_is_stored_and_in_use(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "stats"]) == 0
    out = capsys.readouterr().out
    assert "bell:generate" in out
    assert "in use" in out
    assert main(["cache", "stats", "--json"]) == 0
    stats = json.loads(capsys.readouterr().out)
    assert stats["artifacts"] == stats["stages"]["bell:generate"]["artifacts"] == 1
    assert stats["needed_bytes"] == stats["bytes"] > 0


def test_verify_removes_what_is_damaged(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "verify"]) == 0
    assert "sound" in capsys.readouterr().out
    path = next(built.glob("cache/store/*/train.jsonl"))
    os.chmod(path, 0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert main(["cache", "verify", "--json"]) == 0
    assert [entry["stage"] for entry in json.loads(capsys.readouterr().out)["removed"]] == ["bell:generate"]
    assert main(["plan", "--until", "generate"]) == 0
    assert "1 stage to run" in capsys.readouterr().out


def test_gc_takes_old_results_and_dry_run_takes_nothing(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = (built / "data" / "bell.jsonl").read_text().splitlines()[0]
    edit(built, row.replace("Ring 0", "Ring it").replace("bell-0", "bell-it") + "\n")
    main(BUILD)
    capsys.readouterr()
    assert main(["cache", "gc"]) == 0
    assert capsys.readouterr().out.startswith("0 results")
    assert main(["cache", "gc", "--keep-last", "1", "--dry-run"]) == 0
    assert "would go" in capsys.readouterr().out
    assert len(list(built.glob("cache/store/*"))) == 2
    assert main(["cache", "gc", "--keep-last", "1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["removed"]) == 1
    assert len(list(built.glob("cache/store/*"))) == 1
    assert main(["cache", "gc", "--max-size", "0"]) == 0
    assert "what the current outputs need" in capsys.readouterr().err
    assert main(["plan", "--until", "generate"]) == 0
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--max-size", "much"], ["--max-size", "5ib"], ["--keep-last", "-1"]])
def test_a_size_or_count_that_is_none_is_refused(
    built: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["cache", "gc", *arguments])
    assert stop.value.code == 2
    assert arguments[1] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "size"), [("20GB", 20_000_000_000), ("1.5 GiB", 1_610_612_736), ("7", 7), ("2k", 2000)]
)
def test_sizes(text: str, size: int) -> None:
    from fgbuild.cli.cache import _bytes

    assert _bytes(text) == size
