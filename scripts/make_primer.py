"""Writes fgbuild/workers/bases/primer.jsonl anew: `python scripts/make_primer.py`.

The rows are those of this repository's domains, of a seed that no domain's dataset uses, and only of phrasings
that are not held out. They are committed, so that a change of a domain leaves the base as it is; writing them anew
changes the base, and with it every model.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from fgbuild.domains.sampling import trajectories
from fgbuild.manifest import resolve_project
from fgbuild.workers.bases.primer import ROWS

ROOT = Path(__file__).resolve().parent.parent
SEED = 20_261_124
ROWS_EACH = 240


def main() -> None:
    lines: list[dict[str, Any]] = []
    for name, domain in resolve_project(ROOT).domains.items():
        scenarios = importlib.import_module(f"fgbuild.domains.{domain.resolved['dataset']['generator']}").SCENARIOS
        drawn = trajectories(name, scenarios, count=ROWS_EACH + 40, eval_fraction=40 / (ROWS_EACH + 40), seed=SEED)
        lines.append({"toolset": name, "tools": domain.resolved["tool"]})
        rows = [row for row in drawn if row["split"] == "train"]
        lines += [{"id": f"primer-{row['id']}", "toolset": name, "messages": row["messages"]} for row in rows]
    ROWS.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    print(f"{len(lines) - 4} rows, {ROWS.stat().st_size / 1e3:.0f} kB in {ROWS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
