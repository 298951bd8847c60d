"""Each state is made for real on a guest, found with its fix, and found no more when the fix was run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.drift.guest import audited, guest
from tests.drift.rounds import every_case, rounds

pytestmark = pytest.mark.lab


async def test_a_fresh_guest_has_no_finding_and_what_is_made_is_found_and_mended_by_its_fix() -> None:
    # Short, because the paths of unix sockets are; the images stay in the user's own cache.
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        wrong = []
        async with guest("drift") as lab:
            fresh = await audited(lab)
            assert [(one.name, one.because) for one in fresh.standing] == []
            assert fresh.unknown == ()
            assert [one.name for one in fresh.findings if one.accepted] == ["boot.installed"]
            async for name, came in rounds(lab):
                print(
                    f"{name}: {len(came.rows)} found, missed {came.missed}, besides {came.besides}, left {came.left}"
                )
                wrong += [f"{name}: not found: {one}" for one in came.missed]
                wrong += [f"{name}: found besides: {one}" for one in came.besides]
                wrong += [f"{name}: left behind: {one}" for one in came.left]
        assert not Path(home, "seatrial").exists(), "a lab that is down leaves no file"
    assert wrong == []


def test_there_are_thirty_cases_and_more() -> None:
    cases = every_case()
    assert len({case.name for case in cases}) == len(cases) >= 60
