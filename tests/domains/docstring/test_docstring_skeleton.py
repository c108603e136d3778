"""What is written for any function is right, in each style, and stays so when it is converted."""

from __future__ import annotations

import ast
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.docstring.skeleton import words
from fgbuild.domains.docstring.styles import STYLES, Style
from fgbuild.domains.docstring.tools import TOOLS

PARAMETERS = (
    "", "a", "a, b: int = 2", "a, /, b", "*, key: str = 'x'", "*rows: bytes, **rest", "a: 'list[int]' = [], *more",
    "a: dict[str, int] | None = None", "_", "path: str = r'\\d', quote=\"'\"", "a, b, *, c=(1, 2), d: bool = True",
)  # fmt: skip
RETURNS = ("", " -> None", " -> int", " -> dict[str, tuple[int, ...]]", " -> 'a.B | None'")
YIELDS = ("", " -> Iterator[int]", " -> Generator[str, None, None]", " -> collections.abc.Iterable[a.B]")
BODIES = (
    "pass", "...", "return 1", "return", "raise ValueError", "raise os.Error('x') from None",
    "if a:\n    return 2\nraise KeyError", "try:\n    x()\nexcept (TypeError, OSError):\n    raise",
    "def inner():\n    return 1\nprint(inner)", "def inner():\n    raise ValueError\nreturn inner",
    "with x() as y:\n    return y", "return lambda: (yield)", "x = [1]; return x", "assert x",
)  # fmt: skip
GENERATORS = ("yield 1", "for x in y:\n    yield x", "yield from x", "raise OSError\nyield")
functions = st.builds(
    "{}def f({}){}:\n    {}".format,
    st.sampled_from(["", "async "]),
    st.sampled_from(PARAMETERS),
    st.sampled_from(RETURNS),
    st.sampled_from(BODIES).map(lambda body: body.replace("\n", "\n    ")),
)
generators = st.builds(
    "def f({}){}:\n    {}".format,
    st.sampled_from(PARAMETERS),
    st.sampled_from(YIELDS),
    st.sampled_from(GENERATORS).map(lambda body: body.replace("\n", "\n    ")),
)
one_line = st.builds(
    "def f({}){}: {}".format, st.sampled_from(PARAMETERS), st.sampled_from(RETURNS), st.just("return 1")
)


@settings(max_examples=300, deadline=None)
@given(code=functions | generators | one_line, style=st.sampled_from(STYLES), other=st.sampled_from(STYLES))
def test_nothing_is_wrong_with_what_is_written(code: str, style: Style, other: Style) -> None:
    with TemporaryDirectory() as folder:
        root, file = Path(folder), Path(folder, "code.py")
        file.write_text(f"{code}\n")
        TOOLS["write_docstring"](root, symbol="f", style=style)
        written = file.read_text()
        assert TOOLS["check_docstrings"](root, path="code.py") == {"problems": 0, "symbols": ""}
        converted = TOOLS["convert_style"](root, path="code.py", style=other)["converted"]
        assert converted == ('"""F."""' not in written and style != other)
        assert TOOLS["check_docstrings"](root, path="code.py") == {"problems": 0, "symbols": ""}
        TOOLS["convert_style"](root, path="code.py", style=style)
        assert file.read_text() == written
    (function,) = ast.parse(written).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    function.body = function.body[1:]
    assert ast.unparse(function) == ast.unparse(ast.parse(code))


@pytest.mark.parametrize(
    ("code", "symbol", "summary"),
    [
        ("def load_json_file(): ...", "load_json_file", "Load JSON file."),
        ("def _merge(): ...", "_merge", "Merge."),
        ("def is_valid(): ...", "is_valid", "Tell whether this is valid."),
        ("class HTTPClient: ...", "HTTPClient", "HTTP client."),
        ("class Row:\n    def __init__(self): ...", "Row.__init__", "Initialize the Row."),
        ("def __(): ...", "__", "__."),
    ],
)
def test_a_summary_is_made_from_the_name(tmp_path: Path, code: str, symbol: str, summary: str) -> None:
    (tmp_path / "code.py").write_text(code)
    TOOLS["write_docstring"](tmp_path, symbol=symbol)
    assert TOOLS["read_docstring"](tmp_path, symbol=symbol) == {"docstring": summary}


def test_a_class_tells_of_its_parameters_unless_its_constructor_does(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text("class Row:\n    def __init__(self, key: str):\n        raise ValueError\n")
    TOOLS["write_docstring"](tmp_path, symbol="Row", style="sphinx")
    told = TOOLS["read_docstring"](tmp_path, symbol="Row")["docstring"]
    assert told == "Row.\n\n:param key: The key.\n:type key: str\n:raises ValueError: If a value error occurs."
    TOOLS["write_docstring"](tmp_path, symbol="Row.__init__", style="sphinx")
    TOOLS["write_docstring"](tmp_path, symbol="Row", style="sphinx")
    assert TOOLS["read_docstring"](tmp_path, symbol="Row") == {"docstring": "Row."}


def test_words_of_a_name() -> None:
    assert words("parseHTTPRequest2") == ["parse", "HTTP", "request", "2"]
    assert words("user_id") == ["user", "ID"]
