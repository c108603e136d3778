"""Each tool on a project written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fgbuild.sandbox import Sandbox, Workspace

ORDERS = '''\
"""Orders."""

from dataclasses import dataclass, field
from typing import overload


def load(path, limit: int = 10, *names: str, strict=False, **rest) -> list[str]:
    # read it all
    if not path:
        raise ValueError("no path")
    return [path]   # as it is


class Store:
    def __init__(self, key: str) -> None:
        self.key = key

    @property
    def size(self) -> int: return 3

    @size.setter
    def size(self, value: int) -> None: ...

    @classmethod
    def empty(cls, /, *, name: str = "x") -> "Store":
        """Make one."""
        return cls(name)

    @staticmethod
    def plain(a, b=(1, 2)):
        def inner():
            return a
        return inner


@dataclass
class Order:
    """An order."""

    name: str
    tags: list[str] = field(default_factory=list)


@overload
def price(row: int) -> int: ...
@overload
def price(row: str) -> str: ...
def price(row):
    """Give the price.

    Args:
        line (int): The line.

    Returns:
        object: It.
    """
    return row


async def wait(seconds: float) -> None:
    """Wait.

    :param seconds: How long.
    :returns: Nothing at all.
    """


def each():
    """Go on.

    Yields
    ------
    object
        A row.
    """
    yield 1
'''
USERS = '"""Users."""\n\n\ndef load(name):\n    """Load a user."""\n\n\ndef greet(name): return name\n'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("fgbuild.domains.docstring.tools") as found:
        yield found


@pytest.fixture
def project(sandbox: Sandbox) -> Iterator[Workspace]:
    found = sandbox.project(
        {"src/orders.py": ORDERS, "src/shop/users.py": USERS, "bad.py": "def f(:\n", "notes.txt": "", ".venv/x.py": "("}
    )
    yield found
    found.remove()


def response(project: Workspace, tool: str, **arguments: Any) -> Any:
    """The only or first value that is answered."""
    return next(iter(project.call(tool, arguments).values()))


@pytest.mark.parametrize(
    ("symbol", "signature"),
    [
        ("orders.load", "(path, limit: int = 10, *names: str, strict=False, **rest) -> list[str]"),
        ("Store", "(key: str)"),
        ("Store.__init__", "(key: str) -> None"),
        ("Store.size", "() -> int"),
        ("empty", "(*, name: str = 'x') -> 'Store'"),
        ("src.orders.Store.plain", "(a, b=(1, 2))"),
        ("Order", "(name: str, tags: list[str] = field(default_factory=list))"),
        ("price()", "(row)"),
        ("wait", "(seconds: float) -> None"),
    ],
)
def test_a_signature_is_told_as_it_is_written(project: Workspace, symbol: str, signature: str) -> None:
    assert project.call("get_signature", {"symbol": symbol}) == {"signature": signature}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"symbol": "load"}, "load is in src/orders.py and src/shop/users.py; give the path"),
        ({"symbol": "laod"}, "no laod in the project; there is load"),
        ({"symbol": "orders.laod"}, "no orders.laod in the project; there is orders.load"),
        ({"symbol": "save"}, "no save in the project"),
        ({"symbol": "inner"}, "no inner in the project"),
        ({"symbol": "greet", "path": "src/orders.py"}, "no greet in src/orders.py; it is in src/shop/users.py"),
        ({"symbol": "gret", "path": "src/shop"}, "no gret in src/shop; there is greet"),
        ({"symbol": "greet", "path": "users.py"}, "users.py does not exist; there is src/shop/users.py"),
        ({"symbol": "f", "path": "bad.py"}, "bad.py has a syntax error in line 1"),
        ({"symbol": "f", "path": "notes.txt"}, "notes.txt is no Python file"),
        ({"symbol": "f", "path": "../x.py"}, "../x.py is outside the project"),
    ],
)
@pytest.mark.parametrize("tool", ["get_signature", "read_docstring", "write_docstring"])
def test_an_error_names_what_was_meant(project: Workspace, tool: str, arguments: dict[str, str], error: str) -> None:
    before = project.files()
    assert project.call(tool, arguments) == {"error": error}
    assert project.files() == before


def test_a_method_that_two_classes_have_needs_its_class(sandbox: Sandbox) -> None:
    two = "class A:\n    def run(self): ...\n\n\nclass B:\n    def run(self): ...\n"
    project = sandbox.project({"a.py": two})
    assert project.call("get_signature", {"symbol": "run"}) == {"error": "run may be A.run or B.run"}
    assert project.call("get_signature", {"symbol": "B.run"}) == {"signature": "()"}


@pytest.mark.parametrize(
    ("symbol", "docstring"), [("Store.empty", "Make one."), ("Store", ""), ("users.load", "Load a user.")]
)
def test_a_docstring_is_read(project: Workspace, symbol: str, docstring: str) -> None:
    assert project.call("read_docstring", {"symbol": symbol}) == {"docstring": docstring}


def test_what_has_no_docstring_is_listed_in_order(project: Workspace) -> None:
    names = "load, Store, Store.__init__, Store.size, Store.plain"
    assert project.call("list_undocumented", {"path": "src/orders.py"}) == {"count": 5, "symbols": names}
    assert project.call("list_undocumented", {"path": "src/"}) == {"count": 6, "symbols": f"{names}, greet"}
    assert "error" in project.call("list_undocumented", {"path": "."})  # bad.py


def test_a_long_list_is_cut_and_names_in_two_files_get_their_module(sandbox: Sandbox) -> None:
    many = "".join(f"def f{number}(): ...\n" for number in range(8))
    project = sandbox.project({"a.py": many, "b.py": "def f7(): ...\ndef g(): ...\ndef h(): ...\n"})
    names = "f0, f1, f2, f3, f4, f5, f6, a.f7, b.f7, g, …"
    assert project.call("list_undocumented", {"path": "."}) == {"count": 11, "symbols": names}


def test_docstrings_that_do_not_fit_are_found(project: Workspace) -> None:
    assert project.call("check_docstrings", {"path": "src"}) == {"problems": 1, "symbols": "price"}


@pytest.mark.parametrize(
    ("code", "fits"),
    [
        ('def f(a):\n    """Do.\n\n    Args:\n        b: It.\n    """\n', False),
        ('def f(a):\n    """Do.\n\n    Args:\n        a: It.\n    """\n', True),
        ('def f(a):\n    """Do.\n\n    Args:\n        a It.\n    """\n', False),
        ('def f(a, b):\n    """Do.\n\n    :param b: It.\n    :param a: It.\n    """\n', False),
        ('def f(a, b):\n    """Do it with the other.\n\n    All of it.\n    """\n    return a\n', True),
        ('def f(a):\n    """Do.\n\n    :param a: It.\n    """\n    return a\n', False),
        ('def f(a):\n    """Do.\n\n    :param a: It.\n    """\n    if a:\n        return\n', True),
        ('def f(a):\n    """Do.\n\n    :param a: It.\n    """\n    raise OSError\n', False),
        ('def f(a):\n    """Do.\n\n    :param a: It.\n    :raises OSError: If.\n    """\n    raise OSError\n', True),
        ('def f():\n    """Do.\n\n    Yields\n    ------\n    int\n        It.\n    """\n    yield 1\n', True),
        ('def f():\n    """Do.\n\n    Yields\n    ------\n    int\n        It.\n    """\n    print(1)\n', False),
        ('class F:\n    """It.\n\n    Args:\n        b: It.\n    """\n\n    def __init__(self, a): ...\n', False),
        ('class F:\n    """It.\n\n    Attributes:\n        b: It.\n    """\n\n    a = 1\n', True),
        ('def f(*a, **b):\n    """Do.\n\n    Args:\n        *a: It.\n        **b: It.\n    """\n', True),
    ],
)
def test_what_counts_as_wrong(sandbox: Sandbox, code: str, fits: bool) -> None:
    project = sandbox.project({"a.py": code})
    assert response(project, "check_docstrings", path="a.py") == (0 if fits else 1)


def test_only_the_docstring_is_written(project: Workspace) -> None:
    assert project.call("write_docstring", {"symbol": "orders.load", "style": "google"}) == {"written": "orders.load"}
    written = '''\
    """Load.

    Args:
        path: The path.
        limit (int): The limit. Defaults to 10.
        *names (str): More positional arguments.
        strict: The strict flag. Defaults to False.
        **rest: More keyword arguments.

    Returns:
        list[str]: The result.

    Raises:
        ValueError: If a value error occurs.
    """
'''
    after = ORDERS.replace("    # read it all\n", f"{written}    # read it all\n")
    assert project.files()["src/orders.py"].decode() == after


@pytest.mark.parametrize(
    ("symbol", "before", "after"),
    [
        (
            "greet",
            "def greet(name): return name\n",
            'def greet(name):\n    """Greet.\n\n{sections}    """\n    return name\n',
        ),
        ("users.load", '    """Load a user."""\n', '    """Load.\n\n{parameters}    """\n'),
    ],
)
def test_a_docstring_is_put_in_or_replaced(project: Workspace, symbol: str, before: str, after: str) -> None:
    response(project, "write_docstring", symbol=symbol, style="sphinx")
    parameters = "    :param name: The name.\n"
    new = after.format(parameters=parameters, sections=f"{parameters}    :returns: The result.\n")
    assert project.files()["src/shop/users.py"].decode() == USERS.replace(before, new)


@pytest.mark.parametrize(
    ("files", "sign"),
    [
        ({}, "Args:"),
        ({"pyproject.toml": '[tool.pydoclint]\nstyle = "sphinx"\n'}, ":param a:"),
        ({"pyproject.toml": '[tool.ruff.lint.pydocstyle]\nconvention = "numpy"\n'}, "Parameters\n    ---"),
        ({"pyproject.toml": "not = toml = at all"}, "Args:"),
        ({"b.py": 'def g(a):\n    """G.\n\n    :param a: It.\n    """\n'}, ":param a:"),
        ({"a.py": 'def g():\n    """G.\n\n    Raises\n    ------\n    OSError\n    """\n'}, "Parameters\n    ---"),
    ],
)
def test_the_project_s_style_is_used_unless_another_is_asked_for(
    sandbox: Sandbox, files: dict[str, str], sign: str
) -> None:
    project = sandbox.project({**files, "a.py": files.get("a.py", "") + "def f(a): ...\n"})
    response(project, "write_docstring", symbol="f")
    assert sign in project.files()["a.py"].decode()
    response(project, "write_docstring", symbol="f", style="NumPy")
    assert "Parameters\n    ---" in project.files()["a.py"].decode()
    assert project.call("write_docstring", {"symbol": "f", "style": "plain"}) == {
        "error": "plain is no style; there are google, numpy, sphinx"
    }


def test_docstrings_with_sections_are_converted(project: Workspace) -> None:
    assert project.call("convert_style", {"path": "src", "style": "numpy"}) == {"converted": 2}
    text = project.files()["src/orders.py"].decode()
    assert '"""Wait.\n\n    Parameters\n    ----------\n    seconds\n        How long.\n' in text
    assert '    """Make one."""\n' in text
    assert project.call("convert_style", {"path": "src", "style": "numpy"}) == {"converted": 0}
