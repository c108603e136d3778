"""How the probe's end is told: done, its own error, a crash, a hang, too much memory."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from fgbuild.workers.verifying.process import run_probe

SAY = "import json, sys, time\ndef say(**fields): print(json.dumps(fields), flush=True)\n"


def probe(script: str, *, timeout: float = 20, memory: float = 4096, request: Any = None) -> tuple[str, list[str]]:
    steps: list[str] = []
    failure = run_probe(
        request or {},
        timeout,
        memory,
        lambda message: steps.append(message["step"]),
        (sys.executable, "-c", SAY + script),
    )
    return failure, steps


def test_a_probe_that_finishes() -> None:
    script = "request = json.load(sys.stdin)\nsay(step=request['first'])\nsay(step='done')"
    assert probe(script, request={"first": "load"}) == ("", ["load"])


def test_what_the_probe_says_is_wrong_is_the_reason() -> None:
    failure, steps = probe("say(step='load'); say(step='error', message='no such tensor'); sys.exit(1)")
    assert (failure, steps) == ("no such tensor", ["load"])


def test_a_crash_in_native_code_is_named_and_keeps_what_came_before() -> None:
    script = "import os, signal\nsay(step='load')\nprint('ggml: bad tensor', file=sys.stderr, flush=True)\n"
    failure, steps = probe(script + "os.kill(os.getpid(), signal.SIGSEGV)")
    assert failure == "llama.cpp was killed by SIGSEGV (ggml: bad tensor)"
    assert steps == ["load"]


def test_an_abort_is_named() -> None:
    assert "SIGABRT" in probe("import os; os.abort()")[0]


def test_a_silent_exit_is_not_a_pass() -> None:
    assert probe("sys.exit(0)")[0] == "the probe ended with exit code 0"


def test_a_hang_ends_at_the_time_limit() -> None:
    started = time.monotonic()
    failure, steps = probe("say(step='load'); time.sleep(60)", timeout=1.5)
    assert failure == "stopped after verify.timeout_seconds = 1.5"
    assert steps == ["load"]
    assert time.monotonic() - started < 10


def test_a_probe_that_never_reads_its_request_cannot_stall_us() -> None:
    assert "timeout_seconds" in probe("time.sleep(60)", timeout=1, request={"long": "x" * 1_000_000})[0]


def test_memory_above_the_limit_ends_it() -> None:
    failure, _ = probe("held = bytearray(400_000_000); time.sleep(60)", memory=150)
    assert failure == "stopped above verify.memory_mb = 150"


@pytest.mark.parametrize("noise", ["print('llama_model_load: 3 %')", "print('[1, 2]')", "print('{}')"])
def test_foreign_lines_on_the_result_channel_are_a_failure_and_no_crash(noise: str) -> None:
    failure, _ = probe(f"{noise}; sys.stdout.flush(); say(step='done')")
    assert failure.startswith("the probe sent")
