"""A terminal's screen as a picture for the documentation: ANSI text to SVG.

tmux capture-pane -e -p -t NAME | python benchmarks/tui/screen.py "fgbuild" docs/images/dashboard-overview.svg
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("title")
    parser.add_argument("target", type=Path)
    args = parser.parse_args()
    lines = [Text.from_ansi(line) for line in sys.stdin.read().rstrip("\n").split("\n")]
    width = max(cell_len(line.plain) for line in lines)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(line, no_wrap=True, crop=True)
    args.target.write_text(console.export_svg(title=args.title), "utf-8")


if __name__ == "__main__":
    main()
