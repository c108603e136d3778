"""Uploads to a fake of the Hub's HTTP API: what is exchanged, and what each refusal says."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_hub import FakeHub
from shipped_sample import place

CONTENT = os.urandom(300_000)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    yield hub
    hub.close()


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return place(tmp_path / "agents" / "lint", CONTENT)


def publish(hub: FakeHub | None, gguf: Path, **options: Any) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Run the worker as a process of its own, as the library reads its address and token once.

    Returns the exit code, its events and published.json.
    """
    top = gguf.parents[3]
    output = top / "out"
    output.mkdir(exist_ok=True)
    job = {
        "stage": "lint:publish", "kind": "publish", "domain": "lint", "manifest": {}, "inputs": {},
        "output": str(output), "state": str(top), "root": str(top),
        "options": {"gguf": str(gguf), "to": "hub:me/lint", "public": False, "force": False, **options},
    }  # fmt: skip
    (top / "job.json").write_text(json.dumps(job))
    token = {"HF_TOKEN": options.get("token", "hf_secret")} if options.get("token", "x") else {}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    # A port where nobody listens stands for a Hub that cannot be reached.
    endpoint = hub.url if hub else "http://127.0.0.1:9"
    environment = {**kept, **token, "HF_ENDPOINT": endpoint, "HF_HOME": str(top / "hf"), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-m", "fgbuild.workers.publish", str(top / "job.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    report = output / "published.json"
    return done.returncode, events, json.loads(report.read_text()) if report.exists() else {}


def test_everything_is_uploaded_in_one_commit(hub: FakeHub, gguf: Path) -> None:
    code, events, report = publish(hub, gguf)
    assert code == 0, events
    folder = gguf.parent.parent
    assert hub.files == {
        "models/lint_functiongemma_q8.gguf": CONTENT,
        **{name: (folder / name).read_bytes() for name in ("Modelfile", "README.md", "agent.json")},
    }
    named = json.loads(hub.files["agent.json"])["model"]
    assert hashlib.sha256(hub.files[named["path"]]).hexdigest() == named["sha256"]
    assert len(hub.commits) == 1
    assert hub.commits[0]["summary"] == f"lint: lint_functiongemma_q8.gguf ({named['sha256'][:12]})"
    assert hub.repos["me/lint"]["visibility"] == "private"
    assert hub.tokens == {"Bearer hf_secret", None}  # None: the storage, whose addresses are signed
    assert report["url"] == f"{hub.url}/me/lint/commit/c0ffee"
    done = [event["done"] for event in events if event["kind"] == "stage.progress"]
    assert done == sorted(done)
    assert done[-1] == 0.3


def test_again_sends_no_model_that_is_there_and_keeps_the_repository(hub: FakeHub, gguf: Path) -> None:
    assert publish(hub, gguf, public=True)[0] == 0
    assert hub.repos["me/lint"]["visibility"] == "public"
    sent = sum("PUT" in request for request in hub.requests)
    assert publish(hub, gguf)[0] == 0
    assert sum("PUT" in request for request in hub.requests) == sent == 1
    assert hub.repos["me/lint"]["visibility"] == "public"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"/api/repos/create": 401}, "does not know this token (401); run `hf auth login`"),
        ({"/api/repos/create": 403}, "this token may not write there (403)"),
        ({"/api/models/me/lint/preupload": 403}, "this token may not write there (403)"),
        ({"/api/models/me/lint/commit": 404}, "was not found (404)"),
        ({"/api/models/me/lint/commit": 409}, "the Hub refused ("),
    ],
)
def test_a_refusal_is_one_sentence_with_the_next_step(
    hub: FakeHub, gguf: Path, status: dict[str, int], words: str
) -> None:
    hub.status = status
    code, events, report = publish(hub, gguf)
    assert (code, report) == (2, {})
    message = events[-1]["message"]
    assert message.startswith("hub:me/lint: ")
    assert words in message
    assert "\n" not in message
    assert "hf_secret" not in message
    assert hub.commits == []


def test_without_a_token_nothing_is_sent(hub: FakeHub, gguf: Path) -> None:
    code, events, _ = publish(hub, gguf, token="")
    assert code == 2
    assert events[-1]["message"] == ("hub:me/lint needs a token that may write: run `hf auth login`, or set HF_TOKEN")
    assert hub.requests == []


def test_a_hub_out_of_reach(gguf: Path) -> None:
    code, events, _ = publish(None, gguf)
    assert code == 2
    assert "hub:me/lint: the Hub cannot be reached (" in events[-1]["message"]


def test_a_model_that_agent_json_does_not_name_is_not_sent(hub: FakeHub, gguf: Path) -> None:
    gguf.write_bytes(CONTENT[::-1])
    code, events, _ = publish(hub, gguf, force=True)
    assert code == 2
    assert "is not the file that its agent.json names" in events[-1]["message"]
    assert hub.requests == []
