"""What a manifest may hold: types, ranges, defaults and the words that explain them.

Defaults are the values that suit a base that knows the call format already (FunctionGemma). The
models check one field at a time; what depends on several fields or on files is in `checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from fgbuild.manifest.eval_models import CONTEXT_LENGTH, Eval, Share
from fgbuild.manifest.messages import shown
from fgbuild.manifest.quant import Quant
from fgbuild.manifest.table import Table
from fgbuild.manifest.template_models import TemplateFile, ToolCommand, Workspace

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
VOCABULARY = 262_144
"""Gemma 3's vocabulary, tokens."""
MAX_SEED = 2**32 - 1
"""numpy and torch take 32-bit seeds."""

Projection = Literal["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Dataset(Table):
    """Where the examples come from, and how they are split."""

    generator: str = Field(
        default="none",
        description="The built-in domain whose scenarios make the examples, templates, or none. "
        "Default: templates where there are scenarios or dataset.templates, the manifest's own name where that is a "
        "built-in domain, else none.",
    )
    count: int = Field(default=200, ge=2, le=1_000_000, description="Examples to generate, both splits together.")
    seed: int = Field(default=7, ge=0, le=MAX_SEED, description="Seed of the generator.")
    eval_fraction: float = Field(
        default=0.2, gt=0, lt=1, description="Share of the examples held out for eval, between 0 and 1."
    )
    files: list[str] = Field(
        default_factory=list,
        description="Own JSONL files, relative to the project; their rows are added to the generated ones.",
    )
    max_leakage: Share = Field(
        default=0.05,
        description="Largest share of held-out examples that are near copies of training examples; more are an error.",
    )
    tool_variants: Share = Field(
        default=0.15,
        description="Share of generated training examples that declare the tools in another order, under other names, "
        "or without some, so that the model reads declarations.",
    )
    templates: list[str] = Field(
        default_factory=list,
        description="TOML files, or folders of them, with more [slots] and [[scenario]]s, relative to the project.",
    )
    max_length: int = Field(
        default=1024,
        ge=32,
        le=CONTEXT_LENGTH,
        description="Longest example, tokens, declarations included; a longer one is an error.",
    )
    max_bad: int = Field(
        default=0, ge=0, description="Bad lines of files that may be left out, all files together; more are an error."
    )


class Lora(Table):
    """The low-rank adapter that is trained."""

    r: int = Field(default=16, ge=1, le=1024, description="Rank of the adapter.")
    alpha: int = Field(default=32, ge=1, description="Scale of the adapter; its update is multiplied by alpha / r.")
    dropout: float = Field(
        default=0.05, ge=0, lt=1, description="Share of the adapter's inputs dropped while training."
    )
    target_modules: list[Projection] = Field(
        default=["q_proj", "v_proj"], min_length=1, description="Linear layers that get an adapter."
    )
    bias: Literal["none"] = Field(default="none", description="Biases to train: none, as Gemma 3 has no bias terms.")
    trainable_tokens: list[Annotated[int, Field(ge=0, lt=VOCABULARY)]] = Field(
        default_factory=list, description="Ids of tokens whose embeddings are trained too."
    )
    use_rslora: bool = Field(
        default=False, description="Multiply the update by alpha / √r in place of alpha / r (rank-stabilised LoRA)."
    )
    use_dora: bool = Field(
        default=False, description="Train the length of each weight row apart from its direction (DoRA); slower."
    )
    init_lora_weights: Literal["default", "gaussian", "orthogonal", "pissa", "olora"] = Field(
        default="default",
        description="First values of the adapter: default, gaussian and orthogonal are random, "
        "pissa (singular values) and olora (QR) are taken from the base's weights.",
    )


class Trainer(Table):
    """How the model is trained."""

    epochs: int = Field(default=3, ge=1, description="Passes over the training examples, where max_steps is -1.")
    max_steps: int = Field(
        default=-1, ge=-1, description="Optimizer steps, whatever epochs says; -1: what epochs give."
    )
    method: Literal["lora", "full"] = Field(
        default="lora",
        description="What is trained: an adapter, or all weights of the model (which leaves [lora] out).",
    )
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        default=4,
        description="Examples in one forward and backward pass; auto: the most that fit in memory and divide "
        "effective_batch.",
    )
    gradient_accumulation: int = Field(
        default=4, ge=1, description="Passes that make one optimizer step; with batch_size auto: what it leaves."
    )
    effective_batch: int = Field(
        default=16, ge=1, description="Examples in one optimizer step, where batch_size is auto; ignored otherwise."
    )
    learning_rate: float = Field(default=2e-4, gt=0, le=1, description="Peak learning rate.")
    schedule: Literal["cosine", "linear", "constant"] = Field(
        default="cosine", description="How the learning rate falls after the warm-up."
    )
    warmup_steps: int = Field(default=0, ge=0, description="Steps in which the learning rate rises from 0 to its peak.")
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's weight decay.")
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients with a longer norm are scaled down to it.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="Number format: auto is bf16 where the device is fast at it, else fp32."
    )
    seed: int = Field(
        default=42, ge=0, le=MAX_SEED, description="Seed of the adapter's first values and the row order."
    )
    backend: Literal["auto", "trl", "unsloth"] = Field(
        default="trl",
        description="Training library; auto is unsloth where it is installed and there is a GPU, else trl.",
    )
    sharing: Literal["auto", "off"] = Field(
        default="auto", description="Compute the prompt prefix that examples share once a batch (same result, faster)."
    )
    eval_every: int = Field(default=0, ge=0, description="Steps between measurements of the eval loss; 0 for none.")
    early_stopping: int = Field(
        default=0, ge=0, description="Measurements without a lower eval loss after which training stops; 0: never."
    )
    keep: Literal["last", "best"] = Field(
        default="last", description="Which weights go on: the last ones, or those with the lowest measured eval loss."
    )

    @field_validator("batch_size", mode="before")
    @classmethod
    def _a_count_or_auto(cls, value: Any) -> Any:
        if value == "auto" or (type(value) is int and value >= 1):
            return value
        raise ValueError(f'must be a whole number of at least 1, or "auto", not {shown(value)}')

    @field_validator("max_steps")
    @classmethod
    def _some_steps(cls, value: int) -> int:
        if value == 0:
            raise ValueError("must be at least 1, or -1 for what epochs give")
        return value

    @field_validator("precision", mode="before")
    @classmethod
    def _no_fp16(cls, value: Any) -> Any:
        if value in ("fp16", "float16", "half"):
            raise ValueError(
                'Gemma 3\'s activations exceed fp16\'s range and the loss becomes NaN; use "bf16" or "fp32"'
            )
        return value


class Smoke(Table):
    """A prompt and the call that must come back."""

    prompt: str = Field(min_length=1, description="What the user says.")
    tool: str = Field(description="Name of the tool that must be called.")
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="Arguments that the call must have, among others it may have."
    )


class Verify(Table):
    """Checks of the finished file."""

    smoke: list[Smoke] = Field(default_factory=list, description="Prompts that must give a certain call.")
    timeout_seconds: int = Field(default=120, ge=1, description="Longest time that verification may take, seconds.")
    memory_mb: int = Field(default=4096, ge=64, description="Most memory that verification may use, MB.")


class Sections(Table):
    """The sections that a manifest, a base's overrides and a profile have in common."""

    dataset: Dataset = Field(default_factory=Dataset, description="Where the examples come from.")
    lora: Lora = Field(default_factory=Lora, description="The low-rank adapter.")
    trainer: Trainer = Field(default_factory=Trainer, description="How the model is trained.")
    quant: Quant = Field(default_factory=Quant, description="The GGUF file that comes out.")
    verify: Verify = Field(default_factory=Verify, description="Checks of the finished file.")
    eval: Eval = Field(default_factory=Eval, description="Accuracy on the held-out examples.")


class Tool(ToolCommand):
    """A function that the model may call."""

    name: str = Field(min_length=1, description="Name of the function.")
    description: str = Field(min_length=1, description="What it does and when to use it; the model reads this.")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="JSON Schema of its arguments: an object of properties. "
        "A function without arguments leaves it out.",
    )


class Manifest(TemplateFile, Sections):
    """A domain: its tools, and how its model is made."""

    model_config = ConfigDict(title="fgbuild manifest")

    schema_: int = Field(alias="schema", ge=1, le=1, description="Version of the manifest's format: 1.")
    name: str = Field(
        pattern=NAME_PATTERN,
        max_length=64,
        description="Name of the domain: lower-case letters, digits and underscores, a letter first.",
    )
    summary: str = Field(default="", description="One line on what the model does, for the model card.")
    tool: list[Tool] = Field(min_length=1, description="The functions that the model may call.")
    workspace: Workspace = Field(default_factory=Workspace, description="Where the tools' commands run.")
