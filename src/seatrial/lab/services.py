"""What the services endpoint of a stage runs beside DNS and HTTP: LDAP, HTTPS with a certificate, NFS.

What is in: their programs with configuration and certificates, as values. Real servers from Debian, each in a
directory of its own in the lab's home, and asked for by the topology `gateway-services` only. What is not in:
starting them (warden.py).
"""

from __future__ import annotations

from seatrial.lab.topology import HERE, Program

LDAP_PORT, TLS_PORT, NFS_PORT = 389, 443, 2049
BASE = "dc=example,dc=test"
EXPORT = "/srv"
# What is asked for by name is asked for by address as well, so the certificate has both.
_CA = "/CN=Lab CA"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90")

_SLAPD = f"""\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {HERE}/slapd.pid
database mdb
maxsize 16777216
suffix "{BASE}"
rootdn "cn=admin,{BASE}"
directory {HERE}/db
access to * by * read
"""

_TREE = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,{BASE}
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Example
"""


def ldap(address: str) -> Program:
    """slapd with a small tree."""
    return Program(
        name="ldap",
        package="slapd",
        files=(("slapd.conf", _SLAPD), ("tree.ldif", _TREE), ("db/here", "")),
        before=(
            # AppArmor knows Debian's slapd by its path, and would keep it from files that are not the system's own.
            ("cp", "/usr/sbin/slapd", f"{HERE}/slapd"),
            (f"{HERE}/slapd", "-T", "add", "-f", f"{HERE}/slapd.conf", "-l", f"{HERE}/tree.ldif"),
        ),
        argv=(f"{HERE}/slapd", "-f", f"{HERE}/slapd.conf", "-h", f"ldap://{address}:{LDAP_PORT}", "-d", "0"),
    )  # fmt: skip


def tls(address: str, name: str) -> Program:
    """nginx with a certificate of the lab's own authority, and a renewed one that is not in its place yet.

    `tls.pem` is the file that the certificate is served from, `first.pem` and `renewed.pem` are what it may hold. The
    server reads it when it starts and never again, as etcd did in 2017.
    """
    conf = f"""\
daemon off;
master_process off;
user root;
pid {HERE}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {HERE}/body;
    proxy_temp_path {HERE}/proxy;
    fastcgi_temp_path {HERE}/fastcgi;
    uwsgi_temp_path {HERE}/uwsgi;
    scgi_temp_path {HERE}/scgi;
    server {{
        listen {address}:{TLS_PORT} ssl;
        server_name {name};
        ssl_certificate {HERE}/tls.pem;
        ssl_certificate_key {HERE}/first.key;
        return 200 "seatrial lab\\n";
    }}
}}
"""

    def leaf(which: str) -> tuple[str, ...]:
        return (
            "openssl", "req", "-x509", *_KEY, "-subj", f"/CN={name}", "-CA", f"{HERE}/ca.pem", "-CAkey", f"{HERE}/ca.key",
            "-addext", f"subjectAltName=DNS:{name},IP:{address}", "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", f"{HERE}/{which}.key", "-out", f"{HERE}/{which}.pem",
        )  # fmt: skip

    return Program(
        name="tls",
        package="nginx-light openssl",
        files=(("nginx.conf", conf),),
        before=(
            (
                "openssl", "req", "-x509", *_KEY, "-subj", _CA, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", f"{HERE}/ca.key", "-out", f"{HERE}/ca.pem",
            ),
            leaf("first"),
            leaf("renewed"),
            ("cp", f"{HERE}/first.pem", f"{HERE}/tls.pem"),
        ),
        argv=("/usr/sbin/nginx", "-e", "stderr", "-c", f"{HERE}/nginx.conf"),
    )  # fmt: skip


def nfs(address: str) -> Program:
    """nfs-ganesha: an NFSv4 server that is a program, so that it can be stopped while its port still accepts."""
    conf = f"""\
NFS_CORE_PARAM {{
    Protocols = 4;
    NFS_Port = {NFS_PORT};
    Bind_addr = {address};
    Enable_NLM = false;
    Enable_RQUOTA = false;
    mount_path_pseudo = true;
}}
NFSv4 {{
    Graceless = true;
    RecoveryBackend = fs;
    RecoveryRoot = "{HERE}/recovery";
}}
EXPORT {{
    Export_Id = 1;
    Path = "{EXPORT}";
    Pseudo = "{EXPORT}";
    Access_Type = RW;
    Squash = None;
    SecType = sys, none;
    FSAL {{ Name = MEM; }}
}}
"""
    return Program(
        name="nfs",
        package="nfs-ganesha nfs-ganesha-mem",
        files=(("ganesha.conf", conf), ("recovery/here", "")),
        argv=(
            "ganesha.nfsd", "-F", "-f", f"{HERE}/ganesha.conf", "-L", "STDERR", "-p", f"{HERE}/ganesha.pid", "-N", "EVENT",
        ),
    )  # fmt: skip
