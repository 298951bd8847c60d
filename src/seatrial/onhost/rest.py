# ruff: noqa: UP006, UP035, UP045, D103, PTH123, UP041
"""What the scripts that speak JSON over HTTP share: one request, its login from files of the vantage, and how a failure is told.

What is not in: any server's API. This text takes the place of the import in the scripts that are sent to a vantage, so it
has no __future__ line, and like them it runs on Python 3.7 with nothing but the standard library. Redirects are not
followed, since a login is for one server alone.
"""

import base64
import email.utils
import http.client
import json
import socket
import ssl
import sys
import time
import urllib.parse
from typing import Any, Callable, Dict, List, Optional, Tuple

MOST_BODY = 32 << 20
MOST_SECRET = 16384
# What was asked for is seen a moment later where a cluster's members tell each other of it.
LOOKS = 10
PAUSE = 0.3


class Answer:
    """The status, the JSON that came with it (None where it was none), and the server's clock in seconds since 1970."""

    def __init__(self, status: int, said: Any, now: float) -> None:
        self.status = status
        self.said = said
        self.now = now


def request(spec: Dict[str, Any], method: str, path: str, body: Optional[Any] = None) -> Answer:
    parts = urllib.parse.urlsplit(spec["url"])
    headers = {"User-Agent": "seatrial", "Accept": "application/json", "Connection": "close"}
    headers.update(login(spec))
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    limit = float(spec["timeout"])
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=spec.get("ca_file"))
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=limit, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=limit)
    connection.request(method, parts.path.rstrip("/") + path, body=data, headers=headers)
    answer = connection.getresponse()
    text = answer.read(MOST_BODY + 1)
    if len(text) > MOST_BODY:
        raise ConnectionError("the answer is larger than 32 MiB")
    try:
        said = json.loads(text.decode("utf-8", "replace")) if text else None
    except ValueError:
        said = None
    date = email.utils.parsedate_tz(answer.headers.get("Date") or "")
    return Answer(answer.status, said, float(email.utils.mktime_tz(date)) if date else time.time())


def login(spec: Dict[str, Any]) -> Dict[str, str]:
    if spec.get("token_file"):
        return {"Authorization": "Bearer " + secret(spec["token_file"])}
    if spec.get("password_file"):
        both = spec["user"] + ":" + secret(spec["password_file"])
        return {"Authorization": "Basic " + base64.b64encode(both.encode()).decode()}
    return {}


def secret(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read(MOST_SECRET).strip()


def none_left(
    look: Callable[[], Tuple[Answer, Any]], no: Callable[[Answer], Dict[str, Any]], ended: int, still: str
) -> Dict[str, Any]:
    """Look until none of ours is left: how many were ended, or the sentence for those that stay."""
    left: Any = []
    for _ in range(LOOKS):
        answer, left = look()
        if left is None:
            return no(answer)
        if not left:
            return {"status": 200, "count": ended}
        time.sleep(PAUSE)
    return {"status": 200, "error": still, "count": len(left)}


def answer_with(work: Callable[[List[str]], Dict[str, Any]], words: List[str]) -> int:
    began = time.monotonic()
    answer: Dict[str, Any]
    try:
        answer = work(words)
    except ssl.SSLError as error:
        answer = {"error": "TLS: " + str(getattr(error, "verify_message", "") or error.reason or error)}
    except socket.timeout:
        answer = {"error": "timed out"}
    except (OSError, http.client.HTTPException) as error:
        answer = {"error": str(getattr(error, "strerror", None) or error) or type(error).__name__}
        if getattr(error, "filename", None):
            answer["error"] = str(error.filename) + ": " + answer["error"]  # type: ignore[union-attr]
    except UnicodeError:
        # What was read may be the secret, so it is not in the sentence.
        answer = {"error": "the token or password is no plain text"}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        answer = {"error": "not understood: " + type(error).__name__}
    answer["seconds"] = round(time.monotonic() - began, 4)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0
