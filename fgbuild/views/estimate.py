"""How much longer: of a stage, and of the whole build."""

from __future__ import annotations

from fgbuild.views.records import CANCELLED, DONE, FAILED, RUNNING, BuildState, StageState


def stage_remaining(stage: StageState, now: float) -> float | None:
    """Seconds a running stage still needs at `now`: by its own word, else by its prediction."""
    if stage.eta_seconds is not None and stage.eta_at is not None:
        return max(stage.eta_seconds - (now - stage.eta_at), 0.0)
    if stage.predicted_seconds is not None and stage.started_at is not None:
        return max(stage.predicted_seconds - (now - stage.started_at), 0.0)
    return None


def build_remaining(state: BuildState, now: float) -> float | None:
    """Seconds the build still needs at `now`; None where a stage to come cannot be estimated.

    Work left is spread over as many stages as have run side by side so far, but a domain's stages
    wait for each other, so the longest chain is a lower bound.
    """
    if state.finished:
        return None
    domains = state.by_domain()
    shared = _chain(state, domains.pop("", []), now)
    chains = [_chain(state, stages, now) for stages in domains.values()]
    known = [chain for chain in chains if chain is not None]
    if shared is None or len(known) < len(chains):
        return None
    return shared + max(max(known, default=0.0), sum(known) / max(state.peak_parallel, 1))


def _chain(state: BuildState, stages: list[StageState], now: float) -> float | None:
    total = 0.0
    for stage in stages:
        if stage.status in (FAILED, CANCELLED) or stage.refused:
            break  # nothing below it runs
        if stage.status == DONE or (stage.status != RUNNING and stage.planned == "skip"):
            continue
        seconds = stage_remaining(stage, now) if stage.status == RUNNING else _predicted(state, stage)
        if seconds is None:
            return None
        total += seconds
    return total


def _predicted(state: BuildState, stage: StageState) -> float | None:
    """The stage's prediction, else what the same kind of stage took in this run."""
    if stage.predicted_seconds is not None:
        return stage.predicted_seconds
    if stage.planned == "cached":
        return 0.0
    took = [
        other.seconds
        for other in state.stages.values()
        if other.kind == stage.kind and other.action == "run" and other.seconds is not None
    ]
    return sum(took) / len(took) if took else None
