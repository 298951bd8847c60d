# ruff: noqa: D103, PTH123, UP041
"""One instant query to Prometheus, asked from a vantage: python3 reads this script from stdin and installs nothing.

What is in: the query over HTTP or HTTPS with a token and a CA from files that stay on the vantage, and the answer cut
down to how many series there are and the lowest and highest of them with their labels. It runs wherever Python is 3.7
or newer. What is not in: any judgement. Redirects are not followed, since the token is for one server alone.
"""

from __future__ import annotations

import http.client
import json
import math
import socket
import ssl
import sys
import time
import urllib.parse
from typing import Any

MOST_BODY = 32 << 20
MOST_TOKEN = 16384
MOST_SHOWN = 20
MOST_LABELS = 30


def query(spec: dict[str, Any]) -> dict[str, Any]:
    parts = urllib.parse.urlsplit(spec["url"])
    headers = {"User-Agent": "seatrial", "Accept": "application/json", "Connection": "close"}
    if spec.get("token_file"):
        with open(spec["token_file"], encoding="ascii") as file:
            headers["Authorization"] = "Bearer " + file.read(MOST_TOKEN).strip()
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=spec.get("ca_file"))
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=float(spec["timeout"]), context=context
        )
    else:
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=float(spec["timeout"])
        )
    words = urllib.parse.urlencode({"query": spec["query"], "timeout": spec["timeout"]})
    connection.request("GET", parts.path.rstrip("/") + "/api/v1/query?" + words, headers=headers)
    answer = connection.getresponse()
    body = answer.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        return {"status": answer.status, "error": "the answer is larger than 32 MiB"}
    try:
        said = json.loads(body.decode("utf-8", "replace"))
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.get("status") != "success":
        words = str(said.get("error", "")) if isinstance(said, dict) else ""
        return {
            "status": answer.status,
            "error": words[:500] or "HTTP " + str(answer.status) + " without JSON",
        }
    told = summary(said["data"])
    told["status"] = answer.status
    told["warnings"] = [str(one)[:300] for one in said.get("warnings", [])[:10]]
    return told


def summary(data: dict[str, Any]) -> dict[str, Any]:
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        result = [{"metric": {}, "value": result}]
    elif kind != "vector":
        return {"type": kind}
    numbers: list[Any] = []
    nans, histograms = [], 0
    for one in result:
        if "value" not in one:
            histograms += 1
            continue
        number = float(one["value"][1])
        if math.isnan(number):
            nans.append(sample(one["metric"], number))
        else:
            numbers.append((number, len(numbers), one["metric"]))
    numbers.sort()
    return {
        "type": kind,
        "count": len(result),
        "histograms": histograms,
        "nans": len(nans),
        "nan": nans[:1],
        "lowest": [sample(labels, number) for number, _, labels in numbers[:MOST_SHOWN]],
        "highest": [sample(labels, number) for number, _, labels in numbers[: -MOST_SHOWN - 1 : -1]],
    }


def sample(labels: dict[str, str], number: float) -> dict[str, Any]:
    few = sorted(labels.items())[:MOST_LABELS]
    # JSON has no infinity, so numbers travel as text.
    return {"labels": {str(key)[:100]: str(value)[:200] for key, value in few}, "value": repr(number)}


def main(words: list[str]) -> int:
    began = time.monotonic()
    answer: dict[str, Any]
    try:
        answer = query(json.loads(words[0]))
    except ssl.SSLError as error:
        answer = {"error": "TLS: " + str(getattr(error, "verify_message", "") or error.reason or error)}
    except socket.timeout:
        answer = {"error": "timed out"}
    except (OSError, http.client.HTTPException) as error:
        answer = {"error": str(getattr(error, "strerror", None) or error) or type(error).__name__}
        if getattr(error, "filename", None):
            answer["error"] = str(error.filename) + ": " + answer["error"]  # type: ignore[union-attr]
    except UnicodeError:
        # What was read may be the token, so it is not in the sentence.
        answer = {"error": "the token is no plain text"}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        answer = {"error": "not understood: " + type(error).__name__}
    answer["seconds"] = round(time.monotonic() - began, 4)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
