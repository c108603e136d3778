from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.engine.database import open_database
from fgbuild.engine.digests import Digests
from fgbuild.engine.fingerprint import CodeFingerprints
from fgbuild.engine.libraries import Libraries
from fgbuild.engine.source import Source, read_source
from fgbuild.errors import FgbuildError


@pytest.fixture
def package(tmp_path: Path) -> Path:
    top = tmp_path / "pkg"
    (top / "sub").mkdir(parents=True)
    (top / "__init__.py").write_text("")
    (top / "worker.py").write_text("import os\nfrom pkg.sub import tool\nfrom pkg.quiet import noise\n")
    (top / "quiet.py").write_text("import pkg.behind\n")
    (top / "behind.py").write_text("x = 1\n")
    (top / "other.py").write_text("y = 1\n")
    (top / "sub" / "__init__.py").write_text("START = 1\n")
    (top / "sub" / "tool.py").write_text("from . import deep\n")
    (top / "sub" / "deep.py").write_text("def f():\n    from pkg.late import z\n    return z\n")
    (top / "late.py").write_text("z = 1\n")
    (top / "sub" / "page.jinja").write_text("{{ x }}")
    return top


def fingerprints(tmp_path: Path, package: Path) -> CodeFingerprints:
    database = open_database(tmp_path / "db")
    return CodeFingerprints(database, Digests(database), {"pkg": package}, frozenset({"pkg.quiet"}))


def test_the_closure_follows_imports_of_known_packages(tmp_path: Path, package: Path) -> None:
    code = fingerprints(tmp_path, package)
    assert sorted(code.parts(code.of("pkg.worker"))) == [
        "pkg/__init__.py",
        "pkg/late.py",
        "pkg/sub/__init__.py",
        "pkg/sub/deep.py",
        "pkg/sub/page.jinja",
        "pkg/sub/tool.py",
        "pkg/worker.py",
    ]


@pytest.mark.parametrize(
    ("file", "text", "counts"),
    [
        ("worker.py", "# new\nimport os\nfrom pkg.sub  import tool\nfrom pkg.quiet import noise\n", False),
        ("late.py", '"""Late."""\nz = 1\n"""What z is."""\n', False),
        ("late.py", "z = 2\n", True),
        ("sub/page.jinja", "{{ y }}", True),
        ("sub/__init__.py", "START = 2\n", True),
        ("quiet.py", "import pkg.other\n", False),
        ("other.py", "y = 2\n", False),
        ("sub/deep.py", "def f(:\n", True),
    ],
)
def test_what_counts(tmp_path: Path, package: Path, file: str, text: str, counts: bool) -> None:
    before = fingerprints(tmp_path, package).of("pkg.worker")
    (package / file).write_text(text)
    assert (fingerprints(tmp_path, package).of("pkg.worker") != before) is counts


def test_modules_loaded_by_name_count_and_missing_ones_do_not(tmp_path: Path, package: Path) -> None:
    code = fingerprints(tmp_path, package)
    assert code.of("pkg.worker", ["pkg.other"]) != code.of("pkg.worker")
    assert code.of("pkg.worker", ["pkg.nothing"]) == code.of("pkg.worker")
    with pytest.raises(FgbuildError, match=r"pkg\.nothing"):
        code.of("pkg.nothing")


def test_what_a_fingerprint_covered_is_known_to_later_processes(tmp_path: Path, package: Path) -> None:
    digests = []
    for text in ("{{ x }}", "{{ y }}"):
        (package / "sub" / "page.jinja").write_text(text)
        code = fingerprints(tmp_path, package)
        digests.append(code.of("pkg.worker"))
        code.save()
    old, new = (fingerprints(tmp_path, package).parts(digest) for digest in digests)
    assert [name for name in old if old[name] != new[name]] == ["pkg/sub/page.jinja"]


def test_unchanged_code_is_not_parsed_again(tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fingerprints(tmp_path, package)
    before = first.of("pkg.worker")
    first.save()
    monkeypatch.setattr("fgbuild.engine.fingerprint.read_source", None)
    assert fingerprints(tmp_path, package).of("pkg.worker") == before


@given(st.text(alphabet=" \n#a\t'\\", max_size=20))
def test_a_comment_never_counts(comment: str) -> None:
    line = comment.replace("\n", " ").replace("\r", " ")
    plain = read_source(b"def f(x):\n    return x\n", "m", False)
    assert read_source(f"def f(x):\n    # {line}\n    return x  # {line}\n".encode(), "m", False) == plain


def test_relative_imports_are_resolved_from_module_and_package() -> None:
    assert "a.b.x" in read_source(b"from . import x", "a.b.c", False).imports
    assert "a.b.c.x" in read_source(b"from . import x", "a.b.c", True).imports
    assert "a.y.x" in read_source(b"from ..y import x", "a.b.c", False).imports


def test_versions_come_from_directory_names(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "llama_cpp_python-0.3.20.dist-info").mkdir(parents=True)
    (second / "llama_cpp_python-0.1.dist-info").mkdir(parents=True)
    (second / "torch-2.13.0+cpu.dist-info").mkdir()
    libraries = Libraries([str(first), str(second), str(tmp_path / "missing")])
    assert libraries.versions(["llama-cpp-python", "torch", "trl"]) == {
        "llama-cpp-python": "0.3.20",
        "torch": "2.13.0+cpu",
        "trl": None,
    }


def test_versions_agree_with_importlib() -> None:
    from importlib.metadata import version

    assert Libraries().versions(["blake3", "pytest"]) == {"blake3": version("blake3"), "pytest": version("pytest")}


def test_code_is_read_once_however_often_it_is_looked_at(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first build looks before and after each stage, and has saved nothing yet."""
    read: list[str] = []

    def counted(content: bytes, module: str, is_package: bool) -> Source:
        read.append(module)
        return read_source(content, module, is_package)

    monkeypatch.setattr("fgbuild.engine.fingerprint.read_source", counted)
    code = fingerprints(tmp_path, package)
    digest = code.of("pkg.worker")
    first = sorted(read)
    for _ in range(3):
        code.look_again()
        assert code.of("pkg.worker") == digest
    assert sorted(read) == first == sorted(set(first))


CODE_CHANGES: dict[str, Callable[[Path], object]] = {
    "edited": lambda package: (package / "late.py").write_text("z = 2\n"),
    "edited to the same size": lambda package: (package / "late.py").write_text("z = 9\n"),
    "a module becomes a package": lambda package: as_package(package / "late.py"),
    "data turns up": lambda package: (package / "more.json").write_text("{}"),
    "data is edited": lambda package: (package / "sub" / "page.jinja").write_text("{{ y }}"),
}


def as_package(module: Path) -> None:
    module.with_suffix("").mkdir()
    (module.with_suffix("") / "__init__.py").write_text("z = 3\n")


@pytest.mark.parametrize("change", CODE_CHANGES)
@pytest.mark.parametrize("wait", [0.0, 0.05])
def test_a_change_shows_at_the_next_look(tmp_path: Path, package: Path, change: str, wait: float) -> None:
    """Also where the files are new, and where they were left alone long enough to be believed."""
    time.sleep(wait)
    code = fingerprints(tmp_path, package)
    before = code.of("pkg.worker")
    code.look_again()
    assert code.of("pkg.worker") == before
    CODE_CHANGES[change](package)
    code.look_again()
    assert code.of("pkg.worker") != before
