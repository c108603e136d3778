from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from train_sample import Jobs

from fgbuild.workers import base
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.training import run as training_run


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of the tiny base; read-only by agreement."""
    output = tmp_path_factory.mktemp("tiny_base")
    manifest = {"name": "tiny", "kind": "tiny", "seed": 0}
    root = tmp_path_factory.mktemp("root")
    job = Job("base", "base", None, manifest, {}, output, root / "state", root, {})
    base.run(job, Reporter("base"))
    return output


@pytest.fixture(scope="session")
def open_llama() -> Iterator[Callable[[Path], Any]]:
    """Opens a GGUF in llama.cpp with the logits of every position; closed at the end.

    Weights are not repacked: builds by GCC 12 crash in the kernels for Intel AMX.
    """
    from llama_cpp import Llama, llama_cpp

    opened: list[Any] = []
    defaults = llama_cpp.llama_model_default_params

    def plain() -> Any:
        params = defaults()
        params.use_extra_bufts = False
        return params

    def load(path: Path) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(llama_cpp, "llama_model_default_params", plain)
            opened.append(Llama(str(path), n_ctx=1024, logits_all=True, verbose=False))
        return opened[-1]

    yield load
    for model in opened:
        model.close()


@pytest.fixture(scope="session")
def tiny_llama(tiny_base: Path, open_llama: Callable[[Path], Any]) -> Any:
    """The tiny base's GGUF in llama.cpp."""
    return open_llama(tiny_base / "base_q8_0.gguf")


@pytest.fixture
def make_job(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """Makes training jobs with a checkpoint every three steps."""
    monkeypatch.setattr(training_run, "CHECKPOINT_EVERY", 3)
    monkeypatch.setattr(training_run, "FULL_CHECKPOINT_EVERY", 3)
    return Jobs(tmp_path, tiny_base)
