"""FunctionGemma's control tokens in a Gemma 3 that does not know them.

They are `<unused40>`..`<unused46>` in plain Gemma 3. Each gets its name, and as a start the mean
embedding of plain words of the same meaning: the untrained row is noise, which fine-tuning would
first have to undo.
"""

from __future__ import annotations

from collections.abc import Callable

from fgbuild.functiongemma.tokens import CONTROL_TOKENS
from fgbuild.gguf_io.quant import Float32
from fgbuild.workers.bases.vocabulary import Vocabulary

FIRST_UNUSED = 40

MEANINGS: dict[int, tuple[str, ...]] = {
    46: ("▁start", "▁function", "▁declaration", "▁declare"),
    47: ("▁end", "▁function", "▁declaration", "▁declare"),
    48: ("▁start", "▁function", "▁call", "▁invoke"),
    49: ("▁end", "▁function", "▁call", "▁invoke"),
    50: ("▁start", "▁function", "▁response", "▁result"),
    51: ("▁end", "▁function", "▁response", "▁result"),
    52: ("▁escape", "▁quote", '"', "'"),
}
"""Control token → the pieces of Gemma 3's vocabulary whose rows it starts as the mean of."""


def knows(vocabulary: Vocabulary) -> bool:
    """Whether the control tokens have their names."""
    return all(vocabulary.pieces[index] == piece for index, piece in CONTROL_TOKENS.items())


def has_room(vocabulary: Vocabulary) -> bool:
    """Whether the ids are still plain Gemma 3's unused pieces."""
    unused = (f"<unused{FIRST_UNUSED + offset}>" for offset in range(len(CONTROL_TOKENS)))
    return all(vocabulary.pieces[index] == piece for index, piece in zip(CONTROL_TOKENS, unused, strict=True))


def initial_rows(vocabulary: Vocabulary, rows: Callable[[list[int]], Float32]) -> dict[int, Float32]:
    """Control token → its first embedding row; `rows(ids)` reads rows of the base's table.

    Raises KeyError for a vocabulary that lacks one of the words.
    """
    ids = {piece: index for index, piece in enumerate(vocabulary.pieces)}
    return {token: rows([ids[piece] for piece in MEANINGS[token]]).mean(axis=0) for token in CONTROL_TOKENS}


def replace_rows(chunk: Float32, start: int, rows: dict[int, Float32]) -> None:
    """Put the rows into a chunk of the embedding table that begins at row `start`."""
    for index, row in rows.items():
        if start <= index < start + len(chunk):
            chunk[index - start] = row
