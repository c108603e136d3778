"""`python -m fgbuild`."""

from __future__ import annotations

from fgbuild.cli import entry

if __name__ == "__main__":
    entry()
