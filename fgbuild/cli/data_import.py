"""`fgbuild data import`: public function-calling data sets → rows with their own tools."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from fgbuild.cli.output import print_json, say, whole_number
from fgbuild.domains.importing import FORMATS, Importer, Problem
from fgbuild.errors import DataError, FgbuildError
from fgbuild.root import find_root
from fgbuild.views import text

_LISTED = 1000
"""Most problems printed one by one."""
_REASONS = 10
"""Most kinds of problem that are counted, where there are more problems than that."""
_NAMED = 12
"""Most tools named."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON Lines, or one JSON array")
    command.add_argument("--format", choices=list(FORMATS), help="the files' shape (default: told from the first row)")
    command.add_argument("--domain", metavar="NAME", help="the domain that they are for")
    command.add_argument("--output", type=Path, metavar="FILE", help="where to write (default: data/NAME.jsonl)")
    command.add_argument(
        "--max-bad", type=whole_number, default=0, metavar="N", help="rows that may be refused and left out (default 0)"
    )
    command.add_argument(
        "--only", type=_pair, metavar="KEY=VALUE", help="rows that have this alone, e.g. metadata=train"
    )
    command.add_argument("--force", action="store_true", help="replace a file that is there")
    command.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    root = find_root(args.root) if args.domain else None
    output = _output(args, root)
    importer = Importer(args.format, args.only)
    good = _write(importer, args, output)
    if args.json:
        print_json(_document(importer, args, output if good else None))
        return 0 if good else 2
    _print_problems(importer.problems, "left out: " if good else "")
    if not good:
        raise DataError(_verdict(importer, args.max_bad))
    print("\n".join(text.clean(line, None) for line in _summary(importer, output)))
    if root is not None:
        say(text.clean(_next_step(root, args.domain, output), None, keep_newlines=True))
    return 0


def _output(args: argparse.Namespace, root: Path | None) -> Path:
    if root is not None:
        from fgbuild.manifest.scaffold import check_name  # imports pydantic

        check_name(args.domain)
    if args.output is not None:
        output: Path = args.output
    elif root is not None:
        output = root / "data" / f"{args.domain}.jsonl"
    else:
        raise FgbuildError("where to write is not said; add --domain NAME or --output FILE")
    if output.exists() and not args.force:
        raise FgbuildError(f"{output} is there already; name another --output, or replace it by --force")
    return output


def _write(importer: Importer, args: argparse.Namespace, output: Path) -> bool:
    """Write the rows, where no more are refused than may be and one is kept: all of them, or nothing (False)."""
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as stream:
            _convert(importer, args.files, stream)
        if importer.kept == 0 or importer.refused > args.max_bad:
            return False
        beside.replace(output)
        return True
    finally:
        beside.unlink(missing_ok=True)


def _convert(importer: Importer, files: list[Path], stream: TextIO) -> None:
    progress = _Progress(importer, [file.stat().st_size if file.is_file() else 0 for file in files])
    try:
        for index, file in enumerate(files):
            for row in importer.rows(file, str(file), partial(progress.show, index)):
                stream.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    finally:
        progress.end()


class _Progress:
    """One line on a terminal: a bar, rows, and how much longer; ten times a second. sizes: bytes of each file."""

    def __init__(self, importer: Importer, sizes: list[int]) -> None:
        self._importer = importer
        self._sizes = sizes
        self._live = sys.stderr.isatty()
        self._started = self._last = time.monotonic()

    def show(self, index: int, done: int) -> None:
        """done: bytes read of the file with that index; those before it are read."""
        now = time.monotonic()
        if not self._live or now - self._last < 0.1:
            return
        self._last = now
        share = (sum(self._sizes[:index]) + done) / max(sum(self._sizes), 1)
        left = (now - self._started) / share * (1 - share)
        line = f"{text.bar(share, 24)} {text.percent(share)} · {self._importer.read:,} rows · {text.seconds(left)} left"
        print(f"\r\033[K{text.for_encoding(line, sys.stderr.encoding)}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _document(importer: Importer, args: argparse.Namespace, output: Path | None) -> dict[str, Any]:
    return {
        "format": importer.format,
        "files": [str(file) for file in args.files],
        "output": None if output is None else str(output),
        "read": importer.read,
        "passed_over": importer.passed_over,
        "kept": importer.kept,
        "refused": importer.refused,
        "max_bad": args.max_bad,
        "problems": [problem._asdict() for problem in importer.problems],
        "tools": dict(importer.tools.most_common()),
        "renamed": importer.renamed,
    }


def _print_problems(problems: list[Problem], prefix: str) -> None:
    for path, line, message in problems[:_LISTED]:
        say(text.clean(f"{prefix}{path}:{line}: {message}", None))
    if len(problems) > _LISTED:
        say(f"and {len(problems) - _LISTED:,} problems more; --json lists them all")
    if len(problems) > _REASONS:
        say("by reason:")
        for reason, count in Counter(_reason(problem.message) for problem in problems).most_common(_REASONS):
            say(text.clean(f"{count:>8,}  {reason}"))


def _reason(message: str) -> str:
    """A problem's message without what differs from row to row: its place, numbers and what is quoted."""
    message = re.sub(r"^(?:tool|messages|conversations)\[.*?: ", "", message)
    return re.sub(r"`[^`]*`|\"[^\"]*\"|(?<!\w)'[^']*'|\b\d[\d.,]*\b", "…", message)


def _verdict(importer: Importer, max_bad: int) -> str:
    if importer.refused > max_bad and importer.kept:
        return (
            f"{importer.refused:,} of {_rows(importer.read)} refused and --max-bad is {max_bad}, so nothing was "
            f"written; correct them, or leave them out by --max-bad {importer.refused}"
        )
    return f"none of {_rows(importer.read)} left, so nothing was written; see the rows refused, and --only"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _summary(importer: Importer, output: Path) -> Iterator[str]:
    passed_over = f", {importer.passed_over:,} passed over" if importer.passed_over else ""
    yield f"read     {_rows(importer.read)} as {importer.format}{passed_over}"
    yield f"kept     {importer.kept:,}"
    yield f"refused  {importer.refused:,}"
    names = [name for name, _ in importer.tools.most_common()]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    yield f"tools    {len(names):,}: {', '.join(names[:_NAMED])}{more}"
    if importer.renamed:
        given, name = next(iter(importer.renamed.items()))
        more = f" and {len(importer.renamed) - 1:,} more" if len(importer.renamed) > 1 else ""
        yield f"renamed  {given} to {name}{more}, as the format cannot carry such a name"
    yield f"wrote    {output}"


def _next_step(root: Path, domain: str, output: Path) -> str:
    from fgbuild.manifest.scaffold import manifest_of

    target = output.resolve()
    if not target.is_relative_to(root):
        return f"{output} is outside the project; copy it into {root} and name it under [dataset] files"
    name = target.relative_to(root).as_posix()
    manifest = manifest_of(root, domain)
    if manifest is None:
        line = f"files = {json.dumps([name], ensure_ascii=False)}"
        step = f"`fgbuild new {domain} --from-data` makes its manifest; there, put your tools in place of its own, and"
        return f"next: {step}\n  {line}"
    dataset = tomllib.loads((root / manifest).read_text("utf-8-sig")).get("dataset")
    files = dataset.get("files") if isinstance(dataset, dict) else None
    files = files if isinstance(files, list) else []
    if name in files:
        return f"{manifest.as_posix()} names it already; run `fgbuild check {domain}`"
    line = f"files = {json.dumps([*files, name], ensure_ascii=False)}"
    return f"next: in {manifest.as_posix()}, under [dataset]:\n  {line}\nthen run `fgbuild check {domain}`"


def _pair(value: str) -> tuple[str, str]:
    key, equals, wanted = value.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{value!r} is no pair; write it as metadata=train")
    return key, wanted
