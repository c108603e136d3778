"""Constrained decoding: the best token that a grammar allows, by llama.cpp's own grammar engine."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgbuild.errors import StageError
from fgbuild.workers.inference.native import llama_cpp


class Constraint:
    """What a grammar allows after the tokens that were accepted; a context manager that frees it.

    vocabulary: llama.cpp's, of the model that writes. Raises StageError for a grammar that cannot be read.
    """

    def __init__(self, vocabulary: Any, grammar: str, root: str = "root") -> None:
        self._sampler = llama_cpp.llama_sampler_init_grammar(vocabulary, grammar.encode("utf-8"), root.encode("utf-8"))
        if not self._sampler:
            raise StageError(
                "llama.cpp cannot read the grammar made of the tools; report it with the domain's manifest"
            )

    def close(self) -> None:
        """Free the grammar; safe to call twice."""
        if self._sampler:
            llama_cpp.llama_sampler_free(self._sampler)
            self._sampler = None

    def __enter__(self) -> Constraint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def allows(self, token: int) -> bool:
        return bool(np.isfinite(self._judged(np.array([token]), np.zeros(1, np.float32))[0]))

    def best(self, logits: NDArray[np.float32]) -> int:
        """The allowed token of the highest logit; logits: (vocabulary,). Raises StageError where none is allowed.

        The whole vocabulary is judged only where its favourite is not allowed: that takes as long as a decoding step.
        """
        favourite = int(logits.argmax())
        if self.allows(favourite):
            return favourite
        judged = self._judged(np.arange(len(logits)), logits)
        token = int(judged.argmax())
        if not np.isfinite(judged[token]):
            raise StageError("the grammar allows no token of this model's vocabulary; is it the domain's own GGUF?")
        return token

    def accept(self, token: int) -> None:
        """Go on after a token, which must be allowed and end no generation."""
        llama_cpp.llama_sampler_accept(self._sampler, token)

    def _judged(self, tokens: NDArray[Any], logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits, minus infinity for tokens that are not allowed."""
        data = (llama_cpp.llama_token_data * len(tokens))()
        table = np.ctypeslib.as_array(data)
        table["id"], table["logit"] = tokens, logits
        candidates = llama_cpp.llama_token_data_array(data=data, size=len(tokens), selected=-1, sorted=False)
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(candidates))
        judged: NDArray[np.float32] = table["logit"].copy()
        return judged
