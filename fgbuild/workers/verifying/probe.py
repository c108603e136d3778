"""The process in which verify lets llama.cpp touch a file that may be damaged.

`python -m fgbuild.workers.verifying.probe` reads one JSON request on stdin and answers with JSON
lines on stdout, one as each step is done, so that a crash in native code loses nothing of what
was measured before it:

    {"step": "load", "seconds": 0.4}                   loaded, and `first` evaluated
    {"step": "template", "tokens": [[…], …]}  or  {"step": "template", "error": "…"}
    {"step": "stop", "ends": [1, 50, 106]}
    {"step": "smoke", "text": "…", "stopped_on": 50}   one for each prompt
    {"step": "repeat", "runs": [["…", "…", "…"], …]}   a prompt's answers: after another, after itself, from the start
    {"step": "done"}
    {"step": "error", "message": "…"}                  where a step raised; nothing follows

Request: {"path", "n_ctx", "first": [ids], "conversations": [{"messages", "generate"}], "tools",
"prompts": [[ids]], "repeated": [[ids]], "max_tokens"}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbuild.functiongemma import STOP_IDS
from fgbuild.workers.inference.chat_template import render_template
from fgbuild.workers.inference.llama import LlamaModel

Send = Callable[[Mapping[str, Any]], None]


def probe(request: Mapping[str, Any], send: Send) -> None:
    """Do every step of a request, sending each result as it is known."""
    started = time.perf_counter()
    with LlamaModel(Path(request["path"]), n_ctx=request["n_ctx"]) as model:
        seconds = time.perf_counter() - started
        model.complete(request["first"], 1)  # weights may be damaged in a file that loads
        send({"step": "load", "seconds": seconds})
        send({"step": "template", **_template(model, request["conversations"], request["tools"])})
        send({"step": "stop", "ends": [token for token in STOP_IDS if model.is_end_of_generation(token)]})
        for prompt in request["prompts"]:
            answer = model.complete(prompt, request["max_tokens"])
            send({"step": "smoke", "text": answer.text, "stopped_on": answer.stopped_on})
        runs = [_answers(model, prompt, request["max_tokens"]) for prompt in request["repeated"]]
        send({"step": "repeat", "runs": runs})
    send({"step": "done"})


def _answers(model: LlamaModel, prompt: Sequence[int], max_tokens: int) -> list[str]:
    """Three answers: with the KV cache of another prompt, with its own, and with an empty one."""
    answers = [model.complete(prompt, max_tokens).text for _ in range(2)]
    model.forget()
    return [*answers, model.complete(prompt, max_tokens).text]


def _template(
    model: LlamaModel, conversations: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    source = model.chat_template()
    if source is None:
        return {"error": "the file has no tokenizer.chat_template"}
    try:
        texts = [
            render_template(source, each["messages"], tools, add_generation_prompt=each["generate"])
            for each in conversations
        ]
    except Exception as error:  # a template is a program from the file: it may raise anything
        return {"error": f"the chat template does not render ({type(error).__name__}: {error})"}
    return {"tokens": [model.tokenize(text) for text in texts]}


def main() -> None:
    """Serve one request. Exits with 1 where a step raised."""
    # Native code may print: results go to a descriptor of their own, its output to stderr.
    results = os.dup(1)
    os.dup2(2, 1)

    def send(message: Mapping[str, Any]) -> None:
        os.write(results, json.dumps(message).encode() + b"\n")

    try:
        probe(json.load(sys.stdin), send)
    except Exception as error:
        send({"step": "error", "message": str(error) or type(error).__name__})
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
