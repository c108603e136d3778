"""Ruff's rules as the scenarios use them: code, ruff's own name, and a short explanation of ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One ruff rule; `example` is a line of code that breaks it."""

    code: str
    name: str
    summary: str
    example: str
    fixable: bool = False


_ALL = (
    Rule("F401", "unused-import", "An import is never used.", "import os", True),
    Rule("F403", "undefined-local-with-import-star", "A star import hides names.", "from math import *"),
    Rule("F541", "f-string-missing-placeholders", "An f-string has no placeholder.", "name = f'plain'", True),
    Rule("F632", "is-literal", "A literal is compared with is.", "if size is 10:", True),
    Rule("F811", "redefined-while-unused", "A name is defined twice.", "def load(): pass", True),
    Rule("F821", "undefined-name", "A name is used but not defined.", "return totl"),
    Rule("F841", "unused-variable", "A local variable is never used.", "result = load()", True),
    Rule("F402", "import-shadowed-by-loop-var", "A loop variable hides an import.", "for json in items:"),
    Rule("F601", "multi-value-repeated-key-literal", "A dictionary key repeats.", "ports = {80: 1, 80: 2}"),
    Rule("E401", "multiple-imports-on-one-line", "One line imports several modules.", "import os, sys", True),
    Rule("E402", "module-import-not-at-top-of-file", "An import comes late in the file.", "import re"),
    Rule("E501", "line-too-long", "A line is longer than the limit.", "url = base + path + query + anchor"),
    Rule("E701", "multiple-statements-on-one-line-colon", "Code follows a colon.", "if ready: start()"),
    Rule("E703", "useless-semicolon", "A statement ends with a semicolon.", "count = 0;", True),
    Rule("E711", "none-comparison", "None is compared with ==.", "if user == None:", True),
    Rule("E712", "true-false-comparison", "True or False is compared with ==.", "if ok == True:", True),
    Rule("E713", "not-in-test", "Membership is tested with not x in y.", "if not key in cache:", True),
    Rule("E714", "not-is-test", "Identity is tested with not x is y.", "if not user is None:", True),
    Rule("E721", "type-comparison", "Types are compared with ==.", "if type(x) == int:"),
    Rule("E722", "bare-except", "An except names no exception.", "except:"),
    Rule("E731", "lambda-assignment", "A lambda is bound to a name.", "double = lambda x: x * 2", True),
    Rule("E741", "ambiguous-variable-name", "A name looks like a digit.", "l = len(rows)"),
    Rule("W291", "trailing-whitespace", "A line ends in spaces.", "total = 0", True),
    Rule("W292", "missing-newline-at-end-of-file", "The file lacks its last newline.", "main()", True),
    Rule("W293", "blank-line-with-whitespace", "An empty line holds spaces.", "", True),
    Rule("W605", "invalid-escape-sequence", "A string has an unknown escape.", "dot = '\\.'", True),
    Rule("I001", "unsorted-imports", "The imports are not sorted.", "import sys", True),
    Rule("N801", "invalid-class-name", "A class name is not CapWords.", "class user_store:"),
    Rule("N802", "invalid-function-name", "A function name is not lowercase.", "def LoadUser():"),
    Rule("N803", "invalid-argument-name", "An argument name is not lowercase.", "def load(userId):"),
    Rule("N806", "non-lowercase-variable-in-function", "A local is not lowercase.", "Total = 0"),
    Rule("N818", "error-suffix-on-exception-name", "An exception lacks Error.", "class Late(Exception):"),
    Rule("D100", "undocumented-public-module", "A module has no docstring.", "import os"),
    Rule("D101", "undocumented-public-class", "A class has no docstring.", "class Cart:"),
    Rule("D103", "undocumented-public-function", "A function has no docstring.", "def load():"),
    Rule("UP006", "non-pep585-annotation", "A type comes from typing needlessly.", "ids: List[int]", True),
    Rule("UP007", "non-pep604-annotation-union", "Union is written out.", "x: Union[int, str]", True),
    Rule("UP015", "redundant-open-modes", "open is given its default mode.", "open(name, 'r')", True),
    Rule("UP032", "f-string", "format is used instead of an f-string.", "'{}'.format(name)", True),
    Rule("UP035", "deprecated-import", "An import has moved elsewhere.", "from typing import Callable", True),
    Rule("B006", "mutable-argument-default", "A default argument is mutable.", "def add(x, to=[]):", True),
    Rule("B007", "unused-loop-control-variable", "A loop variable is unused.", "for i in rows:", True),
    Rule("B008", "function-call-in-default-argument", "A default calls a function.", "def at(t=now()):"),
    Rule("B011", "assert-false", "assert False vanishes under -O.", "assert False", True),
    Rule("B904", "raise-without-from-inside-except", "A raise loses its cause.", "raise KeyError(name)"),
    Rule("B905", "zip-without-explicit-strict", "zip is called without strict.", "zip(keys, rows)", True),
    Rule("S101", "assert", "assert is used outside tests.", "assert user"),
    Rule("S105", "hardcoded-password-string", "A password is in the code.", "password = 'hunter2'"),
    Rule("S113", "request-without-timeout", "A request has no timeout.", "requests.get(url)"),
    Rule("S307", "suspicious-eval-usage", "eval runs untrusted text.", "eval(text)"),
    Rule("S608", "hardcoded-sql-expression", "SQL is built from strings.", "'SELECT ' + columns"),
    Rule("C400", "unnecessary-generator-list", "list wraps a generator.", "list(x for x in rows)", True),
    Rule("C408", "unnecessary-collection-call", "dict() is used for a literal.", "dict(a=1)", True),
    Rule("C416", "unnecessary-comprehension", "A comprehension only copies.", "[x for x in rows]", True),
    Rule("C901", "complex-structure", "A function branches too much.", "def dispatch(event):"),
    Rule("SIM102", "collapsible-if", "Two nested ifs could be one.", "if ready:", True),
    Rule("SIM103", "needless-bool", "An if only returns True or False.", "return True", True),
    Rule("SIM105", "suppressible-exception", "An except only passes.", "except OSError:", True),
    Rule("SIM108", "if-else-block-instead-of-if-exp", "An if could be one expression.", "if big:", True),
    Rule("SIM115", "open-file-with-context-handler", "A file is opened without with.", "f = open(name)"),
    Rule("SIM118", "in-dict-keys", "keys() is not needed for in.", "if key in data.keys():", True),
    Rule("RET504", "unnecessary-assign", "A value is assigned just to return it.", "return value", True),
    Rule("RET505", "superfluous-else-return", "An else follows a return.", "else:", True),
    Rule("PT011", "pytest-raises-too-broad", "raises is too broad.", "with pytest.raises(ValueError):"),
    Rule("ARG001", "unused-function-argument", "An argument is never used.", "def load(path, mode):"),
    Rule("ERA001", "commented-out-code", "Code is commented out.", "# total += 1"),
    Rule("T201", "print", "print is left in the code.", "print(total)", True),
    Rule("PLR0913", "too-many-arguments", "A function takes too many arguments.", "def plot(a, b, c, d, e, f):"),
    Rule("PLR2004", "magic-value-comparison", "A bare number is compared.", "if retries > 7:"),
    Rule("PLW0603", "global-statement", "A function changes a global.", "global cache"),
    Rule("PTH123", "builtin-open", "open is used instead of Path.open.", "open(path)", True),
    Rule("RUF005", "collection-literal-concatenation", "Lists are joined with +.", "[first] + rest", True),
    Rule("RUF012", "mutable-class-default", "A class attribute is mutable.", "tags = []"),
    Rule("RUF100", "unused-noqa", "A noqa silences nothing.", "x = 1  # noqa", True),
    Rule("TRY400", "error-instead-of-exception", "error is logged without traceback.", "log.error(err)", True),
    Rule("BLE001", "blind-except", "An except catches everything.", "except Exception:"),
    Rule("DTZ005", "call-datetime-now-without-tzinfo", "now() has no time zone.", "datetime.now()"),
    Rule("PERF401", "manual-list-comprehension", "A loop only appends.", "rows.append(x)", True),
    Rule("G004", "logging-f-string", "A log call uses an f-string.", "log.info(f'{n} rows')", True),
    Rule("ANN201", "missing-return-type-public-function", "No return type is given.", "def load():", True),
    Rule("A001", "builtin-variable-shadowing", "A name hides a builtin.", "list = []"),
    Rule("EM101", "raw-string-in-exception", "An exception holds a literal.", "raise OSError('no')", True),
)

RULES = {rule.code: rule for rule in _ALL}
CODES = tuple(RULES)
FIXABLE_CODES = tuple(rule.code for rule in _ALL if rule.fixable)
