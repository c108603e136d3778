"""Prompts as the model is trained on them: rendered by us, tokenised segment by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from fgbuild.functiongemma import render


class PromptEncoder:
    """Token ids of prompts by a base artifact's `tokenizer.json`."""

    def __init__(self, base: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))

    def encode(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        *,
        add_generation_prompt: bool = True,
    ) -> list[int]:
        """Ids of a conversation up to where the model starts to write (or, without it, of all of it)."""
        segments = render(messages, tools, add_generation_prompt=add_generation_prompt)
        return [
            token
            for segment in segments
            for token in self._tokenizer.encode(segment.text, add_special_tokens=False).ids
        ]

    def text(self, token: int) -> str:
        """A token as the vocabulary writes it, for messages."""
        return self._tokenizer.id_to_token(token) or "?"
