"""Work that takes long, in threads: keys are answered meanwhile, and the dashboard's end waits for none of it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from textual.dom import DOMNode
from textual.worker import Worker

from fgbuild.errors import FgbuildError
from fgbuild.views.text import MAX_MESSAGE, clean

Result = TypeVar("Result")
Unwanted = Callable[[], bool]
"""Says whether nobody waits for the work any more: the node is gone, or other work has taken its place."""

_going: set[threading.Thread] = set()


def ask(
    node: DOMNode,
    work: Callable[[Unwanted], Result],
    done: Callable[[Result], object],
    failed: Callable[[str], object],
    *,
    group: str,
) -> Worker[None]:
    """Have a thread do `work`; then call `done` with what it gave, or `failed` with a sentence, in the event loop.

    It takes the place of earlier work of that node and group. Neither is called once it is unwanted.
    """

    async def wait() -> None:
        unwanted = threading.Event()
        try:
            result = await in_thread(lambda: work(unwanted.is_set))
        except Exception as error:
            if node.is_running:
                failed(sentence(error))
        else:
            if node.is_running:
                done(result)
        finally:
            unwanted.set()

    return node.run_worker(wait(), group=group, exclusive=True)


async def in_thread(work: Callable[[], Result]) -> Result:
    """As asyncio.to_thread, but the thread is its own and does not hold up the process's end."""
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    ended: asyncio.Future[tuple[list[Result], Exception | None]] = loop.create_future()

    def tell(results: list[Result], error: Exception | None) -> None:
        if not ended.done():
            ended.set_result((results, error))

    def run() -> None:
        results: list[Result] = []
        failure: Exception | None = None
        try:
            results.append(context.run(work))
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            loop.call_soon_threadsafe(tell, results, failure)
        _going.discard(threading.current_thread())

    thread = threading.Thread(target=run, daemon=True)
    _going.add(thread)
    thread.start()
    results, failure = await ended
    if failure is not None:
        raise failure
    return results[0]


async def settle(seconds: float) -> None:
    """Give threads whose work is unwanted that long to notice: what they hold is put away then."""
    deadline = time.monotonic() + seconds
    while _going and time.monotonic() < deadline:
        await asyncio.sleep(0.02)


def sentence(error: Exception) -> str:
    """What went wrong and what to do, made inert."""
    words = f"It failed unexpectedly ({type(error).__name__}: {error}); try again."
    if isinstance(error, FgbuildError):
        words = str(error)
    elif isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        words = f"{where}{error.strerror}; put that right and try again."
    return clean(words, MAX_MESSAGE, keep_newlines=True)
