"""A real PostgreSQL of our own, on a socket in a folder of the test, which may be stopped and started again."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Postgres:
    """One server; `url` is the database that everybody may use."""

    def __init__(self, folder: Path) -> None:
        self._room = folder / "postgres"
        self._room.mkdir()
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        assert binaries, "Debian's package postgresql is missing"
        self._binaries = binaries[-1]
        # It refuses to run as root, so it is nobody in its own eyes.
        self._as = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
        self._run("initdb", "-N", "-A", "trust", "-U", "seatrial", "-D", str(self._room / "data"))
        with (self._room / "data" / "postgresql.conf").open("a") as conf:
            conf.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self._room}'\nmax_connections = 200\nfsync = off\n"
            )
        self.url = f"postgresql+psycopg://seatrial@/postgres?host={self._room}"
        self.start()

    def _run(self, program: str, *words: str) -> None:
        said = subprocess.run(
            [*self._as, str(self._binaries / program), *words],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
        )
        assert said.returncode == 0, said.stdout + said.stderr

    def start(self) -> None:
        self._run(
            "pg_ctl",
            "-w",
            "-t",
            "240",
            "-D",
            str(self._room / "data"),
            "-l",
            str(self._room / "log"),
            "start",
        )

    def stop(self) -> None:
        """At once, as when its machine loses its power."""
        self._run("pg_ctl", "-w", "-t", "240", "-m", "immediate", "-D", str(self._room / "data"), "stop")
