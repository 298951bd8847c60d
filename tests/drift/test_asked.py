"""What the host's side makes of what the programs there say: its functions, run here with programs that say what is given."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from seatrial.boot.scripts import text
from tests.drift.made import make

SERVICES = text("drift-services.sh").partition("\nunits_now=\n")[0]


def asked(shell: str, program: str) -> str:
    """What a function of the script prints, in one of the shells that hosts have; each program is a function."""
    path = shutil.which(shell)
    assert path is not None
    argv = [path, "sh"] if shell == "busybox" else [path]
    ended = subprocess.run(
        [*argv, "-s"],
        input=f"set -u\nLC_ALL=C\n{SERVICES}\n{program}",
        capture_output=True,
        check=True,
        text=True,
    )
    return ended.stdout


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_a_listener_is_read_whether_ss_filled_its_line_up_with_blanks_or_not(shell: str) -> None:
    said = asked(
        shell,
        """
has() { :; }
ss() {
    printf '%s\\n' 'LISTEN 0      4096       127.0.0.1:2379       0.0.0.0:*    users:(("etcd",pid=15277,fd=8))                           '
    printf '%s\\n' 'LISTEN 0      64           0.0.0.0:2049       0.0.0.0:*                                                              '
    printf '%s\\n' 'LISTEN 0      4096         0.0.0.0:111        0.0.0.0:*    users:(("rpcbind",pid=15203,fd=4),("systemd",pid=1,fd=37))'
}
listeners
""",
    )
    assert said.splitlines() == ["0.0.0.0:111 1", "0.0.0.0:111 15203", "127.0.0.1:2379 15277"]


SERVED = """
has() { :; }
hostname() { echo here; }
handshake() { case $1 in *:8443) echo "L of $1 by ${2:-nothing}" ;; *) return 1 ;; esac }
named_now='%s /etc/web/cert.pem'
configured_now='/etc/systemd/system/web.service /etc/web/cert.pem'
listeners_now='%s'
served
echo "status $?"
"""


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_a_port_without_tls_takes_no_answer_of_the_others_away(shell: str) -> None:
    said = asked(shell, SERVED % ("99", "127.0.0.1:8443 99\n127.0.0.1:9000 99"))
    assert said.splitlines() == [
        "S 127.0.0.1:8443 address",
        "L of 127.0.0.1:8443 by nothing",
        "S 127.0.0.1:8443 name",
        "L of 127.0.0.1:8443 by here",
        "S 127.0.0.1:9000 address",
        "S 127.0.0.1:9000 name",
        "status 0",
    ]


def test_the_sockets_that_systemd_holds_for_others_are_not_asked_for_a_certificate() -> None:
    """Its folder has the units of all the services, which name certificates that are not its own."""
    said = asked("dash", "cat() { echo systemd; }\n" + SERVED % ("99", "0.0.0.0:111 1\n127.0.0.1:8443 99"))
    assert "S 127.0.0.1:8443 name" in said
    assert ":111" not in said


@pytest.mark.parametrize("shell", ["dash", "busybox"])
async def test_without_openssl_python_asks_all_places_at_once(shell: str, tmp_path: Path) -> None:
    """What speaks no TLS answers nothing, and takes no answer of the others away."""
    made = make("web.example.test", addresses=("127.0.0.1",))
    (tmp_path / "cert.pem").write_text(made.pem)
    (tmp_path / "key.pem").write_text(made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        writer.close()

    spoken = await asyncio.start_server(hello, "127.0.0.1", 0, ssl=context)
    plain = await asyncio.start_server(hello, "127.0.0.1", 0)
    async with spoken, plain:
        one, other = (f"127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in (spoken, plain))
        program = SERVED.replace("has() { :; }", 'has() { [ "$1" = python3 ]; }')
        said = await asyncio.to_thread(asked, shell, program % ("99", f"{one} 99\n{other} 99"))
    pem = "".join(f"L {line}\n" for line in made.pem.splitlines())
    for by in ("address", "name"):
        assert f"S {one} {by}\n{pem}" in said
        assert f"S {other} {by}\n" in said
    assert said.endswith("status 0\n") and said.count("BEGIN") == 2
