"""What a user can get wrong, from the command line to the disk: exit code 2, file and line, no harm done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fgbuild import cli
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import run_ids
from fgbuild.events import Event, read_events

REPOSITORY = Path(cli.__file__).parent.parent.parent
SHIPPED = "agents/bell/models/bell_functiongemma_q8.gguf"
DATA = "data/bell.jsonl"


def edit(old: str, new: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        path = root / "manifests" / "bell.toml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return apply


def second_bell(root: Path) -> None:
    (root / "manifests" / "zell.toml").write_text((root / "manifests" / "bell.toml").read_text())


def outside(root: Path) -> None:
    shutil.copyfile(root / DATA, root.parent / "mine.jsonl")
    edit("data/bell.jsonl", "../mine.jsonl")(root)


def linked_outside(root: Path) -> None:
    (root / DATA).rename(root.parent / "mine.jsonl")
    (root / DATA).symlink_to(root.parent / "mine.jsonl")


def row(request: str, tool: str = "ring") -> str:
    call = {"type": "function", "function": {"name": tool, "arguments": {}}}
    messages = [{"role": "user", "content": request}, {"role": "assistant", "tool_calls": [call]}]
    return json.dumps({"messages": messages}) + "\n"


LONG_ROW = row("Ring the bell again. " * 400)


def append(line: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        with (root / DATA).open("a", encoding="utf-8") as stream:
            stream.write(line)

    return apply


def write(content: bytes) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        (root / DATA).write_bytes(content)

    return apply


MANIFEST_FAULTS = {
    "unknown key": (
        edit("[dataset]", "[dataset]\nsede = 8"),
        'manifests/bell.toml:7: dataset.sede: unknown key (did you mean "seed"?)',
    ),
    "unknown section": (
        edit("[dataset]", "[training]\nx = 1\n\n[dataset]"),
        "manifests/bell.toml:6: training",
    ),
    "wrong type": (
        edit("[dataset]", '[dataset]\ncount = "many"'),
        'manifests/bell.toml:7: dataset.count: must be a whole number, not "many"',
    ),
    "out of range": (
        edit("[dataset]", "[dataset]\ncount = 1"),
        "manifests/bell.toml:7: dataset.count: must be at least 2",
    ),
    "not TOML": (edit('name = "bell"', "name = bell"), "manifests/bell.toml:3: is not valid TOML"),
    "duplicate domain": (
        second_bell,
        'manifests/zell.toml:3: name: "bell" is the name of manifests/bell.toml:3 too',
    ),
    "file outside the project": (outside, 'manifests/bell.toml:7: dataset.files[0]: "../mine.jsonl" is outside'),
    "link out of the project": (linked_outside, f'manifests/bell.toml:7: dataset.files[0]: "{DATA}" is outside'),
    "missing file": (
        lambda root: (root / DATA).unlink(),
        f'manifests/bell.toml:7: dataset.files[0]: "{DATA}" does not',
    ),
    "no dataset at all": (
        edit('files = ["data/bell.jsonl"]', ""),
        "manifests/bell.toml:6: dataset.files: the dataset would be empty",
    ),
}
"""What is found before anything runs: (how to break the project, what stderr says)."""

DATA_FAULTS = {
    "malformed line": (append('{"messages": [\n'), f"{DATA}:13: is not JSON", "bell:generate"),
    "no messages": (append('{"text": "Ring"}\n'), f"{DATA}:13: ", "bell:generate"),
    "unknown tool": (append(row("Sing", "sing")), f"{DATA}:13: ", "bell:generate"),
    "not UTF-8": (write(b'{"messages": "\xff"}\n'), f"{DATA}:1: is not UTF-8 text", "bell:generate"),
    "empty file": (write(b""), f"{DATA}: is empty", "bell:generate"),
    "blank lines": (write(b"\n\n  \n"), f"{DATA}: is empty", "bell:generate"),
    "too long": (append(LONG_ROW), f"{DATA}:13: ", "bell:tokenize"),
}
"""What a stage finds: (how to break the project, what stderr says, the stage)."""


@pytest.fixture
def shipped(project: Path) -> Path:
    """The project with a model that an earlier build has left."""
    path = project / SHIPPED
    path.parent.mkdir(parents=True)
    path.write_text("weights")
    return project


def fgbuild(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fgbuild", "--root", str(root), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def below_agents(root: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in (root / "agents").rglob("*") if path.is_file()}


def last_run(root: Path) -> list[Event]:
    paths = Paths(root)
    return list(read_events(paths.events(run_ids(paths)[-1])))


@pytest.mark.parametrize("fault", MANIFEST_FAULTS)
def test_a_bad_manifest_starts_nothing(shipped: Path, fault: str) -> None:
    breaks, words = MANIFEST_FAULTS[fault]
    breaks(shipped)
    before = below_agents(shipped)
    done = fgbuild(shipped, "build", "--all")
    assert done.returncode == 2
    assert f"error: {words}" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert below_agents(shipped) == before
    assert run_ids(Paths(shipped)) == []
    assert not (shipped / "cache" / "store").exists()


@pytest.mark.parametrize("fault", DATA_FAULTS)
def test_bad_data_stops_the_domain(shipped: Path, fault: str) -> None:
    breaks, words, stage = DATA_FAULTS[fault]
    breaks(shipped)
    before = below_agents(shipped)
    done = fgbuild(shipped, "build", "bell")
    assert done.returncode == 2
    assert f"error: {stage}: {words}" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert below_agents(shipped) == before
    events = last_run(shipped)
    failed = [event["kind"] for event in events].index("stage.failed")
    assert not [event for event in events[failed:] if event["kind"] == "stage.started"]
    finished = {event["stage"] for event in events if event["kind"] == "stage.finished"}
    assert finished <= {"base", "bell:generate"} - {stage}
    assert (events[-1]["failed"], events[-1]["exit_code"]) == ([stage], 2)


def test_the_length_and_the_limit_are_named(shipped: Path) -> None:
    append(LONG_ROW)(shipped)
    error = fgbuild(shipped, "build", "bell").stderr
    assert f"{DATA}:13: " in error
    assert "tokens, above dataset.max_length = 1024; shorten it or raise max_length" in error


def test_with_json_the_reason_is_on_stderr_too(shipped: Path) -> None:
    append("{\n")(shipped)
    done = fgbuild(shipped, "build", "bell", "--json", "--until", "generate")
    assert done.returncode == 2
    assert [json.loads(line)["v"] for line in done.stdout.splitlines()]
    assert done.stderr.startswith(f"error: bell:generate: {DATA}:13: is not JSON")


def test_what_a_file_says_cannot_drive_the_terminal(shipped: Path) -> None:
    append(row("Ring \x1b[2J<end_of_turn>"))(shipped)
    done = fgbuild(shipped, "build", "bell", "--until", "generate")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr + done.stdout


@pytest.mark.parametrize("fault", ["malformed line", "empty file", "unknown tool"])
def test_check_finds_bad_data_without_a_build(shipped: Path, fault: str) -> None:
    breaks, words, _ = DATA_FAULTS[fault]
    breaks(shipped)
    done = fgbuild(shipped, "check")
    assert done.returncode == 2
    assert words in done.stderr
