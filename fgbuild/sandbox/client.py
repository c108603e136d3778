"""The side that asks: a sandbox, and the projects in it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fgbuild.errors import StageError
from fgbuild.sandbox.confine import Confinement

SECONDS = 10
"""How long a call may take."""
MAX_MEMORY = 4 * 1024**3
"""Bytes of address space of a call, of which libraries reserve far more than they use."""
_SLACK = 30
"""Seconds after a call's time in which the server has to answer."""
_PREFIX = "fgbuild-sandbox-"

# Nothing of the user's shell, so that a response is the same on every machine.
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",
    "NO_COLOR": "1",
}


class SandboxFault(RuntimeError):
    """A bug of a tool, or of the sandbox: with the traceback."""


class LimitReached(StageError):
    """A call took too long, needed or gave too much, or crashed: no response, as it may be the machine's fault."""


class Workspace:
    """A project on disk, which tools read and change. root: its directory."""

    def __init__(self, sandbox: Sandbox, area: Path) -> None:
        self._sandbox = sandbox
        self._area = area
        self.root = area / "project"

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The tool's response; {"error": …} where it refuses. Raises LimitReached, SandboxFault."""
        return self._sandbox.ask(self._area, self.root, tool, arguments)

    def files(self) -> dict[str, bytes]:
        """Contents by path relative to the root, hidden files and folders left out."""
        found = (path for path in sorted(self.root.rglob("*")) if path.is_file() and not path.is_symlink())
        named = ((path.relative_to(self.root), path) for path in found)
        return {
            str(name): path.read_bytes() for name, path in named if not any(part.startswith(".") for part in name.parts)
        }

    @property
    def usable(self) -> bool:
        """Whether the sandbox still answers calls."""
        return self._sandbox.running

    def remove(self) -> None:
        shutil.rmtree(self._area, ignore_errors=True)


class Sandbox:
    """A confined process with the tools of a module (its `TOOLS`: name → function of root and arguments).

    Use as a context; one call runs at a time. `confinement` says what was taken from it, `directory` is below which it
    may write. Raises SandboxFault where the module cannot be loaded.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __enter__(self) -> Self:
        _sweep()
        # Resolved: tools compare paths, and a temporary directory may be behind a link.
        self.directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()
        # Found as here, wherever this package is imported from.
        imports = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "fgbuild.sandbox.server", self._module, str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.directory,
            env={**_ENVIRONMENT, "PYTHONPATH": imports, "PATH": _path()},
        )
        try:
            self.confinement = Confinement(**self._answer(_SLACK))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with contextlib.suppress(OSError):  # it has ended already
                self._process.stdin.close()
            try:
                self._process.wait(_SLACK)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    def area(self) -> Path:
        """A new folder below `directory`, for the files of one project and its calls' own."""
        return Path(tempfile.mkdtemp(dir=self.directory))

    def project(self, files: Mapping[str, str | bytes]) -> Workspace:
        """A new project with these files (path relative to its root → content)."""
        workspace = Workspace(self, self.area())
        workspace.root.mkdir()
        for name, content in files.items():
            path = workspace.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return workspace

    def ask(
        self,
        area: Path,
        root: Path,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        seconds: float | None = None,
        memory: int = MAX_MEMORY,
    ) -> dict[str, Any]:
        """The response of a call in `root`, within so many seconds (default: `SECONDS`).

        area: what it may write below, with `root` in it; its home and temporary files are in `area/home`. memory: bytes
        of address space. Raises LimitReached, and SandboxFault for a bug of the tool.
        """
        seconds = SECONDS if seconds is None else seconds
        request = {
            "area": str(area),
            "root": str(root),
            "tool": tool,
            "arguments": dict(arguments),
            "seconds": seconds,
            "memory": memory,
        }
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: there will be no answer
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        answer = self._answer(seconds + _SLACK)
        if "fault" in answer:
            raise SandboxFault(f"{self._module}: {tool} failed:\n{answer['fault']}")
        if "limit" in answer:
            raise LimitReached(f"{tool} {answer['limit']}; give the machine less to do, or the tool a smaller project")
        return dict(answer["response"])

    def _answer(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            self._process.kill()
        line = self._process.stdout.readline()
        if not line:
            raise SandboxFault(f"{self._module}: the sandbox ended with exit code {self._process.wait()}")
        return dict(json.loads(line))


def _sweep() -> None:
    """Remove what sandboxes have left whose process was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _path() -> str:
    """Where programs are found: those installed beside this interpreter first."""
    return os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
