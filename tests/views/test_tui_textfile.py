"""Reading and saving the file that is edited, and the editor's words about a text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import textfile
from fgbuild.views.tui.desk import Effect, Field, Problem
from fgbuild.views.tui.draft import Draft
from fgbuild.views.tui.manifest_text import beside, effect_words, field_at, place, problem_words
from fgbuild.views.tui.textfile import ChangedOnDisk, TextFile

TOML = """name = "a"

[lora] # the adapter
r = 16
target_modules = [
  "q_proj",
]

[[tool]]
name = "x"

[tool.parameters.properties]
path = { type = "string" }

[slots."my slot"]
file = "a.txt"

[workspace]
setup = [
  ["git", "init"],
]
tr
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "a.toml"
    file.write_bytes(b"a = 1\n")
    return file


@pytest.mark.parametrize("content", [b"", b"a = 1", b"a = 1\n\n", b"a = 1\r\nb = 2\r\n", b"\xef\xbb\xbfa = 1\n"])
def test_what_is_saved_unchanged_has_the_same_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    file = TextFile(path)
    file.save(file.text)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content", [b"a\r\nb\n", b"a\rb\n", "a\u2028b\n".encode(), b"a\x0cb\n", b"\xff", b"x" * 2_000_001]
)
def test_a_file_that_would_not_stay_as_it_is_is_not_opened(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FgbuildError, match="another editor"):
        TextFile(path)


def test_a_change_is_noticed_and_not_overwritten(path: Path) -> None:
    file = TextFile(path)
    assert not file.is_changed()
    os.utime(path, ns=(1, 1))
    assert not file.is_changed()  # a touch is none
    path.write_text("a = 2\n")
    assert file.is_changed()
    with pytest.raises(ChangedOnDisk):
        file.save("a = 3\n")
    assert path.read_text() == "a = 2\n"
    file.save("a = 3\n", overwrite=True)
    assert not file.is_changed()
    path.unlink()
    assert file.is_changed()


def test_a_link_stays_a_link_and_the_mode_stays(path: Path) -> None:
    path.chmod(0o604)
    link = path.with_name("link.toml")
    link.symlink_to(path.name)
    TextFile(link).save("a = 2\n")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("a = 2\n", 0o604)


def test_a_save_that_fails_leaves_the_old_text_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = TextFile(path)
    monkeypatch.setattr(textfile.os, "fsync", full)
    with pytest.raises(FgbuildError, match="No space left on device"):
        file.save("a = 2\n")
    assert path.read_text() == "a = 1\n"
    assert os.listdir(path.parent) == ["a.toml"]


def test_half_a_character_is_told_with_its_line(path: Path) -> None:
    with pytest.raises(FgbuildError, match=r"a\.toml: line 2 has half a character"):
        TextFile(path).save("a = 2\nb = '\ud800'\n")
    assert path.read_text() == "a = 1\n"
    assert os.listdir(path.parent) == ["a.toml"]


@pytest.mark.parametrize("text", ["a = 2\n", "\ud800\r\n\x00", ""])
def test_a_draft_is_what_was_typed(path: Path, text: str) -> None:
    draft = Draft(path.parent, path)
    assert draft.read() is None
    draft.keep(text, "a = 1\n")
    kept = Draft(path.parent, path).read()
    assert kept is not None
    assert (kept.text, kept.is_of("a = 1\n"), kept.is_of("a = 3\n")) == (text, True, False)
    draft.drop()
    draft.drop()
    assert draft.read() is None


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
def test_a_draft_that_cannot_be_read_is_none(path: Path, content: bytes) -> None:
    draft = Draft(path.parent, path)
    draft.keep("x", "y")
    (kept,) = (path.parent / "cache" / "ui" / "drafts").iterdir()
    kept.write_bytes(content)
    assert draft.read() is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('name = "a"', ("name",)),
        ("[lora] # the adapter", ("lora",)),
        ("r = 16", ("lora", "r")),
        ('  "q_proj",', ("lora", "target_modules")),
        ('name = "x"', ("tool", "name")),
        ('path = { type = "string" }', ("tool", "parameters", "properties", "path")),
        ('file = "a.txt"', ("slots", "my slot", "file")),
        ('  ["git", "init"],', ("workspace", "setup")),
    ],
)
def test_the_place_of_a_line(line: str, expected: tuple[str, ...]) -> None:
    lines = TOML.split("\n")
    assert place(lines, lines.index(line)) == expected


def test_a_field_is_found_by_its_pattern() -> None:
    words = Field("text", "", "")
    fields = dict.fromkeys(["tool", "tool[].name", "tool[].parameters", "slots.*.file", "lora.r"], words)
    found = field_at(fields, ("tool", "parameters", "properties", "path"))
    assert found is not None
    assert found[0] == "tool.parameters"
    assert field_at(fields, ("slots", "x", "file")) == ("slots.x.file", words)
    assert field_at(fields, ("nothing",)) is None
    assert [name for name, _ in beside(fields, ("tool", "name"))] == ["name", "parameters"]


def entry(
    stage: str, action: str = "run", *, upstream: bool = False, seconds: float | None = None
) -> dict[str, object]:
    reason = {"text": "x: 1 → 2", **({"upstream": "train"} if upstream else {})}
    return {"id": stage, "action": action, "reasons": [reason], "predicted_seconds": seconds}


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Effect((), 0.0, False), "Nothing changes: all is up to date."),
        (Effect((), 0.0, True), "Saving makes everything up to date."),
        (Effect([entry("a:train")], None), "Saving reruns a:train, of unknown length (x: 1 → 2)."),
        (
            Effect([entry("a:train", seconds=380.0), entry("a:eval", upstream=True)], None),
            "Saving reruns a:train and 1 below, at least 6m 20s without a:eval, which was never measured (x: 1 → 2).",
        ),
        (
            Effect([entry("a:train", seconds=380.0), entry("b:train"), entry("c:train")], None, False),
            "Saving reruns nothing more: a build runs a:train, b:train and 1 more anyway, at least 6m 20s without "
            "2 stages that were never measured.",
        ),
        (
            Effect([entry("a:train"), entry("a:export", upstream=True)], 90.0),
            "Saving reruns a:train and 1 below, about 1m 30s (x: 1 → 2).",
        ),
        (
            Effect([entry("a:train"), entry("b:train")], 1.0, False),
            "Saving reruns nothing more: a build runs a:train and b:train anyway, about 1.0 s.",
        ),
        (Effect([entry("a:train", "cached")], 0.0), "Saving restores a:train (x: 1 → 2)."),
    ],
)
def test_the_effect_in_one_line(effect: Effect, words: str) -> None:
    assert effect_words(effect) == words


def test_a_problem_in_one_line() -> None:
    assert problem_words(Problem(None, "", "is empty\x1b")) == "whole file  is empty␛"
    assert problem_words(Problem(3, "a.b", "is odd", "x.toml")) == "x.toml:3  a.b: is odd"
