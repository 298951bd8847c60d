"""The API in OpenAPI 3.1, for programs that read it: the `.json` of each page, and the wishes."""

from __future__ import annotations

from typing import Any

from seatrial import __version__
from seatrial.model.fleetlock import GROUP, MOST_NAME
from seatrial.web.wishes import MODES, MOST_TEXT, TAKEN, VISIBLE, WANTED, WISHES

_NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^r[0-9]{1,9}$"},
}
_HOST = {"name": "host", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}}  # fmt: skip
_FAILOVER = {**_NAME, "schema": {"type": "string", "pattern": "^f[0-9]{1,9}$"}}
_NUMBER = {"type": "string", "pattern": "^[0-9]{1,15}$"}
_BEFORE = {
    "name": "before",
    "in": "query",
    "description": "lines in front of this place of the journal",
    "schema": _NUMBER,
}
_PAGE = {"name": "page", "in": "query", "schema": _NUMBER}
_OF_HOST = {**_HOST, "in": "query", "required": False}
_ERROR = {
    "type": "object",
    "required": ["error", "hint"],
    "properties": {
        "error": {"type": "string"},
        "hint": {"type": "string"},
        "exit_code": {"type": "integer"},
    },
}
_LOCK_ERROR = {
    "type": "object",
    "required": ["kind", "value"],
    "properties": {
        "kind": {"type": "string", "minLength": 1},
        "value": {"type": "string", "minLength": 1},
    },
}
_PARAMS = {
    "type": "object",
    "required": ["client_params"],
    "properties": {
        "client_params": {
            "type": "object",
            "required": ["id", "group"],
            "properties": {
                "id": {"type": "string", "minLength": 1, "maxLength": MOST_NAME},
                "group": {"type": "string", "pattern": GROUP, "maxLength": MOST_NAME},
            },
        }
    },
}
_PROTOCOL = {
    "name": "fleet-lock-protocol",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "enum": ["true"]},
}
_TEXT = {"type": "string", "maxLength": MOST_TEXT}
_WANTED = {**_TEXT, "pattern": VISIBLE}


def description() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, Any] = {
        "/board.json": _read("the first page: rollouts, the fleet, kernels"),
        "/kernels.json": _read("what is remembered of kernels"),
        "/drift.json": _read("what the last audits found, worst first", _OF_HOST, _PAGE),
        "/failovers.json": _read("the newest failovers"),
        "/failovers/{name}.json": _read(
            "one failover: its deeds, its pause, who drives it, the proof", _FAILOVER
        ),
        "/journal.json": _read("the time line of everything", _BEFORE),
        "/rollouts/{name}/journal.json": _read("the time line of one rollout", _NAME, _BEFORE),
        "/rollouts/{name}.json": _read("one rollout", _NAME),
        "/rollouts/{name}/hosts/{host}.json": _read("one host's trial", _NAME, _HOST),
    }
    paths["/metrics"] = {
        "get": {
            "summary": "figures for Prometheus: OpenMetrics where that is asked for",
            "responses": {
                "200": {"description": "the figures", "content": {"text/plain": {}}},
                **_wrong("401", "421"),
            },
        }
    }
    for wish, role in WISHES.items():
        paths[f"/rollouts/{{name}}/{wish}"] = {"post": _wish(wish, role.name.lower())}
    paths["/v1/pre-reboot"] = {"post": _lock("FleetLock: a host wants to reboot by itself")}
    paths["/v1/steady-state"] = {"post": _lock("FleetLock: a host is back")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Seatrial", "version": __version__},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _ERROR, "FleetLockError": _LOCK_ERROR},
        },
        "security": [{"token": []}, {}],
        "paths": paths,
    }


def _read(says: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {"description": says, "content": {"application/json": {"schema": {"type": "object"}}}},
        **_wrong("401", "421"),
    }
    if parameters:
        responses |= _wrong("404", "422")
    return {"get": {"summary": says, "parameters": list(parameters), "responses": responses}}


def _wish(wish: str, role: str) -> dict[str, Any]:
    wanted = list(WANTED[wish])
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            **dict.fromkeys(TAKEN.get(wish, ()), _TEXT),
            **dict.fromkeys(wanted, _WANTED),
        },
        "additionalProperties": False,
    }
    if "mode" in schema["properties"]:
        schema["properties"]["mode"] = {"type": "string", "enum": list(MODES)}
    if wanted:
        schema["required"] = wanted
    return {
        "summary": f"{wish} (wants the role {role})",
        "parameters": [_NAME],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "201": {"description": "it is in the journal", "content": {"application/json": {"schema": {"type": "object"}}}},
            **_wrong("401", "403", "404", "409", "422"),
        },
    }  # fmt: skip


def _lock(says: str) -> dict[str, Any]:
    codes = {
        "400": "it is not what the protocol says",
        "403": "it may not ask: its address, group or id is not in the fleet file, or it came from another site",
        "404": "this server gives no slots",
        "409": "not now; the host asks again later",
        "413": "that is too long",
        "421": "asked by a name that is not ours",
        "503": "the journal is away, or too many ask",
    }
    schema = {"$ref": "#/components/schemas/FleetLockError"}
    responses: dict[str, Any] = {
        "200": {"description": "as wished", "content": {"application/json": {"schema": {"type": "object"}}}}
    }
    for code, what in codes.items():
        responses[code] = {"description": what, "content": {"application/json": {"schema": schema}}}
    # Those two are given before anybody looks at which address was asked.
    responses["403"]["content"]["application/json"]["schema"] = {"type": "object"}
    responses["421"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "summary": says,
        "security": [],
        "parameters": [_PROTOCOL],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _PARAMS}}},
        "responses": responses,
    }


def _wrong(*codes: str) -> dict[str, Any]:
    says = {
        "401": "it is not known who asks",
        "403": "who asks may not, or it came from another site",
        "404": "there is no such thing",
        "409": "it could be done and is not: it is over, or was done before",
        "421": "asked by a name that is not ours",
        "422": "what was sent is wrong",
    }
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        code: {"description": says[code], "content": {"application/json": {"schema": schema}}}
        for code in codes
    }
