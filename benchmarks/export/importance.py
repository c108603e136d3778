"""What a k-quant costs a domain's model, with and without an importance matrix made from the domain's training rows.

    python benchmarks/export/importance.py BASE TRAIN TOKENIZE [--types q4_k_m …] [--rows 64] [--keep FILE]

BASE, TRAIN and TOKENIZE are artifacts of those stages of one domain (directories in `cache/store`). The matrix is
what llama-imatrix measures (the mean square of each matrix's inputs, column by column), taken from the merged model
over training rows; --keep writes it as a GGUF for `quant.imatrix`. Each file's weights are then put back into that
model, which reads the held-out rows: printed are, over the supervised tokens, the loss, the mean KL divergence from
the model in float32, and how often the two choose another token.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

from fgbuild.gguf_io import header
from fgbuild.workers.bases import gemma
from fgbuild.workers.exporting import gguf_file, tuned

TYPES = ("q8_0", "q6_k", "q5_k_m", "q4_k_m")


class Scores(NamedTuple):
    """loss: nats a token. kl: nats a token. other: share of tokens."""

    loss: float
    kl: float
    other: float


class Experiment:
    def __init__(self, base: Path, train: Path, rows: Path, held_out: int, work: Path) -> None:
        self.base, self.tuned, self.work = base, tuned.load(train), work
        checkpoint = work / "merged"
        gguf_file.write_checkpoint(base, self.tuned, checkpoint)
        self.model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
        self.names = gemma.tensor_names(self.model.config.num_hidden_layers)
        self.train = _rows(rows / "train.jsonl")
        self.held_out = _rows(rows / "eval.jsonl")[:held_out]

    def matrix(self, count: int) -> dict[str, tuple[np.ndarray, int]]:
        """GGUF name → (sums of squared inputs by column, tokens)."""
        sums: dict[str, tuple[np.ndarray, int]] = {}

        def watch(name: str) -> Any:
            def seen(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
                values = inputs[0].reshape(-1, inputs[0].shape[-1])
                before, tokens = sums.get(name, (0.0, 0))
                sums[name] = before + values.square().sum(0).numpy(), tokens + len(values)

            return seen

        handles = [
            module.register_forward_pre_hook(watch(self.names[f"{name}.weight"]))
            for name, module in self.model.named_modules()
            if isinstance(module, torch.nn.Linear) and f"{name}.weight" in self.names
        ]
        step = max(len(self.train) // count, 1)
        with torch.no_grad():
            for row in self.train[::step][:count]:
                self.model.model(torch.tensor([row["input_ids"]]))
        for handle in handles:
            handle.remove()
        return sums

    def answers(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Of each held-out row: log-probabilities at the supervised tokens (tokens, vocabulary), and those tokens."""
        with torch.no_grad():
            for row in self.held_out:
                ids = row["input_ids"]
                where = [at for start, end in row["spans"] for at in range(start, end)]
                hidden = self.model.model(torch.tensor([ids])).last_hidden_state[0, [at - 1 for at in where]]
                yield self.model.lm_head(hidden).log_softmax(-1), torch.tensor([ids[at] for at in where])

    def scores(self, reference: list[torch.Tensor]) -> Scores:
        loss, kl, other, tokens = 0.0, 0.0, 0, 0
        for (found, gold), true in zip(self.answers(), reference):
            loss -= float(found.gather(-1, gold[:, None]).sum())
            kl += float((true.exp() * (true - found)).sum())
            other += int((found.argmax(-1) != true.argmax(-1)).sum())
            tokens += len(gold)
        return Scores(loss / tokens, kl / tokens, other / tokens)

    def quantised(self, kind: str, imatrix: Path | None) -> int:
        """Give the model the weights of that file; its bytes."""
        path = self.work / "quantised.gguf"
        gguf_file.write_builtin(self.base, self.tuned, kind, {}, path, self.work, lambda done, total: None, imatrix)
        file = header.read(path)
        weights = self.model.state_dict()
        with torch.no_grad():
            for name, stored in self.names.items():
                info = file.tensors[stored]
                kind_of = gguf.GGMLQuantizationType[info.type.name]
                data = np.frombuffer(file.tensor_bytes(stored), np.uint8)
                values = gguf.dequantize(data.reshape(info.rows, -1) if len(info.shape) > 1 else data, kind_of)
                if gemma.is_norm(name):
                    values = values - 1
                weights[name].copy_(torch.from_numpy(np.ascontiguousarray(values)).reshape(weights[name].shape))
        return path.stat().st_size


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write_matrix(path: Path, sums: dict[str, tuple[np.ndarray, int]], dataset: str) -> None:
    """As llama.cpp's llama-imatrix writes it in GGUF format."""
    writer = gguf.GGUFWriter(path, arch="")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", [dataset])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", max(tokens for _, tokens in sums.values()))
    for name, (values, tokens) in sorted(sums.items()):
        writer.add_tensor(f"{name}.in_sum2", values.astype(np.float32)[None, :])
        writer.add_tensor(f"{name}.counts", np.array([[tokens]], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("base", "train", "tokenize"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--types", nargs="+", default=list(TYPES), choices=TYPES)
    parser.add_argument("--rows", type=int, default=64, help="training rows that the matrix is taken from")
    parser.add_argument("--held-out", type=int, default=40, help="rows that are scored; 30 MB each")
    parser.add_argument("--keep", type=Path, help="write the matrix here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        experiment = Experiment(args.base, args.train, args.tokenize, args.held_out, work)
        imatrix = work / "imatrix.gguf"
        write_matrix(imatrix, experiment.matrix(args.rows), str(args.tokenize))
        if args.keep:
            shutil.copyfile(imatrix, args.keep)
        reference = [found for found, _ in experiment.answers()]
        print("| type | matrix | bytes | loss | KL, nats a token | other token |\n|---|---|---|---|---|---|")
        _say("float32", "", "", experiment.scores(reference))
        for kind in args.types:
            for given in (None, imatrix) if kind != "q8_0" else (None,):
                size = experiment.quantised(kind, given)
                _say(kind, "yes" if given else "no", f"{size:,}", experiment.scores(reference))


def _say(kind: str, given: str, size: str, scores: Scores) -> None:
    print(f"| {kind} | {given} | {size} | {scores.loss:.5f} | {scores.kl:.6f} | {scores.other:.2%} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
