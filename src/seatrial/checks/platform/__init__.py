"""Questions to what runs the platform: schedulers, monitoring, and the operator's own commands."""

from collections.abc import Mapping

from seatrial.checks.kind import Kind
from seatrial.checks.platform import absent, alerts, command, kubernetes, nagios, openstack, prometheus

KINDS: Mapping[str, Kind] = {
    "command": Kind(command.commands, command.judge),
    "nagios": Kind(nagios.commands, nagios.judge),
    "prometheus": Kind(prometheus.commands, prometheus.judge),
    "alerts": Kind(alerts.commands, alerts.judge),
    "absent": Kind(absent.commands, absent.judge),
    "kubernetes": Kind(kubernetes.commands, kubernetes.judge),
    "openstack": Kind(openstack.commands, openstack.judge),
}
