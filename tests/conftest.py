"""Puts this folder on the import path: helpers that tests of several folders share are here."""

import os

# Models as small as those of the tests are several times as fast on one thread, and tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests of views and of processes wait as much as they compute."""
    return (os.cpu_count() or 1) + 1
