"""What of `[trainer]` and `[lora]` goes together, for the check of a manifest, the graph and the training worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BASE_CHANGING = ("pissa", "olora")
"""First values of an adapter that take a part B₀A₀ out of the base's weights and begin with it."""


def beyond_unsloth(trainer: Mapping[str, Any], lora: Mapping[str, Any]) -> tuple[str, str] | None:
    """The (field, reason and next step) for which unsloth cannot train these sections; None where it can.

    It would keep what a base-changing adapter took away in a place of its own, where export does not find it.
    """
    if trainer["method"] == "full":
        return "trainer.backend", '"unsloth" trains adapters alone here; use "trl" with method = "full"'
    initial = lora["init_lora_weights"]
    if initial in BASE_CHANGING:
        return "lora.init_lora_weights", f'"{initial}" does not work with unsloth; set trainer.backend = "trl"'
    return None
