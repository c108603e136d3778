from __future__ import annotations

from pathlib import Path

import pytest

from fgbuild.errors import FgbuildError
from fgbuild.root import find_root


def test_the_nearest_parent_with_the_file_is_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fgbuild.toml").touch()
    (tmp_path / "manifests").mkdir()
    monkeypatch.chdir(tmp_path / "manifests")
    assert find_root() == tmp_path
    assert find_root(tmp_path) == tmp_path.resolve()


def test_no_project_is_an_error_with_a_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FgbuildError, match="--root"):
        find_root()
    with pytest.raises(FgbuildError, match=r"no fgbuild\.toml there"):
        find_root(tmp_path)
