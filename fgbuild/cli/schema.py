"""Print the JSON Schema of a manifest, for editors."""

from __future__ import annotations

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", action="store_true", help="the schema of fgbuild.toml instead of a manifest's")


def run(args: argparse.Namespace) -> int:
    from fgbuild.manifest.schema import json_schema  # imports pydantic

    print(json.dumps(json_schema(project=args.project), indent=2, ensure_ascii=False))
    return 0
