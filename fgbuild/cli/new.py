"""Scaffold a manifest and a few rows of data for a new domain."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="its name: lower-case letters, digits and _, a letter first")


def run(args: argparse.Namespace) -> int:
    from fgbuild.manifest.scaffold import scaffold
    from fgbuild.root import find_root

    for path in scaffold(find_root(args.root), args.domain):
        print(f"wrote {path.as_posix()}", file=sys.stderr)
    print(
        f"Edit them, then run `fgbuild check {args.domain}` and `fgbuild build {args.domain}`.",
        file=sys.stderr,
    )
    return 0
