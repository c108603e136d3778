"""A base from the Hugging Face Hub, at a pinned revision, in the Hub's usual cache."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fgbuild.errors import BaseModelError
from fgbuild.workers.bases import checkpoint
from fgbuild.workers.bases.artifact import BaseModel
from fgbuild.workers.bases.lock import Pin

COMMIT = re.compile(r"[0-9a-f]{40}")
OFFLINE_BASE = "or build on the base that needs no account with `--base embedded`"


def load(entry: dict[str, Any], pin: Pin | None) -> BaseModel:
    """The model of `entry` (repo, revision): a branch or tag means the commit that `pin` has for it.

    The model's revision is `repo@commit`. Raises BaseModelError with the next step for a gated
    repository, a missing token and a machine that is offline.
    """
    repo, revision = entry["repo"], entry.get("revision", "main")
    if pin is not None and not COMMIT.fullmatch(revision):
        pinned_repo, _, commit = pin.revision.rpartition("@")
        revision = commit if pinned_repo == repo else revision
    directory = download(repo, revision)
    commit = directory.name if COMMIT.fullmatch(directory.name) else revision
    return checkpoint.load(entry, directory, f"{repo}@{commit}")


def download(repo: str, revision: str) -> Path:
    """The local snapshot of a repository. Raises BaseModelError where it cannot be had."""
    import huggingface_hub
    from huggingface_hub import errors

    page = f"https://huggingface.co/{repo}"
    patterns = [*checkpoint.REQUIRED, *checkpoint.OPTIONAL]
    try:
        return Path(huggingface_hub.snapshot_download(repo, revision=revision, allow_patterns=patterns))
    except errors.GatedRepoError:
        if huggingface_hub.get_token() is None:
            message = f"{repo} needs an account: accept the licence at {page}, then run `hf auth login`"
        else:
            message = f"{repo} is gated: accept the licence at {page} with the account you are logged in with"
    except errors.LocalTokenNotFoundError:
        message = f"{repo} needs a token: run `hf auth login`"
    except errors.RevisionNotFoundError:
        message = f"{repo} has no revision {revision}: correct it in fgbuild.toml"
    except errors.RepositoryNotFoundError:
        message = f"{repo} was not found at {page}: correct base.repo in fgbuild.toml, or run `hf auth login`"
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError):
        message = f"{repo} is not in the local cache and the Hub cannot be reached: connect and unset HF_HUB_OFFLINE"
    except (OSError, errors.HfHubHTTPError, _connection_error()) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"{repo} could not be downloaded ({reason}): check the connection and build again"
    raise BaseModelError(f"{message}, {OFFLINE_BASE}")


def _connection_error() -> type[Exception]:
    """What the Hub's HTTP client raises where no connection can be made."""
    import httpx

    return httpx.TransportError
