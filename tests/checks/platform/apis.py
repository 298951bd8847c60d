"""Servers on loopback that speak as much of the APIs of Kubernetes and OpenStack as a list needs.

They are no Kubernetes and no OpenStack: an API server of the former is in no package archive that the tests may use, and
the latter takes minutes to install and start. They answer the real client libraries in the documented shapes, over real
sockets, with the login, the TLS and the pages that the libraries insist on. What a real Keystone and a real Nova made of
the same questions is in golden/openstack-keystone-* and golden/openstack-nova-*.
"""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOKEN = "token-of-the-test"
PASSWORD = "password-of-the-test"


class Api:
    """One server; subclasses say what it answers."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []

    def answer(
        self, method: str, path: str, words: dict[str, str], headers: Any, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, document, headers."""
        raise NotImplementedError

    @contextmanager
    def serving(self, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
        """The address of the server, which runs meanwhile."""
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do(self) -> None:
                api.asked.append(self.path)
                parts = urllib.parse.urlsplit(self.path)
                words = dict(urllib.parse.parse_qsl(parts.query))
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, document, more = api.answer(self.command, parts.path, words, self.headers, body)
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                for key, value in {"Content-Type": "application/json", **more}.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do  # noqa: N815 - the names that the server looks for

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        try:
            yield self.url
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def machine(
    name: str,
    *,
    ready: str = "True",
    wrong: str = "",
    unschedulable: bool = False,
    kernel: str = "6.1.0-56-amd64",
) -> dict[str, Any]:
    """A Node as `kubectl get node -o json` shows it, with an image that has no name, which servers do give."""
    conditions = [
        {
            "type": kind,
            "status": "True" if kind == wrong else "False",
            "reason": "Kubelet",
            "message": "kubelet says",
        }
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
    ]
    said = {
        "True": ("KubeletReady", "kubelet is posting ready status"),
        "False": ("KubeletNotReady", "container runtime is down"),
        "Unknown": ("NodeStatusUnknown", "Kubelet stopped posting node status."),
    }
    reason, message = said[ready]
    conditions.append({"type": "Ready", "status": ready, "reason": reason, "message": message})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {"unschedulable": True} if unschedulable else {},
        "status": {
            "conditions": conditions,
            "images": [{"names": None, "sizeBytes": 1}],
            "nodeInfo": {
                "kernelVersion": kernel,
                "kubeletVersion": "v1.31.2",
                "osImage": "Debian GNU/Linux 12",
            },
        },
    }


class Kubernetes(Api):
    """GET /api/v1/nodes, in pages, for who has the token."""

    def __init__(self, *machines: dict[str, Any], page: int = 500) -> None:
        super().__init__()
        self.machines, self.page = machines, page

    def answer(
        self, method: str, path: str, words: dict[str, str], headers: Any, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, _status("Unauthorized", 401), {}
        if (method, path) != ("GET", "/api/v1/nodes"):
            return 404, _status("the server could not find the requested resource", 404), {}
        first = int(words.get("continue") or 0)
        last = first + min(self.page, int(words["limit"]))
        more = {"continue": str(last)} if last < len(self.machines) else {}
        return (
            200,
            {"kind": "NodeList", "apiVersion": "v1", "metadata": more, "items": self.machines[first:last]},
            {},
        )


def _status(message: str, code: int) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


def kubeconfig(folder: Path, url: str, ca: Path, token: str = TOKEN) -> Path:
    """The file that leads there, with one more context."""
    file = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority": str(ca)}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [
            {"name": "test", "context": {"cluster": "c", "user": "u"}},
            {"name": "nobody", "context": {"cluster": "c", "user": "none"}},
        ],
    }
    file.write_text(json.dumps(document))
    return file


def server(name: str, state: str = "ACTIVE", host: str = "compute-1", fault: str = "") -> dict[str, Any]:
    """A server as Nova's detailed list has it."""
    told: dict[str, Any] = {
        "id": f"id-of-{name}",
        "name": name,
        "status": state,
        "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": f"{host}.example.org",
    }
    return {**told, "fault": {"code": 500, "message": fault}} if fault else told


def agent(binary: str, host: str, *, alive: bool = True, up: bool = True) -> dict[str, Any]:
    """An agent as Neutron lists it."""
    return {
        "id": f"id-of-{binary}-{host}",
        "binary": binary,
        "host": host,
        "alive": alive,
        "admin_state_up": up,
        "heartbeat_timestamp": "2026-01-01 00:00:00",
    }


def service(binary: str, host: str, state: str = "up", status: str = "enabled") -> dict[str, Any]:
    """A service as Nova lists it."""
    return {
        "id": f"id-of-{binary}-{host}",
        "binary": binary,
        "host": host,
        "state": state,
        "status": status,
        "disabled_reason": "being mended" if status == "disabled" else None,
        "forced_down": False,
        "zone": "nova",
        "updated_at": "2026-01-01T00:00:00.000000",
    }


class Openstack(Api):
    """Keystone's login by password, and the lists of Nova and Neutron for who has the token that it gave."""

    def __init__(
        self,
        *,
        servers: tuple[dict[str, Any], ...] = (),
        agents: tuple[dict[str, Any], ...] = (),
        services: tuple[dict[str, Any], ...] = (),
        page: int = 1000,
        allowed: bool = True,
    ) -> None:
        super().__init__()
        self.servers, self.agents, self.services = servers, agents, services
        self.page, self.allowed = page, allowed

    def answer(
        self, method: str, path: str, words: dict[str, str], headers: Any, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if path.rstrip("/") in ("/identity", "/identity/v3"):
            links = [{"rel": "self", "href": f"{self.url}/identity/v3/"}]
            version = {"id": "v3.14", "status": "stable", "links": links}
            whole = (
                {"version": version}
                if path.rstrip("/").endswith("v3")
                else {"versions": {"values": [version]}}
            )
            return 200, whole, {}
        if (method, path) == ("POST", "/identity/v3/auth/tokens"):
            given = body["auth"]["identity"]["password"]["user"]["password"]
            if given != PASSWORD:
                error = {"code": 401, "message": "The request you have made requires authentication."}
                return 401, {"error": error}, {}
            return 201, {"token": self._token()}, {"X-Subject-Token": TOKEN}
        if path.rstrip("/") in ("/compute/v2.1", "/network", "/network/v2.0"):
            return 200, self._versions(path), {}
        if headers.get("X-Auth-Token") != TOKEN:
            return 401, {"error": {"code": 401, "message": "no token"}}, {}
        if not self.allowed:
            return (
                403,
                {"forbidden": {"code": 403, "message": "Policy doesn't allow this to be performed."}},
                {},
            )
        if path == "/compute/v2.1/servers/detail":
            return 200, self._page(words), {}
        if path == "/compute/v2.1/os-services":
            return 200, {"services": self.services}, {}
        if path == "/network/v2.0/agents":
            return 200, {"agents": self.agents}, {}
        return 404, {"itemNotFound": {"code": 404, "message": path}}, {}

    def _page(self, words: dict[str, str]) -> dict[str, Any]:
        names = [f"id-of-{one['name']}" for one in self.servers]
        first = names.index(words["marker"]) + 1 if "marker" in words else 0
        page = self.servers[first : first + self.page]
        link = f"{self.url}/compute/v2.1/servers/detail?marker={page[-1]['id']}" if page else ""
        more = first + self.page < len(self.servers)
        return {"servers": page, **({"servers_links": [{"rel": "next", "href": link}]} if more else {})}

    def _versions(self, path: str) -> dict[str, Any]:
        if path.startswith("/compute"):
            links = [{"rel": "self", "href": f"{self.url}/compute/v2.1/"}]
            return {
                "version": {
                    "id": "v2.1",
                    "status": "CURRENT",
                    "version": "2.90",
                    "min_version": "2.1",
                    "links": links,
                }
            }
        links = [{"rel": "self", "href": f"{self.url}/network/v2.0/"}]
        return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}

    def _token(self) -> dict[str, Any]:
        def entry(kind: str, name: str, path: str) -> dict[str, Any]:
            endpoint = {
                "id": f"e-{name}",
                "interface": "public",
                "region": "RegionOne",
                "region_id": "RegionOne",
                "url": self.url + path,
            }
            return {"id": name, "type": kind, "name": name, "endpoints": [endpoint]}

        return {
            "methods": ["password"],
            "user": {"id": "u", "name": "watcher", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": "p", "name": "cloud", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r", "name": "reader"}],
            "expires_at": "2999-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "catalog": [
                entry("identity", "keystone", "/identity"),
                entry("compute", "nova", "/compute/v2.1"),
                entry("network", "neutron", "/network"),
            ],
        }


def clouds(folder: Path, url: str, password: str = PASSWORD) -> Path:
    """The clouds.yaml that leads there."""
    file = folder / "clouds.yaml"
    login = {
        "auth_url": f"{url}/identity/v3",
        "username": "watcher",
        "password": password,
        "project_name": "cloud",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    cloud = {"auth": login, "region_name": "RegionOne", "identity_api_version": "3"}
    file.write_text(json.dumps({"clouds": {"test": cloud}}))
    return file
