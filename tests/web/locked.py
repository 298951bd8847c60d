"""A fleet of three hosts that reboot by themselves, and a client that speaks FleetLock as Zincati does.

Zincati sends its body as indented JSON without saying its type, the protocol's header, and takes every 2xx for a yes; of a
no it reads `kind` and `value`. Each host is a network namespace of this machine, so that its checks are asked for real.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.vantage.grounds import namespace

from .served import Answer, Page

# The ids of the protocol's own page and of Zincati's tests.
IDS = {
    "w1": "c988d2509fdf5cdcbed39037c56406fb",
    "w2": "e0f3745b108f471cbd4883c6fbed8cdd",
    "w3": "w3.example.org",
}
# As the protocol's page has it, byte for byte.
PUBLISHED = """
{
  "client_params": {
    "group": "default",
    "id": "c988d2509fdf5cdcbed39037c56406fb"
  }
}

"""


FLEET = """\
version: 1
name: workers
stages: [{{name: one}}]
hosts:
{hosts}
vantages:
  here: {{local: true}}
checks:
  well: {{kind: command, from: here, argv: [test, -e, {folder}/well]}}
fleetlock:
  groups:
    default:
      slots: {slots}
      hosts:
{locked}
{more}
"""


@contextlib.contextmanager
def fleet(
    folder: Path, *, names: Iterable[str] = IDS, gone: str = "", slots: int = 1, more: str = ""
) -> Iterator[Path]:
    """The fleet file of hosts that are there until the block ends; `gone` is one that never was.

    What proves a host is that `folder` has a file `well`.
    """
    path = folder / "fleet.yaml"
    with contextlib.ExitStack() as stack:
        reach = {}
        for name in names:
            netns, userns = stack.enter_context(namespace())
            reach[name] = f"{{netns: {netns}, userns: {userns}}}" if userns else f"{{netns: {netns}}}"
        if gone:
            reach[gone] = "{netns: nowhere-at-all}"
        hosts = "\n".join(
            f"  {name}: {{stage: one, roles: [worker], reach: {way}}}" for name, way in reach.items()
        )
        locked = "\n".join(f"        {name}: {{id: {IDS.get(name, name)}}}" for name in reach)
        path.write_text(FLEET.format(hosts=hosts, locked=locked, folder=folder, slots=slots, more=more))
        yield path


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One host's agent."""

    page: Page
    id: str
    group: str = "default"

    def _ask(self, what: str) -> Answer:
        body = json.dumps({"client_params": {"id": self.id, "group": self.group}}, indent=2)
        return self.page.ask(f"/v1/{what}", method="POST", body=body, fleet_lock_protocol="true")

    def pre_reboot(self) -> tuple[bool, str]:
        return _map(self._ask("pre-reboot"))

    def steady_state(self) -> tuple[bool, str]:
        return _map(self._ask("steady-state"))


def _map(answer: Answer) -> tuple[bool, str]:
    """Whether it is a yes, and of a no its kind; a no that says none is `generic_http_STATUS`."""
    if 200 <= answer.status < 300:
        return True, ""
    try:
        told = answer.document
        return False, str(told["kind"]) if told["kind"] and told["value"] else ""
    except (ValueError, KeyError, TypeError):
        return False, f"generic_http_{answer.status}"


def clients(page: Page) -> dict[str, Client]:
    return {name: Client(page=page, id=id_) for name, id_ in IDS.items()}
