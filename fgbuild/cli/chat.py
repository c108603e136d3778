"""Talk to a shipped GGUF whose calls are run, in a sandbox, on a copy of a project."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fgbuild.cli.call import DEFAULT_MAX_TOKENS, shipped_tools
from fgbuild.cli.output import print_json, say
from fgbuild.cli.selection import add_variant, open_project, positive
from fgbuild.cli.shipped import Shipped, job_for, raise_failed, shipped_models
from fgbuild.views.text import clean

MOST_TURNS = 8
_CELLS = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="whose model to talk to")
    parser.add_argument("prompt", metavar="PROMPT", nargs="*", help="requests, one after another (default: read lines)")
    parser.add_argument(
        "--in", dest="folder", type=Path, metavar="DIR", help="copy this project (default: an example of the domain's)"
    )
    parser.add_argument(
        "--grammar", action="store_true", help="let the model write nothing but words or calls that fit the tools"
    )
    parser.add_argument(
        "--most-turns", type=positive, default=MOST_TURNS, metavar="N", help="turns with calls before it is stopped"
    )
    parser.add_argument(
        "--max-tokens", type=positive, default=DEFAULT_MAX_TOKENS, metavar="N", help="longest turn, tokens"
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines on a terminal, too")
    add_variant(parser)


def run(args: argparse.Namespace) -> int:
    """Every message, on a terminal in words, else as a JSON line. DIR is never written to."""
    project = open_project(args)
    model = shipped_models(project, [args.domain], everything=False)[0]
    options = {
        "grammar": args.grammar,
        "max_tokens": args.max_tokens,
        "most_turns": args.most_turns,
        "folder": str(args.folder.resolve()) if args.folder else "",
    }
    job = job_for(model, project.root, "chat", {}, options)
    job["manifest"] = {"tool": shipped_tools(model), "dataset": model.domain.resolved["dataset"]}
    with tempfile.TemporaryDirectory(prefix="fgbuild-") as name:
        file = Path(name, "job.json")
        file.write_text(json.dumps({**job, "output": name, "state": name}), "utf-8")
        command = [sys.executable, "-P", "-m", "fgbuild.workers.chat", str(file)]
        said = Path(name, "log")
        with said.open("wb") as log:
            worker = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
            )
            try:
                _serve(worker, said, _requests(args.prompt, model), in_words=sys.stdout.isatty() and not args.json)
            finally:
                worker.kill()
                worker.wait()
    return 0


def _requests(given: Iterable[str], model: Shipped) -> Iterator[str]:
    """What was given on the command line, else lines until their end."""
    if given:
        yield from given
        return
    while True:
        if sys.stdin.isatty():
            print(f"{model.domain.name}> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _serve(worker: subprocess.Popen[str], log: Path, requests: Iterator[str], *, in_words: bool) -> None:
    assert worker.stdin is not None
    files = _next(worker, log)["files"]
    say(f"{len(files)} files: {clean(', '.join(files), _CELLS)}")
    for request in requests:
        _show({"role": "user", "content": request}, in_words)
        worker.stdin.write(json.dumps({"prompt": request}) + "\n")
        worker.stdin.flush()
        while True:
            message = _next(worker, log)
            _show(message, in_words)
            if "changed" in message or "error" in message:
                break


def _next(worker: subprocess.Popen[str], log: Path) -> dict[str, Any]:
    """The worker's next line. Raises with its own words where it has ended."""
    assert worker.stdout is not None
    line = worker.stdout.readline()
    if not line:
        code = worker.wait()
        printed = log.read_text("utf-8", "replace").splitlines()
        raise_failed(code, [each.removeprefix("error: ") for each in printed if each.startswith("error: ")], log)
    return dict(json.loads(line))


def _show(message: dict[str, Any], in_words: bool) -> None:
    if not in_words:
        print_json(message, indent=None)
        return
    for line in _told(message):
        print(f"  {clean(line, _CELLS)}")


def _told(message: dict[str, Any]) -> Iterator[str]:
    """A message in words, a line for each thing in it."""
    for call in message.get("tool_calls", ()):
        function = call["function"]
        yield f"→ {function['name']} {json.dumps(function['arguments'], ensure_ascii=False)}"
    if message.get("role") == "tool":
        for each in message["content"]:
            yield f"← {json.dumps(each['response'], ensure_ascii=False)}"
    elif "fault" in message:
        yield f"✗ {message['fault']}"
    elif message.get("content"):
        yield f"{'»' if message['role'] == 'user' else '«'} {message['content']}"
    for name, difference in message.get("changed", {}).items():
        yield f"± {name}"
        yield from difference.splitlines()
    if "error" in message:
        yield f"✗ {message['error']}"
