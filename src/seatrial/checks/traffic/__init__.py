"""Questions that cross the network: is it reached, and is the answer the right one?"""

from collections.abc import Mapping

from seatrial.checks.kind import Kind
from seatrial.checks.traffic import dns, http, ldap, ping, tcp, tls

KINDS: Mapping[str, Kind] = {
    "ping": Kind(ping.commands, ping.judge),
    "tcp": Kind(tcp.commands, tcp.judge),
    "http": Kind(http.commands, http.judge),
    "dns": Kind(dns.commands, dns.judge),
    "tls": Kind(tls.commands, tls.judge, tls.places),
    "ldap": Kind(ldap.commands, ldap.judge),
}
