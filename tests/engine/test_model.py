"""Random edits, reverts, kills and damage: after each step an incremental build gives what a clean one would give."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from kill_points import build_and_die
from toy_project import ToyProject

DOMAINS = ("red", "blue")
domains = st.sampled_from(DOMAINS)
words = st.sampled_from(["red", "RED", "sea"])


class Engine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.toy = ToyProject(self.root, *DOMAINS)

    def placed(self, name: str) -> Path:
        return self.root / "agents" / name / "joined.txt"

    def expected(self, name: str) -> str:
        """What a clean build places."""
        make, r = self.toy.manifests[name]["make"], self.toy.manifests[name]["join"]["r"]
        glue = (self.root / "toy" / "glue.py").read_text()[8]
        return f"{self.toy.base['text']}{glue}{make['word'].lower() * make['count']}{r}"

    @initialize()
    def first(self) -> None:
        self.build()

    @rule(name=domains, word=words, count=st.integers(1, 2))
    def edit_make(self, name: str, word: str, count: int) -> None:
        self.toy.manifests[name]["make"] = {"word": word, "count": count}

    @rule(name=domains, r=st.integers(1, 2))
    def edit_join(self, name: str, r: int) -> None:
        self.toy.manifests[name]["join"] = {"r": r}

    @rule(glue=st.sampled_from("+*"))
    def edit_code(self, glue: str) -> None:
        (self.root / "toy" / "glue.py").write_text(f'GLUE = "{glue}"\n')

    @rule(text=st.sampled_from(["base-", "other-"]))
    def edit_base(self, text: str) -> None:
        self.toy.base = {**self.toy.base, "text": text}

    @rule(choice=st.sampled_from(["flip", "remove"]), which=st.integers(0, 99))
    def damage_the_store(self, choice: str, which: int) -> None:
        if not (stored := self.toy.stored()):
            return
        artifact = stored[which % len(stored)]
        artifact.chmod(0o755)
        if choice == "remove":
            shutil.rmtree(artifact)
            return
        for path in artifact.iterdir():
            path.chmod(0o644)
            path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))

    @rule()
    def lose_the_database(self) -> None:
        for path in (self.root / "cache").glob("index.sqlite*"):
            path.unlink()

    @rule(name=domains)
    def edit_an_output(self, name: str) -> None:
        if self.placed(name).exists():
            self.placed(name).write_text("mine now")

    @rule()
    def leave_half_a_run(self) -> None:
        leftover = self.root / "cache" / "tmp" / "20200101-000000-dead-red.join"
        leftover.mkdir(parents=True, exist_ok=True)
        (leftover / "joined.txt").write_text("hal")

    @rule(moment=st.integers(1, 600))
    def kill_a_build(self, moment: int) -> None:
        before = {name: self.placed(name).read_text() if self.placed(name).exists() else None for name in DOMAINS}
        build_and_die(self.toy, moment, until="join")
        for name in DOMAINS:
            found = self.placed(name).read_text() if self.placed(name).exists() else None
            assert found in (before[name], self.expected(name))

    @rule()
    def build(self) -> None:
        result = self.toy.build(until="join")
        assert result.exit_code == 0
        for name in DOMAINS:
            assert self.placed(name).read_text() == self.expected(name)
        assert self.toy.build(until="join").run is None
        assert not os.listdir(self.root / "cache" / "tmp")

    def teardown(self) -> None:
        self.build()
        for folder, _, _ in os.walk(self.root):
            os.chmod(folder, 0o755)
        shutil.rmtree(self.root)


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
