"""A build with nothing to do imports next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fgbuild import cli

HEAVY = {
    "asyncio",
    "huggingface_hub",
    "importlib.metadata",
    "jinja2",
    "jsonschema",
    "llama_cpp",
    "logging",
    "numpy",
    "pydantic",
    "rich",
    "subprocess",
    "textual",
    "torch",
    "transformers",
}
PROBE = """
import json, sys
sys.argv = ["fgbuild", *{arguments!r}]
from fgbuild.cli import main
code = main()
print(json.dumps([code, sorted(sys.modules)]))
"""


def modules_after(project: Path, *arguments: str) -> tuple[int, set[str]]:
    repository = Path(cli.__file__).parent.parent.parent
    script = PROBE.format(arguments=("--root", str(project), *arguments))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=repository, check=True)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize("command", ["build", "plan"])
def test_a_no_op_imports_nothing_heavy(project: Path, command: str) -> None:
    assert modules_after(project, "build", "bell", "--until", "generate")[0] == 0
    code, modules = modules_after(project, command, "bell", "--until", "generate")
    assert code == 0
    assert modules & HEAVY == set()
    assert not {name for name in modules if name.startswith(("fgbuild.workers", "fgbuild.views", "fgbuild.executors"))}


def test_a_build_with_work_imports_no_model_library_either(project: Path) -> None:
    code, modules = modules_after(project, "build", "bell", "--until", "generate")
    assert code == 0
    assert modules & (HEAVY - {"subprocess", "pydantic", "logging", "jsonschema", "importlib.metadata"}) == set()


def test_a_no_op_that_was_seen_before_opens_no_database(project: Path) -> None:
    request = ("build", "bell", "--until", "generate")
    for _ in range(5):  # until nothing was written a moment ago
        assert modules_after(project, *request)[0] == 0
    code, modules = modules_after(project, *request)
    assert code == 0
    assert not modules & {"typing", "sqlite3", "blake3", "fgbuild.engine.build", "fgbuild.manifest", "fgbuild.stages"}
    (project / "data" / "bell.jsonl").unlink()
    assert modules_after(project, *request)[0] == 2


@pytest.mark.parametrize("closed", [1, 2])
def test_a_process_without_stdout_or_stderr_ends_as_ever(project: Path, closed: int) -> None:
    command = [sys.executable, "-m", "fgbuild", "--root", str(project), "check"]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *command],
        cwd=Path(cli.__file__).parent.parent.parent,
        stderr=subprocess.PIPE if closed == 1 else None,
        check=False,
    )
    assert done.returncode == 0
    assert b"Traceback" not in (done.stderr or b"")


@pytest.mark.parametrize("thread", [False, True])
def test_the_quick_end_of_a_process_loses_nothing(project: Path, thread: bool) -> None:
    """Neither output that is buffered, nor what was registered for the end, nor a thread that still works."""
    repository = Path(cli.__file__).parent.parent.parent
    script = (
        "import atexit, sys, threading, time\n"
        "from fgbuild.cli import entry\n"
        f"sys.argv = ['fgbuild', '--root', {str(project)!r}, 'check', 'nobody']\n"
        "atexit.register(lambda: sys.stdout.write('at the end\\n'))\n"
        "sys.stdout.write('long ' * 100_000 + '\\n')\n"
        f"if {thread}: threading.Thread(target=lambda: (time.sleep(0.3), sys.stdout.write('thread\\n'))).start()\n"
        "entry()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=repository, check=False)
    assert done.returncode == 2
    assert done.stdout == "long " * 100_000 + "\n" + ("thread\n" if thread else "") + "at the end\n"
    assert "no manifest is named" in done.stderr
