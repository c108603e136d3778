"""Everything the engine has open on a tree: database, store, digests, code, history."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from fgbuild.engine.actions import ActionCache
from fgbuild.engine.database import open_database, readable_errors
from fgbuild.engine.digests import Digests
from fgbuild.engine.environments import Environments
from fgbuild.engine.fingerprint import REPORTING, CodeFingerprints
from fgbuild.engine.history import History
from fgbuild.engine.keys import KeyMaker
from fgbuild.engine.libraries import Libraries
from fgbuild.engine.paths import Paths
from fgbuild.engine.place import Placer
from fgbuild.engine.store import Store

PACKAGE = Path(__file__).parent.parent


class Workspace:
    """Use as a context manager. packages: where worker code lives (the default: fgbuild itself)."""

    def __init__(
        self,
        root: Path,
        packages: Mapping[str, Path] | None = None,
        excluded: frozenset[str] = REPORTING,
        libraries: Libraries | None = None,
    ) -> None:
        self.paths = Paths(root)
        self.database: sqlite3.Connection = open_database(self.paths.database)
        self._inode = os.stat(self.paths.database).st_ino
        self.digests = Digests(self.database)
        self.store = Store(self.paths.store, self.database)
        self.actions = ActionCache(self.database)
        self.history = History(self.database)
        self.placer = Placer(root, self.store, self.digests, self.actions)
        code_packages = {"fgbuild": PACKAGE} if packages is None else packages
        self.code = CodeFingerprints(self.database, self.digests, code_packages, excluded)
        self.environments = Environments(self.paths.environments)
        self.keys = KeyMaker(root, self.digests, self.code, libraries or Libraries(), self.environments)

    def save(self) -> None:
        """Keep what was learnt about files and code for the next time. FgbuildError where the database is at fault."""
        with readable_errors(self.paths.database):
            self.digests.save()
            self.code.save()

    def is_whole(self) -> bool:
        """Whether database and store are the ones that were opened, with all that was read from them and written."""
        try:
            return os.stat(self.paths.database).st_ino == self._inode and self.store.is_complete()
        except OSError:
            return False

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.save()
        finally:
            self.database.close()
        if isinstance(error, sqlite3.Error):
            with readable_errors(self.paths.database):
                raise error
