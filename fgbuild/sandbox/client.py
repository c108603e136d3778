"""The side that asks: a sandbox, and the projects in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fgbuild.sandbox.confine import Confinement

SECONDS = 10
"""How long a call may take."""
MAX_MEMORY = 4 * 1024**3
"""Bytes of address space of a call, of which libraries reserve far more than they use."""

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


class Workspace:
    """A project on disk, which tools read and change. root: its directory."""

    def __init__(self, sandbox: Sandbox, root: Path) -> None:
        self._sandbox = sandbox
        self.root = root

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The tool's response; {"error": …} where it refuses, takes too long or crashes. Raises SandboxFault."""
        return self._sandbox.ask(self.root, tool, arguments)

    def files(self) -> dict[str, bytes]:
        """Contents by path relative to the root, hidden files and folders left out."""
        found = (path for path in sorted(self.root.rglob("*")) if path.is_file() and not path.is_symlink())
        named = ((path.relative_to(self.root), path) for path in found)
        return {
            str(name): path.read_bytes() for name, path in named if not any(part.startswith(".") for part in name.parts)
        }

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


class Sandbox:
    """A confined process with the tools of a module (its `TOOLS`: name → function of root and arguments).

    Use as a context; one call runs at a time. `confinement` says what was taken from it. Raises SandboxFault where the
    module cannot be loaded.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._count = 0

    def __enter__(self) -> Self:
        # Resolved: tools compare paths, and a temporary directory may be behind a link.
        self.directory = Path(tempfile.mkdtemp(prefix="fgbuild-sandbox-")).resolve()
        home = self.directory / "home"
        home.mkdir()
        # Found as here, wherever this package is imported from.
        imports = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "fgbuild.sandbox.server", self._module, str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.directory,
            env={**_ENVIRONMENT, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": imports, "PATH": _path()},
        )
        self.confinement = Confinement(**self._answer())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def project(self, files: Mapping[str, str | bytes]) -> Workspace:
        """A new project with these files (path relative to its root → content)."""
        self._count += 1
        root = self.directory / f"project{self._count}"
        root.mkdir()
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Workspace(self, root)

    def ask(
        self,
        root: Path,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        seconds: float | None = None,
        memory: int = MAX_MEMORY,
    ) -> dict[str, Any]:
        """The response of a call in a directory below `directory`, within so many seconds (default: `SECONDS`).

        memory: bytes of address space. Raises SandboxFault for a bug of the tool.
        """
        request = {
            "root": str(root),
            "tool": tool,
            "arguments": dict(arguments),
            "seconds": SECONDS if seconds is None else seconds,
            "memory": memory,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "fault" in answer:
            raise SandboxFault(f"{self._module}: {tool} failed:\n{answer['fault']}")
        return dict(answer["response"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SandboxFault(f"{self._module}: the sandbox ended with exit code {self._process.wait()}")
        return dict(json.loads(line))


def _path() -> str:
    """Where programs are found: those installed beside this interpreter first."""
    return os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
