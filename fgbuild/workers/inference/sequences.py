"""One or more sequences in a context of llama.cpp: prompts are prefilled one by one, tokens decoded side by side.

A prompt that starts like one that is held is prefilled only from where the two part, in whatever sequence that is.
Neither this nor what the other sequences hold changes an answer. llama.cpp's kernels for one token and for many round
differently (logits of a quantised 270M differ by up to 0.5), so only what was prefilled is ever reused, and a step of
several sequences always has a token for each of them, idle ones included; each sequence has a KV cache of its own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from fgbuild.workers.inference.constraint import Constraint
from fgbuild.workers.inference.native import LlamaError, last_error, llama_cpp

BATCH_TOKENS = 512
"""Tokens in one prefill call of llama.cpp."""

FRESH_TOKENS = 16
"""Last prompt tokens that are always evaluated: enough for the kernels for many tokens."""

_IDLE = 0
"""The token of a sequence that has none to decode."""


class Sequences:
    """The `count` sequences of a loaded model, of at most `n_ctx` tokens each (rounded up by llama.cpp).

    name: of the model, for messages. Raises LlamaError where llama.cpp cannot make the context.
    """

    def __init__(self, model: Any, name: str, n_vocab: int, *, n_ctx: int, count: int, threads: int) -> None:
        self._name = name
        self._n_vocab = n_vocab
        self.count = count
        self._held: list[list[int]] = [[] for _ in range(count)]
        self._lengths = [0] * count
        self._batch: Any = None
        self.constraint: Constraint | None = None
        """What the next prompt's answer may be; with one, only one sequence is asked."""
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = n_ctx * count
        params.n_seq_max = count
        params.kv_unified = False
        params.n_batch = params.n_ubatch = min(BATCH_TOKENS, n_ctx)
        params.n_threads = params.n_threads_batch = threads
        # Gemma 3's sliding-window layers otherwise drop old cells, and a prefix could not be reused.
        params.swa_full = True
        # Without flash attention, logits do not depend on how a prompt was cut into batches.
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(model, params)
        if not self._context:
            raise LlamaError(f"llama.cpp cannot make a context of {count} × {n_ctx} tokens for {name}: {last_error()}")
        self.n_ctx: int = llama_cpp.llama_n_ctx_seq(self._context)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(max(BATCH_TOKENS, count), 0, 1)

    def close(self) -> None:
        """Free the context; safe to call twice."""
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
            self._batch = None
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = None

    def forget(self) -> None:
        """Hold nothing: the next prompts are prefilled whole."""
        self._held = [[] for _ in range(self.count)]

    def prefill(self, prompt: Sequence[int], sequence: int = 0) -> tuple[int, int]:
        """Make `prompt` what a sequence holds; the best next token, and how many tokens were reused.

        Raises LlamaError where evaluation fails or the logits are not numbers.
        """
        reused = self._reuse(prompt, sequence)
        for start in range(reused, len(prompt), BATCH_TOKENS):
            part = prompt[start : start + BATCH_TOKENS]
            self._evaluate([(token, start + at, sequence) for at, token in enumerate(part)], all_logits=False)
        self._held[sequence] = list(prompt)
        self._lengths[sequence] = len(prompt)
        return self._best_token(-1), reused

    def step(self, tokens: Sequence[int | None]) -> list[int]:
        """Append one token to each sequence, none where it is None; the best next tokens (0 where there is none)."""
        cells = [
            (_IDLE if token is None else token, self._lengths[sequence], sequence)
            for sequence, token in enumerate(tokens)
        ]
        self._evaluate(cells, all_logits=True)
        found = []
        for sequence, token in enumerate(tokens):
            if token is None:
                llama_cpp.llama_memory_seq_rm(self._memory, sequence, self._lengths[sequence], -1)
                found.append(_IDLE)
            else:
                self._lengths[sequence] += 1
                if self.constraint:
                    self.constraint.accept(token)
                found.append(self._best_token(sequence))
        return found

    def _reuse(self, prompt: Sequence[int], sequence: int) -> int:
        """Bring the longest held start of `prompt` into a sequence, and nothing after it; how many tokens that is."""
        usable = prompt[: max(0, len(prompt) - FRESH_TOKENS)]
        shared = [_shared(held, usable) for held in self._held]
        # Its own where that is as long: nothing has to be copied then.
        source = max(range(self.count), key=lambda number: (shared[number], number == sequence))
        kept = shared[source]
        self._held[sequence] = []
        self._lengths[sequence] = 0
        if source != sequence and kept:
            # Between caches of their own, llama.cpp copies whole sequences alone.
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            llama_cpp.llama_memory_seq_cp(self._memory, source, sequence, -1, -1)
        if not llama_cpp.llama_memory_seq_rm(self._memory, sequence, kept, -1):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            kept = 0
        return kept

    def _evaluate(self, cells: Sequence[tuple[int, int, int]], *, all_logits: bool) -> None:
        """Evaluate (token, position, sequence)s; logits of the last one alone, or of all."""
        batch = self._batch
        batch.n_tokens = len(cells)
        for at, (token, position, sequence) in enumerate(cells):
            batch.token[at] = token
            batch.pos[at] = position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = sequence
            batch.logits[at] = all_logits
        batch.logits[len(cells) - 1] = True
        status = llama_cpp.llama_decode(self._context, batch)
        if status != 0:
            raise LlamaError(f"llama.cpp failed to evaluate {self._name} (status {status}): {last_error()}")

    def _best_token(self, output: int) -> int:
        pointer = llama_cpp.llama_get_logits_ith(self._context, ctypes.c_int32(output))
        logits = np.ctypeslib.as_array(pointer, shape=(self._n_vocab,))
        token = int(logits.argmax())
        if not np.isfinite(logits[token]):
            raise LlamaError(f"{self._name} gives logits that are not numbers: its weights are damaged.")
        return self.constraint.best(logits) if self.constraint else token


def _shared(held: Sequence[int], prompt: Sequence[int]) -> int:
    """How many tokens two sequences start with alike."""
    for at, (ours, theirs) in enumerate(zip(held, prompt)):
        if ours != theirs:
            return at
    return min(len(held), len(prompt))
