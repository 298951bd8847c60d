"""The one door to services that tell people: apprise's, and webhooks that take JSON.

What is in: one message, one URL, and why it did not go. What is not: when to try again. URLs have passwords and tokens in
them; whatever a service or a library says is stripped of every part of the URL before it leaves here. Both libraries are
imported inside functions only, since they take a third of a second to load.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from seatrial.model.notify import Notify
from seatrial.model.said import clean

# Seconds for a connection, and for each piece of an answer.
TIMEOUT = (5.0, 10.0)
MOST_URL = 4096
LONGEST_REASON = 300
_apprise_log = threading.Lock()


class CannotSend(Exception):
    """Why a message did not go, in words without secrets."""


def url_of(notify: Notify) -> str:
    """The URL, from its file or the environment. Raises CannotSend."""
    if notify.url_env is not None:
        url = os.environ.get(notify.url_env, "")
        place = f"${notify.url_env}"
    else:
        assert notify.url_file is not None
        place = notify.url_file
        try:
            with Path(place).open(encoding="utf-8") as file:
                url = file.read(MOST_URL + 1)
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise CannotSend(f"its URL cannot be read from {place}: {said}") from None
    url = url.strip()
    if not url or len(url) > MOST_URL or len(url.split()) != 1:
        raise CannotSend(f"{place} has no URL: exactly one is wanted, on one line")
    return url


def send(notify: Notify, text: str, title: str, mood: str, document: Mapping[str, Any]) -> None:
    """Send one message. Raises CannotSend; `document` is what a webhook gets, the rest is for people."""
    url = url_of(notify)
    try:
        if notify.through == "webhook":
            _post(url, document)
        else:
            _tell(url, text, title, mood)
    except CannotSend as error:
        raise CannotSend(scrubbed(str(error), url)) from None
    except Exception as error:
        # Whatever a service's plugin breaks on is no reason to stop for a rollout.
        raise CannotSend(scrubbed(f"{type(error).__name__}: {error}", url)) from None


def scrubbed(text: str, url: str) -> str:
    """The text without any part of the URL but its scheme and its host."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    text = text.replace(url, "***")
    parts = {part for whole in (url, unquote(url)) for part in re.split(r"[/:@?&=#,;\s]+", whole)}
    public = {host, url.partition(":")[0]}
    for part in sorted(parts - public, key=len, reverse=True):
        # What is shorter tells nobody anything, and would tear holes into every word.
        if len(part) >= 3 and part not in host:
            text = text.replace(part, "***")
    return clean(text, LONGEST_REASON)


def _post(url: str, document: Mapping[str, Any]) -> None:
    import requests

    if urlsplit(url).scheme not in ("http", "https"):
        raise CannotSend("the URL of a webhook begins with https:// or http://")
    try:
        # A redirect could lead anywhere, and a body is not looked at.
        with requests.post(url, json=dict(document), timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:  # fmt: skip
            if not 200 <= answer.status_code < 300:
                raise CannotSend(f"it answered with status {answer.status_code}")
    except requests.Timeout:
        raise CannotSend("it did not answer in time") from None
    except requests.ConnectionError as error:
        raise CannotSend(f"it cannot be reached: {_cause(error)}") from None


def _cause(error: BaseException) -> str:
    """The innermost reason: those around it have the URL in them."""
    found = re.findall(r"\[Errno -?\d+\] [\w ,'-]+|certificate verify failed|\w+Error\b", str(error))
    return found[-1] if found else type(error).__name__


class _Heard(logging.Handler):
    """What apprise says in this thread while it sends."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self._thread = threading.get_ident()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, unless another thread said it."""
        if record.thread == self._thread:
            self.said.append(record.getMessage())


def _tell(url: str, text: str, title: str, mood: str) -> None:
    import apprise

    log = logging.getLogger("apprise")
    with _apprise_log:
        # Its warnings have URLs in them, and would go to standard error where nobody listens.
        log.propagate = False
    heard = _Heard()
    log.addHandler(heard)
    try:
        asset = apprise.AppriseAsset(app_id="Seatrial", app_desc="Seatrial", async_mode=False, secure_logging=True)  # fmt: skip
        service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        if service is None:
            raise CannotSend("it is not a URL that apprise knows")
        # Where a service has no titles they would become a line of their own.
        sent = service.notify(
            body=defused(text),
            title=title if service.title_maxlen else "",
            notify_type=apprise.NotifyType(mood),
            body_format=apprise.NotifyFormat.TEXT,
        )
    finally:
        log.removeHandler(heard)
    if not sent:
        raise CannotSend("; ".join(heard.said[-3:]) or "the service did not take it")


def defused(text: str) -> str:
    """Without what chat services make a call to everybody of: a host's text must not wake a whole company."""
    return re.sub(r"(@|<)(?=[!\w&#@])", "\\1\u200b", text)
