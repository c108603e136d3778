"""A trajectory as token ids and the spans that are supervised.

Each segment of the rendered prompt is encoded by itself, which is what decoding does (the
prompt's ids, then the model's), and the whole is checked against the encoding of the whole
text, which is what a chat template does. A row whose two encodings differ would be trained on
ids that are never seen at inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

from fgbuild.errors import DataError, FormatError
from fgbuild.functiongemma import render


def encode_row(
    tokenizer: Tokenizer, row: dict[str, Any], tools: Sequence[dict[str, Any]], max_length: int
) -> dict[str, Any]:
    """One trajectory as token ids and supervised spans [start, end).

    Raises DataError, naming the row, where it is longer than `max_length`, where the format
    cannot carry it, where nothing is supervised, or where the two encodings differ.
    """
    where = row.get("source", row["id"])
    try:
        segments = render(row["messages"], row.get("tools") or tools)
    except FormatError as error:
        raise DataError(f"{where}: {error}") from None
    ids: list[int] = []
    spans: list[list[int]] = []
    for segment in segments:
        part = tokenizer.encode(segment.text, add_special_tokens=False).ids
        if segment.supervised:
            spans.append([len(ids), len(ids) + len(part)])
        ids += part
    if not spans:
        raise DataError(f"{where}: no assistant message, so nothing to learn from; add one or remove the row")
    if len(ids) > max_length:
        raise DataError(
            f"{where}: {len(ids)} tokens, above dataset.max_length = {max_length}; shorten it or raise max_length"
        )
    whole = tokenizer.encode("".join(segment.text for segment in segments), add_special_tokens=False).ids
    if whole != ids:
        raise DataError(
            f"{where}: its assistant text merges with the prompt's last token; start the text with a letter or digit"
        )
    return {"id": row["id"], "input_ids": ids, "spans": spans}
