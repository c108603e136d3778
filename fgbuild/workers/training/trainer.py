"""TRL's SFTTrainer with prefix-shared batches and a head at the supervised positions alone."""

from __future__ import annotations

from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import PreTrainedModel
from trl import SFTTrainer

from fgbuild.workers.training.attention import TreePlan
from fgbuild.workers.training.body import ADAPTER, Body
from fgbuild.workers.training.fused import precise
from fgbuild.workers.training.head import SupervisedCrossEntropy, head_bytes
from fgbuild.workers.training.order import SharedPromptSampler, developer_turn


class PrefixSharedTrainer(SFTTrainer):
    """SFTTrainer whose loss runs over `PrefixCollator` batches.

    Checkpoints, schedule, optimizer, callbacks and accumulation stay TRL's and transformers'.
    The model is a Gemma3ForCausalLM whose weights are all trained, or a peft model over a frozen one with
    LoRA on linear layers and, optionally, trained vocabulary rows (`trainable_token_indices`). Those rows
    are put into the embedding's output and into the logits directly: peft's own layer copies the whole
    262,144 × 640 table at every forward. compute: the format of products; default: that of the weights.
    """

    def __init__(
        self, model: PeftModel | PreTrainedModel, *, compute: torch.dtype | None = None, **kwargs: Any
    ) -> None:
        super().__init__(model=model, **kwargs)
        base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
        embedding = base.model.embed_tokens
        rows = getattr(embedding, "token_adapter", None)
        table = rows.base_layer if rows is not None else embedding
        self._table: Tensor = table.weight
        self._scale: Tensor = table.embed_scale
        self._rows: Tensor | None = rows.trainable_tokens_delta[ADAPTER] if rows is not None else None
        self._row_ids = torch.tensor(rows.token_indices[ADAPTER] if rows is not None else [], dtype=torch.long)
        self._compute = compute or self._table.dtype
        self._body = Body(base.model, self._compute)
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
        ids, targets = inputs["input_ids"][0], inputs["target_index"]
        wide = precise(self._table.dtype)
        embedded = nn.functional.embedding(ids, self._table).to(wide) * self._scale.to(wide)
        rows, row_ids = self._trained_rows(embedded)
        if len(row_ids):
            # position in row_ids of every token, where it is one of the trained rows
            matches = ids[:, None] == row_ids[None, :]
            trained = matches.any(1)
            index = matches.int().argmax(1)[trained]
            embedded = embedded.index_put((trained.nonzero().squeeze(1),), rows[index] * self._scale.to(rows.dtype))
        plan = TreePlan.of(inputs["paths"], inputs["ends"], targets, self._body.windows)
        hidden = self._body(embedded, inputs["position_ids"][0], plan)
        hidden = hidden[torch.searchsorted(plan.targets, targets)]
        total = SupervisedCrossEntropy.apply(
            hidden, self._table, rows, row_ids, inputs["shift_labels"], inputs["target_weights"], self._compute
        )
        if model.training:
            self.computed_tokens += len(ids)
            self.represented_tokens += int(inputs["represented"])
        return total / (max(1, len(inputs["labels"])) if num_items_in_batch is None else num_items_in_batch)

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Tensor | int | None:
        """The targets of all rows: transformers counts `shift_labels`, in which a shared target is there once."""
        counted = [{"labels": batch["labels"], "shift_labels": batch["labels"]} for batch in batch_samples]
        return super()._get_num_items_in_batch(counted, device)

    def head_bytes(self, targets: int) -> int:
        """Most memory that the vocabulary head takes for a batch of so many targets."""
        return head_bytes(targets, self._table, self._compute)

    def _trained_rows(self, like: Tensor) -> tuple[Tensor, Tensor]:
        if self._rows is None:
            return like.new_empty((0, like.shape[-1])), self._row_ids.to(like.device)
        return self._rows.to(like.dtype), self._row_ids.to(like.device)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        """Rows with different tools share no prompt: where there are some, each batch gets rows of one kind."""
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        prompts = [developer_turn(ids) for ids in rows["input_ids"]]
        return SharedPromptSampler(prompts, self.args.train_batch_size, self.args.data_seed or self.args.seed)

    def prediction_step(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> tuple[Any, None, None]:
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, inputs).detach(), None, None

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """No card beside a checkpoint: export writes the one that ships."""
