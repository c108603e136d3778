"""The pipeline: base → generate → tokenize → train → export → verify → eval."""

from __future__ import annotations

from fgbuild.stages import base, eval, export, generate, tokenize, train, verify
from fgbuild.stages.spec import StageSpec

PIPELINE: tuple[StageSpec, ...] = (
    base.SPEC,
    generate.SPEC,
    tokenize.SPEC,
    train.SPEC,
    export.SPEC,
    verify.SPEC,
    eval.SPEC,
)
"""Every kind of stage, upstream before downstream."""
