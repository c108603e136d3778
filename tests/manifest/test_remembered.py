from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from manifest_sample import MANIFEST, make_project

from fgbuild.errors import ManifestError
from fgbuild.manifest import Project, remembered, resolve_project

REPOSITORY = Path(__file__).parents[2]


def entries(root: Path) -> list[Path]:
    return sorted((root / "cache" / "manifests").glob("*.json"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def refuse_to_validate(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Project:
        raise AssertionError("validated again")

    monkeypatch.setattr("fgbuild.manifest.validate.resolve_sources", refuse)


def test_the_second_time_is_the_same_without_validation(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve_project(root)
    refuse_to_validate(monkeypatch)
    assert resolve_project(root) == first
    with pytest.raises(AssertionError):
        resolve_project(root, base="hub")
    with pytest.raises(AssertionError):
        resolve_project(root, profile="quick")


def test_the_second_time_imports_no_heavy_module(root: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from fgbuild.manifest import resolve_project;"
        "resolve_project(Path(sys.argv[1]));"
        "print([name for name in ('pydantic', 'jsonschema', 'torch', 'numpy', 'rich') if name in sys.modules])"
    )
    found = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script, str(root)], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        found.append(done.stdout.strip())
    assert "pydantic" in found[0]
    assert found[1] == "[]"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"project": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_broken_entry_is_done_again(root: Path, content: bytes) -> None:
    first = resolve_project(root)
    (entry,) = entries(root)
    good = entry.read_bytes()
    entry.write_bytes(content)
    assert resolve_project(root) == first
    assert entry.read_bytes() == good


def test_an_edited_entry_is_not_believed(root: Path) -> None:
    first = resolve_project(root)
    (entry,) = entries(root)
    data = json.loads(entry.read_bytes())
    data["project"]["domains"]["timers"]["resolved"]["lora"]["r"] = 99
    entry.write_text(json.dumps(data))
    assert resolve_project(root) == first


def test_a_file_that_went_missing_is_noticed(root: Path) -> None:
    resolve_project(root)
    (root / "rows.jsonl").unlink()
    with pytest.raises(ManifestError, match="does not exist"):
        resolve_project(root)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "manifests" / "timers.toml").write_text(MANIFEST + "\n[lora]\nr = 8\n"),
        lambda root: (root / "fgbuild.toml").write_text((root / "fgbuild.toml").read_text() + "# more\n"),
        lambda root: (root / "manifests" / "timers.toml").rename(root / "manifests" / "other.toml"),
        lambda root: (root / "manifests" / "more.toml").write_text(MANIFEST.replace("timers", "more")),
    ],
)
def test_every_change_of_a_source_makes_another_entry(root: Path, change: Callable[[Path], object]) -> None:
    first = resolve_project(root)
    change(root)
    assert resolve_project(root) != first or len(entries(root)) == 2
    assert len(entries(root)) == 2


def test_the_validating_code_is_part_of_the_digest(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_project(root)
    monkeypatch.setattr(remembered, "_VALIDATING_CODE", remembered._VALIDATING_CODE[:1])
    resolve_project(root)
    assert len(entries(root)) == 2


def test_a_cache_that_cannot_be_written_is_no_error(root: Path) -> None:
    (root / "cache").write_text("a file where the directory should be")
    assert list(resolve_project(root).domains) == ["timers"]


def test_a_manifest_that_is_wrong_is_not_remembered(root: Path) -> None:
    (root / "manifests" / "timers.toml").write_text("schema = 3\n")
    for _ in range(2):
        with pytest.raises(ManifestError):
            resolve_project(root)
    assert not (root / "cache").exists()
