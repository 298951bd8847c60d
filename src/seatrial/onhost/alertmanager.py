# ruff: noqa: D103
"""Alertmanager's API (v2), spoken from a vantage: python3 reads this script from stdin and installs nothing.

`alerts` tells which alerts fire and fit the matchers of SPEC, `silences` which silences were in force lately, whoever made
them. `silence` begins a silence or gives the one that is there
more time, `unsilence` ends it; both look first and look again afterwards, so that doing either twice is doing it once. A
silence of ours is known by its author and its comment. What is not in: any judgement.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
from typing import Any

from seatrial.onhost.rest import (
    LOOKS,
    PAUSE,
    answer_with,
    none_left,
    request,
)

MOST_TOLD = 20
MOST_LABELS = 30
LIVE = ("active", "pending")


def alerts(spec: dict[str, Any]) -> dict[str, Any]:
    found = fitting(spec, spec["matchers"])
    if "error" in found:
        return found
    answer = {
        "status": 200,
        "count": len(found["alerts"]),
        "alerts": [told(one) for one in found["alerts"][:MOST_TOLD]],
    }
    if spec.get("watchdog"):
        watched = fitting(spec, spec["watchdog"], quiet=True)
        if "error" in watched:
            return watched
        answer["watchdogs"] = len(watched["alerts"])
    return answer


def fitting(spec: dict[str, Any], matchers: list[str], *, quiet: bool = False) -> dict[str, Any]:
    # What nobody has looked at yet (unprocessed) fires as well.
    words = [
        ("active", "true"),
        ("silenced", "true" if quiet else "false"),
        ("inhibited", "true" if quiet else "false"),
    ]
    words += [("filter", one) for one in matchers]
    answer = request(spec, "GET", "/api/v2/alerts?" + urllib.parse.urlencode(words))
    if answer.status != 200 or not isinstance(answer.said, list):
        return no(answer)
    return {"alerts": sorted(answer.said, key=lambda one: str(one.get("startsAt", "")))}


def silences(spec: dict[str, Any]) -> dict[str, Any]:
    answer = request(spec, "GET", "/api/v2/silences")
    if answer.status != 200 or not isinstance(answer.said, list):
        return no(answer)
    # Moments in UTC and of one form, so that their texts are in the order of time.
    first, last = moment(answer.now - float(spec["seconds"])), moment(answer.now)
    found = [one for one in answer.said if one["endsAt"] >= first and one["startsAt"][:19] <= last[:19]]
    found.sort(key=lambda one: str(one["startsAt"]))
    return {
        "status": 200,
        "count": len(found),
        "silences": [
            {
                "by": str(one.get("createdBy", ""))[:100],
                "comment": str(one.get("comment", ""))[:300],
                "starts": str(one["startsAt"])[:19] + "Z",
                "ends": str(one["endsAt"])[:19] + "Z",
                "matchers": [spelled(each) for each in one["matchers"][:MOST_LABELS]],
            }
            for one in found[:MOST_TOLD]
        ],
    }


def spelled(matcher: dict[str, Any]) -> str:
    sign = ("=" if matcher.get("isEqual", True) else "!") + (
        "~" if matcher.get("isRegex") else "" if matcher.get("isEqual", True) else "="
    )
    return str(matcher["name"])[:100] + sign + json.dumps(str(matcher["value"])[:200])


def told(alert: dict[str, Any]) -> dict[str, Any]:
    labels = sorted(alert["labels"].items())[:MOST_LABELS]
    notes = alert.get("annotations") or {}
    return {
        "labels": {str(key)[:100]: str(value)[:200] for key, value in labels},
        "since": str(alert.get("startsAt", ""))[:40],
        "summary": str(notes.get("summary") or notes.get("description") or "")[:300],
    }


def no(answer: Any) -> dict[str, Any]:
    said = answer.said
    why = (
        said.get("message") or said.get("error")
        if isinstance(said, dict)
        else said
        if isinstance(said, str)
        else ""
    )
    return {"status": answer.status, "error": str(why or "")[:500] or "HTTP " + str(answer.status) + " without what was asked for"}  # fmt: skip


def mine(spec: dict[str, Any]) -> Any:
    answer = request(spec, "GET", "/api/v2/silences")
    if answer.status != 200 or not isinstance(answer.said, list):
        return answer, None
    live = [one for one in answer.said if one["status"]["state"] in LIVE]
    return answer, [
        one for one in live if (one["createdBy"], one["comment"]) == (spec["author"], spec["comment"])
    ]


def silence(spec: dict[str, Any]) -> dict[str, Any]:
    answer, live = mine(spec)
    if live is None:
        return no(answer)
    body = {
        "matchers": spec["silenced"],
        "startsAt": live[0]["startsAt"] if live else moment(answer.now),
        # By the server's clock: it is the one that ends it.
        "endsAt": moment(answer.now + float(spec["seconds"])),
        "createdBy": spec["author"],
        "comment": spec["comment"],
    }
    if live:
        body["id"] = live[0]["id"]
    made = request(spec, "POST", "/api/v2/silences", body)
    if made.status != 200 or not isinstance(made.said, dict):
        return no(made)
    path = "/api/v2/silence/" + urllib.parse.quote(str(made.said["silenceID"]), safe="")
    for _ in range(LOOKS):
        proof = request(spec, "GET", path)
        if proof.status == 200 and proof.said["status"]["state"] in LIVE:
            return {"status": 200, "id": str(proof.said["id"]), "ends": str(proof.said["endsAt"]), "count": 1}
        time.sleep(PAUSE)
    return {"status": proof.status, "error": "it took the silence and does not show it"}


def unsilence(spec: dict[str, Any]) -> dict[str, Any]:
    answer, live = mine(spec)
    if live is None:
        return no(answer)
    for one in live:
        path = "/api/v2/silence/" + urllib.parse.quote(str(one["id"]), safe="")
        ended = request(spec, "DELETE", path)
        # 404 and 500 (already expired) say that somebody else was quicker; the look below decides.
        if ended.status in (401, 403):
            return no(ended)
    return none_left(lambda: mine(spec), no, len(live), "a silence of this trial is still there")


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def main(words: list[str]) -> dict[str, Any]:
    verbs = {"alerts": alerts, "silences": silences, "silence": silence, "unsilence": unsilence}
    return verbs[words[0]](json.loads(words[1]))


if __name__ == "__main__":
    sys.exit(answer_with(main, sys.argv[1:]))
