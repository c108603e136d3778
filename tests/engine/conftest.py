from __future__ import annotations

from pathlib import Path

import pytest
from toy_project import ToyProject


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyProject:
    """A project with one domain, `red`, whose workers can be imported by subprocesses."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return ToyProject(tmp_path)
