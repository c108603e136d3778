"""Values and faults of generated data: what a column holds, and what breaks the rules of its table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from fgbuild.domains.sample_data.columns import Column, Row
from fgbuild.domains.sample_data.values import OTHER_TYPED_COLUMNS, TYPED_COLUMNS, typed
from fgbuild.domains.scenario import Draw

_FIRST_NAMES = (
    "Ann", "Ben", "Chloe", "Dev", "Emil", "Fay", "Gita", "Hugo", "Ines", "Jon", "Kira", "Leo", "Mina", "Noor",
)  # fmt: skip
_LAST_NAMES = ("Berg", "Costa", "Dahl", "Evans", "Fox", "Garcia", "Hahn", "Ito", "Jain", "Kerr", "Lund", "Moreau")
_CITIES = ("Oslo", "Rome", "Lima", "Kyoto", "Porto", "Ghent", "Leeds", "Turku", "Graz", "Quito", "Accra", "Hobart")
_STREETS = ("Mill Lane", "High Street", "Park Road", "Quay 7", "Station Road", "Elm Avenue", "North Street")
_WORDS = {
    "status": ("new", "paid", "open", "closed"),
    "country": ("NO", "IT", "PE", "JP", "PT"),
    "plan": ("free", "basic", "pro"),
    "kind": ("web", "shop", "phone"),
}
_NOTES = ("call back", "prefers mail", "new contract", "on holiday", "pays late", "no answer")
_FIRST_DAY = date(2021, 1, 1)

FAULTS = ("repeated", "mistyped", "empty", "unknown", "small", "large", "missing")


class Fault(NamedTuple):
    """What is wrong with a column in some rows, one of FAULTS, and as the tool tells it."""

    kind: str
    column: Column

    @property
    def reason(self) -> str:
        nouns = {"int": "a whole number", "float": "a number", "date": "a date"}
        told = {
            "repeated": "is not unique",
            "mistyped": f"is not {nouns.get(self.column.type, '')}",
            "empty": "is empty",
            "unknown": "is unknown",
            "small": "is too small",
            "large": "is too large",
            "missing": "is missing",
        }
        return f"{self.column.name} {told[self.kind]}"


def plain_columns(d: Draw, count: int) -> list[Column]:
    """Columns of a file that nobody has described: names and types."""
    return [as_column(each) for each in d.sample(TYPED_COLUMNS, count)]


def as_column(words: str) -> Column:
    """The column of "amount float"."""
    name, _, type_ = words.rpartition(" ")
    return Column(name, type_)


def personal_columns(d: Draw, column: str | None) -> list[Column]:
    """Three columns of a file in any order, with this one; the others hold nothing personal."""
    found = [as_column(each) for each in d.sample(OTHER_TYPED_COLUMNS, 2 if column else 3)]
    if column:
        found.append(replace(as_column(typed(column)), optional=d.chance(0.3)))
    d.rng.shuffle(found)
    return found


def ruled_columns(d: Draw, count: int) -> list[Column]:
    """Columns of a table, with rules: a unique id first, then others of `count` in all."""
    rest = [as_column(each) for each in d.sample([each for each in TYPED_COLUMNS if each != "id int"], count - 1)]
    return [Column("id", "int", unique=True, minimum=1), *(_ruled(d, column) for column in rest)]


def _ruled(d: Draw, column: Column) -> Column:
    if column.name in _WORDS and d.chance(0.8):
        return Column(column.name, column.type, values=_WORDS[column.name])
    if column.type in ("int", "float"):
        return Column(column.name, column.type, minimum=0, maximum=5000 if d.chance(0.5) else None)
    return Column(column.name, column.type, optional=d.chance(0.15))


def rows_of(d: Draw, columns: Sequence[Column], count: int) -> list[Row]:
    """Rows that keep their columns' rules. Unique numbers run on from a first one."""
    start = d.choice((1, 7, 15, 101, 2040))
    return [{column.name: _value(d, column, start + number) for column in columns} for number in range(count)]


def _value(d: Draw, column: Column, number: int) -> Any:
    if column.optional and d.chance(0.2):
        return None
    if column.unique or column.name == "id":
        return number
    if column.type == "int":
        return d.rng.randrange(1, 900)
    if column.type == "float":
        return d.rng.randrange(100, 90000) / 100
    if column.type == "date":
        return _FIRST_DAY + timedelta(days=d.rng.randrange(1400))
    return _text(d, column)


def _text(d: Draw, column: Column) -> str:
    """No text reads as a number or a date: files do not say which is which."""
    first, last = d.rng.choice(_FIRST_NAMES), d.rng.choice(_LAST_NAMES)
    digits = [d.rng.randrange(10, 99) for _ in range(4)]
    name = column.name
    if name in _WORDS:
        return d.rng.choice(_WORDS[name])
    if "mail" in name:
        return f"{first}.{last}{digits[0]}@example.com".lower()
    if re.search("phone|mobile|tel", name):
        return f"+47 {digits[0]} {digits[1]} {digits[2]} {digits[3]}"
    if re.search("_ip|ip_", name):
        return "10." + ".".join(map(str, digits[:3]))
    if re.search("address|street", name):
        return f"{digits[0]} {d.rng.choice(_STREETS)}"
    if re.search("last_?name|surname|family_name", name):
        return last
    if re.search("iban|card|passport|plate|ssn|zip", name):
        return f"{last[:2].upper()}{digits[0]} {digits[1]}{digits[2]}"
    if "notes" in name:
        return d.rng.choice(_NOTES)
    if "city" in name:
        return d.rng.choice(_CITIES)
    return f"{first} {last}" if re.search(r"(?<!user)(?<!nick)name", name) else f"{first}{digits[0]}".lower()


def possible_faults(columns: Sequence[Column], *, stored: bool = False) -> list[Fault]:
    """What can be planted in columns. stored: in rows that a table holds, so that their values have its types."""
    found = [Fault("repeated", column) for column in columns if column.unique]
    found += [Fault("mistyped", column) for column in columns if not stored and column.type != "text"]
    found += [Fault("empty", column) for column in columns if not column.optional and not column.unique]
    found += [Fault("unknown", column) for column in columns if column.values]
    found += [Fault("small", column) for column in columns if column.minimum is not None and not column.unique]
    found += [Fault("large", column) for column in columns if column.maximum is not None]
    return found + [Fault("missing", column) for column in columns if not stored and not column.unique]


def plant(d: Draw, rows: list[Row], fault: Fault, count: int) -> int:
    """Put a fault in `count` of the rows, of which there are more; how many rows are invalid now."""
    name = fault.column.name
    if fault.kind == "missing":
        for row in rows:
            del row[name]
        return len(rows)
    if fault.kind == "mistyped":
        _spell(rows, name)
    for row in d.rng.sample(rows[1:], count):
        row[name] = _wrong(d, fault, rows[0][name])
    return count


def _spell(rows: Sequence[Row], name: str) -> None:
    """Write a column's values as text: in one with a wrong one of them, they are."""
    for row in rows:
        row[name] = None if row[name] is None else str(row[name])


def _wrong(d: Draw, fault: Fault, first: Any) -> Any:
    if fault.kind == "small":
        return -d.rng.randrange(1, 50)
    if fault.kind == "large":
        return (fault.column.maximum or 0) + d.rng.randrange(1, 900)
    return {"repeated": first, "mistyped": d.rng.choice(("unclear", "?", "tba")), "empty": None, "unknown": "other"}[
        fault.kind
    ]
