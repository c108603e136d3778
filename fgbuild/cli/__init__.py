"""The command line: one module per command, imported only when that command is used."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fgbuild import __version__
from fgbuild.errors import FgbuildError

TYPE_CHECKING = False  # not from typing, which takes a thirtieth of a build with nothing to do
if TYPE_CHECKING:
    from typing import Any, NoReturn

COMMANDS: dict[str, str] = {
    "build": "fgbuild.cli.build",
    "cancel": "fgbuild.cli.cancel",
    "plan": "fgbuild.cli.plan",
    "why": "fgbuild.cli.why",
    "verify": "fgbuild.cli.verify",
    "eval": "fgbuild.cli.eval",
    "call": "fgbuild.cli.call",
    "chat": "fgbuild.cli.chat",
    "publish": "fgbuild.cli.publish",
    "new": "fgbuild.cli.new",
    "check": "fgbuild.cli.check",
    "data": "fgbuild.cli.data",
    "schema": "fgbuild.cli.schema",
    "ui": "fgbuild.cli.ui",
    "runs": "fgbuild.cli.runs",
    "log": "fgbuild.cli.log",
    "report": "fgbuild.cli.report",
    "cache": "fgbuild.cli.cache",
    "lock": "fgbuild.cli.lock",
    "doctor": "fgbuild.cli.doctor",
    "clean": "fgbuild.cli.clean",
}
"""Name → module with `add_arguments(parser)` and `run(args) -> int`; its docstring's first line is the help."""

DEFAULT_COMMAND = "ui"
_DESCRIPTION = "Builds small function-calling models from TOML manifests; without a command: the dashboard."
_FEWEST_COLUMNS = 40
_INTERRUPTED = 130
_DISK_FULL = (errno.EDQUOT, errno.ENOSPC)  # a write that fails so names no file


def entry() -> NoReturn:
    """A process's whole life. It ends with its command, and does not first take apart what the system takes back
    anyway: that is a tenth of a build with nothing to do."""
    code = main()
    threads = sys.modules.get("threading")
    if threads is None or threads.active_count() == 1:
        atexit._run_exitfuncs()
        # A stream that is closed or full: then Python says at its own end what is wrong.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (see `fgbuild.errors`)."""
    _accept_every_character()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except FgbuildError as error:
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.filename is None and error.errno not in _DISK_FULL:
            raise
        _say(f"error: {error.filename or 'the output'}: {error.strerror}; put that right and run it again")
        return 1


def _accept_every_character() -> None:
    """What a stream's encoding cannot write becomes a question mark: a message must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run(argv: list[str]) -> int:
    top = _top_parser()
    chosen, options = top.parse_known_args(argv)
    if options and chosen.command not in COMMANDS:  # those of the default command, which needs no name
        chosen.arguments[:0] = [*options, *filter(None, [chosen.command])]
        chosen.command = DEFAULT_COMMAND
    elif options:
        top.error(f"unrecognized arguments: {' '.join(options)}")
    name = chosen.command or DEFAULT_COMMAND
    if name not in COMMANDS:
        top.error(f"there is no command {name!r}{_nearest(name)}")
    module = importlib.import_module(COMMANDS[name])
    summary = _first_line(module.__doc__)
    parser = argparse.ArgumentParser(prog=f"fgbuild {name}", description=summary, formatter_class=_Formatter)
    parser.add_argument("--root", type=Path, default=chosen.root, metavar="DIR", help=argparse.SUPPRESS)
    module.add_arguments(parser)
    code: int = module.run(parser.parse_args(chosen.arguments))
    return code


def _top_parser() -> argparse.ArgumentParser:
    parser = _TopParser(
        prog="fgbuild",
        usage="fgbuild [--root DIR] [COMMAND] [ARGUMENT ...]",
        formatter_class=_RawFormatter,
    )
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="the project (default: the nearest parent with fgbuild.toml)"
    )
    parser.add_argument("--version", action="version", version=f"fgbuild {__version__}")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


class _Formatter(argparse.HelpFormatter):
    """Told its width: argparse makes one for every argument, and would import compression libraries to find it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"width": _columns() - 2, **options})


class _RawFormatter(_Formatter, argparse.RawDescriptionHelpFormatter):
    pass


def _columns() -> int:
    """Cells of a line of help text."""
    with contextlib.suppress(OSError, ValueError):
        return int(os.environ.get("COLUMNS") or os.get_terminal_size().columns) or 80
    return 80


class _TopParser(argparse.ArgumentParser):
    """Reads the commands' own words for the help text only when somebody asks for it."""

    def format_help(self) -> str:
        import textwrap

        # Broken here: the formatter leaves line breaks as they are, for the table of commands.
        columns = max(_columns() - 2, _FEWEST_COLUMNS)
        self.description = textwrap.fill(_DESCRIPTION, columns)
        self.epilog = _command_help(columns)
        return super().format_help()


def _command_help(columns: int) -> str:
    import textwrap

    width = max(map(len, COMMANDS)) + 4
    lines = [
        textwrap.fill(
            f"  {name}".ljust(width) + _summary(module),
            columns,
            subsequent_indent=" " * width,
            break_on_hyphens=False,
        )
        for name, module in COMMANDS.items()
    ]
    return "\n".join(["commands:", *lines, "", "fgbuild COMMAND --help says more about one."])


def _summary(module: str) -> str:
    """The first line of a command's docstring, read from its source: importing all would take long."""
    import ast

    path = Path(__file__).parent / f"{module.rpartition('.')[2]}.py"
    try:
        return _first_line(ast.get_docstring(ast.parse(path.read_bytes())))
    except OSError:
        return ""


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


def _nearest(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, COMMANDS, n=1)
    return f"; did you mean {close[0]!r}?" if close else "; fgbuild --help lists them"


def _say(text: str) -> None:
    from fgbuild.views.text import clean  # messages quote manifests and names of files

    print(clean(text, None, keep_newlines=True), file=sys.stderr)
