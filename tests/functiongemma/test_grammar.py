"""The grammar of a tool list, as text; what llama.cpp makes of it is tested in workers/inference."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fgbuild.functiongemma.grammar import call_grammar

MANIFESTS = sorted((Path(__file__).parents[2] / "manifests").glob("*.toml"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_rule_that_is_used_is_there_once(path: Path) -> None:
    grammar = call_grammar(tomllib.loads(path.read_text("utf-8"))["tool"])
    names = re.findall(r"^([a-z0-9-]+) ::=", grammar, re.MULTILINE)
    assert len(names) == len(set(names))
    bare = re.sub(r'"(\\\\.|[^"\\\\])*"|\[[^\]]*\]|\{[^}]*\}', "", grammar)
    assert set(re.findall(r"[a-z][a-z0-9-]*", bare)) == set(names)


def test_without_tools_there_are_words_alone() -> None:
    assert call_grammar([]).startswith("root ::= words\n")


def test_tools_that_the_format_cannot_carry_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tool\[0\]\.description"):
        call_grammar([{"name": "x"}])
