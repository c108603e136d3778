"""Work that the end of the dashboard does not wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Result = TypeVar("_Result")


async def in_daemon(work: Callable[[], _Result]) -> _Result:
    """What `work` gives or raises, from a thread that dies with the process: nothing can stop a thread, and
    `asyncio.to_thread` would have the process wait for it. For work that may break off anywhere."""
    future: Future[_Result] = Future()
    future.set_running_or_notify_cancel()  # whoever asked may go, the thread still has a place for its result

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)
