from __future__ import annotations

import argparse
import errno
import importlib
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from fgbuild import cli
from fgbuild.cli import COMMANDS, main
from fgbuild.errors import GateError


def test_help_lists_every_command_with_its_docstrings_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in out
    assert "Say why stages would run now" in out


@pytest.mark.parametrize("columns", [60, 80])
def test_help_breaks_its_lines_between_words(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= columns
    verify = importlib.import_module(COMMANDS["verify"]).__doc__ or ""
    assert " ".join(verify.split("\n")[0].split()) in " ".join(out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    module = importlib.import_module(COMMANDS[name])
    assert module.__doc__
    assert f"fgbuild {name}" in capsys.readouterr().out


def test_an_unknown_command_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["biuld"])
    assert caught.value.code == 2
    assert "there is no command 'biuld'; did you mean 'build'?" in capsys.readouterr().err


def _fake(monkeypatch: pytest.MonkeyPatch, name: str, run) -> None:  # type: ignore[no-untyped-def]
    module = types.ModuleType("fake_command", "A fake.")
    module.add_arguments = lambda parser: None  # type: ignore[attr-defined]
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_command", module)
    monkeypatch.setitem(cli.COMMANDS, name, "fake_command")


def test_without_a_command_it_is_the_dashboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[argparse.Namespace] = []
    _fake(monkeypatch, "ui", lambda args: seen.append(args) or 0)
    assert main([]) == 0
    assert main(["--root", str(tmp_path)]) == 0
    assert [args.root for args in seen] == [None, tmp_path]


def test_root_is_taken_before_and_after_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Path] = []
    _fake(monkeypatch, "fake", lambda args: seen.append(args.root) or 0)
    main(["--root", str(tmp_path), "fake"])
    main(["fake", "--root", str(tmp_path)])
    assert seen == [tmp_path, tmp_path]


def test_errors_are_printed_without_a_traceback_and_give_their_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(args: argparse.Namespace) -> int:
        raise GateError("lint: argument match 0.5 is below 0.65; train longer")

    def interrupt(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    _fake(monkeypatch, "fake", refuse)
    assert main(["fake"]) == 3
    assert capsys.readouterr().err == "error: lint: argument match 0.5 is below 0.65; train longer\n"

    def fill(args: argparse.Namespace) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "cache/runs/x")

    _fake(monkeypatch, "fake", interrupt)
    assert main(["fake"]) == 130
    _fake(monkeypatch, "fake", fill)
    assert main(["fake"]) == 1
    assert capsys.readouterr().err.startswith("error: cache/runs/x: No space left on device;")


def test_outside_a_project_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--all"]) == 2
    assert "no fgbuild.toml" in capsys.readouterr().err


def test_without_a_command_and_a_terminal_it_says_how_to_start(project: Path) -> None:
    repository = Path(cli.__file__).parent.parent.parent
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    command = [sys.executable, "-m", "fgbuild"]
    done = subprocess.run(
        command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No build has run here yet; `fgbuild build` starts one.\n"


def test_a_reader_that_went_away_is_no_traceback(project: Path) -> None:
    repository = Path(cli.__file__).parent.parent.parent
    command = f"{sys.executable} -m fgbuild --root {project} schema | head -c 10"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=repository)
    assert "Traceback" not in done.stderr


def fgbuild(root: Path, *arguments: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "fgbuild", "--root", str(root), *arguments]
    return subprocess.run(command, cwd=Path(cli.__file__).parent.parent.parent, env=environment, capture_output=True)


@pytest.mark.parametrize(
    "arguments", [("build", "bell"), ("plan",), ("why", "bell"), ("runs",), ("log",), ("clean", "--all"), ("ui",)]
)
def test_a_cache_that_is_a_file_is_one_line(project: Path, arguments: tuple[str, ...]) -> None:
    (project / "cache").write_text("")
    done = fgbuild(project, *arguments)
    said = done.stderr.decode()
    assert "Traceback" not in said
    if done.returncode:  # the dashboard shows that there is no run
        assert said.startswith("error: ")
        assert len(said.splitlines()) == 1
        assert "cache" in said
    assert done.returncode in ((0,) if arguments == ("ui",) else (1, 2))


def test_any_file_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(args: argparse.Namespace) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "manifests/a\x1b[2J.toml")

    def defect(args: argparse.Namespace) -> int:
        raise OSError("no file is at fault")

    _fake(monkeypatch, "fake", refuse)
    assert main(["fake"]) == 1
    said = capsys.readouterr().err
    assert said == "error: manifests/a␛[2J.toml: Permission denied; put that right and run it again\n"
    _fake(monkeypatch, "fake", defect)
    with pytest.raises(OSError, match="no file"):
        main(["fake"])


def test_a_place_for_manifests_that_is_a_file_is_one_line(project: Path) -> None:
    (project / "manifests" / "data").write_text("")
    done = fgbuild(project, "new", "timers", "--from-data")
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(b"error: ")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("plan",), ("plan", "--json"), ("why", "bell"), ("check", "--resolved")])
def test_an_output_that_is_not_utf_8_gets_what_it_can_hold(project: Path, arguments: tuple[str, ...]) -> None:
    assert fgbuild(project, "build", "bell", "--until", "generate").returncode == 0
    manifest = project / "manifests" / "bell.toml"
    manifest.write_text(manifest.read_text().replace("Ring the bell.", "Ring → it.").replace("[data", "[data", 1))
    done = fgbuild(project, *arguments, encoding="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    if "--json" in arguments:
        assert b"\\u2192" in done.stdout  # a program gets every character


def test_a_manifest_cannot_drive_the_terminal(project: Path) -> None:
    manifest = project / "manifests" / "bell.toml"
    manifest.write_text(manifest.read_text() + '\n[lora]\nr = "\\u001b[2J\\nerror: \\u009b2J\\u202e"\n', "utf-8")
    for command in ("build", "check"):
        done = fgbuild(project, command)
        assert done.returncode == 2
        said = done.stderr.decode()
        assert not set(said) & set("\x1b\x9b\u202e")
        assert "lora.r: must be a whole number" in said
        assert not [line for line in said.splitlines()[1:] if line.startswith("error: ")]


def test_what_call_says_of_a_bad_number(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in ("0", "many"):
        with pytest.raises(SystemExit) as caught:
            main(["call", "bell", "Ring", "--max-tokens", number])
        assert caught.value.code == 2
        assert f"{number!r} is not a whole number above 0" in capsys.readouterr().err


def test_options_without_a_command_are_the_dashboards(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(project), "--announce"]) == 0
    assert "No build has run here yet" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(project), "--frobnicate"])
    assert ended.value.code == 2
    assert "fgbuild ui: error: unrecognized arguments: --frobnicate" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--frobnicate", "build"])
    assert "fgbuild: error: unrecognized arguments: --frobnicate" in capsys.readouterr().err
