"""One training in several processes, as `accelerate launch` or `torchrun` starts them.

Each has the whole model and a part of the rows; an optimizer step sees the same rows as in one process. The main
process alone decides, reports and writes.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
import torch.distributed as dist
from accelerate import PartialState
from accelerate.data_loader import prepare_data_loader
from accelerate.utils import parse_flag_from_env
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers.trainer_utils import EvalLoopOutput

from fgbuild.errors import DataError
from fgbuild.workers.protocol import Reporter

if TYPE_CHECKING:
    from transformers import Trainer
else:
    Trainer = object

Decision = TypeVar("Decision")


class Silent(Reporter):
    """What a process that is not the main one has to report: nothing."""

    def emit(self, kind: str, **fields: Any) -> None:
        pass


def processes() -> PartialState:
    """How many processes there are, and which of them this is."""
    if "LOCAL_RANK" in os.environ and not torch.cuda.is_available():
        # Without a GPU, accelerate and transformers look for other processes only where they are told to use the CPU,
        # which they call cpu:0 by themselves, a name that torch.load does not know.
        os.environ.update({"ACCELERATE_USE_CPU": "true", "ACCELERATE_TORCH_DEVICE": "cpu"})
    return PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))


def is_main() -> bool:
    """Whether this is the only process, or the first of several."""
    return bool(processes().is_main_process)


def by_main(decide: Callable[[], Decision]) -> Decision:
    """What `decide` says in the main process, in every process."""
    if processes().num_processes == 1:
        return decide()
    decided = [decide() if is_main() else None]
    dist.broadcast_object_list(decided)
    return cast(Decision, decided[0])


def wait_for_all() -> None:
    """Go on when every process is here."""
    processes().wait_for_everyone()


def leave() -> None:
    """End together: gloo sometimes aborts a process that exits with connections open, or when another has gone.

    The last that a process does: several end at once when Python would tidy up, since gloo's threads sometimes abort
    a process that destroys what they use, and a finished training would count as failed.
    """
    wait_for_all()
    processes().destroy_process_group()
    if processes().num_processes > 1:
        atexit.register(_end_at_once)


def _end_at_once() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def part_of(settings: dict[str, Any], backend: str) -> dict[str, Any]:
    """`[trainer]` for one of the processes: its share of the passes that make an optimizer step.

    Raises DataError for settings that several processes cannot share, and names the field.
    """
    count = processes().num_processes
    if count == 1:
        return settings
    if backend != "trl":
        raise DataError(f'trainer.backend: "{backend}" trains in one process, and here are {count}; set "trl"')
    if settings["batch_size"] == "auto":
        raise DataError(f'trainer.batch_size: "auto" works for one process, and here are {count}; set a number')
    passes, rest = divmod(settings["gradient_accumulation"], count)
    if rest:
        raise DataError(
            f"trainer.gradient_accumulation: {settings['gradient_accumulation']} passes cannot be shared by {count} "
            f"processes; set a multiple of {count}, or start another number of processes"
        )
    return {**settings, "gradient_accumulation": passes}


def draw_apart(seed: int) -> None:
    """Give each process but the main one random numbers of its own, for dropout; call when the weights are made."""
    if not is_main():
        torch.manual_seed(seed + processes().process_index)


class Synchronized(Trainer):
    """Sums the gradients of all processes; to be named before the trainer among the bases.

    The trainer's forward pass is its own, so that DistributedDataParallel's, which would do it, never runs. The loss
    is divided by the targets of all processes already.
    """

    def training_step(self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.args.world_size == 1:
            return loss
        if self.accelerator.sync_gradients:
            for parameter in model.parameters():
                if parameter.requires_grad:
                    if parameter.grad is None:
                        parameter.grad = torch.zeros_like(parameter)
                    dist.all_reduce(parameter.grad)
        return loss * self.args.world_size  # which the log averages over the processes

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        if self.args.world_size > 1:
            # After a resume a loader of its own skips batches, and does not tell the order of rows its epoch.
            kwargs["train_dataloader"].set_epoch(kwargs["epoch"])
        super()._run_epoch(*args, **kwargs)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Any]:
        """Every process measures on all rows: shares would be filled up with rows that count twice."""
        if self.args.world_size == 1:
            return super().get_eval_dataloader(eval_dataset)
        rows: Any = self.eval_dataset if eval_dataset is None else eval_dataset
        loader = DataLoader(rows, batch_size=self.args.eval_batch_size, collate_fn=self.data_collator)
        return prepare_data_loader(loader, self.args.device, num_processes=1, process_index=0, put_on_device=True)

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
        if self.args.world_size == 1:
            return super().evaluation_loop(*args, **kwargs)
        self.gather_function = self._last_cut
        found = super().evaluation_loop(*args, **kwargs)
        return found._replace(metrics=by_main(lambda: found.metrics))

    def _last_cut(self, losses: Tensor) -> Tensor:
        """The losses of a batch, one a row, in the last batch too: what gathering for metrics does in one process."""
        state = self.accelerator.gradient_state
        return losses[: state.remainder] if state.end_of_dataloader and state.remainder > 0 else losses
