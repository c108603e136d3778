"""Generated Python projects with planted, labelled problems.

ruff reports exactly the planted ones: the rest of the code keeps all of the domain's rules (`RUFF_TOML`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fgbuild.domains.lint.planted import PIECES, Piece
from fgbuild.domains.lint.rules import CODES
from fgbuild.domains.scenario import Draw

RUFF_TOML = "line-length = 100\n\n[lint]\nselect = [" + ", ".join(f'"{code}"' for code in CODES) + "]\n"

_NOUNS = (
    "order", "invoice", "user", "basket", "ticket", "report", "event", "batch", "parcel", "price", "shipment",
    "customer", "record", "message", "session", "payment", "account", "sensor", "booking", "article", "refund",
    "address", "coupon", "job", "metric", "page", "row", "signal", "task", "voucher",
)  # fmt: skip
_VERBS = (
    "merge", "load", "count", "filter", "rank", "parse", "render", "collect", "update", "verify", "split", "convert",
    "find", "archive", "close", "export", "group", "import", "match", "notify", "plan", "queue", "retry", "scan",
)  # fmt: skip
_CLEAN = (
    'def {f}({v}: int) -> int:\n    """Return the {v} after this one."""\n    return {v} + 1\n',
    'def {f}({v}: list) -> int:\n    """Count what the {v} holds."""\n    return len({v})\n',
    'def {f}({v}: str, suffix: str) -> str:\n    """Join a {v} and its suffix."""\n    return {v} + suffix\n',
    'def {f}({v}: dict) -> list:\n    """List the names in a {v}."""\n    return sorted({v})\n',
    'class {C}:\n    """Keeps one {v}."""\n\n    def __init__(self, {v}: int) -> None:\n'
    '        """Start with a {v}."""\n        self.{v} = {v}\n',
    'def {f}({v}: list) -> list:\n    """Keep the part of a {v} that is not empty."""\n'
    "    return [part for part in {v} if part]\n",
)
_UNTIDY = 'def {f}( {v}: int ) -> int:\n    """Return twice the {v}."""\n    return 2*{v}\n'
"""Keeps the rules, but `ruff format` lays it out anew."""


@dataclass(frozen=True)
class Problem:
    """What ruff reports: a rule on a line (from 1) of a file."""

    file: str
    line: int
    code: str


@dataclass
class Project:
    """Files by path, and all that ruff finds wrong with them, in ruff's order."""

    files: dict[str, str] = field(default_factory=lambda: {"ruff.toml": RUFF_TOML})
    problems: list[Problem] = field(default_factory=list)

    def add(self, d: Draw, path: str, codes: Sequence[str], *, untidy: bool = False) -> None:
        """A module that breaks these rules, each once; of those that need a place there is one of, the first."""
        names = _Names(d)
        pieces = _compatible([PIECES[code] for code in codes])
        blocks: list[Piece | str] = [str(d.choice(_CLEAN)) for _ in range(d.number(1, 5))]
        blocks += [_UNTIDY] if untidy else []
        blocks += [piece for piece in pieces if piece.place == "body"]
        d.rng.shuffle(blocks)
        top: list[Piece | str] = [piece for piece in pieces if piece.place == "imports"]
        end: list[Piece | str] = [piece for piece in pieces if piece.place == "end"]
        bare = any(piece.place == "module" for piece in pieces)
        text = "" if bare else f'"""{names.noun.capitalize()} handling."""\n'
        found = [Problem(path, 1, "D100")] if bare else []
        for number, block in enumerate([*top, *blocks, *end]):
            gap = "" if not text else "\n" if number < len(top) or block in end else "\n\n"
            source = (block if isinstance(block, str) else block.source).format(**names.next())
            text += gap
            if isinstance(block, Piece):
                line = next(n for n, each in enumerate(source.split("\n")) if each.endswith("¶"))
                found.append(Problem(path, text.count("\n") + 1 + line, block.code))
            text += source.replace("¶", "")
        self.files[path] = text
        self.problems = sorted([*self.problems, *found], key=lambda each: (each.file, each.line))

    def found_in(self, path: str, rule: str | None = None) -> list[Problem]:
        """What ruff reports for a file, a folder or "." """
        clean = _plain(path)
        return [
            problem
            for problem in self.problems
            if (clean == "." or problem.file == clean or problem.file.startswith(f"{clean}/"))
            and rule in (None, problem.code)
        ]


def _plain(path: str) -> str:
    return path.removeprefix("./").rstrip("/") or "."


def _compatible(pieces: list[Piece]) -> list[Piece]:
    """At most one piece for each place that a module has once, and none that tells of the docstring beside others."""
    if any(piece.place == "module" for piece in pieces):
        pieces = [piece for piece in pieces if piece.place in ("module", "body")]
    once: dict[str, Piece] = {}
    for piece in pieces:
        once.setdefault(piece.code if piece.place == "body" else piece.place, piece)
    return list(once.values())


class _Names:
    """Names that one module uses once each."""

    def __init__(self, d: Draw) -> None:
        self._nouns = list(_NOUNS)
        d.rng.shuffle(self._nouns)
        self._verbs = list(_VERBS)
        d.rng.shuffle(self._verbs)
        self.noun = self._nouns[0]
        self._count = 0

    def next(self) -> dict[str, Any]:
        noun, verb = self._nouns[self._count % len(self._nouns)], self._verbs[self._count % len(self._verbs)]
        self._count += 1
        return {"f": f"{verb}_{noun}", "C": f"{verb.capitalize()}{noun.capitalize()}", "v": noun}
