"""A real Icinga 2 on loopback, as whoever runs the tests: its API over TLS, one host with services, one login."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import getpass
import grp
import json
import os
import signal
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.checks.platform.served import PR_SET_PDEATHSIG, certificate, free_port, until

PASSWORD = "s3cret-of-the-test"
CONFIG = """\
const NodeName = "icinga-test"
const ZoneName = "icinga-test"
include <itl>
object Endpoint NodeName {{}}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object IcingaApplication "app" {{}}
object CheckerComponent "checker" {{}}
object ApiListener "api" {{ bind_host = "127.0.0.1"; bind_port = {port} }}
object ApiUser "seatrial" {{
  password = "{password}"
  permissions = [ "status/query", "objects/query/Host", "objects/query/Service", "objects/query/Downtime",
    "actions/schedule-downtime", "actions/remove-downtime" ]
}}
object Host "gw.example.org" {{ check_command = "dummy" }}
object Host "other" {{ check_command = "dummy" }}
object Service "ssh" {{ host_name = "gw.example.org"; check_command = "dummy" }}
object Service "flows" {{ host_name = "gw.example.org"; check_command = "dummy" }}
object Service "ssh" {{ host_name = "other"; check_command = "dummy" }}
"""
FOLDERS = ("etc", "data/certs", "data/api", "log", "cache", "run/icinga2", "spool")


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    # Asked to end, it ends its children as well; a kill would leave them.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Icinga:
    """It, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.ca, key = certificate(folder, "icinga-test")
        for place in ("data/certs/icinga-test.crt", "data/certs/ca.crt"):
            (folder / place).write_text(self.ca.read_text())
        (folder / "data/certs/icinga-test.key").write_text(key.read_text())
        (folder / "etc/icinga2.conf").write_text(CONFIG.format(port=self.port, password=PASSWORD))
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD + "\n")

    @contextlib.contextmanager
    def up(self) -> Iterator[Icinga]:
        constants = {
            "RunAsUser": getpass.getuser(),
            "RunAsGroup": grp.getgrgid(os.getgid()).gr_name,
            "ConfigDir": "etc",
            "DataDir": "data",
            "LogDir": "log",
            "CacheDir": "cache",
            "InitRunDir": "run",
            "SpoolDir": "spool",
            "PidPath": "run/icinga2/icinga2.pid",
            "VarsPath": "cache/vars",
            "ObjectsPath": "cache/objects",
            "StatePath": "data/state",
            "ModAttrPath": "data/modattr",
        }
        argv = ["icinga2", "daemon", "-c", str(self.folder / "etc/icinga2.conf")]
        for name, value in constants.items():
            argv.append(f"-D{name}={value if name.startswith('RunAs') else self.folder / value}")
        with (self.folder / "said").open("wb") as said:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
            try:
                until(lambda: process.poll() is not None or self.ready(), "Icinga 2 to be ready")
                assert process.poll() is None, (self.folder / "said").read_text()
                yield self
            finally:
                # It is three processes, which are one group.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def ready(self) -> bool:
        try:
            return bool(self.asks("status/IcingaApplication"))
        except OSError:
            return False

    def asks(self, path: str) -> list[dict[str, Any]]:
        """What its API answers, by a way that is not the one under test."""
        login = base64.b64encode(f"seatrial:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", headers={"Authorization": f"Basic {login}"})
        context = ssl.create_default_context(cafile=str(self.ca))
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return list(json.load(answer)["results"])

    def downtimes(self) -> set[str]:
        """What is in a downtime now: HOST or HOST!SERVICE."""
        return {
            one["attrs"]["host_name"]
            + (f"!{one['attrs']['service_name']}" if one["attrs"]["service_name"] else "")
            for one in self.asks("objects/downtimes")
        }

    def depth(self, kind: str, name: str) -> float:
        """How many downtimes it counts for a host or a service: what decides whether it tells anybody."""
        (found,) = self.asks(f"objects/{kind}/{name}?attrs=downtime_depth")
        return float(found["attrs"]["downtime_depth"])
