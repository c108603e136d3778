"""TRL's SFTTrainer with prefix-shared batches and a head at the supervised positions alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import TrainerState
from trl import SFTTrainer

from fgbuild.errors import StageError
from fgbuild.workers.training import attention
from fgbuild.workers.training.fused import fuse
from fgbuild.workers.training.head import SupervisedCrossEntropy
from fgbuild.workers.training.order import SharedPromptSampler, developer_turn


class PrefixSharedTrainer(SFTTrainer):
    """SFTTrainer whose loss runs over `PrefixCollator` batches.

    Checkpoints, schedule, optimizer, callbacks and accumulation stay TRL's and transformers'.
    The model is a peft model over Gemma3ForCausalLM with LoRA on linear layers and, optionally,
    trained vocabulary rows (`trainable_token_indices`). Those rows are put into the embedding's
    output and into the logits directly: peft's own layer copies the whole 262,144 × 640 table
    at every forward.
    """

    def __init__(self, model: PeftModel, **kwargs: Any) -> None:
        super().__init__(model=model, **kwargs)
        base: Any = model.get_base_model()
        base.set_attn_implementation(attention.NAME)
        fuse(base)
        self._body: nn.Module = base.model
        self._window: int = base.config.sliding_window
        embedding = self._body.embed_tokens
        rows = getattr(embedding, "token_adapter", None)
        table = rows.base_layer if rows is not None else embedding
        self._table: Tensor = table.weight
        self._scale: Tensor = table.embed_scale
        self._rows: Tensor | None = rows.trainable_tokens_delta["default"] if rows is not None else None
        self._row_ids = torch.tensor(rows.token_indices["default"] if rows is not None else [], dtype=torch.long)
        if self._table.requires_grad:
            raise StageError("the embedding is trainable; the prefix-shared loss needs it frozen")
        self.computed_tokens = 0
        self.represented_tokens = 0

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Mean cross-entropy over the targets of the whole (accumulated) batch."""
        ids = inputs["input_ids"]
        precise = torch.promote_types(self._table.dtype, torch.float32)
        embedded = nn.functional.embedding(ids, self._table).to(precise) * self._scale.to(precise)
        rows, row_ids = self._trained_rows(embedded)
        if len(row_ids):
            # position in row_ids of every token, where it is one of the trained rows
            matches = ids[0][:, None] == row_ids[None, :]
            trained = matches.any(1)
            index = matches.int().argmax(1)[trained]
            embedded = embedded.index_put(
                (torch.zeros_like(index), trained.nonzero().squeeze(1)),
                rows[index] * self._scale.to(rows.dtype),
            )
        plan = attention.PrefixPlan.of(int(inputs["prefix"]), inputs["lengths"], self._window, self._table.dtype)
        hidden = self._body(
            inputs_embeds=embedded,
            position_ids=inputs["position_ids"],
            attention_mask={"full_attention": None, "sliding_attention": None},
            prefix_plan=plan,
            use_cache=False,
        ).last_hidden_state[0]
        total = SupervisedCrossEntropy.apply(
            hidden[inputs["target_index"]], self._table, rows, row_ids, inputs["shift_labels"]
        )
        if model.training:
            self.computed_tokens += ids.shape[1]
            self.represented_tokens += int(inputs["represented"])
        return total / (len(inputs["shift_labels"]) if num_items_in_batch is None else num_items_in_batch)

    def _trained_rows(self, like: Tensor) -> tuple[Tensor, Tensor]:
        if self._rows is None:
            return like.new_empty((0, like.shape[-1])), self._row_ids.to(like.device)
        return self._rows.to(like.dtype), self._row_ids.to(like.device)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        """Rows with different tools share no prompt: where there are some, each batch gets rows of one kind."""
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        prompts = [developer_turn(ids) for ids in rows["input_ids"]]
        sampler = SharedPromptSampler(prompts, self.args.train_batch_size, self.args.data_seed or self.args.seed)
        return sampler if sampler.kinds > 1 else super()._get_train_sampler(train_dataset)

    def prediction_step(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> tuple[Any, None, None]:
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, inputs).detach(), None, None

    def restore(self, checkpoint: Path, state: TrainerState) -> None:
        """Take over a finished training: the adapter of its last checkpoint, and its state."""
        self._load_from_checkpoint(str(checkpoint))
        self.state = state

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """No card beside a checkpoint: export writes the one that ships."""
