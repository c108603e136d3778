"""How fast the dashboard's log view opens a large log and scrolls through it.

    python benchmarks/tui/log_view.py [--megabytes 100] [--long-lines 20] [--presses 200]

Prints milliseconds: until the last line is on the screen, until the whole log is indexed, for one screen after a
page key (median and 95th percentile of reading and drawing its lines), for a search through all of it, and the longest
time that one slice of work held the event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "tests" / "views")]

import views_sample as sample  # noqa: E402
from textual.geometry import Region  # noqa: E402
from tui_sample import dashboard, screen_of  # noqa: E402

from fgbuild.views import runs  # noqa: E402
from fgbuild.views.tui.log import LogView  # noqa: E402
from fgbuild.views.tui.log_lines import LogLines  # noqa: E402

STAGE = "lint:train"
LAST = "the last line of it"


def write_log(path: Path, megabytes: int, long_lines: int) -> None:
    """Lines of 100 bytes, and among them `long_lines` of 1 MB."""
    path.parent.mkdir(parents=True)
    line = b"{'loss': '0.0123', 'grad_norm': '0.3'} " + b"." * 49 + b"\n"
    block = b"".join(b"%010d " % number + line for number in range(1000))
    every = max(megabytes * 10 // max(long_lines, 1), 1)
    with path.open("wb") as stream:
        for number in range(megabytes * 10):
            stream.write(block)
            if long_lines and number % every == 0:
                stream.write(b"x" * 1_000_000 + b"\n")
        stream.write(LAST.encode())


async def until(holds: object, seconds: float = 120.0) -> float:
    """Milliseconds until `holds()`."""
    started = time.perf_counter()
    while not holds():  # type: ignore[operator]
        if time.perf_counter() - started > seconds:
            raise SystemExit("it took too long")
        await asyncio.sleep(0.002)
    return (time.perf_counter() - started) * 1e3


async def measure(root: Path, presses: int) -> dict[str, float]:
    slices: list[float] = []
    read = LogView._read

    def timed(view: LogView) -> None:
        started = time.perf_counter()
        read(view)
        slices.append((time.perf_counter() - started) * 1e3)

    LogView._read = timed  # type: ignore[method-assign]
    app = dashboard(root)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.feed.state.stages)
        app.selected = STAGE
        app.action_open("log")
        await until(lambda: isinstance(app.screen, LogView) and app.screen.query(LogLines))
        view, started = app.screen, time.perf_counter()
        view.action_other()
        await until(lambda: LAST in screen_of(app))
        opened = (time.perf_counter() - started) * 1e3
        await until(lambda: not view._again)
        indexed = (time.perf_counter() - started) * 1e3
        rows = view.query_one(LogLines)
        rows.scroll_rows(-rows.row_count)
        await pilot.pause()
        drawn = []
        step = max(rows.row_count // presses, rows.room.height)
        for _ in range(presses):
            began = time.perf_counter()
            rows.scroll_rows(step)
            rows.render_lines(Region(0, 0, *rows.room))
            drawn.append((time.perf_counter() - began) * 1e3)
        view._words["search"] = "0000000999"
        view._look_for()
        began = time.perf_counter()
        view._poll()
        await until(lambda: view._search is not None and view._search.current)
        searched = (time.perf_counter() - began) * 1e3
        found = len(view._search.found)
    return {
        "lines": rows.row_count,
        "opened ms": opened,
        "indexed ms": indexed,
        "screen p50 ms": statistics.median(drawn),
        "screen p95 ms": statistics.quantiles(drawn, n=20)[-1],
        "search ms": searched,
        "lines found": found,
        "longest slice ms": max(slices),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--long-lines", type=int, default=20)
    parser.add_argument("--presses", type=int, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sample.write_log(root, sample.whole_run())
        path = runs.output_path(root, sample.RUN, STAGE)
        assert path is not None
        write_log(path, args.megabytes, args.long_lines)
        print(f"{path.stat().st_size / 1e6:.0f} MB")
        for name, value in asyncio.run(measure(root, args.presses)).items():
            print(f"{name:<18} {value:,.1f}" if name.endswith("ms") else f"{name:<18} {value:,.0f}")


if __name__ == "__main__":
    main()
