from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.events import EventReader, encode
from fgbuild.views.bulk import BulkReader

EVENTS = st.builds(lambda kind, text: encode({"kind": kind, "text": text}), st.text(max_size=5), st.text(max_size=30))
NOT_EVENTS = [b"\n", b"[1, 2]\n", b'{"no": 1}\n', b"\xff\xfe\n", b"[" * 9_000 + b"\n"]
TWO, CARRIAGE, TORN = b'{"kind": 1},{"kind": 2}\n', b'{"kind": 1}\r\n', b'{"kind": "torn"'
LONG = b'{"kind": "long", "text": "' + b"x" * 300_000 + b'"}\n'
ODD = st.sampled_from([*NOT_EVENTS, TWO, CARRIAGE, TORN, LONG])


@given(st.lists(st.one_of(EVENTS, ODD), max_size=40), st.integers(1, 50))
def test_it_reads_what_a_plain_reader_reads(lines: list[bytes], limit: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "events.jsonl"
        path.write_bytes(b"".join(lines))
        plain, bulk = EventReader(path), BulkReader(path)
        assert _all(bulk, limit) == _all(plain, limit)
        with path.open("ab") as stream:
            stream.write(b'"}\n' + encode({"kind": "last"}))
        assert _all(bulk, limit) == _all(plain, limit)


def _all(reader: EventReader, limit: int) -> list[object]:
    found: list[object] = []
    for _ in range(300):
        found += reader.read(limit)
    return found


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert BulkReader(tmp_path / "none").read() == []


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_no_more_than_asked_for(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(encode({"kind": "x", "n": number}) for number in range(100)))
    assert len(BulkReader(path).read(limit)) == min(limit, 100)
