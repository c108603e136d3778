"""Look at training data: stats (what a domain's data set holds)."""

from __future__ import annotations

import argparse

from fgbuild.cli import data_stats


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="stats")
    data_stats.add_arguments(commands.add_parser("stats", help="counts, lengths, values and near copies of a data set"))


def run(args: argparse.Namespace) -> int:
    return data_stats.run(args)
