"""Tools → a grammar of the turns that FunctionGemma may answer with, in llama.cpp's GBNF notation.

A turn is words, or one or more calls of declared tools whose arguments have the declared names and types, required
ones included, in the order in which the renderer writes them. What the prompt never shows (`pattern`, `minimum` and the
like) is not in the grammar: a call that it lets through fits the declaration but for those.

GBNF: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md. A control token matches by its text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fgbuild.functiongemma.check import problems
from fgbuild.functiongemma.tokens import END_CALL, ESCAPE, START_CALL, bare_tool
from fgbuild.functiongemma.values import by_key, render_value

ROOT = "root"

_COMMON = f"""words ::= [^<]+
string ::= "{ESCAPE}" character* "{ESCAPE}"
character ::= [^<] | "<" [^<a-zA-Z]
integer ::= "-"? whole
whole ::= "0" | [1-9] [0-9]{{0,17}}
number ::= integer ("." [0-9]{{1,17}})? ([eE] [-+]? [0-9]{{1,3}})?
boolean ::= "true" | "false"
key ::= [A-Za-z0-9_./-]+
value ::= string | number | boolean | "null" | any-object | any-array
any-object ::= "{{" (key ":" value ("," key ":" value)*)? "}}"
any-array ::= "[" (value ("," value)*)? "]"
"""
"""A string holds no `<` before a letter: such text could be read as a control token."""

_SIMPLE = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


def call_grammar(tools: Sequence[Mapping[str, Any]]) -> str:
    """The grammar for these tools, bare or in the OpenAI wrapper; its start is the rule `root`.

    Raises ValueError for tools that the format cannot carry (see `check.problems`): check them first.
    """
    if found := problems(tools):
        raise ValueError(": ".join(found[0]))
    rules = _Rules()
    names = []
    for tool in map(bare_tool, tools):
        arguments = rules.object(tool.get("parameters") or {})
        names.append(rules.add(f"{_literal(tool['name'])} {arguments}"))
    calls = f"call+ | words\ncall ::= {_literal(START_CALL + 'call:')} ({' | '.join(names)}) {_literal(END_CALL)}"
    return f"{ROOT} ::= {calls if names else 'words'}\n{_COMMON}{rules.text()}"


class _Rules:
    """Numbered rules, in the order in which they were made."""

    def __init__(self) -> None:
        self._bodies: list[str] = []

    def add(self, body: str) -> str:
        """A rule's name."""
        self._bodies.append(body)
        return f"r{len(self._bodies) - 1}"

    def text(self) -> str:
        return "".join(f"r{number} ::= {body}\n" for number, body in enumerate(self._bodies))

    def value(self, schema: Mapping[str, Any]) -> str:
        kind = schema.get("type")
        if "enum" in schema:
            return self.add(" | ".join(_literal(render_value(each)) for each in schema["enum"]))
        if kind == "object":
            return self.object(schema)
        if kind == "array":
            item = self.value(schema.get("items") or {})
            return self.add(f'"[" ({item} ("," {item})*)? "]"')
        return _SIMPLE.get(str(kind), "value")

    def object(self, schema: Mapping[str, Any]) -> str:
        """`{…}` of the declared properties: from the last to the first, each knows what may follow it.

        `first` is the rule of what is left where nothing was written yet, `rest` where something was.
        """
        properties = by_key((schema.get("properties") or {}).items())
        if not properties:
            return "any-object" if schema.get("additionalProperties") is True else '"{}"'
        required = set(schema.get("required") or ())
        first = rest = '""'
        for name, declared in reversed(properties):
            written = f"{_literal(name + ':')} {self.value(declared)}"
            begun, going_on = f"{written} {rest}", f'"," {written} {rest}'
            if name not in required:
                begun, going_on = f"{begun} | {first}", f"{going_on} | {rest}"
            first, rest = self.add(begun), self.add(going_on)
        return self.add(f'"{{" {first} "}}"')


def _literal(text: str) -> str:
    """A quoted terminal. JSON's escapes are GBNF's, but for the non-ASCII ones, which stay as they are."""
    return json.dumps(text, ensure_ascii=False)
