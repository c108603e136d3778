"""Slots and scenarios in files beside the manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from test_template_checks import MANIFEST, WORDS, problems, write

from fgbuild.cli import check
from fgbuild.manifest import resolve_project
from fgbuild.manifest.project import named_files

START = MANIFEST.index("[slots.word]")
HEAD = f'{MANIFEST[:START]}\n[dataset]\ntemplates = ["parts", "more.toml"]\n'
SLOTS, _, SCENARIOS = MANIFEST[START:].partition("[[scenario]]")
WORD_SLOT = SLOTS[: SLOTS.index("[slots.pages]")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The sample of `test_template_checks`, with its slots and scenarios in a folder and a file."""
    write(tmp_path, HEAD)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "slots.toml").write_text(SLOTS, "utf-8")
    (tmp_path / "parts" / "a.toml").write_text("[[scenario]]" + SCENARIOS.split("[[scenario]]")[0], "utf-8")
    others = "[[scenario]]".join(["", *SCENARIOS.split("[[scenario]]")[1:]])
    (tmp_path / "more.toml").write_text(others, "utf-8")
    return tmp_path


def test_files_and_one_manifest_resolve_to_the_same(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = resolve_project(write(tmp_path_factory.mktemp("whole"))).domains["notes"]
    domain = resolve_project(root).domains["notes"]
    for key in ("slots", "scenario", "tool", "command"):
        assert domain.resolved[key] == whole.resolved[key]
    assert domain.origins["scenario[1].name"] == "more.toml:2"
    assert domain.origins["scenario[1].weight"] == "default"
    assert domain.origins["slots.pages.range"] == "parts/slots.toml:5"
    assert domain.origins["command.add_note.command"] == "manifests/notes.toml:7"
    assert domain.origins["command.add_note.output"] == "default"


def test_a_mistake_is_placed_in_its_file(root: Path) -> None:
    more = root / "more.toml"
    more.write_text(more.read_text("utf-8").replace("find {word}", "find {wort}"), "utf-8")
    ((path, line, field, message),) = problems(root)
    assert (path, line, field) == ("more.toml", 5, "scenario[0].phrasings[0]")
    assert "{wort} is no slot" in message


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ("[slots.x]\nvalue = []", 2, "slots.x.value", 'did you mean "values"?'),
        ("[slots", 1, "", "is not valid TOML"),
        (f"\n{WORD_SLOT}", 2, "slots.word", "is a slot of parts/slots.toml:1 too"),
        (f"[slots.extra]\nvalues = [{WORDS}]", 1, "slots.extra", "is never used"),
    ],
)
def test_what_is_wrong_with_a_file_of_a_folder_is_told(
    root: Path, text: str, line: int, field: str, words: str
) -> None:
    (root / "parts" / "z.toml").write_text(text, "utf-8")
    ((path, *where, message),) = problems(root)
    assert [path, *where] == ["parts/z.toml", line, field]
    assert words in message


def test_check_of_one_domain_tells_what_is_wrong_with_its_files(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "manifests" / "bad.toml").write_text("schema = ", "utf-8")
    (root / "more.toml").write_text("[slots", "utf-8")
    args = argparse.Namespace(
        root=root, domains=["notes"], base=None, profile=None, json=False, resolved=False, max_bad=None
    )
    assert check.run(args) == 2
    told = capsys.readouterr().err
    assert "more.toml:1" in told
    assert "bad.toml" not in told


def test_a_file_with_values_counts_too(root: Path) -> None:
    (root / "words.txt").write_text("\n".join(f"word {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "utf-8")
    slots = root / "parts" / "slots.toml"
    slots.write_text(SLOTS.replace(WORD_SLOT, '[slots.word]\nfile = "words.txt"\n\n'), "utf-8")
    resolved = resolve_project(root).domains["notes"].resolved
    assert resolved["slots"]["word"]["file"] == "words.txt"
    named = {path.relative_to(root).as_posix() for path in named_files(root, resolved)}
    assert {"parts", "more.toml", "parts/a.toml", "parts/slots.toml", "words.txt"} <= named
    (root / "words.txt").write_text("one\none\n", "utf-8")
    assert problems(root)[0][:3] == ("parts/slots.toml", 2, "slots.word.file")


def test_what_is_remembered_is_looked_at_again_after_an_edit_beside_the_manifest(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = resolve_project(root)
    with monkeypatch.context() as patch:
        patch.setattr("fgbuild.manifest.validate.resolve_sources", None)
        assert resolve_project(root) == first
    more = root / "more.toml"
    more.write_text(more.read_text("utf-8").replace("a new one", "another one"), "utf-8")
    edited = resolve_project(root).domains["notes"].resolved
    assert edited["scenario"][2]["phrasings"][-1] == "another one"
    extra = '[[scenario]]\nname = "no"\nkind = "decline"\nphrasings = ["a", "b", "c", "d", "e"]\nanswer = "No."\n'
    (root / "parts" / "b.toml").write_text(extra, "utf-8")
    names = [scenario["name"] for scenario in resolve_project(root).domains["notes"].resolved["scenario"]]
    assert names == ["add", "no", "find", "ask"]
    (root / "parts" / "a.toml").unlink()
    assert [field for _, _, field, _ in problems(root)] == ["slots.pages"]
