"""The source of one function, class or method, with a docstring that is missing, right or wrong."""

from __future__ import annotations

import ast
import dataclasses
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.styles import Content, Item, Style, write
from fgbuild.domains.scenario import Draw

State = Literal["none", "line", "sections", "wrong"]
"""No docstring; a summary alone; one with sections that fit the code; one with sections that do not."""

_RETURNS = {"__init__": "None", "reset": "None", "close": "None", "flush": "None", "is_valid": "bool", "to_json": "str"}
_RESULTS = {
    "None": "print({v})",
    "str": "return str({v})",
    "int": "return len(str({v}))",
    "bool": "return bool({v})",
    "dict": 'return {{"value": {v}}}',
    "bytes": "return str({v}).encode()",
    "list[str]": "return [str({v})]",
    "float": "return float(len(str({v})))",
}
_RAISES = 0.25


@dataclass(frozen=True)
class Definition:
    """source: without indentation. signature: as it is told, without a method's own first parameter.

    content: what a docstring has to tell of it. style: that of a docstring with sections.
    """

    source: str
    signature: str
    content: Content
    docstring: str = ""
    style: Style | None = None
    wrong: bool = False


def function(d: Draw, name: str, state: State, style: Style, *, owner: str = "") -> Definition:
    """A function, or a method of the class `owner`."""
    signature = d.pick(_signatures(name, sections=state in ("sections", "wrong") or name == "__init__"))
    content = _content(signature, raises=d.chance(_RAISES))
    head, lines = _code(name, signature, content, owner)
    return _documented(d, Definition(head, signature, content), name, lines, state, style)


def class_head(d: Draw, name: str, state: State, style: Style, made: Definition | None) -> Definition:
    """A class without its methods, of which `made` is its `__init__` if there is one."""
    content = dataclasses.replace(made.content, returns=()) if made else Content("")
    signature = made.signature.removesuffix(" -> None") if made else "()"
    return _documented(d, Definition(f"class {name}:", signature, content), name, [], state, style)


def _documented(d: Draw, bare: Definition, name: str, lines: Sequence[str], state: State, style: Style) -> Definition:
    """What has only a first line so far, with a docstring and with these lines."""
    docstring = _docstring(d, dataclasses.replace(bare.content, text=_summary(d, name)), state, style)
    body = [*([_literal(docstring)] if docstring else []), *lines]
    return dataclasses.replace(
        bare,
        source="\n".join([bare.source, *(textwrap.indent(part, "    ") for part in body)]) + "\n",
        docstring=docstring,
        style=style if state in ("sections", "wrong") else None,
        wrong=state == "wrong",
    )


def _signatures(name: str, sections: bool) -> list[str]:
    """Those that suit a name; with parameters where sections are to tell of them."""
    returns = _RETURNS.get(name)
    return [
        each
        for each in values.SIGNATURES
        if (returns is None or each.endswith(f" -> {returns}")) and not (sections and each.startswith("()"))
    ]


def _content(signature: str, raises: bool) -> Content:
    """All that a docstring of this signature tells of, but for the summary."""
    (function,) = ast.parse(f"def f{signature}: ...").body
    assert isinstance(function, ast.FunctionDef)
    assert function.returns is not None
    of = function.args
    stars = [("", each) for each in of.args] + ([("*", of.vararg)] if of.vararg else [])
    parameters = tuple(
        Item(f"{star}{each.arg}", ast.unparse(each.annotation) if each.annotation else "", f"The {_spaced(each.arg)}.")
        for star, each in stars
    )
    returned = ast.unparse(function.returns)
    return Content(
        "",
        parameters=parameters,
        returns=() if returned == "None" else (Item("", returned, "The result."),),
        raises=(Item("", "ValueError", f"If the {_spaced(of.args[0].arg)} is missing."),) if raises and of.args else (),
    )


def _spaced(name: str) -> str:
    return name.strip("_").replace("_", " ")


def _code(name: str, signature: str, content: Content, owner: str) -> tuple[str, list[str]]:
    """The line with `def`, with a decorator if need be, and the body."""
    first = content.parameters[0].name.lstrip("*") if content.parameters else "__name__"
    lines = [f'if {first} is None:\n    raise ValueError("no {first}")'] if content.raises else []
    if name == "__init__":
        lines.append(f"self.{first} = {first}")
    else:
        lines.append(_RESULTS[signature.rsplit(" -> ", 1)[1]].format(v=first))
    if not owner:
        return f"def {name}{signature}:", lines
    own, decorator = ("cls", "@classmethod\n") if name == "from_dict" else ("self", "")
    rest = signature[1:]
    return f"{decorator}def {name}({own}{'' if rest.startswith(')') else ', '}{rest}:", lines


def _summary(d: Draw, name: str) -> str:
    if name == "__init__":
        return f"Set it up{d.pick(values.TAILS)}."
    first, *rest = _spaced(name).split(" ")
    if not rest or name in values.METHOD_NAMES:
        return str(d.pick(values.SUMMARIES))
    return f"{first.capitalize()} the {' '.join(rest)}{d.pick(values.TAILS)}."


def _docstring(d: Draw, content: Content, state: State, style: Style) -> str:
    if state == "none":
        return ""
    if state == "line":
        return content.text
    return write(_spoilt(d, content) if state == "wrong" else content, style)


def _spoilt(d: Draw, content: Content) -> Content:
    """One thing told that is not so, or left out."""
    all_of, stale = content.parameters, d.choice(values.STALE)
    told = Item(stale, "", f"The {stale}.")
    ways = [dataclasses.replace(content, parameters=(*all_of, told))]
    if all_of:
        at = d.rng.randrange(len(all_of))
        others = all_of[:at], all_of[at + 1 :]
        ways.append(dataclasses.replace(content, parameters=(*others[0], told, *others[1])))
        if len(all_of) > 1:
            ways.append(dataclasses.replace(content, parameters=others[0] + others[1]))
        if content.returns:
            ways.append(dataclasses.replace(content, returns=()))
    return d.choice(ways)


def _literal(docstring: str) -> str:
    return f'"""{docstring}\n"""' if "\n" in docstring else f'"""{docstring}"""'
