from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from fgbuild.domains.templates.running import CommandFailed, run

PYTHON = sys.executable


def printed(tmp_path: Path, *argv: str, timeout: float = 20, most: int = 1000) -> bytes:
    return run(argv, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, timeout=timeout, most=most)


def test_what_is_printed_comes_back_without_a_shell_or_input(tmp_path: Path) -> None:
    assert printed(tmp_path, "echo", "$HOME; `ls` > x") == b"$HOME; `ls` > x\n"
    assert printed(tmp_path, "cat") == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["no-such-program"], "cannot be started"),
        (["sh", "-c", "echo gone wrong >&2; echo more >&2; exit 3"], "exits with 3: gone wrong"),
        (["sh", "-c", "exit 4"], "exits with 4"),
        (["yes"], "prints more than 1,000 bytes"),
    ],
)
def test_a_command_that_does_not_end_well_says_how(tmp_path: Path, argv: list[str], words: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        printed(tmp_path, *argv)
    assert str(caught.value).startswith(words)


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    child = f"import time; open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid())); time.sleep(60)"
    script = f'{PYTHON} -c "{child}" & while [ ! -s {tmp_path / "pid"} ]; do :; done; exec sleep 60'
    with pytest.raises(CommandFailed, match="takes longer than 2 s"):
        printed(tmp_path, "sh", "-c", script, timeout=2)
    child_id = int((tmp_path / "pid").read_text())
    for _ in range(1000):  # it is killed; its parent may not have buried it yet
        if not Path(f"/proc/{child_id}").exists() or "Z" in Path(f"/proc/{child_id}/stat").read_text().split()[2]:
            return
        time.sleep(0.01)
    raise AssertionError("the child goes on")
