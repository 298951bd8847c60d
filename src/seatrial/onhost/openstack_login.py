"""What the scripts that ask OpenStack share: logging in with its own client library, and why that did not work.

What is not in: any question. This text takes the place of the import in openstack_lists.py and openstack_move.py when they
are sent to a vantage, so it has no __future__ line.
"""

import importlib
import os
from collections.abc import Callable
from typing import Any


def with_cloud(spec: dict[str, Any], work: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """What `work` answers, given a connection; or why there is none."""
    try:
        library: Any = importlib.import_module("openstack")
    except ImportError as error:
        return {"missing": str(error.name or "openstack")}
    if spec.get("clouds_file"):
        os.environ["OS_CLIENT_CONFIG_FILE"] = spec["clouds_file"]
    try:
        cloud = library.connect(cloud=spec["cloud"], api_timeout=float(spec["timeout"]))
    except library.exceptions.ConfigException as error:
        return {"error": str(error)[:500], "config": True}
    return work(cloud)
