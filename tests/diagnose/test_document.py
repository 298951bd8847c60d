"""The JSON of `seatrial diagnose`, as the contract of the verbs has it."""

from __future__ import annotations

import json

import pytest

from seatrial.diagnose.document import read, told
from seatrial.diagnose.localise import localise
from seatrial.errors import InputError


def test_the_example_of_the_contract_is_read_and_answered() -> None:
    text = json.dumps(
        {
            "observations": [{"id": "p1", "path": ["vm>gw", "gw:snat", "gw>wan"], "sent": 40, "lost": 40}],
            "prior": {"gw:snat": 0.01},
        }
    )
    answer = told(localise(*read(text)))
    assert json.loads(json.dumps(answer)) == answer
    (suspect,) = answer["suspects"]
    assert suspect["components"] == ["gw:snat"]
    assert suspect["same_evidence"] == [["gw>wan"], ["vm>gw"]]
    assert 0.9 < suspect["probability"] <= 1
    assert suspect["because"] == "1 of 1 lossy observations cross it and lost 40 of 40"
    assert all(set(one) == {"path", "splits"} for one in answer["next"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the document: "),
        ("[]", "the document: "),
        ("{}", "observations: "),
        (
            '{"observations": [{"id": "p", "path": ["a"], "sent": 1, "lost": 2}]}',
            "more is lost than was sent",
        ),
        ('{"observations": [{"id": "p", "sent": 1, "lost": 1}]}', "exactly one of path and paths is wanted"),
        ('{"observations": [{"id": "p", "path": ["a"], "sent": true, "lost": 0}]}', "observations.0.sent: "),
        ('{"observations": [], "prior": {"a": 1.5}}', "prior.a: "),
        ('{"observations": [], "priors": {}}', "priors: "),
    ],
)
def test_a_wrong_document_is_refused_with_the_place_and_an_example(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert said in caught.value.message
    assert "observations" in caught.value.hint
