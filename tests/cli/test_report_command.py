from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import pytest

from fgbuild.cli import main
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import run_ids
from fgbuild.events import read_events


def build(project: Path) -> str:
    """Build the data set; the run's id."""
    assert main(["build", "bell", "--until", "generate"]) == 0
    return run_ids(Paths(project))[-1]


def test_a_build_becomes_a_page_beside_its_log(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = build(project)
    capsys.readouterr()
    assert main(["report"]) == 0
    printed = capsys.readouterr().out.strip()
    assert printed == f"cache/runs/{run}/report.html"
    page = (project / printed).read_text("utf-8")
    for said in (run, "bell", "tiny", "Calls by tool", "ring"):
        assert said in page


def test_the_log_says_what_was_made_and_by_what(project: Path) -> None:
    run = build(project)
    events = list(read_events(Paths(project).events(run)))
    assert events[0]["made_with"]["cores"] >= 1
    assert events[0]["made_with"]["memory_mb"] > 100
    (outputs,) = (event["outputs"] for event in events if event["kind"] == "stage.finished")
    assert (Paths(project).store / outputs / "stats.json").is_file()


def test_an_older_run_shows_what_it_made_and_not_what_is_there_now(project: Path) -> None:
    first = build(project)
    rows = (project / "data" / "bell.jsonl").read_text().splitlines()
    (project / "data" / "bell.jsonl").write_text("\n".join(rows[:6]) + "\n")
    second = build(project)
    assert main(["report", "--run", first, "--out", "first.html"]) == 0
    assert main(["report", "--run", second, "--out", "second.html"]) == 0
    sizes = [_training_rows(project, run) for run in (first, second)]
    assert sizes[0] > sizes[1]
    for name, size in zip(("first.html", "second.html"), sizes):
        assert f'<th scope="row">rows</th><td class="n">{size}</td>' in (project / name).read_text("utf-8")


def _training_rows(project: Path, run: str) -> int:
    ended = [event for event in read_events(Paths(project).events(run)) if event["kind"] == "stage.finished"]
    rows: int = json.loads((Paths(project).store / ended[-1]["outputs"] / "stats.json").read_text())["train"]["rows"]
    return rows


def test_open_shows_the_page_in_the_browser(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(project)
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: bool(shown.append(address)) or True)
    assert main(["report", "--out", "page.html", "--open"]) == 0
    assert shown == [(project / "page.html").as_uri()]


def test_the_last_run_that_ended_is_shown(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = build(project)
    going = Paths(project).events("99991231-000000-0000")
    going.parent.mkdir()
    going.write_text('{"v":1,"t":1,"run":"99991231-000000-0000","kind":"run.started","stages":[]}\n')
    assert main(["report"]) == 0
    assert run in capsys.readouterr().out
    assert main(["report", "--run", "latest"]) == 0
    assert "No end yet" in (going.parent / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no builds yet"),
        (["--run", "1999"], "there is no run '1999'; fgbuild runs lists them"),
    ],
)
def test_without_a_run_there_is_a_next_step(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["report", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "said"), [("manifests", "manifests is a directory"), ("no/page.html", "no is no directory")]
)
def test_a_place_that_cannot_be_written_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], target: str, said: str
) -> None:
    build(project)
    assert main(["report", "--out", target]) == 2
    assert said in capsys.readouterr().err
