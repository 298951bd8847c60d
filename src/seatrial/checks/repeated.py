"""A check or flow that was asked several times: is it broken, or does it come and go?

What is in: many Results of one check as one, over the retries of a round and over rounds. What is not in: when it is
asked again, which the perform room does.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seatrial.model.result import Outcome, Result, figure


def several(results: Sequence[Result]) -> Result:
    """One Result of all the answers to a check, in the order in which they came; at least one is wanted.

    What failed every time is broken, what failed some of the times is flaky, which is a failure as well: people met
    it. The numbers are in the sentence and in the evidence (`asked`, `failed`, `unknown`), so that no retry is hidden.
    """
    if len(results) == 1:
        return results[0]
    asked = len(results)
    failed = [one for one in results if one.outcome is Outcome.FAIL]
    unknown = [one for one in results if one.outcome is Outcome.UNKNOWN]
    said = (failed or unknown or list(results))[0]
    if len(failed) == asked:
        because = f"failed {asked} of {asked} times: {said.because}"
    elif failed:
        because = f"flaky, failed {len(failed)} of {asked} times: {said.because}"
    elif unknown:
        because = f"no answer {len(unknown)} of {asked} times: {said.because}"
    else:
        because = said.because
    return replace(
        said,
        because=because,
        evidence={
            **said.evidence,
            "asked": asked,
            "failed": len(failed),
            "unknown": len(unknown),
            "flaky": 0 < len(failed) < asked,
        },
        seconds=sum(one.seconds for one in results),
    )


class Steadiness(enum.StrEnum):
    """What several rounds show: BROKEN never works, FLAKY comes and goes, FINE never failed."""

    BROKEN = "broken"
    FLAKY = "flaky"
    FINE = "fine"
    UNKNOWN = "unknown"


def over_rounds(results: Sequence[Result], whole: Result | None = None) -> Result:
    """One Result of the rounds of a check or flow, in their order; at least one is wanted.

    `whole` is a flow's Result of all its packets added up, which has the words and the numbers. What never came
    through is broken; what came through in some rounds, or for some packets of every round, is flaky, and both are
    failures: people met them. `steady` in the evidence is a Steadiness, `rounds`, `rounds_failed` and
    `rounds_unknown` are how many.
    """
    if len(results) == 1:
        return results[0]
    rounds = len(results)
    failed = [one for one in results if one.outcome is Outcome.FAIL]
    unknown = [one for one in results if one.outcome is Outcome.UNKNOWN]
    if failed:
        steady = Steadiness.FLAKY if len(failed) < rounds or all(map(_partly, failed)) else Steadiness.BROKEN
        # A sum in which one bad round drowns would say "pass"; then the round that failed has the words.
        said = whole if whole is not None and whole.outcome is Outcome.FAIL else failed[0]
        outcome, because = Outcome.FAIL, f"{steady}, failed {len(failed)} of {rounds} rounds: {said.because}"
    elif unknown:
        steady, said, outcome = Steadiness.UNKNOWN, unknown[0], Outcome.UNKNOWN
        because = f"no answer in {len(unknown)} of {rounds} rounds: {said.because}"
    else:
        said = whole if whole is not None and whole.outcome is Outcome.PASS else results[-1]
        steady, outcome = Steadiness.FINE, said.outcome
        because = f"fine in {rounds} of {rounds} rounds: {said.because}"
    return replace(
        said,
        outcome=outcome,
        because=because,
        evidence={
            **(said if whole is None else whole).evidence,
            **(_summed(results) if whole is None else {}),
            "rounds": rounds,
            "rounds_failed": len(failed),
            "rounds_unknown": len(unknown),
            "steady": steady.value,
        },
        seconds=sum(one.seconds for one in results),
    )


def _partly(result: Result) -> bool:
    """Whether some packets came through as they should although the round failed."""
    said = result.evidence
    lost, sources = said.get("lost"), said.get("sources")
    # A flow that arrives as somebody else does not come through as it should, however little of it is lost.
    right = not isinstance(sources, Mapping) or all(one == said.get("expected") for one in sources)
    return isinstance(lost, int | float) and 0 < lost < 100 and right


def _summed(results: Sequence[Result]) -> Mapping[str, Any]:
    """What no round of a check alone knows: how often it was asked, and the packets of all."""
    return {**_asked(results), **_packets(results)}


def _asked(results: Sequence[Result]) -> Mapping[str, Any]:
    """Over all rounds and their retries."""
    if not any("flaky" in one.evidence for one in results):
        return {}
    failed = sum(one.evidence.get("failed", int(one.outcome is Outcome.FAIL)) for one in results)
    asked = sum(one.evidence.get("asked", 1) for one in results)
    return {"asked": asked, "failed": failed, "flaky": 0 < failed < asked}


def _packets(results: Sequence[Result]) -> Mapping[str, Any]:
    counted = [(figure(one, "sent"), figure(one, "received")) for one in results]
    known = [(sent, received) for sent, received in counted if sent is not None and received is not None]
    sent, received = sum(pair[0] for pair in known), sum(pair[1] for pair in known)
    if len(known) < 2 or sent < 1:
        return {}
    return {"sent": int(sent), "received": int(received), "lost": round(100.0 * (sent - received) / sent, 2)}
