from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3

from fgbuild.engine.database import open_database
from fgbuild.engine.digests import Digests
from fgbuild.engine.stamps import settled


class Reads:
    """Counts how often files are hashed, through the clock that each hashing asks once."""

    def __init__(self, ahead_ns: int) -> None:
        self.count = 0
        self.ahead_ns = ahead_ns

    def clock(self) -> int:
        self.count += 1
        import time

        return time.time_ns() + self.ahead_ns


def digests_of(tmp_path: Path, reads: Reads) -> Digests:
    return Digests(open_database(tmp_path / "db"), reads.clock)


@pytest.fixture
def later() -> Reads:
    """Hashing that happens long after the files were written."""
    return Reads(ahead_ns=10_000_000_000)


def test_an_unchanged_file_is_read_once_even_by_the_next_process(tmp_path: Path, later: Reads) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 5_000_000)
    first = digests_of(tmp_path, later)
    assert first.of(file) == blake3(b"x" * 5_000_000).hexdigest()
    assert first.of(file) == first.of(file)
    first.save()
    assert digests_of(tmp_path, later).of(file) == first.of(file)
    assert later.count == 1


def test_a_file_just_written_is_read_again(tmp_path: Path) -> None:
    now = Reads(ahead_ns=0)
    digests = digests_of(tmp_path, now)
    file = tmp_path / "a"
    file.write_text("one")
    digests.of(file)
    digests.of(file)
    assert now.count == 2


def test_same_size_and_mtime_set_back_is_seen(tmp_path: Path, later: Reads) -> None:
    digests = digests_of(tmp_path, later)
    file = tmp_path / "a"
    file.write_text("one")
    os.utime(file, ns=(10**18, 10**18))
    before = digests.of(file)
    file.write_text("two")
    os.utime(file, ns=(10**18, 10**18))
    assert digests.of(file) == blake3(b"two").hexdigest() != before


def test_replaced_by_rename_and_retargeted_link_are_seen(tmp_path: Path, later: Reads) -> None:
    digests = digests_of(tmp_path, later)
    one, two, link = tmp_path / "one", tmp_path / "two", tmp_path / "link"
    one.write_text("1")
    two.write_text("2")
    link.symlink_to(one)
    assert digests.of(link) == blake3(b"1").hexdigest()
    link.unlink()
    link.symlink_to(two)
    assert digests.of(link) == blake3(b"2").hexdigest()
    os.replace(two, one)
    assert digests.of(one) == blake3(b"2").hexdigest()


def test_touch_reads_once_more_and_gives_the_same(tmp_path: Path, later: Reads) -> None:
    digests = digests_of(tmp_path, later)
    file = tmp_path / "a"
    file.write_text("one")
    before = digests.of(file)
    os.utime(file, ns=(10**18, 10**18))
    assert digests.of(file) == before
    assert later.count == 2


def test_whole_seconds_in_both_stamps_ask_for_a_longer_rest(tmp_path: Path) -> None:
    second = 1_700_000_000_000_000_000
    fine, coarse = [1, second + 5, second + 5, 1], [1, second, second, 1]
    assert settled(fine, second + 1_000_000_000)
    assert not settled(coarse, second + 1_000_000_000)
    assert settled(coarse, second + 3_000_000_000)
    assert not settled(fine, second - 3_600_000_000_000), "a clock that went back"
    assert settled(None, second)


def test_what_is_no_file_has_no_digest(tmp_path: Path, later: Reads) -> None:
    digests = digests_of(tmp_path, later)
    assert digests.of(tmp_path / "none") is None
    assert digests.of(tmp_path) is None


def sure(digests: Digests, file: Path) -> bool:
    digests.of(file)
    return digests.looked_at[str(file)][1]


def test_how_a_file_looked_is_believed_where_it_had_one_content_all_the_time(tmp_path: Path, later: Reads) -> None:
    digests, file = digests_of(tmp_path, later), tmp_path / "a"
    file.write_text("one")
    assert sure(digests, file)
    file.touch()
    assert sure(digests, file)  # another time, the same content
    for text in ("two", "one", "one"):
        file.write_text(text)
        assert not sure(digests, file)  # somebody has decided by the other one


def test_how_a_file_looked_a_moment_after_it_was_written_is_not_believed(tmp_path: Path) -> None:
    now = Reads(ahead_ns=0)
    digests, file = digests_of(tmp_path, now), tmp_path / "a"
    assert sure(digests, file)  # there is none
    file.write_text("one")
    assert not sure(digests_of(tmp_path, now), file)


def test_of_a_file_we_wrote_only_what_we_wrote_is_believed(tmp_path: Path, later: Reads) -> None:
    digests, file = digests_of(tmp_path, later), tmp_path / "a"
    file.write_text("old")
    digests.of(file)
    file.write_text("new")
    digests.written(file, blake3(b"new").hexdigest())
    assert not digests.looked_at[str(file)][1]
    assert sure(digests, file)
    digests.written(file, blake3(b"newer").hexdigest())
    assert not sure(digests, file)  # somebody was faster
