"""Files that a stage places and a gate below finishes: with what it found where it passes, and only there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_project import PIPELINE, ToyProject, manifest

from fgbuild.engine.plan import CACHED, RUN, SKIP
from fgbuild.stages.spec import Manifest, Placed

CHECK = (
    '(output / "joined.txt").write_text((inputs["join"] / "joined.txt").read_text() + " passed")\n'
    'finish("report.json", json.dumps({"passed": True, "least": manifest["check"].get("least")}))'
)


def finished(manifest: Manifest) -> tuple[Placed, ...]:
    return (Placed("joined.txt", f"agents/{manifest['name']}/joined.txt", finished_by="check"),)


def finishing(manifest: Manifest) -> tuple[Placed, ...]:
    return (Placed("joined.txt", f"agents/{manifest['name']}/joined.txt"),)


@pytest.fixture
def toy(toy: ToyProject) -> ToyProject:
    places = {"join": finished, "check": finishing}
    toy.pipeline = tuple(replace(spec, placed=places.get(spec.kind, spec.placed)) for spec in PIPELINE)
    toy.write_worker("check", CHECK)
    return toy


def actions(toy: ToyProject) -> dict[str, str]:
    return {name: decision.action for name, decision in toy.plan().items() if name in ("red:join", "red:check")}


def test_the_gate_finishes_the_file_and_everything_is_up_to_date(toy: ToyProject) -> None:
    assert toy.build(until="join").exit_code == 0
    assert toy.joined() == "base-+redred16"
    assert toy.build().exit_code == 0
    assert toy.joined() == "base-+redred16 passed"
    assert toy.build().run is None
    assert toy.build(until="join").run is None
    assert actions(toy) == {"red:join": SKIP, "red:check": SKIP}


def test_a_gate_that_does_not_pass_takes_back_what_it_added(toy: ToyProject) -> None:
    toy.build()
    toy.manifests["red"].update(check={"least": 1}, fail={"check": 3})
    assert toy.build().exit_code == 3
    assert toy.joined() == "base-+redred16"
    assert actions(toy) == {"red:join": SKIP, "red:check": RUN}
    toy.manifests["red"] = manifest("red")  # as before: what passed then is restored
    toy.taken()
    result = toy.build()
    assert (result.exit_code, toy.taken()) == (0, [])
    assert toy.joined() == "base-+redred16 passed"


def test_another_file_is_never_beside_what_was_found_of_the_last(toy: ToyProject) -> None:
    toy.build()
    toy.manifests["red"].update(join={"r": 32}, fail={"check": 3})
    assert toy.build().exit_code == 3
    assert toy.joined() == "base-+redred32"
    toy.manifests["red"]["join"] = {"r": 16}
    toy.manifests["red"]["fail"] = {}
    assert toy.build(until="join").exit_code == 0
    assert toy.joined() == "base-+redred16"
    assert toy.build().exit_code == 0
    assert toy.joined() == "base-+redred16 passed"


@pytest.mark.parametrize("change", ["removed", "edited"])
def test_a_file_that_was_lost_is_put_back_as_the_gate_had_finished_it(toy: ToyProject, change: str) -> None:
    toy.build()
    toy.taken()
    path = toy.root / "agents" / "red" / "joined.txt"
    if change == "removed":
        path.unlink()
    else:
        path.write_text("mine")
    assert actions(toy) == {"red:join": CACHED, "red:check": CACHED}
    assert toy.build().exit_code == 0
    assert toy.joined() == "base-+redred16 passed"
    assert toy.taken() == []
    assert toy.build().run is None
