"""The decision for each stage: run it, restore its output from the store, or leave it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fgbuild.engine import actions, reasons
from fgbuild.engine.graph import Graph, Stage
from fgbuild.engine.history import Prediction
from fgbuild.engine.keys import Components, action_key
from fgbuild.engine.reasons import Reason
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError

RUN, CACHED, SKIP = "run", "cached", "skip"

_BEFORE = {
    actions.FAILED: reasons.FAILED_BEFORE,
    actions.CANCELLED: reasons.CANCELLED_BEFORE,
    actions.GATE: reasons.NOT_PASSED_BEFORE,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a stage, and why.

    key: None while an upstream output is not known yet. outputs: its artifact's digest; None where
    the stage has to run first.
    """

    stage: Stage
    action: str
    reasons: tuple[Reason, ...] = ()
    key: str | None = None
    components: Components = field(default_factory=dict)
    outputs: str | None = None


class Planner:
    def __init__(self, workspace: Workspace, *, force: bool = False) -> None:
        self._workspace = workspace
        self._force = force

    def plan(self, graph: Graph) -> dict[str, Decision]:
        """A decision for every stage, by id; below a stage that has to run, everything is `run`."""
        decisions: dict[str, Decision] = {}
        for stage in graph.stages.values():
            outputs = {name: decisions[name].outputs for name in stage.inputs.values()}
            decisions[stage.id] = self.decide(stage, outputs)
        return decisions

    def decide(self, stage: Stage, outputs: Mapping[str, str | None]) -> Decision:
        """The decision for one stage. `outputs`: upstream id → artifact digest, None where not built yet."""
        known = {kind: outputs[name] for kind, name in stage.inputs.items()}
        inputs = {kind: digest for kind, digest in known.items() if digest is not None}
        components = self._workspace.keys.components(stage, inputs)
        unknown = [kind for kind, digest in known.items() if digest is None]
        if unknown:
            own = [reasons.NEVER_BUILT] if self._never(stage) else self._compared(stage, components)
            found = [*own, *map(reasons.will_be_rebuilt, unknown)]
            return Decision(stage, RUN, tuple(found), components=components)
        key = action_key(components)
        if self._force:
            return Decision(stage, RUN, (reasons.FORCED,), key, components)
        standing = self._workspace.actions.standing(stage.id)
        stands = standing is not None and standing[0] == key
        digest = standing[1] if standing and stands else self._workspace.actions.outputs(key)
        if digest is None or not self._workspace.store.has(digest):
            found = [reasons.NOT_STORED] if digest is not None else self._why_unknown(stage, key, components)
            return Decision(stage, RUN, tuple(found), key, components)
        if not stands:
            found = self._compared(stage, components) or [reasons.NEVER_BUILT]
            return Decision(stage, CACHED, tuple(found), key, components, digest)
        found = self._workspace.placer.out_of_place(stage, digest)
        return Decision(stage, CACHED if found else SKIP, tuple(found), key, components, digest)

    def is_current(self, decision: Decision) -> bool:
        """Whether a stage's code and files are still those of its key: it may have waited long for its turn."""
        try:
            now = self._workspace.keys.components_now(decision.stage, decision.components["inputs"])
        except (FgbuildError, OSError):
            return False
        return bool(now == decision.components)

    def _why_unknown(self, stage: Stage, key: str, components: Components) -> list[Reason]:
        """Reasons for a key that no action is known of."""
        attempt = self._workspace.actions.attempt(stage.id)
        before = [_BEFORE[attempt.outcome]] if attempt and attempt.key == key and attempt.outcome in _BEFORE else []
        found = before + self._compared(stage, components)
        if found:
            return found
        return [reasons.NEVER_BUILT if self._never(stage) else reasons.OTHER_KEY]

    def _never(self, stage: Stage) -> bool:
        cache = self._workspace.actions
        return cache.standing(stage.id) is None and cache.attempt(stage.id) is None

    def _compared(self, stage: Stage, components: Components) -> list[Reason]:
        """What differs from where the stage stands, or from its last try where it never succeeded."""
        old = self._last_components(stage)
        return [] if old is None else reasons.differences(old, components, self._workspace.code.parts)

    def _last_components(self, stage: Stage) -> Components | None:
        standing = self._workspace.actions.standing(stage.id)
        if standing is not None:
            action = self._workspace.actions.action(standing[0])
            return action.components if action else None
        attempt = self._workspace.actions.attempt(stage.id)
        return attempt.components if attempt else None


def predict(workspace: Workspace, decision: Decision) -> Prediction | None:
    """Seconds and memory the decision will cost; None where nobody can say."""
    if decision.action != RUN:
        return Prediction(0.0, 0.0)
    return workspace.history.predict(decision.stage, decision.components.get("inputs", {}).get("base"))


def plan_entry(workspace: Workspace, decision: Decision) -> dict[str, Any]:
    """A decision as the JSON of `plan --json` and of `run.started`."""
    prediction = predict(workspace, decision)
    return {
        "id": decision.stage.id,
        "kind": decision.stage.kind,
        "domain": decision.stage.domain,
        "action": decision.action,
        "after": [*decision.stage.upstream],
        "reasons": [reason.as_json() for reason in decision.reasons],
        "predicted_seconds": round(prediction.seconds, 3) if prediction else None,
        "predicted_memory_mb": round(prediction.memory_mb, 1) if prediction else None,
        "guessed": bool(prediction and prediction.guessed),
        "outputs": decision.outputs,
    }
