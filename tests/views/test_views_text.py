from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from fgbuild.views import text


@given(st.text(st.characters(), max_size=80))
def test_cleaned_text_has_no_control_format_or_surrogate_character(raw: str) -> None:
    allowed = "\u200c\u200d"  # joiners: scripts and emoji need them, and they do nothing else
    for character in text.clean(raw):
        category = unicodedata.category(character)
        assert character in allowed or category not in ("Cc", "Cs", "Zl", "Zp"), hex(ord(character))


@given(st.text(max_size=60), st.integers(0, 40))
def test_cropped_text_fits(raw: str, width: int) -> None:
    assert text.cell_width(text.crop(raw, width)) <= width
    assert text.cell_width(text.pad(raw, width)) == width


def test_long_text_is_cut() -> None:
    assert len(text.clean("x" * 5_000_000)) == text.MAX_TEXT
    assert text.clean("abc", 2) == "a…"


def test_lines_are_kept_where_asked() -> None:
    assert text.clean("a\nb", keep_newlines=True) == "a\nb"
    assert text.clean("a\nb") == "a ⏎ b"


def test_wide_characters_count_twice() -> None:
    assert text.cell_width("日本") == 4
    assert text.crop("日本語", 5) == "日本…"


def test_numbers_as_people_read_them() -> None:
    assert [text.number(value) for value in (1234, 291.54, 0.12345, 0.0002, 0)] == [
        "1,234",
        "291.5",
        "0.1235",
        "2.0e-04",
        "0",
    ]
    assert [text.seconds(value) for value in (0.42, 42, 371.2, 3720, -1)] == [
        "0.4 s",
        "42 s",
        "6m 11s",
        "1h 02m",
        "0.0 s",
    ]
    assert [text.percent(value) for value in (1.0, 0.9999, 0.975, 0)] == ["100 %", "99.9 %", "97.5 %", "0 %"]
    assert [text.megabytes(value) for value in (291.54, 3100)] == ["291.5 MB", "3.1 GB"]


def test_digests_are_shortened_and_other_values_named() -> None:
    assert text.scalar("ab" * 32) == "abababababab…"
    assert [text.scalar(value) for value in (None, True, [1, "a"], float("nan"))] == ["", "true", '[1, "a"]', "NaN"]


def test_a_stream_that_cannot_write_symbols_gets_ascii() -> None:
    assert text.for_encoding("✓ 16 → 32 日", "ascii") == "+ 16 -> 32 ?"
    assert text.for_encoding("✓", "utf-8") == "✓"
    assert text.for_encoding("✓", "no-such-encoding") == "+"


def test_the_bar_is_as_long_as_asked() -> None:
    assert text.bar(0.5, 4) == "██░░"
    assert text.bar(7.0, 4) == "████"


def test_whole_keeps_the_lines_of_texts_and_gives_some_to_long_values() -> None:
    assert text.whole("one\n\x1btwo") == "one\n␛two"
    assert text.whole("a1" * 32) == "a1a1a1a1a1a1…"
    assert text.whole([1, 2]) == "[1, 2]"
    assert text.whole({"names": ["x" * 30, "y" * 30]}).count("\n") == 5
    assert text.whole("x" * 30_000) == "x" * 19_999 + "…"
    assert text.whole(None) == ""
