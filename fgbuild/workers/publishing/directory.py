"""Publishing to a directory: all files at once, and nothing there that is not ours."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.shipping import AGENT, CARD, MODELFILE, MODELS
from fgbuild.workers.publishing.parcel import Parcel, Progress

_CHUNK = 4 << 20
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # fcntl.h, linux/fs.h


def publish(parcel: Parcel, target: Path, *, force: bool, progress: Progress) -> None:
    """Make `target` hold the parcel's files. A reader finds what was there before, or all of the new.

    A directory of the same domain that an earlier publish made is replaced whole. Any other that is not empty is
    refused; with `force` the files are written into it, agent.json last, and what else is there stays.
    Raises FgbuildError for a target that cannot be written, and for a model that is not agent.json's.
    """
    source = parcel.files[AGENT].parent.resolve()
    if target.resolve() == source or source in target.resolve().parents:
        raise FgbuildError(f"--to: {target} is where the model comes from; name another directory")
    if target.exists() and not target.is_dir():
        raise FgbuildError(f"--to: {target} is a file; name a directory")
    foreign = foreign_entry(target, parcel.domain)
    if foreign and not force:
        raise FgbuildError(
            f"--to: {target} holds {foreign}, which no publish of {parcel.domain} put there; name another directory, "
            "or write into this one with --force"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            _fill(parcel, staging, progress)
            _move(parcel, staging, target, whole=not foreign)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        where = error.filename or target
        raise FgbuildError(
            f"--to: {where} cannot be written ({error.strerror}); put that right or name another directory"
        ) from None


def foreign_entry(target: Path, domain: str) -> str:
    """A file below `target` that a publish of this domain does not put there; "" where there is none."""
    if not target.is_dir():
        return ""
    entries = sorted(path.relative_to(target).as_posix() for path in target.rglob("*"))
    for entry in entries:
        model = entry.startswith(f"{MODELS}/") and entry.endswith(".gguf") and entry.count("/") == 1
        if not (model or entry in (MODELS, AGENT, CARD, MODELFILE)):
            return entry
    return entries[0] if entries and _domain(target / AGENT) != domain else ""


def _domain(path: Path) -> object:
    """Whose agent.json it is; None for anything else."""
    try:
        agent = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return agent.get("domain") if isinstance(agent, dict) and "model" in agent else None


def _fill(parcel: Parcel, staging: Path, progress: Progress) -> None:
    for name, file in parcel.files.items():
        copy = staging / name
        copy.parent.mkdir(exist_ok=True)
        digest = _copy(file, copy, progress if name == parcel.model else lambda done: None)
        if name == parcel.model:
            parcel.require_model(digest)
    staging.chmod(0o755)


def _copy(file: Path, copy: Path, progress: Progress) -> str:
    """Copy to disk; returns the SHA-256 (hex) of what was copied."""
    digest, done = hashlib.sha256(), 0
    with file.open("rb") as source, copy.open("xb") as stream:
        while chunk := source.read(_CHUNK):
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress(done)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


def _move(parcel: Parcel, staging: Path, target: Path, *, whole: bool) -> None:
    if not target.exists():
        staging.rename(target)
    elif whole:
        _exchange(staging, target)
    else:
        for name in parcel.files:
            (target / name).parent.mkdir(exist_ok=True)
            os.replace(staging / name, target / name)


def _exchange(staging: Path, target: Path) -> None:
    """Swap two directories in one step; where the file system cannot, in two."""
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(staging), os.fsencode(target)
    swap = getattr(libc, "renameat2", None)
    if swap and swap(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return
    old = staging.with_name(f"{staging.name}.old")
    target.rename(old)
    staging.rename(target)
    shutil.rmtree(old, ignore_errors=True)
