"""Scaffold a manifest for a new domain, with templates that build at once."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="its name: lower-case letters, digits and _, a letter first")
    parser.add_argument(
        "--from-data", action="store_true", help="begin with a JSONL file of rows in place of templates"
    )


def run(args: argparse.Namespace) -> int:
    from fgbuild.manifest.scaffold import scaffold
    from fgbuild.root import find_root

    for path in scaffold(find_root(args.root), args.domain, from_data=args.from_data):
        print(f"wrote {path.as_posix()}", file=sys.stderr)
    print(
        f"Edit them, then run `fgbuild check {args.domain}` and `fgbuild build {args.domain}`.",
        file=sys.stderr,
    )
    return 0
