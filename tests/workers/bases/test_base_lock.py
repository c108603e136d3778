from __future__ import annotations

from pathlib import Path

import pytest

from fgbuild.errors import BaseModelError
from fgbuild.workers.bases import lock
from fgbuild.workers.bases.lock import Pin

PIN = Pin("abc", {"model.safetensors": "11", "tokenizer.model": "22"})


def test_writes_reads_and_keeps_other_entries(tmp_path: Path) -> None:
    path = tmp_path / "fgbuild.lock"
    lock.write(path, "two", PIN)
    lock.write(path, "one", Pin("x", {"a.gguf": "33"}))
    lock.write(path, "two", Pin("def", PIN.files))
    assert lock.read(path) == {"one": Pin("x", {"a.gguf": "33"}), "two": Pin("def", PIN.files)}
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_and_no_entry_mean_unpinned(tmp_path: Path) -> None:
    path = tmp_path / "fgbuild.lock"
    assert lock.read(path) == {}
    assert not lock.check(path, "one", PIN)
    lock.write(path, "two", PIN)
    assert not lock.check(path, "one", PIN)
    assert lock.check(path, "two", PIN)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Pin("abd", PIN.files), "revision abd instead of abc"),
        (Pin("abc", {**PIN.files, "tokenizer.model": "23"}), "tokenizer.model with SHA-256 23 instead of 22"),
        (Pin("abc", {"model.safetensors": "11"}), r"tokenizer.model with SHA-256 \(no file\) instead of 22"),
        (Pin("abc", {**PIN.files, "x": "9"}), r"x with SHA-256 9 instead of \(no file\)"),
    ],
)
def test_a_difference_is_named_with_the_next_step(tmp_path: Path, found: Pin, words: str) -> None:
    path = tmp_path / "fgbuild.lock"
    lock.write(path, "one", PIN)
    with pytest.raises(BaseModelError, match=rf"fgbuild\.lock: base\.one .*{words}.*fgbuild lock"):
        lock.check(path, "one", found)


@pytest.mark.parametrize("text", ["[base", "base = 1", "[base.one]\nrevision = 'x'", "x = 1"])
def test_a_broken_lock_file_is_a_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fgbuild.lock"
    path.write_text(text)
    with pytest.raises(BaseModelError, match="not a lock file"):
        lock.read(path)
