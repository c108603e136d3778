"""A piece of Python for each rule that ruff reports for it, once and with no other rule.

`¶` ends the line that ruff names. `{f}` is a function's name, `{C}` a class's, `{v}` a variable's. place: "body" is
among a module's functions, "imports" below its docstring, "end" its last lines, "module" in place of its docstring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal["body", "imports", "end", "module"]


@dataclass(frozen=True)
class Piece:
    """Code that breaks one rule."""

    code: str
    source: str
    place: Place = "body"


def _function(code: str, signature: str, *lines: str) -> Piece:
    """A documented function with these lines; `signature` without def and colon. No line marked: its first is."""
    mark = "" if any(line.endswith("¶") for line in lines) else "¶"
    body = [f"def {signature}:{mark}", '    """Work on one {v}."""', *(f"    {line}" if line else "" for line in lines)]
    return Piece(code, "\n".join(body) + "\n")


_PIECES = (
    Piece("F401", "import {v}_tools¶\n", "imports"),
    Piece("F403", "from {v}_tools import *¶\n", "imports"),
    Piece("E401", 'import ast, re  # isort: skip¶\n\n__all__ = ["ast", "re"]\n', "imports"),
    Piece("I001", 'import zlib¶\nimport ast\n\n__all__ = ["ast", "zlib"]\n', "imports"),
    Piece("UP035", 'from typing import Callable¶\n\n__all__ = ["Callable"]\n', "imports"),
    Piece("E402", '{v}_limit = 10\n\nimport {v}_tools¶\n\n__all__ = ["{v}_tools"]\n', "imports"),
    Piece("D100", "", "module"),
    Piece("W292", "{v}_total = 10¶", "end"),
    _function("F541", "{f}() -> str", 'return f"plain {v}"¶'),
    _function("F632", "{f}({v}: int) -> bool", 'return {v} is "none"¶'),
    Piece(
        "F811",
        'def {f}({v}: int) -> int:\n    """Double one {v}."""\n    return 2 * {v}\n\n\n'
        'def {f}({v}: int) -> int:¶\n    """Double one {v}."""\n    return {v} + {v}\n',
    ),
    _function("F821", "{f}({v}: int) -> int", "return {v} + {v}_offset¶"),
    _function("F841", "{f}({v}: int) -> int", "kept = {v} + 1¶", "return {v}"),
    _function("F402", "{f}({v}: list) -> None", "import json", "", "for json in {v}:¶", "    json.dump({v})"),
    _function("F601", "{f}() -> dict", "return {{80: 1, 443: 2, 80: 3}}¶"),
    _function("E501", "{f}() -> str", 'return "' + " ".join(["{v}"] * 12) + " " + "and a long rest" * 4 + '"¶'),
    _function("E701", "{f}({v}: list) -> list", "if {v}: {v}.sort()¶", "return {v}"),
    _function("E703", "{f}({v}: list) -> list", "{v}.sort();¶", "return {v}"),
    _function("E711", "{f}({v}: int | None) -> bool", "return {v} == None¶"),
    _function("E712", "{f}({v}: bool) -> bool", "return {v} == True¶"),
    _function("E713", "{f}({v}: dict) -> bool", 'return not "key" in {v}¶'),
    _function("E714", "{f}({v}: int | None) -> bool", "return not {v} is None¶"),
    _function("E721", "{f}({v}: int) -> bool", "return type({v}) == int¶"),
    _function("E722", "{f}({v}: list) -> list", "try:", "    {v}.sort()", "except:¶", "    {v}.clear()", "return {v}"),
    _function("E731", "{f}({v}: int) -> int", "double = lambda x: x * 2¶", "return double({v})"),
    _function("E741", "{f}({v}: list) -> int", "l = len({v})¶", "{v}.sort()", "return l"),
    _function("W291", "{f}({v}: list) -> list", "{v}.sort()  ¶", "return {v}"),
    _function("W293", "{f}({v}: list) -> list", "{v}.sort()", "    ¶", "return {v}"),
    _function("W605", "{f}() -> str", 'return "\\."¶'),
    Piece("N801", 'class {v}_store:¶\n    """Keeps one {v}."""\n'),
    _function("N802", "{C}({v}: int) -> int", "return {v} + 1"),
    _function("N803", "{f}({v}Id: int) -> int", "return {v}Id + 1"),
    _function("N806", "{f}({v}: list) -> list", "Total = len({v})¶", "{v}.append(Total)", "return {v}"),
    Piece("N818", 'class {C}Late(Exception):¶\n    """Too late."""\n'),
    Piece("D101", "class {C}:¶\n    pass\n"),
    Piece("D103", "def {f}({v}: int) -> int:¶\n    return {v} + 1\n"),
    Piece(
        "UP007",
        'from typing import Union\n\n\ndef {f}({v}: Union[int, str]) -> str:¶\n    """Name one {v}."""\n'
        "    return str({v})\n",
        "imports",
    ),
    Piece(
        "UP006",
        'import typing\n\n\ndef {f}({v}: typing.List[int]) -> int:¶\n    """Count one {v}."""\n    return len({v})\n',
        "imports",
    ),
    _function("UP015", "{f}({v}: int) -> str", 'with open({v}, "r") as stream:¶', "    return stream.read()"),
    _function("UP032", "{f}({v}: str) -> str", 'return "<{{}}>".format({v})¶'),
    _function("B006", "{f}({v}: list = []) -> int", "return len({v})"),
    _function("B007", "{f}({v}: list) -> list", "for number in range(3):¶", "    {v}.sort()", "return {v}"),
    _function("B008", "{f}({v}: list = sorted(str(1))) -> int", "return len({v})"),
    _function("B011", "{f}({v}: list) -> None", "{v}.sort()", "assert False  # noqa: S101¶"),
    _function(
        "B904",
        "{f}({v}: dict) -> int",
        "try:",
        '    return {v}["a"]',
        "except KeyError as error:",
        "    raise ValueError(error)¶",
    ),
    _function("B905", "{f}({v}: list, other: list) -> list", "return sorted(zip({v}, other))¶"),
    _function("S101", "{f}({v}: list) -> list", "assert {v}¶", "return {v}"),
    Piece("S105", 'password = "{v}-hunter2"¶\n'),
    Piece(
        "S113",
        'import requests\n\n\ndef {f}({v}: str) -> str:\n    """Load one {v}."""\n    return requests.get({v}).text¶\n',
        "imports",
    ),
    _function("S307", "{f}({v}: str) -> int", "return eval({v})¶"),
    _function("S608", "{f}({v}: str) -> str", 'return "SELECT name FROM t WHERE id = " + {v}¶'),
    _function("C400", "{f}({v}: list) -> list", "return list(2 * x for x in {v})¶"),
    _function("C408", "{f}({v}: int) -> dict", "return dict(a={v})¶"),
    _function("C416", "{f}({v}: range) -> list", "return [x for x in {v}]¶"),
    Piece(
        "C901",
        'def {f}({v}: int) -> int:¶\n    """Sort out one {v}."""\n'
        + "".join(f"    if {{v}} % {n} == 1:\n        {{v}} += 1\n" for n in range(2, 13))
        + "    return {v}\n",
    ),
    _function("SIM102", "{f}({v}: int) -> int", "if {v} > 1:¶", "    if {v} < 0:", "        {v} = 0", "return {v}"),
    _function("SIM103", "{f}({v}: int) -> bool", "if {v} > 1:¶", "    return True", "return False"),
    _function(
        "SIM105", "{f}({v}: list) -> list", "try:¶", "    {v}.sort()", "except TypeError:", "    pass", "return {v}"
    ),
    _function(
        "SIM108",
        "{f}({v}: int) -> int",
        "if {v} > 1:¶",
        "    found = 1",
        "else:",
        "    found = 0",
        "return found + {v}",
    ),
    _function(
        "SIM115",
        "{f}({v}: int) -> str",
        "stream = open({v})¶",
        "text = stream.read()",
        "stream.close()",
        "return text.strip()",
    ),
    _function("SIM118", "{f}({v}: dict) -> bool", 'return "a" in {v}.keys()¶'),
    _function("RET504", "{f}({v}: int) -> int", "found = {v} + 1", "return found¶"),
    _function("RET505", "{f}({v}: int) -> int", "if {v} > 1:", "    return 1", "else:¶", "    return {v}"),
    Piece(
        "PT011",
        'import pytest\n\n\ndef test_{f}() -> None:\n    """Numbers alone are taken."""\n'
        '    with pytest.raises(ValueError):¶\n        int("{v}")\n',
        "imports",
    ),
    _function("ARG001", "{f}({v}: int, mode: str) -> int", "return {v} + 1"),
    Piece("ERA001", "# {v} = len({v}_rows)¶\n"),
    _function("T201", "{f}({v}: int) -> None", "print({v})¶"),
    Piece(
        "PLR0913",
        'def {f}(a: int, b: int, c: int, d: int, e: int, {v}: int) -> int:¶\n    """Add up."""\n'
        "    return a + b + c + d + e + {v}\n",
    ),
    _function("PLR2004", "{f}({v}: int) -> bool", "return {v} > 7¶"),
    Piece(
        "PLW0603",
        '{v}_cache: list = []\n\n\ndef {f}() -> None:\n    """Forget all."""\n    global {v}_cache¶\n'
        "    {v}_cache = []\n",
    ),
    _function("PTH123", "{f}({v}: str) -> str", "with open({v}) as stream:¶", "    return stream.read()"),
    _function("RUF005", "{f}({v}: list) -> list", "return [0] + {v}¶"),
    Piece("RUF012", 'class {C}:\n    """Keeps one {v}."""\n\n    {v}s = []¶\n'),
    _function("RUF100", "{f}({v}: int) -> int", "return {v} + 1  # noqa: E711¶"),
    Piece(
        "TRY400",
        'import logging\n\n\ndef {f}({v}: list) -> None:\n    """Sort one {v}."""\n    try:\n        {v}.sort()\n'
        '    except TypeError:\n        logging.error("no order")¶\n',
        "imports",
    ),
    _function(
        "BLE001",
        "{f}({v}: list) -> list",
        "try:",
        "    {v}.sort()",
        "except Exception:¶",
        "    {v}.clear()",
        "return {v}",
    ),
    Piece(
        "DTZ005",
        'import datetime\n\n\ndef {f}() -> datetime.datetime:\n    """Read the clock."""\n'
        "    return datetime.datetime.now()¶\n",
        "imports",
    ),
    _function(
        "PERF401",
        "{f}({v}: list) -> list",
        "found = []",
        "for x in {v}:",
        "    if x:",
        "        found.append(x)¶",
        "return found",
    ),
    Piece(
        "G004",
        'import logging\n\n\ndef {f}({v}: int) -> None:\n    """Note one {v}."""\n    logging.info(f"{{{v}}} rows")¶\n',
        "imports",
    ),
    Piece("ANN201", 'def {f}({v}: int):¶\n    """Double one {v}."""\n    return 2 * {v}\n'),
    _function(
        "A001", "{f}({v}: list) -> list", "list = sorted({v})¶", "list.append(1)", "{v}.append(list)", "return {v}"
    ),
    _function("EM101", "{f}({v}: int) -> int", "if {v}:", "    return {v}", 'raise OSError("no {v}")¶'),
)

PIECES = {piece.code: piece for piece in _PIECES}
