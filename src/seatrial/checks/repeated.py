"""A check that was asked several times: is it broken, or does it come and go?

What is in: many Results of one check as one. What is not in: when it is asked again, which perform/asking.py does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seatrial.model.result import Outcome, Result


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
