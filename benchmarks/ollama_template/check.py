"""Compare the Modelfile's Go template with fgbuild's renderer, by Go's own text/template.

    python benchmarks/ollama_template/check.py [--go GO] [ROWS.jsonl …]

Needs a Go compiler (1.19 or newer). render.go has the data model and the functions that Ollama gives a template; Ollama
itself is not run. Compared are the conversations by which a base's own chat template is checked, and the rows of the
files named: those of stage generate (`cache/store/*/eval.jsonl`) bring their tools.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgbuild.functiongemma.render import render_text, render_value
from fgbuild.functiongemma.tokens import BOS, bare_tool
from fgbuild.workers.bases.template import CONVERSATIONS, TOOLS
from fgbuild.workers.exporting import modelfile
from fgbuild.workers.exporting.shipped import Shipped

HERE = Path(__file__).parent
Message = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--go", default="go", help="the Go command")
    parser.add_argument("--manifest", type=Path, help="declares the tools of rows that bring none")
    parser.add_argument("rows", nargs="*", type=Path)
    args = parser.parse_args()
    default = _tools(args.manifest) if args.manifest else TOOLS
    cases = [(messages, TOOLS, opened) for messages, opened in CONVERSATIONS]
    for path in args.rows:
        cases += [(messages, row_tools or default, opened) for messages, row_tools, opened in _rows(path)]
    # Once with the tools in the request, once with those that the template brings.
    asked = [case for case in cases for _ in range(2)]
    brought = [index % 2 == 1 for index in range(len(asked))]
    requests = [_request(*case, brought=own) for case, own in zip(asked, brought)]
    texts = _render(args.go, requests)
    different = 0
    for (messages, tools, opened), own, text in zip(asked, brought, texts):
        wanted = render_text(messages, tools, add_generation_prompt=opened)
        # Ollama always asks for an answer: where the conversation has ended, the template opens a turn.
        ours = text if opened else text.removesuffix("<start_of_turn>model\n")
        if BOS + ours != wanted:
            different += 1
            print(f"differs (tools of the template: {own}):\n  {wanted!r}\n  {BOS + ours!r}")
    print(f"{len(texts) - different} of {len(texts)} prompts are the same")
    raise SystemExit(1 if different else 0)


def _tools(manifest: Path) -> list[Message]:
    import tomllib

    return list(tomllib.loads(manifest.read_text("utf-8"))["tool"])


def _rows(path: Path) -> Iterator[tuple[list[Message], list[Message], bool]]:
    """Each row whole, and as far as each of its answers."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        tools = row.get("tools") or []
        tools = json.loads(tools) if isinstance(tools, str) else tools
        messages = [_plain(message) for message in row["messages"]]
        yield messages, tools, False
        for index, message in enumerate(messages):
            if message["role"] == "assistant":
                yield messages[:index], tools, True


def _plain(message: Message) -> Message:
    """A message with its calls' arguments as objects."""
    calls = [dict(bare_tool(call)) for call in message.get("tool_calls") or []]
    for call in calls:
        if isinstance(call["arguments"], str):
            call["arguments"] = json.loads(call["arguments"])
    return {**message, "tool_calls": [{"function": call} for call in calls]} if calls else message


def _request(messages: list[Message], tools: list[Message], opened: bool, *, brought: bool) -> Message:
    """What Ollama makes of a request: a tool's response is a string, here in FunctionGemma's notation."""
    shipped = Shipped("check", {"tool": tools, "quant": {"type": "q8_0"}}, {}, {}, {}, {}, "")
    sent: list[Message] = []
    for message in messages:
        if message["role"] != "tool":
            content = (message.get("content") or "").strip()
            sent.append({**message, "content": content})
            continue
        content = message["content"]
        for each in [content] if isinstance(content, dict) else content:
            sent.append({"role": "tool", "tool_name": each["name"], "content": render_value(each["response"])})
    functions = [{"type": "function", "function": dict(bare_tool(tool))} for tool in tools]
    return {"template": modelfile.template(shipped), "messages": sent, "tools": [] if brought else functions}


def _render(go: str, requests: list[Message]) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory) / "render"
        subprocess.run([go, "build", "-o", str(program), str(HERE / "render.go")], check=True)
        done = subprocess.run([str(program)], input=json.dumps(requests).encode(), capture_output=True, check=True)
    return list(json.loads(done.stdout))


if __name__ == "__main__":
    main()
