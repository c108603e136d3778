"""A docstring says the same in each style, and is left alone where it would not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.docstring.styles import STYLES, Content, Item, Style, convert, most_common, read, style_of, write

names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
types = st.sampled_from(["", "int", "list[str]", "dict[str, int]", "str | None", "tuple[int, ...]", "a.b.C"])
sentences = st.lists(names, min_size=1, max_size=6).map(lambda words: f"{' '.join(words).capitalize()}.")
texts = st.lists(sentences, min_size=1, max_size=2).map("\n".join)
parameters = st.builds(Item, st.one_of(names, names.map("*{}".format)), types, texts)
result = st.builds(Item, st.just(""), types.filter(bool), texts)
exceptions = st.builds(Item, st.just(""), st.sampled_from(["ValueError", "os.Error", "KeyError"]), texts)
contents = st.builds(
    Content,
    text=st.lists(sentences, min_size=1, max_size=3).map("\n\n".join),
    parameters=st.lists(parameters, max_size=4, unique_by=lambda item: item.name.strip("*")).map(tuple),
    returns=st.lists(result, max_size=1).map(tuple),
    raises=st.lists(exceptions, max_size=2, unique_by=lambda item: item.type).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(contents, st.sampled_from(STYLES), st.sampled_from(STYLES))
def test_what_is_written_can_be_read_and_converted_back(content: Content, style: Style, other: Style) -> None:
    text = write(content, style)
    assert read(text, style) == content
    has_sections = bool(content.parameters or content.returns or content.raises)
    assert style_of(text) == (style if has_sections else None)
    converted = convert(text, other)
    if not has_sections or other == style:
        assert converted is None
    else:
        assert converted == write(content, other)
        assert convert(converted, style) == text


@pytest.mark.parametrize("result", [Item("", "", "The result."), Item("rows", "int", "How many.")])
def test_a_result_without_a_type_and_one_with_a_name(result: Item) -> None:
    named = bool(result.name)
    text = write(Content("Do.", returns=(result,)), "numpy")
    assert read(text, "numpy") == Content("Do.", returns=(result,))
    assert (convert(text, "google") is None) == named  # other styles have no place for the name


@pytest.mark.parametrize(
    "docstring",
    [
        "Do.\n\nArgs:\n    a: It.\n\nNote:\n    Mind this.",
        "Do.\n\nArgs:\n    a: It.\n\nSee the manual.",
        "Do.\n\nArgs:\n    no colon here",
        "Do.\n\nExample:\n    >>> f()\n\nArgs:\n    a: It.",
        "Do.\n\nParameters\n----------\na\n    It.\n\nExamples\n--------\n>>> f()",
        "Do.\n\nParameters\n----------\na\n    It.\n\nA paragraph that follows.",
        "Do.\n\nReturns\n-------\nint\n    It.\n\nA paragraph that follows.",
        "Do.\n\nParameters\n----------\na\n    It.\n\nWarns\n-----\nUserWarning\n    If.",
        "Do.\n\n:param a: It.\n:deprecated: Since 2.",
        "Do.\n\n:param a: It.\n\nA paragraph that follows.",
    ],
)
@pytest.mark.parametrize("style", STYLES)
def test_a_docstring_that_would_lose_something_is_left_alone(docstring: str, style: Style) -> None:
    assert style_of(docstring) is not None
    assert convert(docstring, style) is None


@pytest.mark.parametrize(
    ("docstring", "style", "converted"),
    [
        (
            "Do.\n\n:param int a: It.\n:type b: str\n:param b: That.\n:rtype: bool",
            "google",
            "Do.\n\nArgs:\n    a (int): It.\n    b (str): That.\n\nReturns:\n    bool:",
        ),
        (
            "Do.\n\nArgs:\n    a (int, optional): It.",
            "numpy",
            "Do.\n\nParameters\n----------\na : int, optional\n    It.",
        ),
        ("Do.\n\nRaises:\n    OSError: If\n        it fails.", "sphinx", "Do.\n\n:raises OSError: If\n    it fails."),
    ],
)
def test_ways_to_write_the_same(docstring: str, style: Style, converted: str) -> None:
    assert convert(docstring, style) == converted


def test_the_most_common_style_wins() -> None:
    assert most_common([None, "numpy", "sphinx", "numpy"]) == "numpy"
    assert most_common(["sphinx", "numpy"]) == "numpy"
    assert most_common([None]) is None
