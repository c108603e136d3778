"""Made-up values by Faker: fitting a column's name, type and limits, and the same for the same seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from faker import Faker

from fgbuild.domains.sample_data.columns import Column, Row
from fgbuild.sandbox.tool import ToolError

_fake = Faker("en_US", use_weighting=False)  # names by how frequent they are take several times as long

# By what a column's name holds; the first that fits.
_TEXTS: tuple[tuple[str, Callable[[], str]], ...] = (
    (r"\bip\b", _fake.ipv4),
    (r"mail", _fake.email),
    (r"phone|mobile|\btel\b", _fake.phone_number),
    (r"address|street", _fake.street_address),
    (r"last ?name|surname|family", _fake.last_name),
    (r"first ?name|given", _fake.first_name),
    (r"user ?name|nickname|login", _fake.user_name),
    (r"name", _fake.name),
    (r"city|town", _fake.city),
    (r"\bzip\b|postcode", _fake.postcode),
    (r"country", _fake.country_code),
    (r"iban", _fake.iban),
    (r"ssn", _fake.ssn),
    (r"credit|card", _fake.credit_card_number),
    (r"passport", _fake.passport_number),
    (r"license|plate", _fake.license_plate),
    (r"notes|comment|text|description", _fake.sentence),
)
# No day counts from today.
_FIRST, _LAST = date(2020, 1, 1), date(2024, 12, 31)
_TRIES = 1000
"""How often a value is drawn that is not there yet."""


def make_rows(columns: Sequence[Column], count: int, seed: int, before: Sequence[Row]) -> list[Row]:
    """Rows for a table that holds those `before`. ToolError where a unique column has no other values left."""
    _fake.seed_instance(seed)
    made = [_values(column, count, before) for column in columns]
    names = [column.name for column in columns]
    return [dict(zip(names, values)) for values in zip(*made)]


def replacements(column: Column, values: Iterable[str]) -> dict[str, Any]:
    """Another value for each one, by its text: a different one for each, where the column's type has so many."""
    _fake.seed_instance(0)
    make = _maker(column)
    taken = set(values)
    found: dict[str, Any] = {}
    for value in sorted(taken):
        made = _new(make, taken)
        found[value] = make() if made is None else made
    return found


def _values(column: Column, count: int, before: Sequence[Row]) -> list[Any]:
    make = _maker(column)
    if not column.unique:
        return [make() for _ in range(count)]
    there = [row.get(column.name) for row in before]
    if column.type == "int":  # numbered on
        start = max((value for value in there if isinstance(value, int)), default=(column.minimum or 1) - 1) + 1
        made = list(range(start, start + count))
        if column.maximum is not None and made[-1] > column.maximum:
            raise _too_few(column, count)
        return made
    taken = set(map(str, there))
    made = [_new(make, taken) for _ in range(count)]
    if None in made:
        raise _too_few(column, count)
    return made


def _too_few(column: Column, count: int) -> ToolError:
    return ToolError(f"{column.name} has too few different values for {count} rows")


def _new(make: Callable[[], Any], taken: set[str]) -> Any:
    """A value whose text is not taken, and is now; None where none is found."""
    for _ in range(_TRIES):
        value = make()
        if str(value) not in taken:
            taken.add(str(value))
            return value
    return None


def _maker(column: Column) -> Callable[[], Any]:
    low = column.minimum if column.minimum is not None else 1
    high = column.maximum if column.maximum is not None else low + 9999
    if column.values:
        return lambda: _fake.random_element(column.values)
    if column.type == "int":
        return lambda: _fake.random_int(low, high)
    if column.type == "float":
        return lambda: round(_fake.random.uniform(low, high), 2)
    if column.type == "date":
        return lambda: _fake.date_between(_FIRST, _LAST)
    if column.type == "datetime":
        first, last = (datetime.combine(day, datetime.min.time()) for day in (_FIRST, _LAST))
        return lambda: _fake.date_time_between(first, last)
    if column.type == "bool":
        return _fake.pybool
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_|-", " ", column.name).casefold()
    return next((make for pattern, make in _TEXTS if re.search(pattern, words)), _fake.word)
