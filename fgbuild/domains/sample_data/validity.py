"""Whether rows fit the columns of a table, by pydantic's validators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as schemas

from fgbuild.domains.sample_data.columns import Column, Row

_REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not in the table",
    "literal_error": "is unknown",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
}
_NO = {
    "int": "is not a whole number",
    "float": "is not a number",
    "text": "is not text",
    "date": "is not a date",
    "datetime": "is not a time",
    "bool": "is not true or false",
}


def invalid_rows(rows: Sequence[Row], columns: Sequence[Column]) -> dict[int, str]:
    """What is wrong with each invalid row, by its number from 0 and in that order: "price is not a number"."""
    found = _repeated(rows, columns)
    types = {column.name: column.type for column in columns}
    try:
        _validator(columns).validate_python(list(rows))
    except ValidationError as error:
        for problem in reversed(error.errors(include_url=False, include_context=False)):
            number, name = problem["loc"][:2]
            found[int(number)] = f"{name} {_reason(problem, types.get(str(name), 'text'))}"
    return dict(sorted(found.items()))


def _reason(problem: Mapping[str, Any], type_: str) -> str:
    if problem["type"] not in ("missing", "extra_forbidden") and problem["input"] is None:
        return "is empty"
    return _REASONS.get(problem["type"], _NO[type_])


def _repeated(rows: Sequence[Row], columns: Sequence[Column]) -> dict[int, str]:
    """Rows with a value that an earlier row has in a column of unique ones."""
    found: dict[int, str] = {}
    for column in columns:
        seen: set[str] = set()
        for number, row in enumerate(rows) if column.unique else ():
            value = row.get(column.name)
            if value is not None and str(value) in seen:
                found.setdefault(number, f"{column.name} is not unique")
            seen.add(str(value))
    return found


def _validator(columns: Sequence[Column]) -> SchemaValidator:
    """Of a list of rows. Numbers and dates may be spelled as text, as CSV does."""
    fields = {column.name: schemas.typed_dict_field(_schema(column), required=True) for column in columns}
    return SchemaValidator(schemas.list_schema(schemas.typed_dict_schema(fields, extra_behavior="forbid")))


def _schema(column: Column) -> schemas.CoreSchema:
    found: schemas.CoreSchema
    if column.values:
        found = schemas.literal_schema(list(column.values))
    elif column.type == "int":
        found = schemas.int_schema(ge=column.minimum, le=column.maximum)
    elif column.type == "float":
        found = schemas.float_schema(ge=column.minimum, le=column.maximum, allow_inf_nan=False)
    elif column.type == "date":
        found = schemas.no_info_before_validator_function(_date, schemas.date_schema(strict=True))
    elif column.type == "datetime":
        found = schemas.no_info_before_validator_function(_time, schemas.datetime_schema(strict=True))
    elif column.type == "bool":
        found = schemas.bool_schema()
    else:
        found = schemas.str_schema()
    return schemas.nullable_schema(found) if column.optional else found


def _date(value: Any) -> Any:
    """Strict beside this: pydantic alone takes any number for seconds since 1970."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
