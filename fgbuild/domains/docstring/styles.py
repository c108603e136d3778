"""Docstrings in the three styles: which one a docstring is in, what it says, and how that is written in another."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

from docstring_parser import DocstringStyle, ParseError, parse
from docstring_parser.common import (
    Docstring,
    DocstringAttr,
    DocstringMeta,
    DocstringParam,
    DocstringRaises,
    DocstringReturns,
    DocstringYields,
)

Style = Literal["google", "numpy", "sphinx"]
STYLES: tuple[Style, ...] = ("google", "numpy", "sphinx")

_PARSED_AS = {"google": DocstringStyle.GOOGLE, "numpy": DocstringStyle.NUMPYDOC, "sphinx": DocstringStyle.REST}
_GOOGLE_TITLE = r"(?:Args|Arguments|Parameters|Params|Attributes|Returns|Yields|Raises)"
_NUMPY_TITLE = r"(?:Parameters|Attributes|Returns|Yields|Raises)"
_SPHINX_FIELD = r"(?:param|parameter|arg|argument|type|returns?|rtype|yields?|ytype|raises?)"
_STARTS = {
    "google": re.compile(rf"^{_GOOGLE_TITLE}:[ \t]*$", re.MULTILINE),
    "numpy": re.compile(rf"^{_NUMPY_TITLE}[ \t]*\n-{{3,}}[ \t]*$", re.MULTILINE),
    "sphinx": re.compile(rf"^:{_SPHINX_FIELD}\b[^:\n]*:", re.MULTILINE),
}
"""Where the sections of each style start."""
_LINES = {
    "google": re.compile(rf"{_GOOGLE_TITLE}:[ \t]*$|[ \t]|$"),
    "sphinx": re.compile(rf":{_SPHINX_FIELD}\b[^:]*:|[ \t]|$"),
}
"""What the lines after that start with: where one is different, more than sections stands there."""
_TITLED = re.compile(r"^\w[\w ]*:[ \t]*\n+[ \t]+\S", re.MULTILINE)
_UNDERLINED = re.compile(r"^(\S.*)\n-{3,}[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Item:
    """A parameter, attribute, result or exception. name and type: "" where there is none."""

    name: str
    type: str
    text: str


@dataclass(frozen=True)
class Content:
    """What a docstring says, in no style. text: the summary and what follows it."""

    text: str
    parameters: tuple[Item, ...] = ()
    attributes: tuple[Item, ...] = ()
    returns: tuple[Item, ...] = ()
    yields: tuple[Item, ...] = ()
    raises: tuple[Item, ...] = ()


def style_of(docstring: str) -> Style | None:
    """The style of a docstring's sections; None where it has none."""
    starts = [(found.start(), style) for style in STYLES if (found := _STARTS[style].search(docstring))]
    return min(starts)[1] if starts else None


def read(docstring: str, style: Style) -> Content | None:
    """What a docstring of this style says; None where it says more than `Content` holds, or cannot be parsed."""
    start = _STARTS[style].search(docstring)
    if start is None:
        return Content(docstring.strip())
    if not _only_sections(docstring, start.start(), style):
        return None
    try:
        found = parse(docstring, style=_PARSED_AS[style])
    except ParseError:
        return None
    content = _content(docstring[: start.start()].strip(), found)
    if style == "numpy" and not _plausible(content):
        return None
    return content if _words(write(content, style)) == _words(docstring) else None


def _only_sections(docstring: str, start: int, style: Style) -> bool:
    """Whether there is no section that `Content` has no place for, and nothing follows the sections, as far as seen."""
    if style == "numpy":
        return all(re.fullmatch(_NUMPY_TITLE, title.strip()) for title in _UNDERLINED.findall(docstring))
    if style == "google" and _TITLED.search(docstring[:start]):
        return False
    return all(_LINES[style].match(line) for line in docstring[start:].splitlines())


def _plausible(content: Content) -> bool:
    """Whether no paragraph that follows a section was taken for one of its items."""
    names = [item.name for item in (*content.parameters, *content.attributes)]
    results = content.returns or content.yields
    return (
        all(re.fullmatch(r"[\w*, ]+", name) for name in names)
        and all(re.fullmatch(r"[\w.]+", item.type) for item in content.raises)
        and (len(results) < 2 or all(item.type for item in results))
    )


def _content(text: str, found: Docstring) -> Content:
    def items(kind: type[DocstringMeta], name: str = "") -> tuple[Item, ...]:
        return tuple(
            Item(getattr(each, name, "") or "", _type(each), textwrap.dedent(each.description or "").strip())
            for each in found.meta
            if isinstance(each, kind)
        )

    return Content(
        text,
        parameters=items(DocstringParam, "arg_name"),
        attributes=items(DocstringAttr, "arg_name"),
        returns=tuple(map(_told, items(DocstringReturns, "return_name"))),
        yields=tuple(map(_told, items(DocstringYields, "yield_name"))),
        raises=items(DocstringRaises),
    )


def _told(result: Item) -> Item:
    """A result in NumPy style that has a sentence in place of its type."""
    return Item("", "", result.type) if result.type.endswith(".") and not result.text else result


def _type(each: Any) -> str:
    """As it is written: with ", optional" or a default."""
    written = getattr(each, "raw_type_name", None) or each.type_name or ""
    optional = written and getattr(each, "is_optional", False) and written == each.type_name
    return f"{written}, optional" if optional else written


def _words(docstring: str) -> set[str]:
    """The words that a reader would miss; a style's own are none."""
    return set(re.findall(r"\w+", docstring)) - set(re.findall(r"\w+", _GOOGLE_TITLE + _SPHINX_FIELD))


def write(content: Content, style: Style) -> str:
    """The docstring in this style, without indentation."""
    sections = {"google": _google, "numpy": _numpy, "sphinx": _sphinx}[style](content)
    return "\n\n".join(part for part in [content.text, *sections] if part)


def _titled(content: Content, parameters: str) -> list[tuple[str, tuple[Item, ...]]]:
    """The sections that there are, by their titles; `parameters` is that of the parameters."""
    every = (
        (parameters, content.parameters),
        ("Attributes", content.attributes),
        ("Returns", content.returns),
        ("Yields", content.yields),
        ("Raises", content.raises),
    )
    return [(title, items) for title, items in every if items]


def _google(content: Content) -> list[str]:
    return [f"{title}:\n" + "\n".join(map(_google_item, items)) for title, items in _titled(content, "Args")]


def _google_item(item: Item) -> str:
    head = f"{item.name} ({item.type})" if item.name and item.type else item.name or item.type
    first, *rest = item.text.split("\n")
    lines = [f"{head}: {first}".rstrip() if head else first, *(f"    {line}" if line else "" for line in rest)]
    return textwrap.indent("\n".join(lines), "    ")


def _numpy(content: Content) -> list[str]:
    return [
        f"{title}\n{'-' * len(title)}\n" + "\n".join(map(_numpy_item, items))
        for title, items in _titled(content, "Parameters")
    ]


def _numpy_item(item: Item) -> str:
    head = f"{item.name} : {item.type}" if item.name and item.type else item.name or item.type
    return f"{head}\n{textwrap.indent(item.text, '    ')}".strip()


def _sphinx(content: Content) -> list[str]:
    lines = []
    for item in content.parameters:
        lines.append(_field(f"param {item.name}", item.text))
        lines += [_field(f"type {item.name}", item.type)] if item.type else []
    for key, kind, items in (("returns", "rtype", content.returns), ("yields", "ytype", content.yields)):
        for item in items:
            lines.append(_field(key, item.text))
            lines += [_field(kind, item.type)] if item.type else []
    lines += [_field(f"raises {item.type}".strip(), item.text) for item in content.raises]
    return ["\n".join(lines)]


def _field(name: str, text: str) -> str:
    return f":{name}: {textwrap.indent(text, '    ').strip()}".rstrip()


def convert(docstring: str, style: Style) -> str | None:
    """A docstring in another style; None where it has no sections, is in that style, or would lose something."""
    old = style_of(docstring)
    if old is None or old == style:
        return None
    content = read(docstring, old)
    if content is None:
        return None
    converted = write(content, style)
    return converted if read(converted, style) == content else None


def most_common(styles: Iterable[Style | None]) -> Style | None:
    """The style that most docstrings have; the first by name of those that are as common."""
    counted = [style for style in styles if style]
    return cast(Style, max(STYLES, key=counted.count)) if counted else None
