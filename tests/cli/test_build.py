from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fgbuild.cli import main
from fgbuild.engine.artifacts import current_artifact
from fgbuild.engine.lock import TreeLock
from fgbuild.manifest import resolve_project

BUILD = ["build", "bell", "--until", "generate"]


@pytest.fixture(autouse=True)
def restore_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_builds_once_and_then_says_that_nothing_is_to_be_done(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(BUILD) == 0
    assert "bell:generate" in capsys.readouterr().out
    assert main(BUILD) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("1 stage up to date (")
    assert captured.err == ""


def test_without_names_it_builds_every_domain(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other commands tell people to run just `fgbuild build`."""
    second = (project / "manifests" / "bell.toml").read_text().replace('"bell"', '"gong"', 1)
    (project / "manifests" / "gong.toml").write_text(second)
    assert main(["build", "--until", "generate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ran"] == ["bell:generate", "gong:generate"]


def test_json_is_events_alone_and_ends_with_build_finished(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BUILD, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (events[0]["kind"], events[-1]["kind"]) == ("run.started", "build.finished")
    assert events[-1]["ran"] == ["bell:generate"]
    assert all(event["v"] == 1 and event["run"] == events[0]["run"] for event in events)
    assert main([*BUILD, "--json"]) == 0
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    event = json.loads(line)
    assert (event["kind"], event["run"], event["ran"], event["skipped"]) == (
        "build.finished",
        None,
        [],
        ["bell:generate"],
    )
    assert "up to date" in captured.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["build", "bell", "--all"], "exclude each other"),
        (["build", "ball"], "there is no domain 'ball'; choose from bell"),
        (["build", "--all", "--until", "trian"], "there is no stage 'trian'; choose from base, generate"),
        (["build", "--all", "--base", "nope"], "nope"),
        (["build", "--all", "--profile", "nope"], "nope"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert hint in error
    assert "Traceback" not in error
    assert not (project / "cache" / "store").exists()


def test_jobs_must_be_a_number_above_0(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*BUILD, "--jobs", "0"])
    assert caught.value.code == 2
    assert "'0' is not a whole number above 0" in capsys.readouterr().err


def test_bad_data_names_file_and_line_and_is_exit_code_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / "data" / "bell.jsonl").open("a") as stream:
        stream.write("{not json\n")
    assert main([*BUILD, "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: bell:generate: data/bell.jsonl:13: is not JSON")
    events = [json.loads(line) for line in captured.out.splitlines()]
    (failed,) = [event for event in events if event["kind"] == "stage.failed"]
    assert "data/bell.jsonl:13" in failed["message"]
    assert events[-1]["failed"] == ["bell:generate"]
    assert events[-1]["exit_code"] == 2


@pytest.mark.parametrize(("arguments", "told"), [((), ""), (("--json",), "error: bell:generate: ")])
def test_on_a_terminal_a_failure_is_told_once(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    (project / "data" / "bell.jsonl").write_text("{not json\n")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main([*BUILD, *arguments]) == 2
    captured = capsys.readouterr()
    assert "data/bell.jsonl:1: is not JSON" in captured.out
    assert captured.err.startswith(told)
    assert bool(captured.err) == bool(told)


def test_headless_and_log_are_plain_lines_even_on_a_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main([*BUILD, "--headless"]) == 0
    assert main(["log"]) == 0
    assert "\r" not in capsys.readouterr().out


def test_a_held_tree_is_exit_code_4(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with TreeLock(project / "cache" / "build.lock"):
        assert main(BUILD) == 4
    assert f"another build (pid {os.getpid()}, since " in capsys.readouterr().err


def test_plan_shows_what_changed_and_json_has_its_documented_shape(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(BUILD)
    manifest = project / "manifests" / "bell.toml"
    manifest.write_text(manifest.read_text().replace("[dataset]", "# more of it\n[dataset]\nseed = 8"))
    capsys.readouterr()
    assert main(["plan", "--until", "generate"]) == 0
    line, total = capsys.readouterr().out.splitlines()
    assert line.startswith("bell:generate  run")
    assert line.endswith("dataset.seed: 7 → 8")
    assert total.startswith("1 stage to run")
    assert main(["plan", "--all", "--json"]) == 0
    stages = {stage["id"]: stage for stage in json.loads(capsys.readouterr().out)["stages"]}
    generate = stages["bell:generate"]
    assert generate["action"] == "run"
    assert {key: generate["reasons"][0][key] for key in ("component", "old", "new")} == {
        "component": "dataset.seed",
        "old": 7,
        "new": 8,
    }
    assert generate["predicted_seconds"] > 0
    assert generate["predicted_memory_mb"] > 0
    assert not generate["guessed"]
    assert stages["bell:train"]["predicted_seconds"] is None, "on a toy base nobody can say"
    assert stages["bell:tokenize"]["reasons"][-1]["text"] == "generate: will be rebuilt"


def test_plan_names_the_root_of_it_where_nothing_was_built(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--all"]) == 0
    *lines, total = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=3) for line in lines][2] == ["bell:tokenize", "run", "?", "never built"]
    assert all(line.endswith("never built") for line in lines)
    assert total.startswith("7 stages to run")
    assert main(["plan", "--all", "--json"]) == 0
    stages = {stage["id"]: stage for stage in json.loads(capsys.readouterr().out)["stages"]}
    assert [reason["text"] for reason in stages["bell:tokenize"]["reasons"]] == [
        "never built",
        "base: will be rebuilt",
        "generate: will be rebuilt",
    ]


def test_a_comment_in_a_manifest_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(BUILD)
    manifest = project / "manifests" / "bell.toml"
    manifest.write_text("# a comment\n\n" + manifest.read_text())
    capsys.readouterr()
    assert main(["plan", "--until", "generate"]) == 0
    assert capsys.readouterr().out == "1 stage up to date\n"


def test_why_follows_the_chain_and_remembers_the_last_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(BUILD)
    capsys.readouterr()
    assert main(["why", "bell:generate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "bell:generate is up to date"
    assert lines[1].startswith("  it last ran on ")
    assert lines[2] == "    because never built"
    (project / "data" / "bell.jsonl").write_text(
        (project / "data" / "bell.jsonl").read_text().replace("Ring 3", "Ring!")
    )
    assert main(["why", "bell:tokenize"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "bell:tokenize would run",
        "  because never built",
        "  because base: will be rebuilt",
        "    because never built",
        "  because generate: will be rebuilt",
        "    because data/bell.jsonl: changed",
    ]
    assert main(["why", "bell:nothing"]) == 2
    assert main(["why", "ball"]) == 2


def test_why_explains_the_build_that_the_outputs_are_of(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tried since with another manifest, which failed or was taken back: that explains nothing here."""
    manifest = project / "manifests" / "bell.toml"
    original = manifest.read_text()
    main(BUILD)
    manifest.write_text(original.replace("[dataset]", "[dataset]\nseed = 8"))
    main(BUILD)
    manifest.write_text(original)
    main(BUILD)
    capsys.readouterr()
    main(["runs", "--json"])
    first = json.loads(capsys.readouterr().out)["runs"][0]["id"]
    main(["why", "bell:generate"])
    head, built = capsys.readouterr().out.splitlines()
    assert head == "bell:generate is up to date"
    assert built.startswith("  these outputs were built on ")
    assert f"run {first})" in built


def test_why_leaves_out_a_failure_of_the_same_key(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(BUILD)
    monkeypatch.setattr("fgbuild.executors.processes.sys.executable", "/bin/false")
    assert main([*BUILD, "--force"]) == 1
    capsys.readouterr()
    main(["why", "bell:generate"])
    assert capsys.readouterr().out.splitlines()[1].startswith("  these outputs were built on ")


def test_runs_and_log_show_past_builds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    assert "no builds yet" in capsys.readouterr().out
    main(BUILD)
    main([*BUILD, "--force"])
    capsys.readouterr()
    assert main(["runs", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(run["outcome"], run["ran"], run["exit_code"]) for run in runs] == [("done", 1, 0)] * 2
    assert main(["runs"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [run["id"] for run in runs]
    assert main(["log", "latest"]) == 0
    assert "forced" in capsys.readouterr().out
    assert main(["log", runs[0]["id"]]) == 0
    assert "never built" in capsys.readouterr().out
    assert main(["log", "--stage", "bell:train"]) == 2
    assert "it has bell:generate" in capsys.readouterr().err


def test_the_current_artifact_is_what_a_build_made_of_these_fields(project: Path) -> None:
    assert current_artifact(resolve_project(project), "bell:generate") is None
    main(BUILD)
    built = current_artifact(resolve_project(project), "bell:generate")
    assert built is not None
    assert (built / "train.jsonl").is_file()
    manifest = project / "manifests" / "bell.toml"
    manifest.write_text(manifest.read_text().replace("[dataset]", "[dataset]\nseed = 8"))
    assert current_artifact(resolve_project(project), "bell:generate") is None
    assert current_artifact(resolve_project(project), "bell:export") is None
