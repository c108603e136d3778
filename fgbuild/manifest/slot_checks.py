"""What must hold for the slots of a domain of templates, its tools' commands and the place where they run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbuild.domains.templates.slots import Declared, fewest, is_shared, pool, slot_of
from fgbuild.domains.templates.text import parse
from fgbuild.functiongemma.tokens import unfit_text
from fgbuild.manifest.messages import did_you_mean
from fgbuild.manifest.project import input_file_problem
from fgbuild.manifest.toml_lines import KeyPath, dotted

Problem = tuple[KeyPath, str]

_SLOT = re.compile(r"[a-z]([a-z0-9_]*[a-z_])?")
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SOURCES = ("values", "file", "range", "pattern")
_LEAST_SPLIT = 8
"""Values that are split between train and eval; with fewer, a model learns them by heart."""


def slot_problems(root: Path, slots: Declared, used: Mapping[str, int]) -> Iterator[Problem]:
    """used: slot → most values of it that one request names."""
    needed = dict(used)
    for table in slots.values():
        for slot, times in _pattern_slots(table).items():
            needed[slot] = max(needed.get(slot, 0), times)
    for name, table in slots.items():
        path: KeyPath = ("slots", name)
        given = [key for key in _SOURCES if table[key]]
        if not _SLOT.fullmatch(name) or name == "step":
            yield path, "cannot name a slot; use lower-case letters, digits and _, no digit last, and not step"
        elif len(given) != 1:
            both = " and ".join(given) or "nothing"
            yield path, f"has {both} to draw from; give it one of values, file, range and pattern"
        elif name not in needed:
            yield path, f"is never used; name {{{name}}} in a scenario or remove it"
        elif table["pattern"]:
            yield from _pattern_problems(path, name, table, slots)
        else:
            yield from _pool_problems(root, path, table, needed[name])


def unknown_slot(name: str, slots: Declared) -> str:
    """Why a name that is no step cannot be used, or "" where it can."""
    if slot_of(name) in slots:
        return ""
    return f"{{{name}}} is no slot" + (did_you_mean(name, list(slots)) or "; add [slots.…] for it or correct it")


def _pattern_slots(table: Mapping[str, Any]) -> dict[str, int]:
    """Slot that a pattern names → how many values of it."""
    try:
        heads = {name.head for name in parse(table["pattern"]).names()}
    except ValueError:
        return {}
    slots = [slot_of(head) for head in heads]
    return {slot: slots.count(slot) for slot in slots}


def _pattern_problems(path: KeyPath, name: str, table: Mapping[str, Any], slots: Declared) -> Iterator[Problem]:
    where = (*path, "pattern")
    if table["shared"]:
        yield (*path, "shared"), "says nothing of a pattern; say it of the slots that the pattern names"
    try:
        names = list(parse(table["pattern"]).names())
    except ValueError as error:
        yield where, str(error)
        return
    unknown = [reason for each in names if (reason := unknown_slot(each.head, slots))]
    if unknown:
        yield where, unknown[0]
    elif not names:
        yield where, "names no {slot}; use values for a text that stays the same"
    elif name in _reachable(name, slots):
        yield where, f"leads back to {{{name}}} itself; take one of the slots out"


def _reachable(name: str, slots: Declared) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = {slot for slot in _pattern_slots(slots[waiting.pop()]) if slot in slots} - found
        found |= new
        waiting += new
    return found


def _pool_problems(root: Path, path: KeyPath, table: Mapping[str, Any], needed: int) -> Iterator[Problem]:
    if table["step"] != 1 and not table["range"]:
        yield (*path, "step"), "is the distance between numbers of a range, and there is none; remove it"
    folder = "name a text file in it"
    if table["file"] and (reason := input_file_problem(root, table["file"], dotted(path), folder)):
        yield (*path, "file"), reason
        return
    try:
        values = pool(table, root)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        yield (*path, "file"), f'"{table["file"]}" cannot be read ({reason}); make it a text file with a value a line'
        return
    source = next(key for key in _SOURCES if table[key])
    if source != "range":
        found = [*_value_problems((*path, source), values, source)]
        yield from found
        if found:
            return
    shared = is_shared(table, values)
    step = "give it twenty or more" + ("" if shared else ", or say shared = true where it is a closed set")
    if not shared and len(values) < _LEAST_SPLIT:
        yield (*path, source), f"has {len(values)} values, too few to hold some of them out for the eval split; {step}"
        return
    count, split = fewest(table, values)
    if count < needed:
        one = "a request needs one" if needed == 1 else f"a request needs {needed} different ones"
        yield (*path, source), f"of {len(values)} values {count or 'none'} are for the {split} split and {one}; {step}"


def _value_problems(path: KeyPath, values: Sequence[Any], source: str) -> Iterator[Problem]:
    def at(index: int) -> KeyPath:
        return (*path, index) if source == "values" else path

    keys = set(values[0]) if values and isinstance(values[0], dict) else None
    seen: set[str] = set()
    for index, value in enumerate(values):
        if (as_json := json.dumps(value, sort_keys=True)) in seen:
            yield at(index), f"{value!r} is there twice; remove one"
        seen.add(as_json)
        if (set(value) if isinstance(value, dict) else None) != keys:
            yield at(index), "has other keys than the first value; give all of them the same"
        for text in value.values() if isinstance(value, dict) else [value]:
            if isinstance(text, str) and (
                reason := unfit_text(text) or ("" if text.strip() else "is blank; remove it")
            ):
                yield at(index), reason
        for key in value if isinstance(value, dict) else ():
            if not _KEY.fullmatch(key):
                yield at(index), f'"{key}" cannot be named in a {{slot}}; use letters, digits, _ and -'


def command_problems(resolved: Mapping[str, Any]) -> Iterator[Problem]:
    """Commands of the tools, and what prepares the place where they run."""
    commands, workspace = resolved["command"], resolved["workspace"]
    for index, tool in enumerate(resolved["tool"]):
        entry = commands.get(tool["name"])
        if entry is None:
            continue
        path: KeyPath = ("tool", index, "command")
        first = entry["command"][0]
        if not isinstance(first, str) or "{" in first:
            yield (*path, 0), "must be the program's name, as it stands"
        elif reason := _not_installed(first, workspace["files"]):
            yield (*path, 0), reason
        properties = list(tool["parameters"]["properties"])
        for place, element in enumerate(entry["command"]):
            for word in [element] if isinstance(element, str) else element:
                if reason := _word_problem(word, tool["name"], properties):
                    yield (*path, place), reason
    if not commands and any(workspace[key] for key in ("files", "setup", "env")):
        yield ("workspace",), "is where tools' commands run, and no tool has a command; add one or remove it"
    copied = [Path(name).name for name in workspace["files"]]
    for index, name in enumerate(copied):
        if name in copied[:index]:
            yield ("workspace", "files", index), f'"{name}" is the last name of another one too; rename one of them'
    for index, argv in enumerate(workspace["setup"]):
        reason = _not_installed(argv[0], workspace["files"]) if argv else "is empty; write program and arguments"
        if reason:
            yield ("workspace", "setup", index), reason


def _word_problem(word: str, tool: str, properties: list[str]) -> str:
    try:
        template = parse(word)
    except ValueError as error:
        return f"{word!r} {error}"
    for name in template.names():
        if name.head not in properties:
            hint = did_you_mean(name.head, properties) or f"; known: {', '.join(properties) or 'none'}"
            return f'{tool} has no parameter "{name.head}"{hint}'
    return ""


def _not_installed(program: str, files: Sequence[str]) -> str:
    copied = {Path(name).name for name in files}
    if shutil.which(program) or program.removeprefix("./") in copied & {program[2:]}:
        return ""
    if program in copied:
        return (
            f'"{program}" is copied into the workspace; write "./{program}", as the folder is not searched for programs'
        )
    return f'"{program}" is not installed here; install it or write its name as the shell knows it'
