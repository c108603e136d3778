from __future__ import annotations

from pathlib import Path

import pytest
from bell_project import MANIFEST, PROJECT, row


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one domain of own data; `--until generate` builds it in a moment, without models."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "fgbuild.toml").write_text(PROJECT)
    (tmp_path / "manifests" / "bell.toml").write_text(MANIFEST)
    (tmp_path / "data" / "bell.jsonl").write_text("".join(row(number) + "\n" for number in range(12)))
    monkeypatch.chdir(tmp_path)
    return tmp_path
