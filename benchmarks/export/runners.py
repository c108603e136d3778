"""Does a shipped GGUF answer elsewhere as it does here? Greedy tokens, prompt by prompt, of three runners of llama.cpp.

    python benchmarks/export/runners.py GGUF MANIFEST.toml PROMPTS.jsonl [--server http://127.0.0.1:8080]

Ours (what verify and eval use), plain llama-cpp-python (`Llama.generate`), and `llama-server`'s /completion where one
runs on that GGUF. All get the prompt's token ids. Where an answer differs, it is printed from which token on, and what
plain llama-cpp-python gives as the logits of the two tokens there. Exit code 1 where any answer differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
import urllib.request
from pathlib import Path

import numpy as np
from llama_cpp import Llama, llama_get_logits_ith

from fgbuild.functiongemma import render_text
from fgbuild.functiongemma.tokens import STOP_IDS
from fgbuild.workers.inference.llama import LlamaModel

MAX_TOKENS = 160


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("prompts", type=Path)
    parser.add_argument("--server", help="address of a llama-server with the same file")
    args = parser.parse_args()
    tools = tomllib.loads(args.manifest.read_text("utf-8"))["tool"]
    rows = [json.loads(line) for line in args.prompts.read_text("utf-8").splitlines()]
    texts = [render_text(row["messages"][:1], tools, add_generation_prompt=True) for row in rows]
    with LlamaModel(args.gguf) as model:
        prompts = [model.tokenize(text) for text in texts]
        ours = [list(model.complete(prompt, MAX_TOKENS).tokens) for prompt in prompts]
    plain = Llama(str(args.gguf), n_ctx=2048, verbose=False)
    answers = {"llama-cpp-python": [_plain(plain, prompt) for prompt in prompts]}
    tokenized = [plain.tokenize(text.encode(), add_bos=False, special=True) for text in texts]
    if args.server:
        answers["llama-server"] = [_server(args.server, prompt) for prompt in prompts]
    print(f"{len(prompts)} prompts, {sum(map(len, ours))} tokens of ours")
    print(f"llama-cpp-python's tokens of the prompts: {sum(a == b for a, b in zip(tokenized, prompts))} the same")
    same = True
    for name, found in answers.items():
        equal = sum(_upto(theirs, mine) for theirs, mine in zip(found, ours))
        same &= equal == len(ours)
        print(f"{name}: {equal} of {len(ours)} answers the same, token for token")
        for row, prompt, theirs, mine in zip(rows, prompts, found, ours):
            if not _upto(theirs, mine):
                print(f"  {row['id']}: {_departure(plain, prompt, theirs, mine)}")
    return int(not same)


def _upto(theirs: list[int], mine: list[int]) -> bool:
    """A runner may or may not count the token that ended the answer."""
    length = min(len(theirs), len(mine))
    return theirs[:length] == mine[:length] and abs(len(theirs) - len(mine)) <= 1


def _departure(model: Llama, prompt: list[int], theirs: list[int], mine: list[int]) -> str:
    """The first token that differs, in words."""
    at = next((k for k, (one, other) in enumerate(zip(theirs, mine)) if one != other), min(len(theirs), len(mine)))
    model.reset()
    model.eval([*prompt, *mine[:at]])
    logits = np.ctypeslib.as_array(llama_get_logits_ith(model.ctx, -1), (model.n_vocab(),))
    rank = np.argsort(logits)[::-1]
    named = [f"{_text(model, int(token))} {logits[token]:.3f}" for token in rank[:2]]
    pair = [_text(model, answer[at]) if at < len(answer) else "its end" for answer in (mine, theirs)]
    return f"token {at + 1} of {len(mine)}, ours {pair[0]}, theirs {pair[1]}; first two logits: {', '.join(named)}"


def _text(model: Llama, token: int) -> str:
    return repr(model.detokenize([token], special=True).decode("utf-8", "replace"))


def _plain(model: Llama, prompt: list[int]) -> list[int]:
    found: list[int] = []
    for token in model.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0):
        if token in STOP_IDS or len(found) == MAX_TOKENS:
            break
        found.append(token)
    return found


def _server(address: str, prompt: list[int]) -> list[int]:
    asked = {"prompt": prompt, "n_predict": MAX_TOKENS, "temperature": 0, "return_tokens": True, "cache_prompt": False}
    request = urllib.request.Request(
        f"{address}/completion", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        return list(json.load(answer)["tokens"])


if __name__ == "__main__":
    sys.exit(main())
