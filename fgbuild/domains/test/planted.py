"""Small functions with a test that passes and one that fails, and what pytest then says.

`¶` ends lines that only the passing test runs, `§` those that only the failing one runs. `{f}` is the function's name,
`{w}` a word, `{n}` a number from 2, `{twice}` and `{more}` are 2n and 2n + 1. Messages are those of all Pythons from
3.11.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A function, a statement that passes, one that fails, and the error of the latter on one line."""

    source: str
    passes: str
    fails: str
    error: str


def _piece(body: list[str], passes: str, fails: str, error: str) -> Piece:
    """The function takes one `value`."""
    return Piece("\n".join(["def {f}(value):", *(f"    {line}" for line in body)]) + "\n", passes, fails, error)


def _refusing(condition: str, error: str, passes: str, fails: str, said: str) -> Piece:
    """A function that raises `error` on a condition, and otherwise gives its value back."""
    return _piece([f"if {condition}:", f"    raise {error}§", "return value¶"], passes, fails, said)


PIECES = (
    _piece(
        ["rate = {n}", "return value * rate"],
        "assert {f}(2) == {twice}", "assert {f}(2) == {more}", "AssertionError: assert {twice} == {more}",
    ),
    _piece(
        ['found = value["{w}"]', "return found¶"],
        'assert {f}({{"{w}": {n}}}) == {n}', "{f}({{}})", "KeyError: '{w}'",
    ),
    _piece(
        ["number = int(value)", "return number¶"],
        'assert {f}("{n}") == {n}', '{f}("{w}")', "ValueError: invalid literal for int() with base 10: '{w}'",
    ),
    _piece(
        ["first = value[0]", "return first¶"],
        "assert {f}([{n}]) == {n}", "{f}([])", "IndexError: list index out of range",
    ),
    _piece(
        ["return value.upper()"],
        'assert {f}("{w}") != "{w}"', "{f}(None)", "AttributeError: 'NoneType' object has no attribute 'upper'",
    ),
    _piece(
        ["share = 100 / value", "return round(share)¶"],
        "assert {f}(50) == 2", "{f}(0)", "ZeroDivisionError: division by zero",
    ),
    _piece(
        ["total = value + {n}", "return total¶"],
        "assert {f}({n}) == {twice}", '{f}("{w}")', 'TypeError: can only concatenate str (not "int") to str',
    ),
    _piece(
        ['with open(value, encoding="utf-8") as stream:', "    return stream.read()¶"],
        "assert {f}(__file__)", '{f}("{w}.csv")', "FileNotFoundError: [Errno 2] No such file or directory: '{w}.csv'",
    ),
    _piece(
        ["for attempt in range({n}):", "    if attempt == value:", "        return attempt¶",
         'raise TimeoutError("no answer from {w}")§'],
        "assert {f}(1) == 1", "{f}(-1)", "TimeoutError: no answer from {w}",
    ),
    _piece(
        ["seen = []", "if value > {n}:", '    raise RuntimeError("{w} queue is full")§', "seen.append(value)¶",
         "return seen¶"],
        "assert {f}(0) == [0]", "{f}({more})", "RuntimeError: {w} queue is full",
    ),
    _piece(
        ['text = "{n}"', "return text.encode(value)"],
        'assert {f}("utf-8") == b"{n}"', '{f}("{w}")', "LookupError: unknown encoding: {w}",
    ),
    _piece(
        ["text = value.strip()", "return text"],
        'assert {f}(" {w} ") == "{w}"', 'assert {f}(" {w} ") == " {w}"', "AssertionError: assert '{w}' == ' {w}'",
    ),
    _piece(
        ["found = sorted(value)", "return found"],
        "assert {f}([{n}, 1]) == [1, {n}]", "assert {f}([{n}, 1]) == [{n}, 1]",
        "AssertionError: assert [1, {n}] == [{n}, 1]",
    ),
    _piece(
        ["table = {{}}", "return table.get(value)"],
        'assert {f}("{w}") is None', 'assert {f}("{w}") is not None', "AssertionError: assert None is not None",
    ),
    _piece(
        ['known = ["{w}"]', "return 200 if value in known else 404"],
        'assert {f}("{w}") == 200', 'assert {f}("{w}") == 404', "AssertionError: assert 200 == 404",
    ),
    _piece(
        ["import json", "return json.loads(value)"],
        'assert {f}("{n}") == {n}', '{f}("")', "JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ),
    _piece(
        ["rows = value[1:]", "return rows"],
        "assert {f}([1, {n}]) == [{n}]", 'assert {f}([1]), "{w} is lost"', "AssertionError: {w} is lost",
    ),
    _piece(
        ['parts = value.split(",")', "return parts"],
        'assert "{w}" in {f}("{w},{n}")', 'assert "{w}" in {f}("{n}")', "AssertionError: assert '{w}' in ['{n}']",
    ),
    _piece(
        ["limit = {n}", "return value > limit"],
        "assert {f}({more})", "assert {f}(0)", "AssertionError: assert False",
    ),
    _refusing(
        "value < 0", 'ValueError("negative {w}")',
        "assert {f}({n}) == {n}", "{f}(-{n})", "ValueError: negative {w}",
    ),
    _refusing(
        'value == "{w}"', 'NotImplementedError("{w} comes later")',
        'assert {f}("{n}") == "{n}"', '{f}("{w}")', "NotImplementedError: {w} comes later",
    ),
    _refusing(
        "value != {n}", 'ConnectionError("port {n} refused")',
        "assert {f}({n}) == {n}", "{f}({more})", "ConnectionError: port {n} refused",
    ),
    _refusing(
        'value == "guest"', 'PermissionError("guests may not see {w}")',
        'assert {f}("{w}") == "{w}"', '{f}("guest")', "PermissionError: guests may not see {w}",
    ),
    _refusing("value > {n}", 'OSError("disk full")', "assert {f}({n}) == {n}", "{f}({more})", "OSError: disk full"),
)  # fmt: skip

WORDS = (
    "user_id", "currency", "amount", "invoice", "email", "address", "country", "quantity", "discount", "sku", "vat",
    "order_id", "postcode", "iban", "phone", "locale", "timezone", "balance", "weight", "warehouse", "voucher",
    "customer", "parcel", "gateway", "broker", "ledger", "tariff", "status", "expires", "session",
)  # fmt: skip
"""Names of fields and services, which errors quote."""
