"""What the command palette finds: every key, by the words of its title or of what it does."""

from __future__ import annotations

from textual.command import Hit, Hits
from textual.system_commands import SystemCommandsProvider

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


def _has(words: str, query: str) -> bool:
    """Whether each word of the query begins one of the words."""
    known = words.casefold().replace("(", " ").split()
    return all(any(word.startswith(wanted) for word in known) for wanted in query.casefold().split())
