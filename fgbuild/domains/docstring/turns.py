"""Turns that the docstring scenarios share: real calls on a generated project, and what is said of their responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fgbuild.domains import session
from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.planted import State
from fgbuild.domains.docstring.project import Project
from fgbuild.domains.docstring.styles import STYLES, Style
from fgbuild.domains.scenario import ANSWERED, Draw, Message, ended
from fgbuild.domains.session import Done, Session

WHICH_FILE = "Which file should I look at?"
WHICH_SYMBOL = "Which function or class do you mean?"
WHICH_STYLE = "Which style: google, numpy or sphinx?"

_ABSENT, _TWICE = 0.06, 0.06
"""How often a symbol that is asked for is nowhere, or in two files."""


def style_slots(style: str) -> dict[str, str]:
    """The two spellings a request may use: the tool's own, and the one of running text."""
    return {"style": style, "Style": values.STYLE_TITLES[style]}


def open_project(s: Session, wanted: Mapping[str, Mapping[str, State]], style: Style | None = None) -> None:
    """A project with these files and what they are to hold, and with one file more that may have the same folder.

    style: that of all docstrings with sections; None: each file has one of its own.
    """
    project = Project(reserved={name for names in wanted.values() for name in names})
    files = dict(wanted)
    files.setdefault(s.pick(values.FILES), {})
    for file, names in files.items():
        project.add(s, file, names, style or s.choice(STYLES))
    s.open(project.files)


def spread(s: Session, path: str, names: Mapping[str, State]) -> dict[str, dict[str, State]]:
    """These symbols in the file, or in some of the folder's files; a class stays in one."""
    if path.endswith(".py"):
        return {path: dict(names)}
    folder = path.rstrip("/")
    files: dict[str, dict[str, State]] = {
        f"{folder}/{module}.py": {} for module in s.sample(values.MODULES, s.number(1, 3))
    }
    homes: dict[str, str] = {}
    for name, state in names.items():
        home = homes.setdefault(name.split(".")[0], s.choice(list(files)))
        files[home][name] = state
    return files


def home(s: Session, symbol: str) -> tuple[str, str]:
    """A file for a symbol, which has to be its module's where it names one; and its name there."""
    module, _, name = symbol.partition(".")
    if module not in values.MODULES:
        return s.pick(values.FILES), symbol
    return s.pick([path for path in values.FILES if path.rsplit("/", 1)[-1] == f"{module}.py"]), name


def place(s: Session, symbol: str, state: State, path: str | None = None) -> None:
    """A project with this symbol: in the file that is named, or else in a file somewhere, in two or in none."""
    file, name = home(s, symbol)
    file = path or file
    if s.chance(_ABSENT):
        open_project(s, {file: {}})
    elif path is None and s.chance(_TWICE):
        other, _ = home(s, symbol)
        open_project(s, {file: {name: state}, other: {name: state}})
    else:
        open_project(s, {file: {name: state}})


class Step(session.Step):
    @property
    def symbols(self) -> list[str]:
        """Those that a list or check names."""
        named = str(self.done.response["symbols"])
        return named.split(", ") if named else []

    def reported(self, s: Session, answered: float = ANSWERED) -> list[Message]:
        """A single call, told to its answer or not; an error always is."""
        return ended(s, self.told, 1.0 if self.done.failed else answered)


def refused(done: Done) -> str:
    """What is said about an error: "no load in a.py" or "load is in a.py and b.py; give the path"."""
    error = str(done.response["error"])
    return f"There is {error}." if error.startswith("no ") else f"{error.split('; ')[0]}. Which one?"


def signature(s: Session, symbol: str, path: str | None = None) -> Step:
    done = s.call("get_signature", symbol=symbol, path=path)
    return Step(done, refused(done) if done.failed else f"{symbol}{done.response['signature']}")


def read(s: Session, symbol: str, path: str | None = None) -> Step:
    done = s.call("read_docstring", symbol=symbol, path=path)
    return Step(done, refused(done) if done.failed else quoted(done))


def quoted(done: Done, of: str = "It") -> str:
    """A docstring's only line; its first one where there are more."""
    first, *more = str(done.response["docstring"]).split("\n")
    if not first:
        return f"{of} has no docstring."
    return f"{of} {'starts' if more else 'says'}: {first}"


def write(s: Session, symbol: str, path: str | None = None, style: str | None = None) -> Step:
    done = s.call("write_docstring", symbol=symbol, path=path, style=style)
    return Step(done, refused(done) if done.failed else f"Documented {done.response['written']}.")


def undocumented(s: Session, path: str) -> Step:
    done = s.call("list_undocumented", path=path)
    return Step(done, f"Undocumented: {done.response['symbols'] or 'none'}.")


def check(s: Session, path: str) -> Step:
    done = s.call("check_docstrings", path=path)
    return Step(done, f"Wrong docstrings: {done.response['symbols'] or 'none'}.")


def convert(s: Session, path: str, style: str) -> Step:
    done = s.call("convert_style", path=path, style=style)
    count = done.response["converted"]
    return Step(done, f"Converted {count} docstring{'' if count == 1 else 's'} to {style} style.")


def another(d: Draw, style: Style) -> Style:
    """A style that is not this one."""
    return d.choice([each for each in STYLES if each != style])


def joined(steps: Sequence[Step]) -> list[Message]:
    """The calls and responses of steps, one after the other."""
    return [turn for step in steps for turn in step.done.turns]


def some(d: Draw, state: State, counts: Sequence[int], pool: Sequence[str] = values.LOCAL) -> dict[str, State]:
    """Some symbols of this state: as many as one of these counts."""
    return dict.fromkeys(d.sample(pool, d.choice(counts)), state)


def misspelt(d: Draw, name: str) -> str:
    """A name with two neighbouring letters swapped, or one of them left out or doubled; no symbol has it."""
    return d.choice([wrong for wrong in dict.fromkeys(_slips(name)) if wrong not in _KNOWN and wrong != name])


def _slips(name: str) -> Iterator[str]:
    for at in range(1, len(name) - 1):
        first, second = name[at], name[at + 1]
        if first.isalpha() and second.isalpha():
            yield name[:at] + second + first + name[at + 2 :]
            yield name[:at] + name[at + 1 :]
            yield name[:at] + first + name[at:]


_KNOWN = frozenset(values.SYMBOLS)
