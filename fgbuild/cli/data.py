"""Training data: import (public function-calling data sets), stats (what a domain's data set holds)."""

from __future__ import annotations

import argparse
from importlib import import_module

_COMMANDS = {
    "import": ("data_import", "turn a public data set into rows for [dataset] files"),
    "stats": ("data_stats", "counts, lengths, values and near copies of a data set"),
}
"""Command → its module here, and its help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="import|stats")
    for name, (module, text) in _COMMANDS.items():
        import_module(f"fgbuild.cli.{module}").add_arguments(commands.add_parser(name, help=text))


def run(args: argparse.Namespace) -> int:
    return int(import_module(f"fgbuild.cli.{_COMMANDS[args.what][0]}").run(args))
