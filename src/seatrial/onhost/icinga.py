# ruff: noqa: D103
"""Icinga 2's API (v1), spoken from a vantage: python3 reads this script from stdin and installs nothing.

`silence` begins downtimes for a host and for services of it, or puts later ones in the place of those that are there;
`unsilence` ends them. Both look afterwards, so that doing either twice is doing it once. A downtime of ours is known by its
author and its comment. Names travel as variables of a filter, never as a part of its text. What is not in: any judgement.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from seatrial.onhost.rest import (
    LOOKS,
    PAUSE,
    answer_with,
    none_left,
    request,
)

MINE = "downtime.author == seatrial_author && downtime.comment == seatrial_comment"


def words(spec: dict[str, Any], text: str, kind: str) -> dict[str, Any]:
    told = {
        "seatrial_author": spec["author"],
        "seatrial_comment": spec["comment"],
        "seatrial_host": spec.get("host", ""),
        "seatrial_services": spec.get("services", []),
    }
    return {"type": kind, "filter": text, "filter_vars": told}


def mine(spec: dict[str, Any]) -> Any:
    answer = request(spec, "GET", "/v1/objects/downtimes", words(spec, MINE, "Downtime"))
    # It says 404 where a filter fits nothing.
    if answer.status == 404:
        return answer, []
    if answer.status != 200 or not isinstance(answer.said, dict):
        return answer, None
    found = [dict(one["attrs"], name=one["name"]) for one in answer.said["results"]]
    return answer, [one for one in found if float(one["end_time"]) > answer.now]


def no(answer: Any) -> dict[str, Any]:
    said = answer.said if isinstance(answer.said, dict) else {}
    inner = said["results"][0] if said.get("results") else {}
    why = inner.get("errors") or inner.get("status") or said.get("status") or ""
    return {"status": answer.status, "error": str(why)[:500] or "HTTP " + str(answer.status) + " without what was asked for"}  # fmt: skip


def silence(spec: dict[str, Any]) -> dict[str, Any]:
    answer, live = mine(spec)
    if live is None:
        return no(answer)
    ends = answer.now + float(spec["seconds"])
    whole = [("Host", "host.name == seatrial_host", 1)] if spec["whole"] else []
    some = "host.name == seatrial_host && service.name in seatrial_services"
    services = [("Service", some, len(spec["services"]))] if spec["services"] else []
    made: list[str] = []
    for kind, text, wanted in whole + services:
        body = words(spec, text, kind)
        body.update(
            author=spec["author"], comment=spec["comment"], start_time=answer.now, end_time=ends, fixed=True
        )
        done = request(spec, "POST", "/v1/actions/schedule-downtime", body)
        if done.status != 200 or not isinstance(done.said, dict):
            return no(done)
        names = [str(one["name"]) for one in done.said["results"] if one.get("name")]
        if len(names) != wanted:
            missing = str(wanted - len(names)) + " of its " + kind.lower() + "s are not known there"
            return {"status": 404, "error": missing}
        made += names
    for one in live:
        gone = ended(spec, one["name"])
        if gone.status not in (200, 404):
            return no(gone)
    for _ in range(LOOKS):
        answer, live = mine(spec)
        if live is None:
            return no(answer)
        if {one["name"] for one in live} == set(made):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
            return {"status": 200, "id": ",".join(made)[:400], "ends": stamp, "count": len(made)}
        time.sleep(PAUSE)
    return {"status": 200, "error": "it took the downtimes and does not show them"}


def ended(spec: dict[str, Any], name: str) -> Any:
    body = {"type": "Downtime", "downtime": name}
    return request(spec, "POST", "/v1/actions/remove-downtime", body)


def unsilence(spec: dict[str, Any]) -> dict[str, Any]:
    answer, live = mine(spec)
    if live is None:
        return no(answer)
    for one in live:
        gone = ended(spec, one["name"])
        # 404 says that somebody else was quicker; the look below decides.
        if gone.status not in (200, 404):
            return no(gone)
    return none_left(lambda: mine(spec), no, len(live), "a downtime of this trial is still there")


def main(given: list[str]) -> dict[str, Any]:
    return {"silence": silence, "unsilence": unsilence}[given[0]](json.loads(given[1]))


if __name__ == "__main__":
    sys.exit(answer_with(main, sys.argv[1:]))
