"""Work that nobody waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fgbuild.views.tui.daemon import in_daemon


async def test_it_gives_or_raises_what_the_work_does() -> None:
    assert await in_daemon(lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        await in_daemon(lambda: 1 // 0)


def test_the_end_does_not_wait_for_it(capfd: pytest.CaptureFixture[str]) -> None:
    release, done = threading.Event(), threading.Event()
    too_long = threading.Timer(20.0, release.set)
    too_long.start()

    def work() -> None:
        release.wait()
        done.set()

    async def leave() -> None:
        asked = asyncio.ensure_future(in_daemon(work))
        await asyncio.sleep(0)
        asked.cancel()

    try:
        asyncio.run(leave())
        assert not release.is_set()
    finally:
        too_long.cancel()
        release.set()
    assert done.wait(20.0)
    assert capfd.readouterr().err == ""  # that nobody takes its result is no error
