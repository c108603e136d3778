"""A GGUF in llama.cpp: exact token ids in, greedy token ids out.

The C API of llama-cpp-python is used rather than its `Llama` class, which compiles the GGUF's
chat template while it loads (a broken template would look like a file that does not load) and
samples through a chain that greedy decoding does not need. One sequence is kept in the KV cache;
a prompt that starts like the last one is prefilled only from where the two part. Reuse changes
the speed and never the answer: llama.cpp's kernels for one token and for many round differently
(logits of a quantised 270M differ by up to 0.5), so only what was prefilled is ever reused.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import psutil

from fgbuild.errors import StageError
from fgbuild.functiongemma.tokens import STOP_IDS

# Read by OpenMP once, as llama.cpp is loaded: threads that wait by spinning make decoding ten
# times slower wherever something else wants a core too.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import llama_cpp

from fgbuild.workers.inference.constraint import Constraint

BATCH_TOKENS = 512
"""Tokens in one prefill call of llama.cpp."""

FRESH_TOKENS = 16
"""Last prompt tokens that are always evaluated: enough for the kernels for many tokens."""

GGML_LOG_LEVEL_ERROR = 3

_errors: deque[str] = deque(maxlen=8)


@llama_cpp.llama_log_callback
def _collect_errors(level: int, text: bytes, _user_data: Any) -> None:
    """Keep llama.cpp's error lines for our messages; its other output is noise in a worker's log."""
    if level == GGML_LOG_LEVEL_ERROR:
        line = text.decode("utf-8", "replace").strip()
        if line:
            _errors.append(line)


class LlamaError(StageError):
    """llama.cpp could not load the file or evaluate a prompt."""


@dataclass(frozen=True)
class Completion:
    """What was decoded after one prompt.

    tokens: the new ids, without the stop id. text: the same with control tokens as text.
    stopped_on: the stop id that ended it, or None where `max_tokens` did.
    prompt_tokens, reused_tokens: the prompt's length, and how much of it was in the KV cache.
    prefill_seconds: until the first token; decode_seconds: the `decode_steps` evaluations after it.
    """

    tokens: tuple[int, ...]
    text: str
    stopped_on: int | None
    prompt_tokens: int
    reused_tokens: int
    prefill_seconds: float
    decode_seconds: float
    decode_steps: int


def thread_count() -> int:
    """Threads to compute with: the physical cores that this process may run on, at least 1.

    `OMP_NUM_THREADS`, by which a build tells workers how many cores they were granted, is a limit.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    granted = os.environ.get("OMP_NUM_THREADS", "")
    limit = int(granted) if granted.isdecimal() else allowed
    return max(1, min(psutil.cpu_count(logical=False) or allowed, allowed, limit))


class LlamaModel:
    """A loaded GGUF and one context of `n_ctx` tokens; a context manager that frees both.

    Raises LlamaError where llama.cpp refuses the file. A file that makes native code crash takes
    the process with it: load what is not trusted in a subprocess (see `verifying.probe`).
    """

    def __init__(self, path: Path, *, n_ctx: int = 2048, threads: int | None = None) -> None:
        llama_cpp.llama_log_set(_collect_errors, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        _errors.clear()
        self.path = path
        self._context: Any = None
        model_params = llama_cpp.llama_model_default_params()
        model_params.n_gpu_layers = 0
        # Weights repacked for Intel AMX crash at the first evaluation on some machines
        # (ggml-org/llama.cpp issue 20824); as they lie in the file they are also mapped, not copied.
        model_params.use_extra_bufts = False
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), model_params)
        if not self._model:
            raise LlamaError(f"llama.cpp cannot load {path}: {_last_error()}")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.n_vocab: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._open_context(n_ctx, threads or thread_count())
        self._prompt: list[int] = []

    def _open_context(self, n_ctx: int, threads: int) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = min(BATCH_TOKENS, n_ctx)
        params.n_threads = params.n_threads_batch = threads
        # Gemma 3's sliding-window layers otherwise drop old cells, and a prefix could not be reused.
        params.swa_full = True
        # Without flash attention, logits do not depend on how a prompt was cut into batches.
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if not self._context:
            self.close()
            raise LlamaError(f"llama.cpp cannot make a context of {n_ctx} tokens for {self.path}: {_last_error()}")
        self.n_ctx: int = llama_cpp.llama_n_ctx(self._context)
        self._memory = llama_cpp.llama_get_memory(self._context)

    def close(self) -> None:
        """Free the context and the model; safe to call twice."""
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = None
        if self._model:
            llama_cpp.llama_model_free(self._model)
            self._model = None

    def __enter__(self) -> LlamaModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def chat_template(self) -> str | None:
        """The file's `tokenizer.chat_template`, or None where it has none."""
        template = llama_cpp.llama_model_chat_template(self._model, None)
        return None if template is None else template.decode("utf-8", "replace")

    def is_end_of_generation(self, token: int) -> bool:
        """Whether llama.cpp itself would end a generation on this id."""
        return 0 <= token < self.n_vocab and bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def tokenize(self, text: str) -> list[int]:
        """Ids of a rendered prompt: control tokens in the text become their ids; no BOS is added."""
        data = text.encode("utf-8")
        capacity = len(data) + 8
        buffer = (llama_cpp.llama_token * capacity)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), buffer, capacity, False, True)
        if count < 0:
            raise LlamaError(f"llama.cpp cannot tokenise a text of {len(data)} bytes with {self.path}.")
        return list(buffer[:count])

    def detokenize(self, tokens: Sequence[int]) -> str:
        """Text of ids, control tokens included (llama.cpp's default renders those as nothing)."""
        pieces = bytearray()
        size = 256
        buffer = (ctypes.c_char * size)()
        for token in tokens:
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, True)
            if length < 0:
                size = -length
                buffer = (ctypes.c_char * size)()
                length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, True)
            pieces += buffer.raw[:length]
        return pieces.decode("utf-8", "replace")

    def complete(
        self,
        prompt: Sequence[int],
        max_tokens: int,
        *,
        stop: Sequence[int] = STOP_IDS,
        grammar: str = "",
    ) -> Completion:
        """Decode greedily after `prompt` until a stop id or `max_tokens` new tokens.

        grammar: in GBNF, of the texts that may be written; "" for any.

        Raises LlamaError where the two do not fit the context, or the logits are not numbers.
        """
        if not prompt or len(prompt) + max_tokens > self.n_ctx:
            raise LlamaError(
                f"a prompt of {len(prompt)} tokens and {max_tokens} new ones do not fit a context of {self.n_ctx}."
            )
        started = time.perf_counter()
        reused = self._reuse(prompt)
        self._evaluate(prompt[reused:])
        self._prompt = list(prompt)
        tokens: list[int] = []
        steps = 0
        with Constraint(self._vocab, grammar) if grammar else nullcontext() as constraint:
            token = self._best_token(constraint)
            prefilled = time.perf_counter()
            while token not in stop:
                tokens.append(token)
                if len(tokens) == max_tokens:
                    break
                if constraint:
                    constraint.accept(token)
                self._evaluate([token])
                steps += 1
                token = self._best_token(constraint)
        return Completion(
            tokens=tuple(tokens),
            text=self.detokenize(tokens),
            stopped_on=token if token in stop else None,
            prompt_tokens=len(prompt),
            reused_tokens=reused,
            prefill_seconds=prefilled - started,
            decode_seconds=time.perf_counter() - prefilled,
            decode_steps=steps,
        )

    def forget(self) -> None:
        """Empty the KV cache: the next prompt is evaluated from its start."""
        llama_cpp.llama_memory_clear(self._memory, True)
        self._prompt = []

    def _reuse(self, prompt: Sequence[int]) -> int:
        """Cut the KV cache back to what it shares with `prompt`; how many tokens stay."""
        shared = 0
        for ours, theirs in zip(self._prompt, prompt[: max(0, len(prompt) - FRESH_TOKENS)]):
            if ours != theirs:
                break
            shared += 1
        if not llama_cpp.llama_memory_seq_rm(self._memory, 0, shared, -1):
            llama_cpp.llama_memory_clear(self._memory, True)
            shared = 0
        self._prompt = []
        return shared

    def _evaluate(self, tokens: Sequence[int]) -> None:
        for start in range(0, len(tokens), BATCH_TOKENS):
            part = tokens[start : start + BATCH_TOKENS]
            buffer = (llama_cpp.llama_token * len(part))(*part)
            status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(buffer, len(part)))
            if status != 0:
                raise LlamaError(f"llama.cpp failed to evaluate {self.path} (status {status}): {_last_error()}")

    def _best_token(self, constraint: Constraint | None = None) -> int:
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, -1), shape=(self.n_vocab,))
        token = int(logits.argmax())
        if not np.isfinite(logits[token]):
            raise LlamaError(f"{self.path} gives logits that are not numbers: its weights are damaged.")
        return constraint.best(logits) if constraint else token


def _last_error() -> str:
    return _errors[-1] if _errors else "it gave no reason."
