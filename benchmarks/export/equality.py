"""Holds our GGUF of a base with an adapter against llama.cpp's converter's, bit for bit.

    python benchmarks/export/equality.py BASE [TRAIN] [--types q8_0 f16 bf16] [--work DIR]

BASE and TRAIN are artifacts of the stages base and train (directories in `cache/store`); without TRAIN the adapter
is one of random factors on all linear layers. Exit code 1 where anything differs that should not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import reference
import samples

from fgbuild.gguf_io import header
from fgbuild.workers.exporting import gguf_file, tuned


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("train", type=Path, nargs="?")
    parser.add_argument("--types", nargs="+", default=["q8_0"], choices=["q8_0", "f16", "bf16"])
    parser.add_argument("--work", type=Path, help="where files are written (default: a temporary directory)")
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        work = Path(temporary)
        train = args.train or samples.write_adapter(args.base, work / "adapter", samples.TARGETS["all-linear"])
        trained = tuned.load(train)
        gguf_file.write_checkpoint(args.base, trained, work / "merged")
        for kind in args.types:
            ours, theirs = work / "ours.gguf", work / "theirs.gguf"
            gguf_file.write_builtin(args.base, trained, kind, {}, ours, work, lambda done, total: None)
            reference.convert(work / "merged", theirs, kind)
            mine, other = header.read(ours), header.read(theirs)
            found = reference.differences(mine, other)
            failed = failed or bool(found)
            print(f"{kind}: {len(mine.tensors)} tensors, {len(other.metadata)} keys of theirs: {len(found)} differ")
            print("".join(f"  {line}\n" for line in found), end="")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
