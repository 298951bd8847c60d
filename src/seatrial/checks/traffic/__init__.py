"""Questions that cross the network: is it reached, and is the answer the right one?"""

from collections.abc import Mapping

from seatrial.checks.kind import Kind
from seatrial.checks.traffic import conntrack, dns, http, ldap, ping, route, tcp, tls, vrf, vrrp

KINDS: Mapping[str, Kind] = {
    "ping": Kind(ping.commands, ping.judge),
    "tcp": Kind(tcp.commands, tcp.judge),
    "http": Kind(http.commands, http.judge),
    "dns": Kind(dns.commands, dns.judge),
    "tls": Kind(tls.commands, tls.judge, tls.places),
    "ldap": Kind(ldap.commands, ldap.judge),
    "vrrp": Kind(vrrp.commands, vrrp.judge, vrrp.places),
    "vrf": Kind(vrf.commands, vrf.judge),
    "route": Kind(route.commands, route.judge),
    "conntrack": Kind(conntrack.commands, conntrack.judge),
}
