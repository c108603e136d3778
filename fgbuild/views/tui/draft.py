"""What was typed into a file and not saved when the dashboard ended: kept aside until the file is opened again."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fgbuild.views.tui.launch import output_path
from fgbuild.views.tui.textfile import replace


@dataclass(frozen=True, slots=True)
class Kept:
    """text: what was typed. basis: digest of what the file had at that time."""

    text: str
    basis: str

    def is_of(self, text: str) -> bool:
        """Whether it was typed into this text."""
        return self.basis == _digest(text)


class Draft:
    """Of a file of the project at `root`."""

    def __init__(self, root: Path, path: Path) -> None:
        name = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
        self._path = output_path(root).with_name("drafts") / f"{name}.json"

    def keep(self, text: str, basis: str) -> None:
        """basis: what the file has. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # As ASCII, which carries characters that no UTF-8 file can have too.
        replace(self._path, json.dumps({"text": text, "basis": _digest(basis)}).encode("ascii"), mode=0o600)

    def read(self) -> Kept | None:
        """None where there is none that can be read."""
        try:
            found = json.loads(self._path.read_bytes())
            return Kept(str(found["text"]), str(found["basis"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
