"""`fgbuild publish`: what may be published, and where to; on builds whose workers are instant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from instant import InstantExecutor

from fgbuild.cli import building, main
from fgbuild.cli import publish as command
from fgbuild.errors import FgbuildError

MODEL = "agents/bell/models/bell_functiongemma_q8.gguf"


@pytest.fixture
def built(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with every stage built and passed."""
    monkeypatch.setattr(building, "_executor", InstantExecutor)
    assert main(["build", "bell", "--headless"]) == 0
    return project


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The jobs that a worker was asked to do; it finds the instant files good."""
    jobs: list[dict[str, Any]] = []

    def run_worker(module: str, job: dict[str, Any], result: str, *, on_event: Callable[..., None]) -> Any:
        assert (module, result) == ("fgbuild.workers.publish", "published.json")
        jobs.append(job)
        on_event({"kind": "stage.progress", "done": 146.0, "total": 292.0, "eta_seconds": 3.2})
        on_event({"kind": "stage.progress", "done": 292.0, "total": 292.0, "eta_seconds": None})
        return 0, {"domain": "bell", "to": job["options"]["to"], "url": "", "files": []}

    monkeypatch.setattr(command, "run_worker", run_worker)
    return jobs


def test_what_has_passed_is_published(
    built: Path, asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "bell", "--to", "out"]) == 0
    options = asked[0]["options"]
    assert options == {"gguf": str(built / MODEL), "to": str(built / "out"), "public": False, "force": False}
    said = capsys.readouterr()
    assert said.out == "published bell to out\n"
    assert "bell: 146.0 of 292.0 MB, 3 s left" in said.err
    assert main(["publish", "bell", "--to", "hub:me/bell", "--public", "--json"]) == 0
    assert (asked[1]["options"]["to"], asked[1]["options"]["public"]) == ("hub:me/bell", True)
    assert json.loads(capsys.readouterr().out)["domain"] == "bell"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda root: (root / MODEL).write_bytes(b"other"),
            "bell:export is not up to date (output changed: agents/bell",
        ),
        (lambda root: (root / "agents/bell/README.md").unlink(), "bell:export is not up to date (output missing: "),
        (lambda root: _edit(root, "[eval]\nexamples = 3\n"), "bell:eval is not up to date (eval.examples: 60 → 3)"),
    ],
)
def test_what_is_out_of_date_is_not(
    built: Path,
    asked: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], Any],
    words: str,
) -> None:
    change(built)
    assert main(["publish", "bell", "--to", "out"]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.endswith("run `fgbuild build bell`, or publish it as it is with --force\n")
    assert not asked
    assert main(["publish", "bell", "--to", "out", "--force"]) == 0
    assert asked[0]["options"]["force"] is True


@pytest.mark.parametrize("gate", ["verify", "eval"])
def test_what_did_not_pass_is_not(
    built: Path,
    asked: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    gate: str,
) -> None:
    _edit(built, f"[{gate}]\n{'timeout_seconds = 9' if gate == 'verify' else 'examples = 3'}\n")
    monkeypatch.setattr(building, "_executor", lambda: _Failing(gate))
    assert main(["build", "bell", "--headless"]) == 3
    capsys.readouterr()
    assert main(["publish", "bell", "--to", "out"]) == 3
    assert f"error: bell:{gate} did not pass; run `fgbuild build bell`, or " in capsys.readouterr().err
    assert not asked


def test_no_publishing_under_a_build(built: Path, asked: list[dict[str, Any]]) -> None:
    from fgbuild.engine.build import locked
    from fgbuild.engine.paths import Paths

    with locked(Paths(built)):
        assert main(["publish", "bell", "--to", "out"]) == 4
    assert not asked


@pytest.mark.parametrize("repo", ["", "me", "me/a/b", "me/a b", "/a"])
def test_a_repository_needs_an_owner_and_a_name(repo: str) -> None:
    with pytest.raises(FgbuildError, match="is no repository; write hub:USER/REPO"):
        command.destination(f"hub:{repo}")


def _edit(root: Path, text: str) -> None:
    path = root / "manifests" / "bell.toml"
    path.write_text(f"{path.read_text()}\n{text}")


class _Failing(InstantExecutor):
    """Its worker of one gate ends with 3."""

    def __init__(self, gate: str) -> None:
        super().__init__()
        self._gate = gate

    def start(self, request: Any) -> Any:
        worker = super().start(request)
        if request.module.endswith(f".{self._gate}"):
            found = worker.poll()
            worker.poll = lambda: type(found)(3, found.cpu_seconds, found.peak_memory_mb)
        return worker
