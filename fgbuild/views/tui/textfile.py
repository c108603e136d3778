"""A text file that is open for editing: read, saved as a whole or not at all, compared with what is on disk now."""

from __future__ import annotations

import codecs
import contextlib
import os
import stat
import tempfile
from pathlib import Path

from fgbuild.errors import FgbuildError

MAX_BYTES = 2_000_000


class ChangedOnDisk(Exception):
    """The file is not what was read."""


class TextFile:
    """text: as last read or saved, line ends as they are in the file, without a byte order mark."""

    def __init__(self, path: Path) -> None:
        """Raises FgbuildError where it cannot be read or edited here."""
        self.path = path
        self._content: bytes = b""
        self._look: tuple[int, ...] | None = None
        self.text = ""
        self.read()

    def read(self) -> None:
        """Read it again."""
        look = _look(self.path)
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise FgbuildError(
                f"{self.path.name}: cannot be read ({error.strerror}); make it a readable file"
            ) from None
        self.text = _decoded(self.path, content)
        self._content, self._look = content, look

    def is_changed(self) -> bool:
        """Whether what is on disk is not what was read or saved last. Cheap while nobody touches the file."""
        look = _look(self.path)
        if look == self._look and look is not None:
            return False
        try:
            changed = self.path.read_bytes() != self._content
        except OSError:
            return True
        if not changed:
            self._look = look
        return changed

    def save(self, text: str, *, overwrite: bool = False) -> None:
        """Put `text` in the file's place, with its mode; a link stays a link.

        Raises ChangedOnDisk where the file is not what was read (overwrite: never), FgbuildError where it cannot be
        written.
        """
        if not overwrite and self.is_changed():
            raise ChangedOnDisk
        mark = codecs.BOM_UTF8 if self._content.startswith(codecs.BOM_UTF8) else b""
        content = mark + self._encoded(text)
        target = Path(os.path.realpath(self.path))
        try:
            replace(target, content, stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644)
        except OSError as error:
            raise FgbuildError(f"{self.path.name}: cannot be saved ({error.strerror}); nothing was changed") from None
        self.text, self._content, self._look = text, content, _look(self.path)

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError as error:
            line = text.count("\n", 0, error.start) + 1
            raise FgbuildError(
                f"{self.path.name}: line {line} has half a character, which no file can hold; delete it, then save"
            ) from None


def replace(target: Path, content: bytes, mode: int) -> None:
    """Durable before it has the name: a crash leaves the old content or the new one. Raises OSError."""
    # Hidden, so that no build takes it for a manifest.
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with open(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _look(path: Path) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns


def _decoded(path: Path, content: bytes) -> str:
    """The text of a file that can be edited without changing any line that nobody touched."""
    if len(content) > MAX_BYTES:
        raise FgbuildError(f"{path.name}: is larger than {MAX_BYTES // 1_000_000} MB; edit it in another editor")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FgbuildError(f"{path.name}: is not UTF-8 text; save it as UTF-8 in another editor") from None
    # The editor takes all of these for ends of lines, and would write one kind.
    newline = "\r\n" if "\r\n" in text else "\n"
    if text.splitlines() != text.removesuffix(newline).split(newline) and text:
        raise FgbuildError(f"{path.name}: has line ends of several kinds; make them one kind in another editor")
    return text
