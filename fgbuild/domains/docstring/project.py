"""Generated Python projects with known docstrings: missing, right or wrong.

The tools find exactly what is planted; each of `facts` is one function, class or method.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from fgbuild.domains.docstring.planted import Definition, State, class_head, function
from fgbuild.domains.docstring.styles import Style
from fgbuild.domains.docstring.values import FUNCTIONS
from fgbuild.domains.scenario import Draw

_OTHERS = 3
_FINISHED: tuple[State, ...] = ("line", "line", "sections")


@dataclass(frozen=True)
class Fact:
    """A symbol of a file. docstring: as Python has it, "" where there is none. style: None without sections."""

    file: str
    name: str
    signature: str
    docstring: str
    style: Style | None
    wrong: bool


@dataclass
class Project:
    """Files by path, and all of their symbols: sorted by file, and then in the order of the source.

    reserved: names that no function has unless it is asked for.
    """

    reserved: Collection[str] = ()
    files: dict[str, str] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    def add(self, d: Draw, file: str, wanted: Mapping[str, State], style: Style) -> None:
        """A module with these functions, classes and methods, and with some other, documented functions."""
        taken = {fact.name for fact in self.facts} | set(self.reserved) | set(wanted)
        others = [name for name in d.sample(FUNCTIONS, d.number(0, _OTHERS)) if name not in taken]
        blocks = list(_by_class(wanted).items())
        for name in others:
            blocks.insert(d.number(0, len(blocks)), (name, {"": d.choice(_FINISHED)}))
        texts = [f'"""{PurePath(file).stem.replace("_", " ").capitalize()} code."""\n']
        for name, members in blocks:
            texts.append(self._block(d, file, name, members, style))
        self.files[file] = "\n\n".join(texts)
        self.facts.sort(key=lambda fact: PurePath(fact.file))

    def found_in(self, path: str) -> list[Fact]:
        """All symbols of a file or folder."""
        clean = path.rstrip("/")
        return [fact for fact in self.facts if fact.file == clean or fact.file.startswith(f"{clean}/")]

    def _block(self, d: Draw, file: str, name: str, members: Mapping[str, State], style: Style) -> str:
        """A function, or a class with its methods; its facts are noted."""
        if not name[0].isupper():
            return self._noted(file, name, function(d, name, members[""], style))
        states = dict(members)
        whole = states.pop("", "line")
        if "" in members:  # a class with sections tells of what it is made from, and its `__init__` of nothing
            made: State = "none" if whole in ("sections", "wrong") else "line"
            states = {"__init__": made, **states}
        methods = {each: function(d, each, state, style, owner=name) for each, state in states.items()}
        head = class_head(d, name, whole, style, methods.get("__init__"))
        source = self._noted(file, name, head)
        for number, (each, code) in enumerate(methods.items()):
            gap = "\n" if number or head.docstring else ""
            source += gap + textwrap.indent(self._noted(file, f"{name}.{each}", code), "    ")
        return source

    def _noted(self, file: str, name: str, code: Definition) -> str:
        self.facts.append(Fact(file, name, code.signature, code.docstring, code.style, code.wrong))
        return code.source


def _by_class(wanted: Mapping[str, State]) -> dict[str, dict[str, State]]:
    """Names of functions and classes, each with what is wanted of itself ("") and of its methods."""
    grouped: dict[str, dict[str, State]] = {}
    for name, state in wanted.items():
        head, _, method = name.partition(".")
        grouped.setdefault(head, {})[method] = state
    return grouped
