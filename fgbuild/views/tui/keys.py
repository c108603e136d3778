"""The keys of every view as Markdown, for the documentation; `python -m fgbuild.views.tui.keys` prints them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from textual.binding import Binding

from fgbuild.views.tui.app import VIEWS, DashboardApp
from fgbuild.views.tui.compare import CompareView
from fgbuild.views.tui.help import key_names
from fgbuild.views.tui.overview import Overview
from fgbuild.views.tui.view import BACK


def tables() -> str:
    """A table a view, in the order of the keys that open them."""
    views: list[tuple[str, list[Binding]]] = [
        ("Everywhere", [*DashboardApp.KEYS, BACK]),
        (Overview.NAME, Overview.KEYS),
    ]
    for place in VIEWS.values():
        module, kind = place.split(".")
        view = getattr(importlib.import_module(f"fgbuild.views.tui.{module}"), kind)
        views.append((view.NAME, view.KEYS))
    views.append((CompareView.NAME, CompareView.KEYS))
    return "\n".join(line for name, bindings in views for line in _table(name, bindings))


def _table(name: str, bindings: list[Binding]) -> Iterator[str]:
    yield f"| {name} | |"
    yield "|---|---|"
    for binding in bindings:
        yield f"| {' '.join(f'`{name}`' for name in key_names(binding))} | {binding.tooltip} |"
    yield ""


if __name__ == "__main__":
    print(tables())
