"""Requests to a GGUF whose calls are run, for `fgbuild chat`: the domain's real tools on a copy of a project.

`python -m fgbuild.workers.chat JOB.json` answers JSON lines on stdin with JSON lines on stdout, and ends with them:

    {"files": ["src/app.py", …]}                     once, at the start: the project's files
    {"prompt": "…"}                                  in: one request; each starts a conversation of its own
    {"role": "assistant", "tool_calls": […]}         out: the messages that follow it (see `inference.agent`)
    {"role": "tool", "content": […]}
    {"role": "assistant", "content": "…"}
    {"changed": {"src/app.py": "--- …"}}             out: files that the request changed, as unified diffs
    {"error": "…"}                                   out: instead, where a request cannot be asked

`job.manifest` needs `tool` and `dataset.generator`. Options: gguf, grammar, max_tokens, most_turns, folder (whose files
the project has; else it is one of those that the domain's held-out examples have).
"""

from __future__ import annotations

import difflib
import json
import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbuild.domains.session import Session
from fgbuild.errors import FgbuildError, FormatError
from fgbuild.functiongemma import render_text
from fgbuild.functiongemma.grammar import call_grammar
from fgbuild.sandbox import Sandbox
from fgbuild.workers.generate import scenarios_of, tools_of
from fgbuild.workers.inference.agent import Message, converse
from fgbuild.workers.inference.llama import Completion, LlamaModel
from fgbuild.workers.inference.model_file import model_file
from fgbuild.workers.inference.tool_calls import ToolSet
from fgbuild.workers.protocol import Job, Reporter, main

Files = Mapping[str, str | bytes]
"""Contents by path."""

CONTEXT_TOKENS = 4096
MOST_FILES = 2000
MOST_BYTES = 50_000_000
SKIPPED = frozenset({"node_modules", "__pycache__", "venv"})


def work(job: Job, reporter: Reporter) -> None:
    # The results have the descriptor for themselves: native code may print.
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(message: Mapping[str, Any]) -> None:
        print(json.dumps(message, ensure_ascii=False), file=results, flush=True)

    generator = job.manifest["dataset"]["generator"]
    module = tools_of(generator)
    if not module:
        raise FgbuildError(
            f"{job.domain}: dataset.generator = {generator!r} has no tools that can be run; use `fgbuild call`"
        )
    with Sandbox(module) as sandbox, LlamaModel(model_file(job), n_ctx=CONTEXT_TOKENS) as model:
        folder = job.options.get("folder")
        files: Files = folder_files(Path(folder)) if folder else example_files(generator, sandbox)
        workspace = sandbox.project(files)
        send({"files": sorted(files)})
        grammar = call_grammar(job.manifest["tool"]) if job.options.get("grammar") else ""
        for line in sys.stdin:
            try:
                for message in _answered(job, model, workspace.call, json.loads(line)["prompt"], grammar):
                    send(message)
                files, before = workspace.files(), files
                send({"changed": changes(before, files)})
            except (FgbuildError, FormatError) as error:
                send({"error": str(error)})


def _answered(job: Job, model: LlamaModel, run: Any, prompt: str, grammar: str) -> Any:
    tools, longest = job.manifest["tool"], job.options["max_tokens"]

    def answer(messages: Sequence[Message]) -> Completion:
        text = render_text(messages, tools, add_generation_prompt=True)
        return model.complete(model.tokenize(text), longest, grammar=grammar)

    return converse(answer, prompt, ToolSet(tools), run, most_turns=job.options["most_turns"])


def example_files(generator: str, sandbox: Sandbox) -> Files:
    """The files of a held-out example's project, the largest of some."""
    found: Files = {}
    for scenario in scenarios_of(generator):
        if scenario.kind == "sequence":
            session = Session(random.Random(1), "eval", sandbox)
            scenario.build(session)
            session.close(replay=False)
            found = max(found, session.files, key=len)
    return found


def folder_files(folder: Path) -> dict[str, str | bytes]:
    """A folder's files by path, hidden ones, links and installed packages left out.

    Raises FgbuildError where it is none, or more than a sandbox should hold.
    """
    if not folder.is_dir():
        raise FgbuildError(f"--in: {folder} is no folder; name the project whose files the tools should see")
    files: dict[str, str | bytes] = {}
    size = 0
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        for path in (Path(where, name) for name in sorted(names) if not name.startswith(".")):
            if path.is_symlink() or not path.is_file():
                continue
            size += path.stat().st_size
            if len(files) == MOST_FILES or size > MOST_BYTES:
                raise FgbuildError(
                    f"--in: {folder} holds more than {MOST_FILES} files or {MOST_BYTES // 10**6} MB; name a part of it"
                )
            files[str(path.relative_to(folder))] = path.read_bytes()
    return files


def changes(before: Files, after: Files) -> dict[str, str]:
    """Files that are other than before, as unified diffs; of a file that is no text only that it changed."""
    found = {}
    for name in sorted(before.keys() | after.keys()):
        old, new = _bytes(before.get(name, b"")), _bytes(after.get(name, b""))
        if name.startswith(".") or old == new:
            continue
        try:
            was, became = (content.decode("utf-8").splitlines(keepends=True) for content in (old, new))
            found[name] = "".join(difflib.unified_diff(was, became, f"a/{name}", f"b/{name}"))
        except UnicodeDecodeError:
            found[name] = f"{len(old)} → {len(new)} bytes\n"
    return found


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


if __name__ == "__main__":
    main(work)
