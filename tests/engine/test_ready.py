"""The queue gives what sorting all that waits would give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fgbuild.engine.graph import Stage
from fgbuild.engine.plan import RUN, Decision
from fgbuild.engine.ready import ReadyQueue
from fgbuild.stages.spec import StageSpec

SPECS = [StageSpec(kind, 1, "none", cores=cores) for kind, cores in (("make", 1), ("train", 4), ("check", 1))]
STAGES = [Stage(f"d{number}:{spec.kind}", spec, f"d{number}", {}) for number in range(4) for spec in SPECS]
ORDER = {stage.id: index for index, stage in enumerate(STAGES)}

steps = st.lists(st.tuples(st.sampled_from(["add", "discard", "clear"]), st.sampled_from(STAGES)), max_size=40)


@given(steps, st.sets(st.sampled_from([spec.kind for spec in SPECS])))
def test_it_is_a_sorted_list_in_disguise(steps: list[tuple[str, Stage]], but: set[str]) -> None:
    queue, waiting = ReadyQueue(ORDER), dict[str, Stage]()
    for step, stage in steps:
        if step == "add":
            queue.add(Decision(stage, RUN))
            waiting[stage.id] = stage
        elif step == "discard":
            queue.discard(stage.id)
            waiting.pop(stage.id, None)
        else:
            queue.clear()
            waiting.clear()
        assert (stage.id in queue) == (stage.id in waiting)
        expected = sorted(
            (it for it in waiting.values() if it.kind not in but), key=lambda it: (it.spec.cores, ORDER[it.id])
        )
        found = queue.first(but)
        assert (found.stage if found else None) == (expected[0] if expected else None)
