"""What the command palette finds: every key, by the words of its title or of what it does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.command import Hit, Hits
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider

from fgbuild.views.tui.help import key_names
from fgbuild.views.tui.view import TYPING_KEYS, View

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp

_IN_TITLE, _IN_WORDS, _SCATTERED = 1.0, 0.8, 0.5


class Commands(SystemCommandsProvider):
    """Textual's looks in titles alone."""

    async def search(self, query: str) -> Hits:
        """Titles that have the query, then commands whose words all begin so, then titles with its letters in order."""
        matcher = self.matcher(query)
        for title, told, callback, *_ in self.app.get_system_commands(self.screen):
            if query.casefold() in title.casefold():
                score = _IN_TITLE
            elif _has(f"{title} {told}", query):
                score = _IN_WORDS
            elif matcher.match(title) > 0:
                score = _SCATTERED
            else:
                continue
            yield Hit(score, matcher.highlight(title), callback, help=told)


def commands(app: DashboardApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """The keys of a view, then those of the app, then of textual's own what fits: its panel of keys is none of ours."""
    own = screen.KEYS if isinstance(screen, View) else []
    quits = TYPING_KEYS[0] if isinstance(screen, View) and screen.TYPING else None
    for node, bindings in ((screen, own), (app, app.KEYS)):
        for binding in bindings:
            name = binding.action.partition("(")[0]
            if hasattr(node, f"action_{name}"):
                shown = quits if quits is not None and name == "quit" else binding
                title = f"{shown.description} ({' '.join(key_names(shown))})"
                yield SystemCommand(title, binding.tooltip, partial(node.run_action, binding.action))
    yield SystemCommand("Theme", "choose the colours", app.action_change_theme)


def _has(words: str, query: str) -> bool:
    """Whether each word of the query begins one of the words."""
    known = words.casefold().replace("(", " ").split()
    return all(any(word.startswith(wanted) for word in known) for wanted in query.casefold().split())
