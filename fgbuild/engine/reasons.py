"""Why a stage is out of date, in words: the components that differ between two keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fgbuild.engine.keys import Components, canonical

_MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Reason:
    """One component that differs. `old` or `new` is None where there was or is none.

    note: says it in words where the values themselves (digests) tell a reader nothing.
    upstream: the kind of stage whose output changed or will, for following the chain.
    """

    component: str
    old: Any = None
    new: Any = None
    note: str = ""
    upstream: str | None = None

    @property
    def text(self) -> str:
        """`lora.r: 16 → 32`, `code: changed (fgbuild/workers/train.py)`, `never built`."""
        if self.note:
            return f"{self.component}: {self.note}"
        if self.old is None and self.new is None:
            return self.component
        if self.old is None:
            return f"{self.component}: added, {_shown(self.new)}"
        if self.new is None:
            return f"{self.component}: removed, was {_shown(self.old)}"
        return f"{self.component}: {_shown(self.old)} → {_shown(self.new)}"

    def as_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"component": self.component, "old": self.old, "new": self.new, "text": self.text}
        if self.upstream:
            entry["upstream"] = self.upstream
        return entry


NEVER_BUILT = Reason("never built")
FORCED = Reason("forced")
FAILED_BEFORE = Reason("failed last time")
CANCELLED_BEFORE = Reason("interrupted last time")
NOT_PASSED_BEFORE = Reason("did not pass last time")
NOT_STORED = Reason("stored output missing")
OTHER_KEY = Reason("key format changed")


def output_missing(path: str) -> Reason:
    return Reason(f"output missing: {path}")


def output_changed(path: str) -> Reason:
    return Reason(f"output changed: {path}")


def will_be_rebuilt(kind: str) -> Reason:
    return Reason(kind, note="will be rebuilt", upstream=kind)


def differences(old: Components, new: Components, code_parts: Callable[[str], dict[str, str]]) -> list[Reason]:
    """What changed from `old` to `new`; an upstream that `new` does not know yet is passed over."""
    return [*_differences(old, new, code_parts)]


def _differences(old: Components, new: Components, code_parts: Callable[[str], dict[str, str]]) -> Iterator[Reason]:
    if old["version"] != new["version"]:
        yield Reason("stage version", old["version"], new["version"])
    for prefix in {**old["fields"], **new["fields"]}:
        for name, before, after in _values(prefix, old["fields"].get(prefix), new["fields"].get(prefix)):
            yield Reason(name, before, after)
    for name, before, after in _values("", old["files"], new["files"]):
        note = "added" if before is None else "removed" if after is None else "changed"
        yield Reason(name, before, after, note)
    for kind, digest in new["inputs"].items():
        if old["inputs"].get(kind) != digest:
            yield Reason(kind, old["inputs"].get(kind), digest, "output changed", upstream=kind)
    if old["code"] != new["code"]:
        changed = _values("", code_parts(old["code"]), code_parts(new["code"]))
        files = ", ".join(name for name, _, _ in changed)
        yield Reason("code", old["code"], new["code"], f"changed ({files})" if files else "changed")
    for name, before, after in _values("", old["libraries"], new["libraries"]):
        yield Reason(name, before, after)
    for name, before, after in _values("", old["extras"], new["extras"]):
        yield Reason(name, before, after, "changed")


def _values(name: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost (dotted name, old, new) that differ; tables in a list go by their `name`."""
    if canonical(old) == canonical(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            path = f"{name}.{key}" if name else key
            if key in old and key in new:
                yield from _values(path, old[key], new[key])
            else:
                yield path, old.get(key), new.get(key)
        return
    old_tables, new_tables = _by_name(old), _by_name(new)
    if old_tables is None or new_tables is None:
        yield _changed_part(name, old, new)
        return
    if list(old_tables) != list(new_tables):
        yield name, list(old_tables), list(new_tables)
    for key, table in new_tables.items():
        if key in old_tables:
            yield from _values(f"{name}.{key}", old_tables[key], table)


def _changed_part(name: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """Of two lists too long to be shown, what lies between their common beginning and end."""
    long = max(len(canonical(old)), len(canonical(new))) > _MAX_SHOWN
    if not (long and isinstance(old, list) and isinstance(new, list)):
        return name, old, new
    start = end = 0
    shorter = min(len(old), len(new))
    while start < shorter and canonical(old[start]) == canonical(new[start]):
        start += 1
    while end < shorter - start and canonical(old[-1 - end]) == canonical(new[-1 - end]):
        end += 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    if len(before) == len(after) == 1:
        return f"{name}[{start}]", before[0], after[0]
    return f"{name}[{start}:]", before, after


def _by_name(value: Any) -> dict[str, Any] | None:
    """A list of tables by their names (or positions); None for any other value."""
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return None
    names = [item.get("name") for item in value]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        names = [str(index) for index in range(len(value))]
    return dict(zip(names, value, strict=True))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
