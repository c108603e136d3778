"""A base from a Hugging Face checkpoint on disk: `path`, and what `hub` has downloaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fgbuild.errors import BaseModelError
from fgbuild.gguf_io.quant import CHUNK_VALUES, Bf16Bits, bf16_to_float32, float32_to_bf16
from fgbuild.workers.bases import control, gemma, template
from fgbuild.workers.bases.artifact import BaseModel, SourceFile
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.bases.vocabulary import CONTROL, SPACE, UNUSED, USER_DEFINED, Vocabulary
from fgbuild.workers.digest import sha256

REQUIRED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer.model")
OPTIONAL = ("tokenizer_config.json", "chat_template.jinja", "generation_config.json")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")
EMBEDDING = "model.embed_tokens.weight"
ADDED_SCORE = -1000.0
PADDING_SCORE = -10000.0


def load(entry: dict[str, Any], directory: Path, revision: str) -> BaseModel:
    """The model in `directory`. Raises BaseModelError where it cannot be built on."""
    missing = [name for name in REQUIRED if not (directory / name).is_file()]
    if missing:
        raise BaseModelError(
            f"{directory}: {', '.join(missing)} not found; a base needs {', '.join(REQUIRED)} in one directory"
        )
    config = read_json(directory / "config.json")
    gemma.check_config(config, str(directory / "config.json"))
    weights = SafetensorsFile(directory / "model.safetensors")
    _check_weights(weights, config)
    model = BaseModel(
        name=entry["name"],
        kind=entry["kind"],
        title=str(entry.get("repo", directory.name)),
        revision=revision,
        sources=[
            SourceFile(name, sha256(directory / name))
            for name in (*REQUIRED, *OPTIONAL)
            if (directory / name).is_file()
        ],
        config=config,
        vocabulary=read_vocabulary(directory, config["vocab_size"]),
        weights=lambda name: _rows(weights, name),
        template=_template(directory),
    )
    return _with_control_tokens(model, weights, directory)


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BaseModelError(f"{path}: not JSON ({error}); download the base again") from None
    if not isinstance(value, dict):
        raise BaseModelError(f"{path}: not a JSON object; download the base again")
    return value


def _check_weights(weights: SafetensorsFile, config: dict[str, Any]) -> None:
    for name in gemma.tensor_names(config["num_hidden_layers"]):
        wanted = gemma.tensor_shape(name, config)
        if name not in weights:
            raise BaseModelError(f"{weights.path}: no tensor {name!r}; use a Gemma3ForCausalLM checkpoint")
        if (found := weights.entry(name).shape) != wanted:
            raise BaseModelError(f"{weights.path}: {name} is {found}, not {wanted} as config.json says")


def _rows(weights: SafetensorsFile, name: str) -> Iterator[Bf16Bits]:
    shape = weights.entry(name).shape
    step = max(1, CHUNK_VALUES // shape[-1])
    for start in range(0, shape[0], step):
        yield weights.bf16(name, slice(start, start + step))


def _template(directory: Path) -> str:
    """The checkpoint's chat template if it can declare tools, checked against our renderer; else ""."""
    path = directory / "chat_template.jinja"
    if path.is_file():
        text = path.read_text("utf-8")
    else:
        path = directory / "tokenizer_config.json"
        text = read_json(path).get("chat_template", "") if path.is_file() else ""
    if not isinstance(text, str) or template.MARKER not in text:
        return ""
    template.check(text, str(path))
    return text


def _with_control_tokens(model: BaseModel, weights: SafetensorsFile, directory: Path) -> BaseModel:
    """The model with its own tokenizer files where it knows FunctionGemma's tokens, else taught them."""
    if control.knows(model.vocabulary):
        files = {name: directory / name for name in TOKENIZER_FILES if (directory / name).is_file()}
        return replace(model, files=files)
    if not control.has_room(model.vocabulary):
        raise BaseModelError(
            f"{directory / 'tokenizer.json'}: the tokens 46 to 52 are neither FunctionGemma's nor Gemma 3's unused "
            "ones; use a Gemma 3 or FunctionGemma checkpoint"
        )
    try:
        rows = control.initial_rows(
            model.vocabulary, lambda ids: np.stack([weights.float32(EMBEDDING, slice(i, i + 1))[0] for i in ids])
        )
    except KeyError as error:
        raise BaseModelError(f"{directory / 'tokenizer.model'}: no piece {error}; use Gemma's tokenizer") from None

    def changed(name: str) -> Iterator[Bf16Bits]:
        start = 0
        for chunk in _rows(weights, name):
            if name == EMBEDDING:
                values = bf16_to_float32(chunk)
                control.replace_rows(values, start, rows)
                chunk = float32_to_bf16(values)
            start += len(chunk)
            yield chunk

    return replace(model, vocabulary=model.vocabulary.with_control_tokens(), weights=changed)


def read_vocabulary(directory: Path, size: int) -> Vocabulary:
    """`size` pieces of tokenizer.model, with the added tokens of tokenizer.json over them.

    The same rules as llama.cpp's converter: an added token is a control piece where it is special,
    else user-defined raw text; rows of the embedding without a piece get a name nobody can type.
    """
    from google.protobuf.message import DecodeError
    from sentencepiece import sentencepiece_model_pb2 as protobuf

    model = protobuf.ModelProto()  # type: ignore[attr-defined]
    try:
        model.ParseFromString((directory / "tokenizer.model").read_bytes())
    except DecodeError:
        raise BaseModelError(f"{directory / 'tokenizer.model'}: not a sentencepiece model; download it again") from None
    pieces = [piece.piece for piece in model.pieces][:size]
    scores = [piece.score for piece in model.pieces][:size]
    types = [piece.type for piece in model.pieces][:size]
    for index in range(len(pieces), size):
        pieces.append(f"[PAD{index}]")
        scores.append(PADDING_SCORE)
        types.append(UNUSED)
    for token in read_json(directory / "tokenizer.json").get("added_tokens", []):
        index, special = int(token["id"]), bool(token["special"])
        if index < size:
            pieces[index] = token["content"] if special else token["content"].replace(SPACE, " ")
            types[index] = CONTROL if special else USER_DEFINED
            scores[index] = ADDED_SCORE
    return Vocabulary(pieces, scores, types)
