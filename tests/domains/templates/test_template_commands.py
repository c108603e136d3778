from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fgbuild.domains.templates import commands as module
from fgbuild.domains.templates.commands import Commands, response
from fgbuild.domains.templates.text import Unusable
from fgbuild.errors import DataError
from fgbuild.sandbox import Sandbox

Made = Callable[..., Commands]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Makes commands that `tool=[…]` names, run in an empty place or one that is set up; no waiting for the clock."""
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)

    def make(*, files: tuple[str, ...] = (), setup: tuple[list[str], ...] = (), **tools: list[Any]) -> Commands:
        entries = {name: {"command": argv, "output": "text", "max_output": 50} for name, argv in tools.items()}
        workspace = {"files": list(files), "setup": list(setup), "env": {"GREETING": "hi"}, "timeout_seconds": 10}
        return Commands(entries, workspace, tmp_path)

    return make


def test_words_that_name_an_absent_argument_are_left_out_with_their_group(made: Made) -> None:
    tools = made(log=["git", "log", ["-n", "{count}"], "--author={author}", "{branch}"])
    assert tools.argv("log", {}) == ("git", "log")
    assert tools.argv("log", {"count": 3, "branch": "a b"}) == ("git", "log", "-n", "3", "a b")
    assert tools.argv("log", {"author": "Ana"}) == ("git", "log", "--author=Ana")


def test_a_trajectory_sees_what_it_changed_and_the_next_one_does_not(tmp_path: Path, made: Made) -> None:
    (tmp_path / "start.txt").write_text("first\n")
    setup = (["mkdir", "sub"], ["sh", "-c", "echo kept > sub/kept"])
    change = "echo more >> start.txt; mkdir -p new; echo x > new/x; rm -r sub; chmod 600 start.txt"
    with made(files=("start.txt",), setup=setup, show=["cat", "start.txt"], ls=["find", "."]) as tools:
        shell, show, ls = ("sh", "-c", change), ("cat", "start.txt"), ("sh", "-c", "find . | sort; cat sub/kept")
        changed = tools.respond("show", (shell, show))
        untouched = tools.respond("show", (show,))
        listed = tools.respond("ls", (ls,))
    assert changed == {"output": "first\nmore"}
    assert untouched == {"output": "first"}
    assert listed == {"output": ".\n./start.txt\n./sub\n./sub/kept\nkept"}
    assert (tmp_path / "start.txt").read_text() == "first\n"


def test_a_change_that_cannot_be_undone_costs_a_new_copy(made: Made) -> None:
    with made(setup=(["mkdir", "a"], ["touch", "a/b"]), ls=["ls"]) as tools:
        assert tools.respond("ls", (("sh", "-c", "rm -r a; touch a; ls -p"),)) == {"output": "a"}
        assert tools.respond("ls", (("ls", "-p", "."),)) == {"output": "a/"}


def test_what_runs_gets_the_environment_of_the_manifest_and_no_other(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "token")
    with made(env=["env"]) as tools:
        told = tools.respond("env", (("sh", "-c", "echo $GREETING $SECRET $TZ $LANG; basename $HOME >&2"),))
    assert told == {"output": "hi UTC C.UTF-8"}


@pytest.mark.parametrize("script", ["echo $$", "pwd", "date +%N"])
def test_what_does_not_print_the_same_twice_is_unusable_from_then_on(made: Made, script: str) -> None:
    history = (("sh", "-c", script),)
    with made(tool=["sh"], same=["echo"]) as tools:
        tools.respond("tool", history)
        assert tools.replay()
        with pytest.raises(Unusable, match="does not print the same twice"):
            tools.respond("tool", history)
        tools.respond("same", (("echo", "a"),))
        assert not tools.replay()
        assert tools.respond("same", (("echo", "a"),)) == {"output": "a"}


def test_what_runs_is_run_once_and_replayed_once(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def count(sandbox: Sandbox, area: Path, root: Path, tool: str, arguments: dict[str, Any], **_: Any) -> Any:
        ran.append(arguments["argv"])
        return {"printed": "same"}

    monkeypatch.setattr(Sandbox, "ask", count)
    with made(tool=["x"]) as tools:
        for _ in range(3):
            tools.respond("tool", (("x",),))
            tools.replay()
    assert ran == [["x"], ["x"]]


def test_a_folder_that_became_a_link_is_not_followed_when_it_is_put_back(made: Made, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "config").write_text("mine")
    setup = (["mkdir", "a"], ["sh", "-c", "echo theirs > a/config"])
    swap = ("sh", "-c", f"rm -r a; ln -s {outside} a; echo done")
    with made(setup=setup, tool=["sh"]) as tools:
        assert tools.respond("tool", (swap,)) == {"output": "done"}
        assert tools.respond("tool", (("cat", "a/config"),)) == {"output": "theirs"}
    assert (outside / "config").read_text() == "mine"
    assert outside.stat().st_mode & 0o777 == 0o700


def test_temporary_files_have_a_place_that_is_emptied(made: Made) -> None:
    script = ("sh", "-c", 'ls "$TMPDIR"; mktemp >/dev/null && echo made')
    with made(tool=["sh"]) as tools:
        assert tools.respond("tool", (script,)) == {"output": "made"}
        assert tools.respond("tool", (script, script))["output"].splitlines()[-1] == "made"
        assert tools.respond("tool", (("sh", "-c", 'ls "$TMPDIR"; echo none'),)) == {"output": "none"}


def test_what_a_model_is_not_told_may_print_anything(made: Made) -> None:
    with made(tool=["x"]) as tools:
        tools._commands["tool"]["output"] = "json"
        assert tools.respond("tool", (("echo", "no json"),), told=False) == {}
        with pytest.raises(Unusable, match="prints no JSON"):
            tools.respond("tool", (("echo", "no json"),))
        with pytest.raises(Unusable, match="exits with 1"):
            tools.respond("tool", (("false",),), told=False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can take these rights away")
def test_a_command_is_confined_to_its_directory(made: Made, tmp_path: Path) -> None:
    script = f"(echo x > {tmp_path}/out) 2>/dev/null || echo refused; echo mine > in; cat in"
    with made(tool=["sh"]) as tools:
        assert tools.respond("tool", (("sh", "-c", script),)) == {"output": "refused\nmine"}
    assert list(tmp_path.iterdir()) == []


def test_what_fails_is_unusable_and_says_why(made: Made) -> None:
    with made(tool=["sh"]) as tools, pytest.raises(Unusable) as caught:
        tools.respond("tool", (("sh", "-c", "echo no >&2; exit 1"),))
    assert str(caught.value) == "`sh -c echo no >&2; exit 1` exits with 1: no"


def test_a_workspace_that_cannot_be_set_up_is_the_manifests_fault(tmp_path: Path, made: Made) -> None:
    with made(setup=(["true"], ["false"]), tool=["ls"]) as tools, pytest.raises(DataError) as caught:
        tools.respond("tool", (("ls",),))
    assert str(caught.value) == "workspace.setup[1]: `false` exits with 1; correct it"
    with made(files=("gone.txt",), tool=["ls"]) as tools, pytest.raises(DataError, match=r"workspace\.files\[0\]"):
        tools.respond("tool", (("ls",),))


@pytest.mark.parametrize(
    ("printed", "output", "told"),
    [
        (b" two\nlines \n", "text", {"output": "two\nlines"}),
        (b"0123456789ab", "text", {"output": "012345678…"}),
        (b" M a\n?? b\n", "lines", {"count": 2, "lines": [" M a", "?? b"]}),
        (b"12345\n12345\n1\n", "lines", {"count": 3, "lines": ["12345", "12345"]}),
        (b"", "lines", {"count": 0, "lines": []}),
        (b'{"a": 1}\n', "json", {"a": 1}),
        (b"[1, 2]", "json", {"result": [1, 2]}),
    ],
)
def test_output_becomes_a_response_of_a_bounded_size(printed: bytes, output: str, told: dict[str, Any]) -> None:
    assert response(printed, output, 10) == told


@pytest.mark.parametrize(
    ("printed", "output", "words"),
    [
        (b"not json", "json", "no JSON"),
        (b'{"a": "0123456789"}', "json", "more than 10 characters"),
        (b"<escape>", "text", "no prompt can hold"),
    ],
)
def test_output_that_is_of_no_use_says_why(printed: bytes, output: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        response(printed, output, 10)
