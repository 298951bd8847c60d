"""The API against its own description: schemathesis makes requests of all kinds from it, and nothing breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from seatrial.model.event import Kind

from .journals import begun
from .locked import fleet
from .served import serving


def test_whatever_is_sent_the_api_answers_as_it_says(tmp_path: Path) -> None:
    store = begun(tmp_path / "journal.db")
    with fleet(tmp_path) as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        schema = schemathesis.openapi.from_url(f"{page.url}/openapi.json")
        tried = 0
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()

            @settings(
                max_examples=12,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def sent(case: schemathesis.Case[Any]) -> None:
                answer = case.call(base_url=page.url)
                assert answer.status_code < 500
                case.validate_response(answer)

            sent()
            tried += 1
        assert tried == 20
    assert store.read("") == [], "nobody whom the fleet file does not know has a slot"
    kinds = {event.kind for event in store.read("r1")}
    assert kinds <= {
        Kind.ROLLOUT_STARTED,
        Kind.STAGE_APPROVED,
        Kind.ROLLOUT_PAUSED,
        Kind.ROLLOUT_RESUMED,
        Kind.ROLLOUT_ABORTED,
        Kind.HOST_SKIPPED,
        Kind.HOST_FORCED,
        Kind.STAGE_FORCED,
        Kind.NOTE,
    }
