"""How fast files are hashed, in one run: a cached file of 1 GiB, and ten thousand small ones.

    python benchmarks/engine/hashing.py [--directory DIR]      # DIR: on the file system to measure, 1.1 GiB free

`Digests` reads a file with both hashes the first time, and with xxh3 alone where it may only have been touched; the
store checks an artifact by BLAKE3 over a mapping, on all cores. The peer is the md5 loop of DVC: 1 MiB a read.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fgbuild.engine.database import open_database
from fgbuild.engine.digests import Digests
from fgbuild.engine.store import file_digest

SIZE = 1 << 30
SMALL, SMALL_BYTES = 10_000, 4096
TRIES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--directory", type=Path, help="where to make the files (default: the temporary directory)")
    with tempfile.TemporaryDirectory(dir=parser.parse_args().directory, prefix="fgbuild-hashing-") as name:
        large(Path(name))
        small(Path(name))


def large(directory: Path) -> None:
    path = directory / "large"
    with path.open("wb") as stream:
        for _ in range(SIZE >> 20):
            stream.write(os.urandom(1 << 20))
    known = Digests(open_database(directory / "known"))
    known.of(path)
    row = known._rows.get(str(path))
    ways: dict[str, Callable[[], object]] = {
        "md5, 1 MiB a read (DVC)": lambda: md5(path),
        "first look: xxh3_128 and BLAKE3": lambda: known._hash(str(path), None),
        "touched: xxh3_128": lambda: known._hash(str(path), row),
        "artifact: BLAKE3": lambda: file_digest(path),
    }
    print("| 1 GiB, cached | GB/s | to md5 |\n|---|---|---|")
    slowest = 0.0
    for name, way in ways.items():
        speed = SIZE / best(way) / 1e9
        slowest = slowest or speed
        print(f"| {name} | {speed:.2f} | {speed / slowest:.1f} × |", flush=True)


def small(directory: Path) -> None:
    """One after the other, and by threads: what takes time is opening files, under the interpreter's lock."""
    paths = [directory / str(number) for number in range(SMALL)]
    for path in paths:
        path.write_bytes(os.urandom(SMALL_BYTES))

    def serial() -> None:
        digests = Digests(sqlite3.connect(":memory:"))
        for path in paths:
            digests._hash(str(path), None)

    def threads(count: int) -> None:
        digests = Digests(sqlite3.connect(":memory:"))
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda path: digests._hash(str(path), None), paths, chunksize=64))

    print(f"\n| {SMALL:,} files of 4 KiB, first look | cached | not cached |\n|---|---|---|")
    ways: dict[str, Callable[[], None]] = {"one after the other": serial}
    ways |= {f"{count} threads": lambda count=count: threads(count) for count in (2, 8)}
    for name, way in ways.items():
        print(f"| {name} | {best(way):.2f} s | {best(way, lambda: drop(paths)):.2f} s |", flush=True)


def md5(path: Path) -> str:
    hasher = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()


def drop(paths: list[Path]) -> None:
    """Ask the system to forget the files' content."""
    os.sync()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def best(way: Callable[[], object], before: Callable[[], None] = lambda: None) -> float:
    """Seconds, the shortest of some tries."""
    found = []
    for _ in range(TRIES):
        before()
        started = time.perf_counter()
        way()
        found.append(time.perf_counter() - started)
    return min(found)


if __name__ == "__main__":
    main()
