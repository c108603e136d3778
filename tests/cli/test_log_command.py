from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from fgbuild.cli import main
from fgbuild.engine.paths import Paths

RUN = "20261122-114503-4f2a"


def append(project: Path, *events: dict[str, Any], run: str = RUN) -> None:
    path = Paths(project).events(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        for event in events:
            stream.write(json.dumps({"v": 1, "t": time.time(), "run": run, **event}) + "\n")


def begin(project: Path, pid: int) -> None:
    stages = [{"id": "bell:train", "kind": "train", "domain": "bell", "action": "run", "predicted_seconds": 5}]
    append(
        project,
        {"kind": "run.started", "command": "fgbuild build", "pid": pid, "stages": stages},
        {"kind": "stage.started", "stage": "bell:train", "reasons": [{"component": "lora.r", "old": 16, "new": 32}]},
        {"kind": "stage.metric", "stage": "bell:train", "step": 1, "loss": 2.5},
    )


END = (
    {"kind": "stage.finished", "stage": "bell:train", "seconds": 4.0, "action": "run", "peak_memory_mb": 900},
    {"kind": "build.finished", "ran": ["bell:train"], "cached": [], "failed": [], "seconds": 4.0, "exit_code": 0},
)


def test_follow_goes_on_until_the_build_ends(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(project, os.getpid())
    later = threading.Timer(0.5, append, (project, *END))
    later.start()
    assert main(["log", "--follow"]) == 0
    later.join()
    out = capsys.readouterr().out
    assert "bell:train" in out
    assert "Done in 4.0 s" in out


def test_follow_ends_with_a_build_that_was_killed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(project, 2**22 + 1)
    assert main(["log", "--follow"]) == 0
    assert "bell:train" in capsys.readouterr().out


def test_a_stages_output_is_followed_from_before_it_is_there(
    project: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    begin(project, os.getpid())
    log = Paths(project).log(RUN, "bell:train")
    log.parent.mkdir(parents=True)

    def write() -> None:
        log.write_bytes(b"first\n")
        time.sleep(0.4)
        with log.open("ab") as stream:
            stream.write(b"last\n")
        append(project, *END)

    later = threading.Timer(0.3, write)
    later.start()
    assert main(["log", RUN[:8], "--stage", "bell:train", "--follow"]) == 0
    later.join()
    assert capfdbinary.readouterr().out == b"first\nlast\n"


@pytest.mark.parametrize("follow", [[], ["--follow"]])
def test_of_a_line_that_was_written_over_the_last_state_is_printed(
    project: Path, capfdbinary: pytest.CaptureFixture[bytes], follow: list[str]
) -> None:
    begin(project, 2**22 + 1)
    log = Paths(project).log(RUN, "bell:train")
    log.parent.mkdir(parents=True)
    bars = b"".join(b"\r%3d%%" % share for share in range(101))
    log.write_bytes(b"loading\n" + bars * 5_000 + b"\nsaving\xff\r\n" + bars)
    assert main(["log", "--stage", "bell:train", *follow]) == 0
    assert capfdbinary.readouterr().out == b"loading\n100%\nsaving\xff\n100%"


def test_an_unknown_stage_names_those_there_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(project, 2**22 + 1)
    assert main(["log", "--stage", "bell:eval"]) == 2
    assert "has no output of 'bell:eval'; it has none" in capsys.readouterr().err


def test_trace_is_a_file_that_perfetto_opens(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(project, 2**22 + 1)
    append(project, *END)
    assert main(["log", "--trace", "run.json"]) == 0
    assert "ui.perfetto.dev" in capsys.readouterr().err
    records = json.loads((project / "run.json").read_text())["traceEvents"]
    stage = next(record for record in records if record["ph"] == "X")
    assert stage["name"] == "bell:train"
    assert stage["args"]["peak_memory_mb"] == 900
    assert [record["args"] for record in records if record["ph"] == "C"] == [{"loss": 2.5}]
