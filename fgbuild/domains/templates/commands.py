"""Tools that are real commands: run in a prepared directory, and replayed in another to see that they repeat.

Commands of one trajectory see what the earlier ones changed; every trajectory begins in a fresh copy of the directory.
What a run of commands prints is kept, so that the next trajectory with the same ones costs nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from fgbuild.domains.templates import confined
from fgbuild.domains.templates.running import CommandFailed
from fgbuild.domains.templates.text import Absent, Unusable, parse, render, written
from fgbuild.errors import DataError
from fgbuild.functiongemma.tokens import unfit_text
from fgbuild.sandbox.client import LimitReached, Sandbox

MOST_PRINTED = 1 << 15
"""Bytes; a command that prints more is of no use to a model with a few hundred tokens for it."""

_WORKSPACE = "workspace"
"""The folder that is set up, in an area of its own; temporary files are beside it."""

Argv = tuple[str, ...]
History = tuple[Argv, ...]
"""The commands of a trajectory, in order."""


class Commands:
    """The commands of a domain's tools; a context manager, as their directories are temporary.

    commands: tool → its command, output and max_output. workspace: the manifest's table. root: the project.
    """

    def __init__(self, commands: Mapping[str, Any], workspace: Mapping[str, Any], root: Path) -> None:
        self._commands = commands
        self._workspace = workspace
        self._root = root
        self._printed: dict[History, bytes | CommandFailed] = {}
        self._replayed: set[History] = set()

    def __enter__(self) -> Commands:
        self._sandbox: Sandbox | None = None  # made for the first command: many domains have none
        self._first: Path | None = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sandbox is not None:
            self._sandbox.__exit__(kind, error, trace)

    def __contains__(self, tool: str) -> bool:
        return tool in self._commands

    def argv(self, tool: str, arguments: Mapping[str, Any]) -> Argv:
        """The words of a tool's command for a call."""
        words: list[str] = []
        for element in self._commands[tool]["command"]:
            try:
                group = [element] if isinstance(element, str) else element
                words += [written(render(parse(word), arguments)) for word in group]
            except Absent:
                continue
        return tuple(words)

    def respond(self, tool: str, history: History, *, told: bool = True) -> dict[str, Any]:
        """The response to the last command of a history. Raises Unusable where there is none that can be relied on.

        told: whether a model is to see it; else the command has to end well, whatever it prints, and the response is
        empty.
        """
        if history not in self._printed:
            self._first = self._first or self._prepared()
            self._printed[history] = self._play(history, self._first)
        printed = self._printed[history]
        if isinstance(printed, CommandFailed):
            raise Unusable(f"`{' '.join(history[-1])}` {printed}")
        if not told:
            return {}
        entry = self._commands[tool]
        try:
            return response(printed, entry["output"], entry["max_output"])
        except ValueError as error:
            raise Unusable(f"`{' '.join(history[-1])}` {error}") from None

    def replay(self) -> bool:
        """Run what was not replayed yet a second time; whether some of it printed something else.

        From then on that is unusable. The second directory is made in another second of the clock, so that what
        depends on the time of its making shows.
        """
        waiting = [history for history in self._printed if history not in self._replayed]
        if not waiting:
            return False
        time.sleep(1 - time.time() % 1)
        second = self._prepared()
        differ = False
        for history in waiting:
            self._replayed.add(history)
            first = self._printed[history]
            if isinstance(first, bytes) and self._play(history, second) != first:
                self._printed[history] = CommandFailed("does not print the same twice")
                differ = True
        return differ

    def _prepared(self) -> Path:
        """A new directory, set up. Raises DataError that names the file or command at fault."""
        if self._sandbox is None:
            self._sandbox = Sandbox(confined.__name__).__enter__()
        place = self._sandbox.area() / _WORKSPACE
        place.mkdir()
        for index, name in enumerate(self._workspace["files"]):
            try:
                shutil.copy(self._root / name, place / Path(name).name)
            except OSError as error:
                raise DataError(f"workspace.files[{index}]: {name} cannot be copied ({error.strerror})") from None
        for index, argv in enumerate(self._workspace["setup"]):
            try:
                self._run(argv, place)
            except CommandFailed as error:
                raise DataError(f"workspace.setup[{index}]: `{' '.join(argv)}` {error}; correct it") from None
        return place

    def _play(self, history: History, prepared: Path) -> bytes | CommandFailed:
        """What the last command of a history prints, in a copy of a directory that is as it was."""
        area = prepared.parent.with_name(f"{prepared.parent.name}-copy")
        place = area / _WORKSPACE
        shutil.rmtree(area / "home", ignore_errors=True)
        if not place.exists():
            area.mkdir(exist_ok=True)
            shutil.copytree(prepared, place, symlinks=True, copy_function=shutil.copy)
        before = _looks(place)
        try:
            return [self._run(argv, place) for argv in history][-1]
        except CommandFailed as error:
            return error
        finally:
            _restore(place, prepared, before)

    def _run(self, argv: Sequence[str], place: Path) -> bytes:
        assert self._sandbox is not None, "a directory is prepared in the sandbox"
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(place), "LANG": "C.UTF-8", "TZ": "UTC"}
        env["TMPDIR"] = str(place.parent / "home")
        timeout = self._workspace["timeout_seconds"]
        arguments = {
            "argv": list(argv),
            "env": env | self._workspace["env"],
            "timeout": timeout,
            "most": MOST_PRINTED,
        }
        try:
            answer = self._sandbox.ask(
                place.parent, place, "command", arguments, seconds=timeout + 1, memory=confined.MEMORY
            )
        except LimitReached as error:
            raise CommandFailed(str(error).partition(";")[0].removeprefix("command ")) from None
        if "printed" in answer:
            return str(answer["printed"]).encode("latin-1")
        raise CommandFailed(answer["failed"])


def _looks(place: Path) -> dict[str, tuple[int, ...]]:
    """Path below a directory → how it looks: no write to a file leaves that as it was."""
    found: dict[str, tuple[int, ...]] = {}
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            look = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            found[os.path.relpath(path, place)] = (status.st_mode, *(() if stat.S_ISDIR(status.st_mode) else look))
    return found


def _restore(place: Path, prepared: Path, before: Mapping[str, tuple[int, ...]]) -> None:
    """Undo what a command changed in a copy, which is far less than the copy; one that is beyond that is removed."""
    after = _looks(place)
    if any(stat.S_ISDIR(look[0]) and not stat.S_ISDIR(after.get(name, (0,))[0]) for name, look in before.items()):
        # What stands there now may be a link to a folder elsewhere, which nothing here may follow.
        shutil.rmtree(place, ignore_errors=True)
        return
    try:
        for name in sorted(after.keys() - before.keys(), reverse=True):  # what is in a folder before the folder
            path = place / name
            path.rmdir() if stat.S_ISDIR(after[name][0]) else path.unlink()
        for name in sorted(name for name in before if after.get(name) != before[name]):
            if stat.S_ISDIR(before[name][0]):
                shutil.copymode(prepared / name, place / name)
            else:
                (place / name).unlink(missing_ok=True)
                shutil.copy(prepared / name, place / name, follow_symlinks=False)
    except OSError:  # a file where a folder was, a folder that may not be written to, …
        shutil.rmtree(place, ignore_errors=True)


def response(printed: bytes, output: str, most: int) -> dict[str, Any]:
    """What a tool that prints this responds; see `ToolCommand`. Raises ValueError where it is of no use to a model."""
    text = printed.decode("utf-8", "replace").rstrip()  # what is in front may be columns of `lines`
    if reason := unfit_text(text):
        raise ValueError(f"prints what no prompt can hold: {reason}")
    if output == "json":
        if len(text) > most:
            raise ValueError(f"prints more than {most} characters of JSON")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("prints no JSON") from None
        return data if isinstance(data, dict) else {"result": data}
    if output == "text":
        text = text.lstrip()
        return {"output": text if len(text) <= most else f"{text[: most - 1]}…"}
    lines = text.splitlines()
    return {"count": len(lines), "lines": _first_lines(lines, most)}


def _first_lines(lines: Sequence[str], most: int) -> list[str]:
    """As many whole lines as there are characters for."""
    kept: list[str] = []
    for line in lines:
        most -= len(line)
        if most < 0:
            break
        kept.append(line)
    return kept
