"""Random edits, reverts and damage: after each build the output is what a clean build would give."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from toy_project import ToyProject

WORDS = st.sampled_from(["red", "RED", "sea"])


class Engine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.toy = ToyProject(self.root)
        self.placed = self.root / "agents" / "red" / "joined.txt"

    @initialize()
    def first(self) -> None:
        self.built()

    @rule(word=WORDS, count=st.integers(1, 2))
    def edit_make(self, word: str, count: int) -> None:
        self.toy.manifests["red"]["make"] = {"word": word, "count": count}
        self.built()

    @rule(r=st.integers(1, 2), glue=st.sampled_from("+*"))
    def edit_join_and_code(self, r: int, glue: str) -> None:
        self.toy.manifests["red"]["join"] = {"r": r}
        (self.root / "toy" / "glue.py").write_text(f'GLUE = "{glue}"\n')
        self.built()

    @rule(choice=st.sampled_from(["flip", "remove", "database", "placed", "half a run"]), which=st.integers(0, 9))
    def damage(self, choice: str, which: int) -> None:
        stored = self.toy.stored()
        artifact = stored[which % len(stored)]
        if choice == "flip":
            for path in artifact.iterdir():
                path.chmod(0o644)
                path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
        elif choice == "remove":
            artifact.chmod(0o755)
            shutil.rmtree(artifact)
        elif choice == "database":
            for path in (self.root / "cache").glob("index.sqlite*"):
                path.unlink()
        elif choice == "placed":
            self.placed.write_text("mine now")
        else:
            leftover = self.root / "cache" / "tmp" / "20200101-000000-dead-red.join"
            leftover.mkdir(parents=True)
            (leftover / "joined.txt").write_text("hal")
        self.edit_join_and_code(r=1 + which % 2, glue="+")

    def built(self) -> None:
        result = self.toy.build(until="join")
        assert result.exit_code == 0
        make, r = self.toy.manifests["red"]["make"], self.toy.manifests["red"]["join"]["r"]
        glue = (self.root / "toy" / "glue.py").read_text()[8]
        assert self.placed.read_text() == f"base-{glue}{make['word'].lower() * make['count']}{r}"
        assert self.toy.build(until="join").run is None
        assert not os.listdir(self.root / "cache" / "tmp")

    def teardown(self) -> None:
        for folder, _, _ in os.walk(self.root):
            os.chmod(folder, 0o755)
        shutil.rmtree(self.root)


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=6, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)
