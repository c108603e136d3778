from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from fgbuild.views.lines import MAX_LINE, FileLines, Lines, Scan, TextLines, pattern

_BLOCK = 1 << 16


def read(path: Path) -> FileLines:
    lines = FileLines(path)
    while lines.grow(time.monotonic() + 10):
        pass
    return lines


def shown(lines: Lines) -> list[str]:
    return [lines.line(number) for number in range(lines.count)]


def found(lines: Lines, *words: str) -> list[int]:
    scan = Scan(lines, [pattern(word) for word in words])
    while scan.grow(time.monotonic()):
        pass
    return list(scan.found)


@pytest.mark.parametrize("end", ["", "\n"])
def test_every_line_is_found_whatever_the_lengths(tmp_path: Path, end: str) -> None:
    random.seed(7)
    kinds = (0, 1, 80, 3_000, _BLOCK - 1, _BLOCK, _BLOCK + 1)
    expected = [f"{number} " + "é" * (random.choice(kinds) // 2) for number in range(60)] + [""] * 3 + ["last"]
    path = tmp_path / "log"
    path.write_text("\n".join(expected) + end, "utf-8")
    lines = read(path)
    assert lines.count == len(expected)
    for line, want in zip(shown(lines), expected):
        if len(want) <= MAX_LINE:
            assert line == want
        else:
            assert line.startswith(want[:MAX_LINE])
            assert line.endswith(f"… ({len(want.encode()):,} bytes in this line)")
    assert found(lines, "last") == [len(expected) - 1]
    assert found(lines, "é") == [number for number, line in enumerate(expected) if "é" in line]


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("\r 10%\r 50%\r100%", ["100%"]),
        (" 10%\r 50%\r100%\r\nnext\r\n", ["100%", "next"]),
        ("loading …\rdone", ["doneing …"]),  # what is not written over stays
        ("long\rdone\r\r", ["done"]),
        ("日本\rab", ["ab本"]),
        ("loading …\r\x1b[Kdone", ["done"]),
        ("loading …\x1b[2K\rdone", ["done"]),
        ("\r\n", [""]),
    ],
)
def test_of_a_line_that_was_written_over_the_last_state_is_shown(tmp_path: Path, written: str, seen: list[str]) -> None:
    path = tmp_path / "log"
    path.write_bytes(written.encode())
    assert shown(read(path)) == seen


def test_a_line_with_many_states_is_read_from_its_end_and_searched_in_its_last_state(tmp_path: Path) -> None:
    path = tmp_path / "log"
    states = "".join(f"\rstep {number:,} of a million, and so on" for number in range(20_000))
    path.write_text(f"before\n{states}\nafter\n", newline="")
    lines = read(path)
    assert shown(lines) == ["before", "step 19,999 of a million, and so on", "after"]
    assert found(lines, "step 7 ") == []
    assert found(lines, "step 19,999 of") == [1]
    assert found(lines, "after") == [2]


def test_slices_come_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(50_000)))
    lines, slices = FileLines(path), 1
    while lines.grow(time.monotonic()):
        slices += 1
    assert slices > 5
    assert lines.count == 50_000
    assert lines.line(43_210) == "line 43210"
    assert found(lines, "4321", "0") == [
        4_321 * 10,
        *[n for n in range(50_000) if "4321" in str(n) and "0" in str(n)][1:],
    ]


def test_a_growing_file_and_its_unfinished_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = FileLines(path)
    assert not lines.grow(time.monotonic())
    assert lines.problem == "Its worker printed nothing."
    scan = Scan(lines, [pattern("error")])
    seen = []
    with path.open("ab", buffering=0) as stream:
        for piece in (b"one\ntw", b"o err", b"or", b"\nthree error\n", b"four"):
            stream.write(piece)
            lines.grow(time.monotonic() + 1)
            scan.grow(time.monotonic() + 1)
            seen.append((lines.count, list(scan.found)))
    assert seen == [(2, []), (2, []), (2, [1]), (3, [1, 2]), (4, [1, 2])]
    assert shown(lines) == ["one", "two error", "three error", "four"]
    assert not lines.problem


@pytest.mark.parametrize("how", ["truncated", "replaced", "rewritten"])
def test_a_file_that_begins_anew(tmp_path: Path, how: str) -> None:
    path = tmp_path / "log"
    path.write_text("old words\n" * 100)
    lines = read(path)
    scan = Scan(lines, [pattern("words")])
    scan.grow(time.monotonic() + 1)
    if how == "truncated":
        path.write_text("new words\n")
    elif how == "replaced":
        (tmp_path / "other").write_text("new words\n" * 100)
        os.replace(tmp_path / "other", path)
    else:
        path.write_text("new words\n" * 200)
    lines.grow(time.monotonic() + 1)
    scan.grow(time.monotonic() + 1)
    assert lines.generation == 1
    assert set(shown(lines)) == {"new words"}
    assert len(scan.found) == lines.count == {"truncated": 1, "replaced": 100, "rewritten": 200}[how]


def test_a_file_that_vanishes_is_kept_and_said(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("kept\n")
    lines = read(path)
    path.unlink()
    lines.grow(time.monotonic())
    assert lines.problem == "The file was removed; this is what was in it."
    assert shown(lines) == ["kept"]
    path.write_text("another\n")
    lines.grow(time.monotonic() + 1)
    assert (shown(lines), lines.problem) == (["another"], "")
    lines.close()
    assert lines.line(0) == ""


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        assert read(tmp_path / name).problem == f"{tmp_path / name} is not a file."
    assert "cannot be read" in read(tmp_path / ("n" * 400)).problem
    assert "cannot be read" in read(Path("nul\0")).problem


def test_hostile_bytes_are_inert(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(
        b"\x1b[2Jred\x1b[31m\n\x1b]52;c;eA==\x07\n\xff\xfe\x00bad\r\n" + "\u202eevil\u2066\u200b".encode() + b"\n\xc3"
    )
    lines = shown(read(path))
    assert lines[0] == "␛[2Jred␛[31m"
    assert lines[1] == "␛]52;c;eA==␇"
    assert lines[2] == "��␀bad"
    assert lines[3] == "�evil��"
    assert lines[4] == "�"


def test_a_line_longer_than_what_is_read_at_once_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n" + b"x" * 1_000_000 + b" needle\nlast needle\n")
    assert found(read(path), "needle") == [1, 2]


def test_capitals_matter_where_one_is_typed() -> None:
    lines = TextLines()
    for line in ("An Error", "an error", "a+b.c", "tab"):
        lines.add(line)
    assert found(lines, "error") == [0, 1]
    assert found(lines, "Error") == [0]
    assert found(lines, "+b.") == [2]
    assert found(lines, "error", "An") == [0]


def test_a_search_is_cut_into_slices(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a line of a log\n" * 200_000)
    scan = Scan(read(path), [pattern("nowhere")])
    slices = 1
    while scan.grow(time.monotonic()):
        slices += 1
    assert slices > 5
    assert scan.current
