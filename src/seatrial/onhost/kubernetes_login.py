# ruff: noqa: D103
"""What the scripts that ask a Kubernetes cluster share: logging in with its own client library, and why that did not work.

What is not in: any question. This text takes the place of the import in kubernetes_machines.py and kubernetes_move.py when they
are sent to a vantage, so it has no __future__ line.
"""

import importlib
import json
from collections.abc import Callable
from typing import Any


def with_cluster(spec: dict[str, Any], work: Callable[[Any, Any], dict[str, Any]]) -> dict[str, Any]:
    """What `work` answers, given the library and a connection; or why there is none."""
    try:
        library: Any = importlib.import_module("kubernetes")
    except ImportError as error:
        return {"missing": str(error.name or "kubernetes")}
    settings = library.client.Configuration()
    # The library would try again three times, each with the whole time limit.
    settings.retries = 0
    refusal = library.config.ConfigException
    try:
        library.config.load_kube_config(
            config_file=spec.get("kubeconfig"),
            context=spec.get("context"),
            client_configuration=settings,
            persist_config=False,
        )
    except refusal as error:
        if spec.get("kubeconfig") or spec.get("context"):
            return {"error": str(error), "config": True}
        try:
            library.config.load_incluster_config(client_configuration=settings)
        except refusal:
            return {"error": str(error), "config": True}
    with library.client.ApiClient(settings) as connection:
        return work(library, connection)


def why(error: Exception) -> str:
    body = getattr(error, "body", None)
    if body:
        try:
            return str(json.loads(body)["message"])[:500]
        except (ValueError, KeyError, TypeError):
            pass
    return (type(error).__name__ + ": " + str(getattr(error, "reason", "") or error))[:500]
