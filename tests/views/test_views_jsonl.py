from __future__ import annotations

import io
import json

import views_sample as sample

from fgbuild.views.jsonl import JsonlView


class Flushed(io.StringIO):
    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def test_each_event_is_a_line_and_flushed() -> None:
    stream = Flushed()
    view = JsonlView(stream)
    events = sample.whole_run()
    for event in events:
        view.handle(event)
    view.close()
    view.handle({"kind": "after"})
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == events
    assert stream.flushes == len(events)
    assert not stream.closed


def test_what_json_cannot_say_becomes_null() -> None:
    stream = io.StringIO()
    JsonlView(stream).handle({"kind": "stage.metric", "loss": float("nan"), "text": "a\nb\u2028c"})
    [line] = stream.getvalue().split("\n")[:-1]
    assert json.loads(line) == {"kind": "stage.metric", "loss": None, "text": "a\nb\u2028c"}


def test_an_ascii_stream_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    JsonlView(stream).handle({"kind": "stage.note", "text": "16 → 32"})
    assert b"\\u2192" in raw.getvalue()
    assert json.loads(raw.getvalue())["text"] == "16 → 32"


def test_a_reader_that_went_away_stops_nothing() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    view = JsonlView(Broken())
    view.handle({"kind": "a"})
    view.handle({"kind": "b"})
