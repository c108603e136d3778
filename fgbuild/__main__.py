"""`python -m fgbuild`."""

from __future__ import annotations

import sys

from fgbuild.cli import main

if __name__ == "__main__":
    sys.exit(main())
