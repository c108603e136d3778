from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from manifest_sample import MANIFEST, PROJECT, make_project

from fgbuild.errors import ManifestError
from fgbuild.manifest import Project, remembered, resolve_project, validate
from fgbuild.manifest.project import read_sources
from fgbuild.manifest.validate import resolve_sources

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


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"name": 3}', b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("sealed", [False, True])
def test_a_broken_entry_is_done_again(root: Path, content: bytes, sealed: bool) -> None:
    first = resolve_project(root)
    good = {entry: entry.read_bytes() for entry in entries(root)}
    assert len(good) == 2  # fgbuild.toml, one manifest
    for entry, before in good.items():
        entry.write_bytes((blake3(content).hexdigest().encode() + b"\n" if sealed else b"") + content)
        assert resolve_project(root) == first
        assert entry.read_bytes() == before


def test_an_edited_entry_is_not_believed(root: Path) -> None:
    first = resolve_project(root)
    for entry in entries(root):
        entry.write_bytes(entry.read_bytes().replace(b"16", b"99").replace(b"tiny", b"huge"))
    assert resolve_project(root) == first


def test_a_file_that_went_missing_is_noticed(root: Path) -> None:
    resolve_project(root)
    (root / "rows.jsonl").unlink()
    with pytest.raises(ManifestError, match="does not exist"):
        resolve_project(root)


def test_an_interpreter_that_went_missing_is_noticed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "python").touch()
    (root / "fgbuild.toml").write_text(f'{PROJECT}\n[backends.unsloth]\npython = "python"\n')
    first = resolve_project(root)
    with monkeypatch.context() as patch:
        refuse_to_validate(patch)
        assert resolve_project(root) == first
    (root / "python").unlink()
    with pytest.raises(ManifestError, match=r"fgbuild\.toml:19: backends\.unsloth\.python: 'python' is not a file"):
        resolve_project(root)


@pytest.mark.parametrize(
    ("change", "resolved"),
    [
        (lambda root: (root / "manifests" / "timers.toml").write_text(MANIFEST + "\n[lora]\nr = 8\n"), 1),
        (lambda root: (root / "fgbuild.toml").write_text((root / "fgbuild.toml").read_text() + "# more\n"), 2),
        (lambda root: (root / "manifests" / "timers.toml").rename(root / "manifests" / "other.toml"), 1),
        (lambda root: (root / "manifests" / "more.toml").write_text(MANIFEST.replace("timers", "more")), 1),
    ],
)
def test_what_changed_is_resolved_again_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], resolved: int
) -> None:
    (root / "manifests" / "also.toml").write_text(MANIFEST.replace("timers", "also"))
    first = resolve_project(root)
    change(root)
    seen: list[str] = []
    inspect = validate._inspect
    monkeypatch.setattr(validate, "_inspect", lambda *given: seen.append(given[1].data["name"]) or inspect(*given))
    second = resolve_project(root)
    assert len(seen) == resolved
    assert second == resolve_sources(root, read_sources(root))
    assert list(second.domains) == [domain.name for domain in sorted(second.domains.values(), key=lambda it: it.path)]
    assert second != first or resolved == 2


def test_a_part_of_the_manifests_can_be_asked_for(root: Path) -> None:
    also = Path("manifests/also.toml")
    (root / also).write_text(MANIFEST.replace("timers", "also"))
    whole = resolve_project(root)
    for _ in range(2):
        assert resolve_project(root, only=[also]).domains == {"also": whole.domains["also"]}
    with pytest.raises(ManifestError, match="cannot be read"):
        resolve_project(root, only=[Path("manifests/none.toml")])


def test_two_sound_manifests_with_one_name_are_refused_whichever_is_remembered(root: Path) -> None:
    resolve_project(root)
    (root / "manifests" / "zz.toml").write_text(MANIFEST)
    words = r'manifests/zz\.toml:2: name: "timers" is the name of manifests/timers\.toml:2 too'
    with pytest.raises(ManifestError, match=words):
        resolve_project(root)
    assert resolve_project(root, only=[Path("manifests/zz.toml")]).domains
    with pytest.raises(ManifestError, match=words):
        resolve_project(root)


def test_old_entries_do_not_pile_up(root: Path) -> None:
    for rank in range(1, 20):
        (root / "manifests" / "timers.toml").write_text(f"{MANIFEST}\n[lora]\nr = {rank}\n")
        resolve_project(root)
        assert len(entries(root)) <= 8


def test_the_validating_code_is_part_of_the_digest(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_project(root)
    monkeypatch.setattr(remembered, "_VALIDATING_CODE", remembered._VALIDATING_CODE[:1])
    resolve_project(root)
    assert len(entries(root)) == 4


def test_a_cache_that_cannot_be_written_is_no_error(root: Path) -> None:
    (root / "cache").write_text("a file where the directory should be")
    assert list(resolve_project(root).domains) == ["timers"]


def test_a_manifest_that_is_wrong_is_not_remembered(root: Path) -> None:
    (root / "manifests" / "timers.toml").write_text("schema = 3\n")
    for _ in range(2):
        with pytest.raises(ManifestError):
            resolve_project(root)
    assert not (root / "cache").exists()
