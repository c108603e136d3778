"""The Gemma vocabulary in its three forms: GGUF metadata, tokenizer.json and tokenizer.model.

All three tokenise alike: spaces become ▁ (U+2581) without a leading one, control and
user-defined pieces are cut out of the raw text first (longest first), the rest is byte-pair
merged in the order of the pieces' scores, and what is not in the vocabulary falls back to bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbuild.functiongemma.tokens import CONTROL_TOKENS, END_OF_TURN_ID, START_RESPONSE_ID
from fgbuild.gguf_io.metadata import Field, ValueType, boolean, numbers, string, strings, uint32

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Piece types, the same numbers in GGUF and in sentencepiece's protobuf."""

PAD, EOS, BOS, UNK = 0, 1, 2, 3
SPACE = "▁"


@dataclass(frozen=True)
class Vocabulary:
    """Pieces by id, each with its score and type.

    Normal pieces write a space as ▁; user-defined ones hold the raw text they match.
    """

    pieces: Sequence[str]
    scores: Sequence[float]
    types: Sequence[int]

    def with_control_tokens(self) -> Vocabulary:
        """The same with FunctionGemma's control tokens at their ids."""
        pieces, types = list(self.pieces), list(self.types)
        for token_id, piece in CONTROL_TOKENS.items():
            pieces[token_id] = piece
            types[token_id] = CONTROL
        return Vocabulary(pieces, self.scores, types)

    def metadata(self) -> dict[str, Field]:
        """The `tokenizer.ggml.*` keys, as llama.cpp's converter names them.

        `eom_token_id` makes llama.cpp end a generation on <start_function_response>.
        """
        return {
            "tokenizer.ggml.model": string("llama"),
            "tokenizer.ggml.pre": string("default"),
            "tokenizer.ggml.tokens": strings(self.pieces),
            "tokenizer.ggml.scores": numbers(ValueType.FLOAT32, self.scores),
            "tokenizer.ggml.token_type": numbers(ValueType.INT32, self.types),
            "tokenizer.ggml.bos_token_id": uint32(BOS),
            "tokenizer.ggml.eos_token_id": uint32(EOS),
            "tokenizer.ggml.unknown_token_id": uint32(UNK),
            "tokenizer.ggml.padding_token_id": uint32(PAD),
            "tokenizer.ggml.eot_token_id": uint32(END_OF_TURN_ID),
            "tokenizer.ggml.eom_token_id": uint32(START_RESPONSE_ID),
            "tokenizer.ggml.add_bos_token": boolean(True),
            "tokenizer.ggml.add_eos_token": boolean(False),
            "tokenizer.ggml.add_space_prefix": boolean(False),
        }


def merges(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Byte-pair merges, the best first: every split of a normal piece into two normal pieces.

    sentencepiece keeps no merge list: it joins whichever neighbours make the piece of the highest
    score. Ranking the splits by that score gives a merge list that does the same.
    """
    normal = [index for index, kind in enumerate(vocabulary.types) if kind == NORMAL]
    known = {vocabulary.pieces[index] for index in normal}
    normal.sort(key=lambda index: -vocabulary.scores[index])
    pairs: list[tuple[str, str]] = []
    for index in normal:
        piece = vocabulary.pieces[index]
        for cut in range(1, len(piece)):
            left = piece[:cut]
            if left in known and piece[cut:] in known:
                pairs.append((left, piece[cut:]))
    return pairs


def tokenizer_json(vocabulary: Vocabulary) -> dict[str, Any]:
    """The `tokenizers` library's form."""
    bos = vocabulary.pieces[BOS]
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    back = {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, **flags} for index, flags in added_tokens(vocabulary).items()],
        "normalizer": replace,
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": bos, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": bos, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {bos: {"id": bos, "ids": [BOS], "tokens": [bos]}},
        },
        "decoder": {"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": vocabulary.pieces[UNK],
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {piece: index for index, piece in enumerate(vocabulary.pieces)},
            "merges": merges(vocabulary),
        },
    }


def added_tokens(vocabulary: Vocabulary) -> dict[int, dict[str, Any]]:
    """Control and user-defined pieces by id, with the flags that make them match raw text."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        index: {"content": vocabulary.pieces[index], **flags, "special": kind in (CONTROL, UNKNOWN)}
        for index, kind in enumerate(vocabulary.types)
        if kind in (CONTROL, UNKNOWN, USER_DEFINED)
    }


def tokenizer_config(vocabulary: Vocabulary, context_length: int) -> dict[str, Any]:
    """What transformers and llama.cpp's converter read beside the vocabulary."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": vocabulary.pieces[BOS],
        "eos_token": vocabulary.pieces[EOS],
        "pad_token": vocabulary.pieces[PAD],
        "unk_token": vocabulary.pieces[UNK],
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context_length,
        "padding_side": "right",
        "added_tokens_decoder": {str(index): flags for index, flags in added_tokens(vocabulary).items()},
    }


def sentencepiece_model(vocabulary: Vocabulary) -> bytes:
    """A sentencepiece model, serialised; llama.cpp's converter asks for one."""
    from sentencepiece import sentencepiece_model_pb2 as protobuf

    model = protobuf.ModelProto()  # type: ignore[attr-defined]
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type = protobuf.TrainerSpec.BPE  # type: ignore[attr-defined]
    trainer.vocab_size = len(vocabulary.pieces)
    trainer.byte_fallback = True
    trainer.pad_id, trainer.eos_id, trainer.bos_id, trainer.unk_id = PAD, EOS, BOS, UNK
    trainer.pad_piece, trainer.eos_piece, trainer.bos_piece, trainer.unk_piece = vocabulary.pieces[:4]
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = False
    normalizer.remove_extra_whitespaces = False
    normalizer.escape_whitespaces = True
    rows = zip(vocabulary.pieces, vocabulary.scores, vocabulary.types, strict=True)
    for index, (piece, score, kind) in enumerate(rows):
        text = piece.replace(" ", SPACE) if kind == USER_DEFINED else piece
        model.pieces.add(piece=text, score=score, type=UNKNOWN if index == UNK else kind)
    return bytes(model.SerializeToString())


def write_tokenizer(directory: Path, vocabulary: Vocabulary, context_length: int) -> None:
    """tokenizer.json, tokenizer_config.json and tokenizer.model into `directory`."""
    documents = {
        "tokenizer.json": tokenizer_json(vocabulary),
        "tokenizer_config.json": tokenizer_config(vocabulary, context_length),
    }
    for name, document in documents.items():
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        (directory / name).write_text(text, "utf-8")
    (directory / "tokenizer.model").write_bytes(sentencepiece_model(vocabulary))
