"""One key means one thing wherever it works; and the documentation lists them all."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from textual.binding import Binding

from fgbuild.views.tui import keys
from fgbuild.views.tui.app import VIEWS, DashboardApp
from fgbuild.views.tui.view import DetailView

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "dashboard.md"
SAME = {("FailuresView", "p"), ("CompareView", "h")}
"""A view's own way to do what the key does everywhere."""


def view_of(name: str) -> type[DetailView]:
    module, kind = VIEWS[name].split(".")
    view: type[DetailView] = getattr(importlib.import_module(f"fgbuild.views.tui.{module}"), kind)
    return view


def names(bindings: list[Binding]) -> list[str]:
    return [name for binding in bindings for name in binding.key.split(",")]


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_takes_a_key_that_means_something_else_everywhere(name: str) -> None:
    view = view_of(name)
    own = names(view.KEYS)
    assert len(own) == len(set(own))
    taken = {key for key in own if key in names(DashboardApp.KEYS)}
    assert {(view.__name__, key) for key in taken} <= SAME


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_has_a_name_and_words_for_its_keys(name: str) -> None:
    view = view_of(name)
    assert view.NAME
    assert all(binding.tooltip for binding in view.KEYS)


def test_the_documentation_lists_every_key() -> None:
    """The tables are made: `python -m fgbuild.views.tui.keys` prints them anew."""
    assert keys.tables() in DOCUMENTATION.read_text("utf-8")
