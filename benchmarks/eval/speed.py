"""The turns of an eval split answered in three ways, in one run: how long each takes, and whether they agree.

    python benchmarks/eval/speed.py GGUF EVAL.jsonl TOKENIZER_DIRECTORY MANIFEST.toml [EXAMPLES]

The base artifact has the tokenizer. CPU seconds are those of all threads: on a machine that does something
else too they say more than seconds on the clock.
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from fgbuild.workers.evaluating.evaluate import SEQUENCES, questions, read_rows
from fgbuild.workers.inference.llama import Completion, LlamaModel
from fgbuild.workers.inference.prompt import PromptEncoder

MAX_TOKENS = 160


def main() -> None:
    gguf, split, base, manifest = map(Path, sys.argv[1:5])
    rows = read_rows(split, int(sys.argv[5]) if len(sys.argv) > 5 else 12)
    tools = tomllib.loads(manifest.read_text("utf-8"))["tool"]
    prompts = [question.prompt for question in questions(rows, tools, PromptEncoder(base))]
    n_ctx = max(map(len, prompts)) + MAX_TOKENS
    print(f"{len(rows)} examples, {len(prompts)} turns, {sum(map(len, prompts)):,} prompt tokens")
    print("| way | s | CPU s | CPU: times as fast | tokens prefilled | other answers |\n|---|---|---|---|---|---|")
    with LlamaModel(gguf, n_ctx=n_ctx) as one, LlamaModel(gguf, n_ctx=n_ctx, sequences=SEQUENCES) as many:

        def nothing_reused() -> list[Completion]:
            answers = []
            for prompt in prompts:
                one.forget()
                answers.append(one.complete(prompt, MAX_TOKENS))
            return answers

        def one_at_a_time() -> list[Completion]:
            one.forget()
            return [one.complete(prompt, MAX_TOKENS) for prompt in prompts]

        def side_by_side() -> list[Completion]:
            many.forget()
            return many.complete_all(prompts, MAX_TOKENS)

        first: list[Completion] = []
        slowest = 0.0
        ways: list[tuple[str, Callable[[], list[Completion]]]] = [
            ("one at a time, nothing reused", nothing_reused),
            ("one at a time, prefix reused", one_at_a_time),
            (f"{SEQUENCES} side by side, prefix shared", side_by_side),
        ]
        for name, way in ways:
            started, cpu = time.perf_counter(), time.process_time()
            answers = way()
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
            first, slowest = first or answers, slowest or cpu
            prefilled = sum(each.prompt_tokens - each.reused_tokens for each in answers)
            other = sum(ours.tokens != theirs.tokens for ours, theirs in zip(answers, first))
            print(f"| {name} | {seconds:.1f} | {cpu:.1f} | {slowest / cpu:.1f} | {prefilled:,} | {other} |", flush=True)


if __name__ == "__main__":
    main()
