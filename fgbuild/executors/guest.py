"""Runs a worker in an environment that has no fgbuild: `PYTHON -P …/guest.py MODULE JOB.json`.

fgbuild is taken from where this file lies. Its folder on PYTHONPATH would do that too, but where fgbuild is installed
the folder holds all its libraries, and they would hide those of the environment.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path


def main() -> None:
    package = Path(__file__).parent.parent
    spec = importlib.util.spec_from_file_location(
        "fgbuild", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fgbuild"] = module
    spec.loader.exec_module(module)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
