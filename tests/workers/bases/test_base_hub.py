from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import huggingface_hub
import pytest
from huggingface_hub import errors

from fgbuild.errors import BaseModelError
from fgbuild.workers import base
from fgbuild.workers.bases import hub, lock
from fgbuild.workers.protocol import Job, Reporter

ENTRY = {"name": "functiongemma", "kind": "hub", "repo": "google/some-model", "revision": "c0ffee"}
RESPONSE = httpx.Response(401, request=httpx.Request("GET", "https://huggingface.co/x"))


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception, token: str | None = None) -> None:
    def download(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: token)


@pytest.mark.parametrize(
    ("error", "token", "step"),
    [
        (errors.GatedRepoError("gated", response=RESPONSE), None, "hf auth login"),
        (errors.GatedRepoError("gated", response=RESPONSE), "hf_x", "accept the licence at https://huggingface.co/google/some-model"),
        (errors.LocalTokenNotFoundError("none"), None, "hf auth login"),
        (errors.RepositoryNotFoundError("none", response=RESPONSE), None, "correct base.repo"),
        (errors.RevisionNotFoundError("none", response=RESPONSE), None, "no revision c0ffee"),
        (errors.LocalEntryNotFoundError("not cached"), None, "unset HF_HUB_OFFLINE"),
        (errors.OfflineModeIsEnabled("offline"), None, "unset HF_HUB_OFFLINE"),
        (httpx.ConnectError("no route"), None, "check the connection"),
        (errors.HfHubHTTPError("500", response=RESPONSE), None, "check the connection"),
    ],
)  # fmt: skip
def test_each_failure_names_the_next_step(
    monkeypatch: pytest.MonkeyPatch, error: Exception, token: str | None, step: str
) -> None:
    _fail(monkeypatch, error, token)
    with pytest.raises(BaseModelError) as caught:
        hub.load(ENTRY, None)
    message = str(caught.value)
    assert "google/some-model" in message
    assert step in message
    assert "--base embedded" in message
    assert "\n" not in message


COMMIT = "c0ffee" * 6 + "beef"


@pytest.fixture
def snapshot(monkeypatch: pytest.MonkeyPatch, tiny_base: Path, tmp_path: Path) -> list[str]:
    """A Hub whose every revision is one commit of the tiny base; the revisions asked for."""
    directory = tmp_path / "snapshots" / COMMIT
    shutil.copytree(tiny_base, directory)
    asked: list[str] = []

    def download(repo: str, *, revision: str, allow_patterns: list[str]) -> str:
        assert repo == ENTRY["repo"]
        assert "model.safetensors" in allow_patterns
        asked.append(revision)
        return str(directory)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return asked


def _run(root: Path, entry: dict[str, str]) -> Path:
    output = root / "out"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    base.run(Job("base", "base", None, dict(entry), {}, output, root / "state", root, {}), Reporter("base"))
    return output


def test_the_first_build_pins_the_commit_and_the_next_asks_for_it(tmp_path: Path, snapshot: list[str]) -> None:
    entry = {**ENTRY, "revision": "main"}
    summary = json.loads((_run(tmp_path, entry) / "base.json").read_text())
    assert summary["revision"] == f"google/some-model@{COMMIT}"
    pin = lock.read(tmp_path / "fgbuild.lock")["functiongemma"]
    assert pin.revision == summary["revision"]
    assert pin.files == {source["file"]: source["sha256"] for source in summary["sources"]}
    written = (tmp_path / "fgbuild.lock").read_bytes()
    _run(tmp_path, entry)
    assert snapshot == ["main", COMMIT]
    assert (tmp_path / "fgbuild.lock").read_bytes() == written


def test_other_files_at_the_pinned_commit_are_refused(tmp_path: Path, snapshot: list[str]) -> None:
    pin = lock.Pin(f"google/some-model@{COMMIT}", {"config.json": "00"})
    lock.write(tmp_path / "fgbuild.lock", "functiongemma", pin)
    with pytest.raises(BaseModelError, match=r"base\.functiongemma pins another model"):
        _run(tmp_path, {**ENTRY, "revision": "main"})


def test_an_explicit_commit_goes_before_the_pin(tmp_path: Path, snapshot: list[str]) -> None:
    lock.write(tmp_path / "fgbuild.lock", "functiongemma", lock.Pin("google/some-model@" + "0" * 40, {}))
    with pytest.raises(BaseModelError, match=f"found revision google/some-model@{COMMIT} instead of"):
        _run(tmp_path, {**ENTRY, "revision": COMMIT})
    assert snapshot == [COMMIT]
