"""Through apprise to a real IRC server: lines for people, and those of a server admin log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seatrial.model.notify import Notify
from seatrial.notify.send import CannotSend, send
from tests.checklist.told import ended

from .receivers import free_port, irc_server, until

TEXT = "r1 gw-s1: reverted: 6.1.0-47 runs again"
SAL = "!log alice: kernel 6.1.0-56 on trial on gw-s1 (r1) T42"
FLEET = """\
version: 1
name: one
stages: [{{name: one}}]
hosts:
  h1: {{stage: one, roles: [worker], reach: {{local: true}}}}
notify:
  ops: {{url_file: {folder}/irc}}
  log: {{url_file: {folder}/irc, form: sal}}
  gone: {{url_env: SEATRIAL_GONE}}
"""


def test_people_in_a_channel_read_one_line_for_each_notice(tmp_path: Path) -> None:
    with irc_server(tmp_path) as irc:
        (tmp_path / "irc").write_text(irc.url + "\n")
        here = Notify(url_file=str(tmp_path / "irc"))
        send(here, TEXT, "Seatrial r1: reverted", "failure", {})
        send(here, SAL, "Seatrial r1: on-trial", "info", {})
        # What a host says must not call everybody.
        send(here, "r1 h: stuck: @everyone look <!channel>", "t", "failure", {})
        until(lambda: len(irc.said) == 3)
        texts = [text for _, text in irc.said]
        assert texts[:2] == [TEXT, SAL]
        assert "@everyone" not in texts[2] and "<!channel>" not in texts[2]
        assert {who for who, _ in irc.said} == {"seatrial"}


def test_a_message_to_try_says_who_hears_it_and_who_does_not(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET.format(folder=tmp_path))
    with irc_server(tmp_path) as irc:
        (tmp_path / "irc").write_text(irc.url)
        verb = ("seatrial", "notify", "--try", "-f", tmp_path / "fleet.yaml")
        said = ended(*verb, "--to", "ops", "--to", "log", cwd=tmp_path)
        assert (said.returncode, said.stdout) == (0, "ops          sent\nlog          sent\n"), said.stderr
        until(lambda: len(irc.said) == 2)
        assert sorted(text for _, text in irc.said) == [
            "!log seatrial: tries whether you hear it; nothing has happened",
            "Seatrial tries whether you hear it; nothing has happened",
        ]
    secret = f"http://127.0.0.1:{free_port()}/t0ken-that-nobody-sees"
    said = ended(*verb, "--to", "gone", cwd=tmp_path, more={"SEATRIAL_GONE": secret})
    assert said.returncode == 4
    assert "gone         not sent: " in said.stdout
    assert "t0ken" not in said.stdout + said.stderr
    assert ended(*verb, "--to", "goen", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "its URL cannot be read from"),
        ("", "exactly one is wanted"),
        ("irc://a.example.org/%23x\nirc://b.example.org/%23y", "exactly one is wanted"),
        ("nosuchservice://secret-word@example.org", "it is not a URL that apprise knows"),
        ("irc://nick:secret-word@127.0.0.1:{port}/%23ops", ""),
        ("json://user:secret-word@127.0.0.1:{port}/secret-word", ""),
    ],
)
def test_what_cannot_be_sent_is_told_without_its_secrets(
    tmp_path: Path, url: str | None, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "url"
    if url is not None:
        file.write_text(url.format(port=free_port()))
    with pytest.raises(CannotSend) as cannot:
        send(Notify(url_file=str(file)), TEXT, "t", "info", {})
    assert str(cannot.value) and says in str(cannot.value)
    heard = capfd.readouterr()
    assert "secret-word" not in str(cannot.value) + heard.out + heard.err


def test_a_variable_of_the_environment_may_have_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SEATRIAL_NOT_SET" not in os.environ
    with pytest.raises(CannotSend, match=r"\$SEATRIAL_NOT_SET has no URL"):
        send(Notify(url_env="SEATRIAL_NOT_SET"), TEXT, "t", "info", {})
    monkeypatch.setenv("SEATRIAL_NOT_SET", "ftp://example.org/x")
    with pytest.raises(CannotSend, match="begins with https"):
        send(Notify(through="webhook", url_env="SEATRIAL_NOT_SET"), TEXT, "t", "info", {})
