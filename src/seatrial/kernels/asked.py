"""What a trial's journal says of what failed and where, as a Query for the ranking of patches. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from seatrial.kernels.areas import Query, query
from seatrial.kernels.versions import arch_of
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState, TrialState
from seatrial.model.result import Outcome

# A packet of this size or more is meant to be large.
_LARGE = 1280


def failed_trial(state: RolloutState) -> TrialState | None:
    """The trial that says most of what is wrong with a candidate: the first that failed, else the first that died."""
    trials = [trial for trial in state.trials.values() if trial.cause or trial.first_failure]
    return next((trial for trial in trials if trial.first_failure), trials[0] if trials else None)


def asked_of(trial: TrialState, fleet: Fleet, *, candidate: str, symptom: str = "") -> Query:
    """What to look for after a trial; a person's `symptom` stands beside what the trial says itself."""
    host = fleet.hosts.get(trial.host)
    told = str(trial.diagnosis.get("because") or trial.cause)
    names = [*fleet.hosts, *fleet.vantages, *fleet.groups]
    return query(
        symptom=f"{symptom} {_without(_first(told), names)}".strip(),
        failed=failures(trial, fleet),
        roles=host.roles if host else (),
        modules=in_use(trial.described),
        arch=arch_of(candidate) or arch_of(str(trial.described.get("machine", ""))),
    )


def failures(trial: TrialState, fleet: Fleet) -> list[str]:
    """What failed, in words of its kind: a flow by its protocol, translation and size, a check by its kind."""
    found = [*_results(trial, fleet), *_series(trial)]
    return list(dict.fromkeys(found))


def in_use(described: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules, drivers and file systems in use on a host, by what it said of itself."""
    kinds = ("modules", "filesystems", "qdiscs")
    names = [name for kind in kinds for name in _texts(described.get(kind))]
    nics = described.get("nics")
    names += _texts(nics.values()) if isinstance(nics, Mapping) else []
    return tuple(dict.fromkeys(names))


def of_fleet(fleet: Fleet, *, arch: str, described: Iterable[Mapping[str, Any]] = ()) -> Query:
    """What a whole fleet uses, for looking at a candidate before anything has failed."""
    roles = dict.fromkeys(role for host in fleet.hosts.values() for role in host.roles)
    flows = (_flow_words(fleet, name) for name in fleet.flows)
    checks = (check.kind for check in fleet.checks.values())
    modules = dict.fromkeys(name for one in described for name in in_use(one))
    return query(failed=dict.fromkeys((*flows, *checks)), roles=roles, modules=modules, arch=arch)


def _results(trial: TrialState, fleet: Fleet) -> Iterator[str]:
    for purpose in ("exercise", "soak"):
        done = trial.rounds.get(purpose)
        for result in done.results if done else ():
            name = str(result.get("check", ""))
            if result.get("outcome") != Outcome.FAIL:
                continue
            if name in fleet.flows:
                yield _flow_words(fleet, name)
            elif name in fleet.checks:
                yield fleet.checks[name].kind


def _flow_words(fleet: Fleet, name: str) -> str:
    flow = fleet.flows[name]
    parts = ["translated" if flow.source or flow.lands else "", "large" if flow.size >= _LARGE else ""]
    return " ".join(part for part in (*parts, flow.protocol, "flow") if part)


def _series(trial: TrialState) -> Iterator[str]:
    for series in trial.verdict.get("series", ()):
        if isinstance(series, Mapping) and series.get("outcome") == Outcome.FAIL:
            yield str(series.get("series", "")).replace(".", " ")


def _first(told: str) -> str:
    """The clause that says what is wrong; what is fine stands behind it."""
    return told.split(";")[0]


def _without(text: str, names: Iterable[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", " ", text)
    return text


def _texts(values: object) -> list[str]:
    return (
        [str(value) for value in values]
        if isinstance(values, Iterable) and not isinstance(values, str)
        else []
    )
