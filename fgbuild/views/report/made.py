"""What a report reads of the stages' artifacts; `engine.made.Made` is it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Earlier(Protocol):
    """An earlier training: its run, whether its model passed its evaluation, and its metrics.jsonl."""

    @property
    def run(self) -> str: ...

    @property
    def passed(self) -> bool: ...

    @property
    def metrics(self) -> bytes: ...


class Made(Protocol):
    def folder(self, stage: str, /) -> Path | None:
        """Where the stage's artifact lies; None where it is gone."""

    def read(self, stage: str, name: str, /) -> bytes | None:
        """A file of the stage's artifact; None where it cannot be had."""

    def made_by(self, stage: str, /) -> str | None:
        """The run that made the stage's artifact, which may be an earlier one; None where nobody knows."""

    def training_before(self, domain: str, /) -> Earlier | None:
        """The training whose curve is drawn behind this one's."""
