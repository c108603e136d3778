"""A project with a manifest, and a desk that finds in it what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import views_sample as sample
from textual.pilot import Pilot
from tui_sample import SampleDesk

from fgbuild.errors import FgbuildError
from fgbuild.views.tui.desk import Effect, Field, Problem, Variant

TEXT = 'schema = 1\nname = "lint"\n\n[lora]\nr = 16\nalpha = 32\n'

R_LINE = 5

FIELDS = {
    "lora": Field("table", "", "The adapter."),
    "lora.r": Field("whole number 1–1024", "16", "Rank of the adapter."),
    "lora.alpha": Field("whole number at least 1", "32", "Scale of the adapter."),
}

TRAINS = Effect(
    [
        {"id": "lint:train", "action": "run", "reasons": [{"text": "lora.r: 16 → 64"}]},
        {"id": "lint:export", "action": "run", "reasons": [{"text": "train", "upstream": "train"}]},
    ],
    380.0,
    True,
    "lint",
)


@dataclass
class EditorDesk(SampleDesk):
    """`bad` in a line is a problem there; the text on disk changes nothing, any other one trains."""

    asked_texts: list[str] = field(default_factory=list)

    def problems(self, path: Path, text: str, variant: Variant) -> Sequence[Problem]:
        self.asked_texts.append(text)
        if "crash" in text:
            raise ZeroDivisionError("by zero")
        lines = [index for index, line in enumerate(text.split("\n"), 1) if "bad" in line]
        return [Problem(line, "lora.r", "must be at least 1") for line in lines] + list(self.found)

    def effect(self, path: Path, text: str, variant: Variant) -> Effect:
        if "refuse" in text:
            raise FgbuildError("the database is locked; try again")
        return Effect((), 0.0, False, "lint") if text == TEXT else TRAINS

    def fields(self, path: Path) -> Mapping[str, Field]:
        return FIELDS


def write_manifest(tmp_path: Path) -> Path:
    """A project whose `lint` has this manifest, with a run of it; the manifest's file."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "fgbuild.toml").write_text("schema = 1\n# of the project\n")
    file = tmp_path / "manifests" / "lint.toml"
    file.write_text(TEXT)
    sample.write_log(tmp_path, sample.whole_run())
    return file


async def type_at_rank(pilot: Pilot[Any], text: str, row: int = R_LINE - 1) -> None:
    """Type at the end of the line with the rank, or of another (from 0)."""
    # Not with the key: on a busy machine textual runs it after the letters that follow.
    editor = pilot.app.screen.editor
    editor.move_cursor((row, len(editor.document.get_line(row))))
    await pilot.press(*text)
