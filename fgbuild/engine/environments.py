"""Python environments other than fgbuild's own, in which some workers run: what is installed there.

An interpreter is asked once which folders it imports from. It is asked again where it, its `pyvenv.cfg` or one of these
folders looks different from then; their listings are read anew each time.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from fgbuild.engine.libraries import Libraries
from fgbuild.engine.stamps import Stamp, settled, stamp
from fgbuild.errors import DataError

OLDEST = (3, 11)
"""The first Python that fgbuild's workers run on."""

_ASK = "import json, sys; print(json.dumps([sys.version_info[:2], sys.path]))"
_SECONDS = 60


class Environment(NamedTuple):
    """libraries: what is installed in it. python: its version, `3.11`."""

    libraries: Libraries
    python: str


class Environments:
    """file: where the interpreters' answers are kept; it can be removed at any time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: dict[Path, Environment] = {}
        self.looked_at: dict[str, tuple[Stamp, bool]] = {}
        """Every file and folder that an answer rests on: how it looked, and whether that can be believed."""

    def of(self, python: Path) -> Environment:
        """The environment of an interpreter. Raises DataError where it is none that workers can run on."""
        if python not in self._found:
            entry = self._entry(python)
            now = time.time_ns()
            for path in entry["stamps"]:
                look = stamp(path)
                self.looked_at[path] = (look, settled(look, now))
            self._found[python] = Environment(Libraries(entry["path"]), ".".join(map(str, entry["version"])))
        return self._found[python]

    def _entry(self, python: Path) -> dict[str, Any]:
        known = self._known()
        entry: Any = known.get(str(python))
        if not _holds(entry):
            entry = known[str(python)] = _asked(python)
            self._keep(known)
        return dict(entry)

    def _known(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _keep(self, known: dict[str, Any]) -> None:
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time and nothing else
            temporary.write_text(json.dumps(known), "utf-8")
            os.replace(temporary, self._file)


def without_own_paths() -> dict[str, str]:
    """This process's environment for an interpreter of another one: where fgbuild's own looks means nothing there."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}


def require(libraries: Libraries, name: str, python: Path) -> None:
    """DataError where a training library is not installed in the environment that is named for it."""
    if libraries.versions([name])[name] is None:
        raise DataError(
            f"fgbuild.toml: backends.{name}.python: {name} is not installed in the environment of {python}; "
            f"run {python} -m pip install {name}"
        )


def _holds(entry: Any) -> bool:
    """Whether an answer that was kept is still what the interpreter would say."""
    try:
        when = int(entry["when"])
        return all(stamp(path) == found and settled(found, when) for path, found in entry["stamps"].items())
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _asked(python: Path) -> dict[str, Any]:
    """{version, path, stamps, when} of an interpreter: where it imports from, and how all that looked before."""
    import subprocess  # a build with nothing to do is over before that is loaded

    when = time.time_ns()
    config = [str(folder / "pyvenv.cfg") for folder in (python.parent, python.parent.parent)]
    stamps = {path: stamp(path) for path in (str(python), *config)}
    try:
        answer = subprocess.run(
            [str(python), "-c", _ASK],
            env=without_own_paths(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        version, path = json.loads(answer.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise DataError(
            f"fgbuild.toml: {python} does not answer as a Python interpreter ({reason}); "
            "name another one under [backends], or install that one anew"
        ) from None
    if tuple(version) < OLDEST:
        raise DataError(
            f"fgbuild.toml: {python} is Python {version[0]}.{version[1]}, and workers need "
            f"{OLDEST[0]}.{OLDEST[1]} or newer; make the environment with a newer one"
        )
    folders = [folder for folder in path if folder]
    return {"version": version, "path": folders, "stamps": stamps | {p: stamp(p) for p in folders}, "when": when}
