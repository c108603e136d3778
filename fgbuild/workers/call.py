"""One prompt through a GGUF, for `fgbuild call`.

The prompt is tokenised by the file's own vocabulary, so that nothing but the GGUF is needed.
`job.manifest` needs `tool` alone. Options: gguf, prompt, max_tokens, grammar
(whether only words or calls that fit the tools may be written). Output: call.json
({"calls": [{"name", "arguments"}], "text", "stopped_on", "seconds"}, and "malformed" where the
answer is).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fgbuild.functiongemma import parse_turn, render_text
from fgbuild.functiongemma.grammar import call_grammar
from fgbuild.workers.inference.llama import LlamaModel
from fgbuild.workers.inference.model_file import model_file
from fgbuild.workers.protocol import Job, Reporter, main

CONTEXT_TOKENS = 32_768
"""Gemma 3 270M's context length."""


def work(job: Job, reporter: Reporter) -> None:
    options, tools = job.options, job.manifest["tool"]
    grammar = call_grammar(tools) if options.get("grammar") else ""
    answer = ask(model_file(job), options["prompt"], tools, options["max_tokens"], grammar)
    (job.output / "call.json").write_text(json.dumps(answer, ensure_ascii=False) + "\n", "utf-8")


def ask(gguf: Path, prompt: str, tools: list[dict[str, Any]], max_tokens: int, grammar: str = "") -> dict[str, Any]:
    """The answer to one request, as call.json holds it. seconds: prefill and decoding, not loading.

    Raises FormatError for a prompt with control tokens in it, LlamaError for a file that llama.cpp refuses
    or a prompt longer than its context.
    """
    text = render_text([{"role": "user", "content": prompt}], tools, add_generation_prompt=True)
    # No tokeniser makes more tokens than bytes.
    n_ctx = min(len(text.encode()) + max_tokens, CONTEXT_TOKENS)
    with LlamaModel(gguf, n_ctx=n_ctx) as model:
        completion = model.complete(model.tokenize(text), max_tokens, grammar=grammar)
    turn = parse_turn(completion.text)
    answer: dict[str, Any] = {
        "calls": [{"name": call.name, "arguments": call.arguments} for call in turn.calls],
        "text": turn.text,
        "stopped_on": completion.stopped_on,
        "seconds": round(completion.prefill_seconds + completion.decode_seconds, 3),
    }
    if turn.malformed:
        answer |= {"malformed": turn.malformed, "raw": completion.text}
    return answer


if __name__ == "__main__":
    main(work)
