"""A GGUF in llama.cpp: exact token ids in, greedy token ids out.

The C API of llama-cpp-python is used rather than its `Llama` class, which compiles the GGUF's
chat template while it loads (a broken template would look like a file that does not load) and
samples through a chain that greedy decoding does not need. What is kept in the KV cache, and why
that changes the speed and never the answer, is in `sequences`.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from fgbuild.functiongemma.tokens import STOP_IDS
from fgbuild.workers.inference import native
from fgbuild.workers.inference.constraint import Constraint
from fgbuild.workers.inference.native import LlamaError, last_error, llama_cpp
from fgbuild.workers.inference.sequences import FRESH_TOKENS, Sequences

__all__ = ["FRESH_TOKENS", "Completion", "LlamaError", "LlamaModel", "thread_count"]


@dataclass(frozen=True)
class Completion:
    """What was decoded after one prompt.

    tokens: the new ids, without the stop id. text: the same with control tokens as text.
    stopped_on: the stop id that ended it, or None where `max_tokens` did.
    prompt_tokens, reused_tokens: the prompt's length, and how much of it was in the KV cache.
    prefill_seconds: until the first token; decode_seconds: the `decode_steps` evaluations after it, which other
    prompts may share.
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
    """A loaded GGUF and `sequences` contexts of `n_ctx` tokens; a context manager that frees them.

    Raises LlamaError where llama.cpp refuses the file. A file that makes native code crash takes
    the process with it: load what is not trusted in a subprocess (see `verifying.probe`).
    """

    def __init__(self, path: Path, *, n_ctx: int = 2048, threads: int | None = None, sequences: int = 1) -> None:
        native.start()
        self.path = path
        self._sequences: Sequences | None = None
        model_params = llama_cpp.llama_model_default_params()
        model_params.n_gpu_layers = 0
        # Weights repacked for Intel AMX crash at the first evaluation on some machines
        # (ggml-org/llama.cpp issue 20824); as they lie in the file they are also mapped, not copied.
        model_params.use_extra_bufts = False
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), model_params)
        if not self._model:
            raise LlamaError(f"llama.cpp cannot load {path}: {last_error()}")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.n_vocab: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        try:
            self._sequences = Sequences(
                self._model, str(path), self.n_vocab, n_ctx=n_ctx, count=sequences, threads=threads or thread_count()
            )
        except LlamaError:
            self.close()
            raise
        self.n_ctx = self._sequences.n_ctx

    def close(self) -> None:
        """Free the contexts and the model; safe to call twice."""
        if self._sequences is not None:
            self._sequences.close()
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
        self, prompt: Sequence[int], max_tokens: int, *, stop: Sequence[int] = STOP_IDS, grammar: str = ""
    ) -> Completion:
        """Decode greedily after `prompt` until a stop id or `max_tokens` new tokens.

        grammar: in GBNF, of the texts that may be written; "" for any.
        Raises LlamaError where the two do not fit the context, or the logits are not numbers.
        """
        sequences = self._open()
        with Constraint(self._vocab, grammar) if grammar else nullcontext() as sequences.constraint:
            try:
                (completion,) = self._in_slots([prompt], max_tokens, stop, 1, lambda: None)
            finally:
                sequences.constraint = None
        return completion

    def complete_all(
        self,
        prompts: Sequence[Sequence[int]],
        max_tokens: int,
        *,
        stop: Sequence[int] = STOP_IDS,
        on_done: Callable[[], None] = lambda: None,
    ) -> list[Completion]:
        """The same for many prompts, as many of them side by side as there are sequences; answers in their order.

        An answer depends on its prompt and on the number of sequences alone, which decides how the products of a step
        are rounded: with more than one, it may differ from that of `complete`. `on_done` is called after each.
        """
        return self._in_slots(prompts, max_tokens, stop, self._open().count, on_done)

    def forget(self) -> None:
        """Reuse nothing of what has been asked so far."""
        self._open().forget()

    def _open(self) -> Sequences:
        assert self._sequences is not None, "the model is closed"
        return self._sequences

    def _in_slots(
        self,
        prompts: Sequence[Sequence[int]],
        max_tokens: int,
        stop: Sequence[int],
        count: int,
        on_done: Callable[[], None],
    ) -> list[Completion]:
        for prompt in prompts:
            if not prompt or len(prompt) + max_tokens > self.n_ctx:
                raise LlamaError(
                    f"a prompt of {len(prompt)} tokens and {max_tokens} new ones do not fit a context of {self.n_ctx}."
                )
        done: dict[int, Completion] = {}
        # Neighbours in this order share the most.
        waiting = deque(sorted(range(len(prompts)), key=lambda number: list(prompts[number])))
        slots: list[_Slot | None] = [None] * count
        while len(done) < len(prompts):
            for sequence in range(count):
                while waiting and slots[sequence] is None:
                    number = waiting.popleft()
                    slots[sequence] = self._begun(number, prompts[number], sequence)
                    self._take_finished(slots, max_tokens, stop, done, on_done)
            if any(slots):
                self._step(slots)
                self._take_finished(slots, max_tokens, stop, done, on_done)
        return [done[number] for number in range(len(prompts))]

    def _begun(self, number: int, prompt: Sequence[int], sequence: int) -> _Slot:
        started = time.perf_counter()
        token, reused = self._open().prefill(prompt, sequence)
        return _Slot(number, token, len(prompt), reused, time.perf_counter() - started)

    def _step(self, slots: Sequence[_Slot | None]) -> None:
        started = time.perf_counter()
        found = self._open().step([None if slot is None else slot.next for slot in slots])
        seconds = time.perf_counter() - started
        for slot, token in zip(slots, found):
            if slot is not None:
                slot.next = token
                slot.steps += 1
                slot.decode_seconds += seconds

    def _take_finished(
        self,
        slots: list[_Slot | None],
        max_tokens: int,
        stop: Sequence[int],
        done: dict[int, Completion],
        on_done: Callable[[], None],
    ) -> None:
        """Note each slot's new token, and empty those that it ends."""
        for at, slot in enumerate(slots):
            if slot is None or slot.noted > slot.steps:
                continue
            slot.noted += 1
            if slot.next not in stop:
                slot.tokens.append(slot.next)
                if len(slot.tokens) < max_tokens:
                    continue
            done[slot.number] = self._completion(slot, stop)
            slots[at] = None
            on_done()

    def _completion(self, slot: _Slot, stop: Sequence[int]) -> Completion:
        return Completion(
            tokens=tuple(slot.tokens),
            text=self.detokenize(slot.tokens),
            stopped_on=slot.next if slot.next in stop else None,
            prompt_tokens=slot.prompt_tokens,
            reused_tokens=slot.reused,
            prefill_seconds=slot.prefill_seconds,
            decode_seconds=slot.decode_seconds,
            decode_steps=slot.steps,
        )


@dataclass
class _Slot:
    """A prompt that is being answered. next: the newest token; noted: how many of its tokens have been looked at."""

    number: int
    next: int
    prompt_tokens: int
    reused: int
    prefill_seconds: float
    decode_seconds: float = 0.0
    steps: int = 0
    noted: int = 0
    tokens: list[int] = field(default_factory=list)
