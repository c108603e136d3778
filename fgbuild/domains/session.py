"""A draw whose calls are answered by a domain's real tools, on a project of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, NamedTuple

from fgbuild.domains.scenario import Draw, Message, Split, calls, results, say
from fgbuild.sandbox.client import Sandbox, Workspace

Call = tuple[str, dict[str, Any]]


class Done(NamedTuple):
    """One turn of calls that were made: the two messages (calls, responses), and the responses in the calls' order."""

    turns: list[Message]
    responses: list[dict[str, Any]]

    @property
    def response(self) -> dict[str, Any]:
        """That of the only call."""
        (response,) = self.responses
        return response

    @property
    def failed(self) -> bool:
        return any("error" in response for response in self.responses)


class Step(NamedTuple):
    """A call, its response and what is said about it."""

    done: Done
    verdict: str

    @property
    def told(self) -> list[Message]:
        return [*self.done.turns, say(self.verdict)]


class Session(Draw):
    """What one trajectory is drawn from: values as from `Draw`, and responses of real calls.

    `open` gives it the files of a project; calls then change them. `close` says whether the same calls give the same
    responses on the same files once more, and removes them. Where `sandbox` is None, nothing can be called.
    """

    def __init__(self, rng: random.Random, split: Split, sandbox: Sandbox | None, family: int = 0) -> None:
        super().__init__(rng, split, family)
        self._sandbox = sandbox
        self._files: Mapping[str, str | bytes] = {}
        self._workspace: Workspace | None = None
        self._made: list[tuple[Call, dict[str, Any]]] = []

    @property
    def files(self) -> Mapping[str, str | bytes]:
        """Those of the project as it was opened; none before."""
        return self._files

    def open(self, files: Mapping[str, str | bytes]) -> None:
        """The project's files by path; once, and before the first call."""
        assert not self._files, "a session has one project"
        self._files = dict(files)

    def call(self, name: str, **arguments: Any) -> Done:
        """One call. Arguments given as None are left out."""
        return self.calls((name, arguments))

    def calls(self, *pairs: tuple[str, Mapping[str, Any]]) -> Done:
        """Calls of one turn, in this order."""
        made = [(name, {key: value for key, value in given.items() if value is not None}) for name, given in pairs]
        if self._workspace is None:
            self._workspace = self._new()
        responses = [self._workspace.call(name, arguments) for name, arguments in made]
        self._made += zip(made, responses)
        named = [(name, response) for (name, _), response in zip(made, responses)]
        return Done([calls(*made), results(*named)], responses)

    def close(self, *, replay: bool = True) -> bool:
        """Remove the project; whether a replay on a fresh copy of its files gave the same responses."""
        same = True
        if replay and self._made:
            with_fresh_files = self._new()
            same = all(with_fresh_files.call(*call) == response for call, response in self._made)
            with_fresh_files.remove()
        if self._workspace is not None:
            self._workspace.remove()
        return same

    def _new(self) -> Workspace:
        assert self._sandbox is not None, "this domain has no tools to call"
        return self._sandbox.project(self._files)
