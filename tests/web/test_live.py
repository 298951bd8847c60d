"""The live line: whoever listens is told when something has come, also two hundred at once."""

from __future__ import annotations

import socket
from pathlib import Path

from seatrial.model.event import Kind

from .journals import begun
from .served import PATIENCE, Page, serving

VIEWERS = 200


def listen(page: Page) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", page.port), timeout=PATIENCE)
    sock.sendall(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n".encode())
    return sock


def heard(sock: socket.socket, wanted: str) -> None:
    """Read until that was said. Raises TimeoutError when it never is."""
    text = ""
    while wanted not in text:
        piece = sock.recv(4096)
        assert piece, f"the line was closed after {text!r}"
        text += piece.decode()


def test_two_hundred_viewers_hear_of_the_same_event(tmp_path: Path) -> None:
    store = begun(tmp_path / "journal.db")
    with serving(tmp_path / "journal.db") as page:
        viewers = [listen(page) for _ in range(VIEWERS)]
        try:
            for viewer in viewers:
                heard(viewer, "data: 1\r\n")
            event = store.append(Kind.ROLLOUT_PAUSED, rollout="r1", by="test", data={"why": "lunch"})
            for viewer in viewers:
                heard(viewer, f"data: {event.seq}\r\n")
            assert page.ask("/rollouts/r1.json").document["rollout"]["paused"]
        finally:
            for viewer in viewers:
                viewer.close()


def test_the_server_ends_although_somebody_listens(tmp_path: Path) -> None:
    begun(tmp_path / "journal.db").close()
    with serving(tmp_path / "journal.db") as page:
        viewer = listen(page)
        heard(viewer, "event: changed")
    # `serving` has sent SIGTERM and waited for the process to end with 0.
    viewer.close()
