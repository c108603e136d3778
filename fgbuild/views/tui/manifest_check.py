"""One check of the text in the manifest editor: what is wrong with it, or what saving it would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.views.tui.desk import Desk, Effect, Problem, Variant
from fgbuild.views.tui.manifest_text import effect_words
from fgbuild.views.tui.threads import in_thread


@dataclass(frozen=True)
class Findings:
    """Of `text`. failure: why it could not be checked, "" where it could. effect: None where it has problems."""

    text: str
    problems: Sequence[Problem] = ()
    effect: Effect | None = None
    failure: str = ""

    @property
    def own(self) -> list[Problem]:
        """Without those of other files."""
        return [problem for problem in self.problems if not problem.path]

    @property
    def lines(self) -> set[int]:
        """Lines with problems, from 0."""
        return {problem.line - 1 for problem in self.own if problem.line}

    @property
    def doubt(self) -> str:
        """Why no build would start with the text, "" where one would."""
        count = len(self.own)
        if count:
            return f"{count} problem{'s' if count > 1 else ''}"
        return f"not checked ({self.failure})" if self.failure else ""

    def words(self) -> str:
        """One sentence, beginning with ✓ or ✗."""
        if self.failure:
            return f"✗ {self.failure}"
        if self.own:
            return f"✗ {self.doubt}; F8 goes to the next one."
        return f"✓ {effect_words(self.effect)}" if self.effect is not None else ""


async def check(
    desk: Desk, path: Path, text: str, variant: Variant, show: Callable[[Sequence[Problem]], None]
) -> Findings:
    """Everything about `text` in place of that file's. show: called with the problems as soon as they are known."""
    problems: Sequence[Problem] = ()
    try:
        problems = await in_thread(lambda: desk.problems(path, text, variant))
        show(problems)
        if not Findings(text, problems).own:
            return Findings(text, problems, await in_thread(lambda: desk.effect(path, text, variant)))
    except FgbuildError as error:
        return Findings(text, problems, failure=str(error))
    except Exception as error:
        # That validation was not made for such a text is no reason to lose it.
        return Findings(text, problems, failure=f"the check failed ({type(error).__name__}: {error})")
    return Findings(text, problems)
