"""Writes fgbuild/workers/bases/primer.jsonl anew: `python scripts/make_primer.py`.

The rows are those of this repository's domains, of a seed that no domain's dataset uses, and only of phrasings
that are not held out. They are committed, so that a change of a domain leaves the base as it is; writing them anew
changes the base, and with it every model.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from fgbuild.manifest import resolve_project
from fgbuild.workers.bases.primer import ROWS
from fgbuild.workers.generate import scenarios_of, tools_of
from fgbuild.workers.generating.lines import iterate
from fgbuild.workers.generating.making import Recipe, write_generated

ROOT = Path(__file__).resolve().parent.parent
SEED = 20_261_124
ROWS_EACH = 640


def main() -> None:
    lines: list[dict[str, Any]] = []
    for name, domain in resolve_project(ROOT).domains.items():
        generator, tools = domain.resolved["dataset"]["generator"], domain.resolved["tool"]
        recipe = Recipe(
            name,
            partial(scenarios_of, generator),
            tools,
            count=ROWS_EACH + 40,
            eval_fraction=40 / (ROWS_EACH + 40),
            seed=SEED,
            run=tools_of(generator),
        )
        lines.append({"toolset": name, "tools": tools})
        with tempfile.TemporaryDirectory() as folder:
            write_generated(recipe, Path(folder), cores=os.cpu_count() or 1, progress=lambda done, total: None)
            rows = list(iterate(Path(folder, "train.jsonl")))
        lines += [{"id": f"primer-{row['id']}", "toolset": name, "messages": row["messages"]} for row in rows]
    ROWS.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    print(f"{len(lines) - 4} rows, {ROWS.stat().st_size / 1e3:.0f} kB in {ROWS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
