"""Publishing to a repository of the Hugging Face Hub, in one commit."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fgbuild.errors import FgbuildError
from fgbuild.shipping import AGENT
from fgbuild.workers.digest import sha256
from fgbuild.workers.publishing.parcel import Parcel, Progress


def publish(parcel: Parcel, repo: str, *, public: bool, progress: Progress) -> str:
    """Upload the parcel to `repo` (owner/name), which is made where there is none; returns the commit's address.

    public: whether a repository made here can be seen by everyone; one that exists stays as it is.
    The token is that of `hf auth login` or HF_TOKEN. Raises FgbuildError with the next step.
    """
    import httpx
    import huggingface_hub
    from huggingface_hub import errors

    parcel.require_model(sha256(parcel.files[parcel.model]))
    if huggingface_hub.get_token() is None:
        raise FgbuildError(f"hub:{repo} needs a token that may write: run `hf auth login`, or set HF_TOKEN")
    api = huggingface_hub.HfApi()
    try:
        api.create_repo(repo, private=not public, exist_ok=True)
        return _commit(api, parcel, repo, progress)
    except errors.OfflineModeIsEnabled:
        message = f"hub:{repo}: HF_HUB_OFFLINE is set; unset it and publish again"
    except errors.HfHubHTTPError as error:
        message = f"hub:{repo}: {_refusal(error.response.status_code, error)}"
    except (OSError, httpx.TransportError) as error:
        message = (
            f"hub:{repo}: the Hub cannot be reached ({_first_line(error)}); check the connection and publish again"
        )
    except ValueError as error:  # front matter that the Hub does not take, or a name that is none
        message = f"hub:{repo}: {_first_line(error)}; correct that and publish again"
    raise FgbuildError(message)


def _commit(api: Any, parcel: Parcel, repo: str, progress: Progress) -> str:
    from huggingface_hub import CommitOperationAdd

    model = Counted(parcel.files[parcel.model])
    with model:
        operations = [
            CommitOperationAdd(name, model if name == parcel.model else str(file))
            for name, file in parcel.files.items()
        ]
        model.read_to = progress  # only now: to make an operation of it, the library reads it for its digest
        digest = parcel.agent["model"]["sha256"][:12]
        message = f"{parcel.domain}: {parcel.agent['model']['file']} ({digest})"
        done = api.create_commit(repo, operations, commit_message=message, commit_description=f"Written by {_tool()}")
    return str(done.commit_url)


class Counted(io.BufferedReader):
    """A file that tells how far it has been read; the library shows progress on a terminal alone."""

    read_to: Callable[[int], None] | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        if self.read_to is not None:
            self.read_to(self.tell())
        return data


def _tool() -> str:
    from fgbuild import __version__

    return f"fgbuild {__version__}; {AGENT} names the model's SHA-256"


def _refusal(status: int, error: Exception) -> str:
    if status == 401:
        return "the Hub does not know this token (401); run `hf auth login` with one that may write"
    if status == 403:
        return "this token may not write there (403); use one with write access, or another repository"
    if status == 404:
        return "the repository was not found (404); correct its name, or use a token that may see it"
    return f"the Hub refused ({_first_line(error)}); publish again later"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
