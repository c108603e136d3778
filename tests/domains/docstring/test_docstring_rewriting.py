"""Docstrings are exchanged and all the rest of a file keeps its bytes."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.docstring.rewriting import with_docstrings

CODE = b"""\
#!/usr/bin/env python
import os, sys  # two

def one( a,b = 2 ):
    # why
    return a   +b


class Two :

    kind = 'x'

    @staticmethod
    def three(): return 3  # here

    def four(self):
        r"old \\d"; x = 1
        def five():
            ("in " "two parts")
        return five
if sys:
    async def six():
        pass
"""
NAMES = ("one", "Two", "three", "four", "five", "six")
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]) | st.just("\n"), min_size=1).map(
    lambda text: "\n".join(line.strip() for line in text.splitlines()).strip()
)


def docstrings(source: bytes) -> dict[str, str | None]:
    found = ast.walk(ast.parse(source))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: ast.get_docstring(node) for node in found if isinstance(node, kinds)}


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.integers(0, 5), texts.filter(bool)), st.sampled_from([b"\n", b"\r\n"]))
def test_python_reads_what_was_put_in(new: dict[int, str], newline: bytes) -> None:
    source = CODE.replace(b"\n", newline)
    after = with_docstrings(source, new)
    old = docstrings(source)
    assert docstrings(after) == old | {NAMES[number]: text for number, text in new.items()}
    assert after.count(b"\n") == after.count(newline)
    if not new:
        assert after == source


@pytest.mark.parametrize(
    ("number", "before", "after"),
    [
        (0, b"    # why\n", b'    """New."""\n    # why\n'),
        (1, b"class Two :\n\n", b'class Two :\n    """New."""\n\n'),
        (2, b"three(): return 3  # here", b'three():\n        """New."""\n        return 3  # here'),
        (3, b'r"old \\d"', b'"""New."""'),
        (4, b'("in " "two parts")', b'"""New."""'),
        (5, b"        pass", b'        """New."""\n        pass'),
    ],
)
def test_the_rest_keeps_its_bytes(number: int, before: bytes, after: bytes) -> None:
    assert CODE.count(before) == 1
    assert with_docstrings(CODE, {number: "New."}) == CODE.replace(before, after)


def test_a_longer_docstring_is_indented_like_its_block() -> None:
    source = b"class A:\n\tdef f(self):\n\t\treturn 1\n"
    after = with_docstrings(source, {1: "One.\n\nTwo:\n    three"})
    assert after == b'class A:\n\tdef f(self):\n\t\t"""One.\n\n\t\tTwo:\n\t\t    three\n\t\t"""\n\t\treturn 1\n'


def test_a_class_s_docstring_is_set_off() -> None:
    assert with_docstrings(b"class A:\n    x = 1\n", {0: "An A."}) == b'class A:\n    """An A."""\n\n    x = 1\n'
