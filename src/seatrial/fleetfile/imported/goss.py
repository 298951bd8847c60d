"""A goss.yaml to checks. What is in: what each kind of resource asks, as the check that asks the same.

What goss looks up by itself (packages, sockets, files, users) is asked by the command of Debian that says it. What is not:
templates and files that a goss.yaml includes, which `goss render` puts into one file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from seatrial.fleetfile.imported.draft import Draft, Imported
from seatrial.fleetfile.imported.files import file
from seatrial.fleetfile.imported.reading import (
    key_place,
    others,
    read_root,
    truth_of,
    whole_of,
    word_of,
    words_of,
)
from seatrial.fleetfile.imported.wording import status_of, wish_of
from seatrial.fleetfile.mistake import Place
from seatrial.fleetfile.tree import Item

# Said of every resource and no question.
SAID = ("title", "meta", "skip")
INTERFACE = re.compile(r"[^\s/]{1,15}")


def from_goss(data: bytes, *, filename: str, vantage: str, stage: str | None = None) -> Imported:
    """The checks of a goss.yaml, asked from `vantage`. Raises InputError for what is no YAML or no goss.yaml."""
    draft = Draft(vantage=vantage, stage=stage, file=filename)
    root = read_root(data, draft, "a goss.yaml")
    for kind, resources in root.entries().items():
        carry = RESOURCES.get(kind)
        if carry is None:
            draft.leave(key_place(root, kind), kind, LEFT.get(kind, "is no resource that is known here"))
        elif not isinstance(resources.value, dict):
            if resources.value is not None:
                draft.leave(resources.place, kind, "a mapping of resources is wanted")
        else:
            for name, item in resources.entries().items():
                _resource(draft, carry, kind, name, item, key_place(resources, name))
    return draft.done()


Carry = Callable[[Draft, str, Item, Place], None]


def _resource(draft: Draft, carry: Carry, kind: str, name: str, item: Item, place: Place) -> None:
    if not isinstance(item.value, dict):
        draft.leave(place, f"{kind}.{name}", "a mapping of what is wanted is missing")
    elif truth_of(item.at("skip")):
        draft.leave(place, f"{kind}.{name}", "the file says skip: true")
    else:
        known = KEYS[kind]
        for key, where in others(item, *known, *SAID):
            draft.leave(where, f"{kind}.{name}.{key}", "has no counterpart")
        carry(draft, name, item, place)


def milliseconds(item: Item) -> str | None:
    """goss' `timeout` as a duration."""
    value = whole_of(item.at("timeout"))
    return None if value is None or value <= 0 else f"{value}ms"


def _address(draft: Draft, name: str, item: Item, place: Place) -> None:
    what = f"addr.{name}"
    found = re.fullmatch(r"tcp://(\[[^\]]+\]|[^:/]+):(\d{1,5})", name)
    if found is None:
        draft.leave(place, what, "only tcp://HOST:PORT can be asked without knowing what answers")
    elif truth_of(item.at("reachable")) is False:
        draft.leave(place, what, "there is no check that a port must not be reached")
    else:
        host = found[1].strip("[]")
        draft.add(place, what, "tcp", address=host, port=int(found[2]), timeout=milliseconds(item))


def _command(draft: Draft, name: str, item: Item, place: Place) -> None:
    what = f"command.{name}"
    text = word_of(item.at("exec")) or name
    draft.add(
        place,
        what,
        "command",
        shell=text,
        status=status_of(draft, item.at("exit-status"), f"{what}.exit-status", 0),
        stdout=wish_of(draft, item.at("stdout"), f"{what}.stdout").keys(),
        stderr=wish_of(draft, item.at("stderr"), f"{what}.stderr").keys(),
        timeout=milliseconds(item) or "10s",
    )


def _dns(draft: Draft, name: str, item: Item, place: Place) -> None:
    what = f"dns.{name}"
    kind, _, query = name.rpartition(":") if re.match(r"[A-Z]+:", name) else ("", "", name)
    server, addresses = word_of(item.at("server")), words_of(item.at("addrs"))
    if truth_of(item.at("resolvable")) is False:
        draft.leave(place, what, "there is no check that a name must not be known")
        return
    if item.at("addrs") is not None and addresses is None:
        draft.leave(key_place(item, "addrs"), f"{what}.addrs", "only a list of addresses can be carried over")
    if server is None:
        if kind:
            draft.leave(place, what, "which server is asked? Name it with `server`")
            return
        wanted = {"contains": addresses} if addresses else None
        argv = ("getent", "ahosts", query)
        draft.add(place, what, "command", argv=argv, stdout=wanted, timeout=milliseconds(item) or "10s")
        return
    for expected in addresses or (None,):
        record = kind or ("AAAA" if expected and ":" in expected else "A")
        draft.add(
            place, what, "dns", server=server, name_=query, type=record, expect=expected,
            timeout=milliseconds(item),
        )  # fmt: skip


def _user(draft: Draft, name: str, item: Item, place: Place) -> None:
    what, argv = f"user.{name}", ("getent", "passwd", name)
    if truth_of(item.at("exists")) is False:
        draft.add(place, what, "command", argv=argv, status=2)
        return
    uid, gid, home, shell = (_part(item, key) for key in ("uid", "gid", "home", "shell"))
    line = f"^[^:]*:[^:]*:{uid}:{gid}:[^:]*:{home}:{shell}$"
    draft.add(place, what, "command", argv=argv, stdout={"matches": (line,)})
    if groups := words_of(item.at("groups")):
        members = tuple(rf"(^|\s){re.escape(one)}(\s|$)" for one in groups)
        argv = ("id", "-nG", name)
        draft.add(place, f"{what}.groups", "command", argv=argv, stdout={"matches": members})


def _group(draft: Draft, name: str, item: Item, place: Place) -> None:
    what, argv = f"group.{name}", ("getent", "group", name)
    if truth_of(item.at("exists")) is False:
        draft.add(place, what, "command", argv=argv, status=2)
    else:
        line = f"^[^:]*:[^:]*:{_part(item, 'gid')}:"
        draft.add(place, what, "command", argv=argv, stdout={"matches": (line,)})


def _part(item: Item, key: str) -> str:
    """What a field of the account files must be, as an expression."""
    wanted = word_of(item.at(key))
    return "[^:]*" if wanted is None else re.escape(wanted)


def _http(draft: Draft, name: str, item: Item, place: Place) -> None:
    what, url = f"http.{name}", word_of(item.at("url")) or name
    if (word_of(item.at("method")) or "GET") != "GET":
        draft.leave(place, what, "only GET is asked")
        return
    status = status_of(draft, item.at("status"), f"{what}.status", 200)
    wish = wish_of(draft, item.at("body"), f"{what}.body")
    for expression in wish.matches:
        draft.leave(
            key_place(item, "body"),
            f"{what}.body",
            f"/{expression}/: only plain text is looked for in a page",
        )
    for text in wish.lacks:
        draft.leave(
            key_place(item, "body"), f"{what}.body", f"!{text}: there is no text that a page must not have"
        )
    texts = [*([wish.equals] if wish.equals else []), *wish.contains]
    asked = [
        draft.add(place, what, "http", url=url, status=status, contains=text, timeout=milliseconds(item))
        for text in texts or (None,)
    ]
    if any(asked) and status < 300 and truth_of(item.at("no-follow-redirects")) is not True:
        draft.change(place, what, f"a redirect is an answer of its own here and not {status}")
    if truth_of(item.at("allow-insecure")):
        draft.change(place, what, "the certificate is verified here")


def _interface(draft: Draft, name: str, item: Item, place: Place) -> None:
    what = f"interface.{name}"
    if not INTERFACE.fullmatch(name) or name.startswith("-"):
        draft.leave(place, what, "no interface can have this name")
        return
    if truth_of(item.at("exists")) is False:
        draft.add(place, what, "command", argv=("test", "!", "-e", f"/sys/class/net/{name}"))
        return
    addresses = words_of(item.at("addrs"))
    wanted = {"contains": tuple(f" {one} " for one in addresses)} if addresses else None
    draft.add(place, what, "command", argv=("ip", "-o", "addr", "show", "dev", name), stdout=wanted)
    if (mtu := whole_of(item.at("mtu"))) is not None:
        argv = ("cat", f"/sys/class/net/{name}/mtu")
        draft.add(place, f"{what}.mtu", "command", argv=argv, stdout={"equals": str(mtu)})


def _setting(draft: Draft, name: str, item: Item, place: Place) -> None:
    what, value = f"kernel-param.{name}", word_of(item.at("value"))
    if value is None:
        draft.leave(place, what, "one `value` is wanted")
        return
    number = re.fullmatch(r"-?\d{1,15}", value)
    draft.add(place, what, "sysctl", key=name, value=int(value) if number else value)


def _mount(draft: Draft, name: str, item: Item, place: Place) -> None:
    what = f"mount.{name}"
    if truth_of(item.at("exists")) is False:
        draft.leave(place, what, "there is no check that something must not be mounted")
        return
    path = word_of(item.at("mountpoint")) or name
    draft.add(
        place, what, "mounts", path=path, source=word_of(item.at("source")),
        type=word_of(item.at("filesystem")), options=words_of(item.at("opts")), timeout=milliseconds(item),
    )  # fmt: skip
    usage = item.at("usage")
    if usage is not None:
        bounds = [(key, whole_of(value)) for key, value in usage.entries().items()]
        if len(bounds) == 1 and bounds[0][0] in ("lt", "le") and bounds[0][1] is not None:
            draft.add(place, f"{what}.usage", "disk", path=path, least=f"{100 - bounds[0][1]}%")
        else:
            draft.leave(key_place(item, "usage"), f"{what}.usage", "only lt and le can be carried over")


def _package(draft: Draft, name: str, item: Item, place: Place) -> None:
    what, versions = f"package.{name}", words_of(item.at("versions"))
    argv = ("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}\\n", "--", name)
    if truth_of(item.at("installed")) is False:
        draft.add(place, what, "command", argv=argv, status=None, stdout={"lacks": ("ii ",)})
        return
    ends = f"({'|'.join(re.escape(one) for one in versions)})$" if versions else ""
    draft.add(place, what, "command", argv=argv, stdout={"matches": (f"^ii {ends}",)})


def _port(draft: Draft, name: str, item: Item, place: Place) -> None:
    what, found = f"port.{name}", re.fullmatch(r"(?:(tcp|udp)(6?):)?(\d{1,5})", name)
    if found is None:
        draft.leave(place, what, "tcp:PORT, tcp6:PORT, udp:PORT or udp6:PORT is wanted")
        return
    protocol, six, port = found[1] or "tcp", found[2], found[3]
    argv = (
        "ss",
        "-Hln",
        "-t" if protocol == "tcp" else "-u",
        "-6" if six else "-4",
        "sport",
        "=",
        f":{port}",
    )
    if truth_of(item.at("listening")) is False:
        draft.add(place, what, "command", argv=argv, stdout={"equals": ""})
        return
    # An address may have its interface behind it: 192.0.2.1%eth0.
    matches = [rf"\s{_socket(one)}(%[^\s:]+)?:{port}\s" for one in words_of(item.at("ip")) or ()]
    draft.add(place, what, "command", argv=argv, stdout={"matches": tuple(matches) or (rf":{port}\s",)})


def _socket(address: str) -> str:
    # ss writes * for a socket that takes both IPv4 and IPv6.
    if address == "::":
        return r"(\[::\]|\*)"
    return re.escape(f"[{address}]" if ":" in address else address)


def _process(draft: Draft, name: str, item: Item, place: Place) -> None:
    what = f"process.{name}"
    comm = word_of(item.at("comm")) or name
    # The kernel keeps 15 characters of a name, and pgrep takes an expression.
    expression = re.sub(r"([][.*^$+?(){}|\\])", r"\\\1", comm[:15])
    gone = truth_of(item.at("running")) is False
    draft.add(place, what, "command", argv=("pgrep", "-x", "--", expression), status=1 if gone else 0)


def _service(draft: Draft, name: str, item: Item, place: Place) -> None:
    what = f"service.{name}"
    unit = name if re.search(r"\.(service|socket|timer|mount|path)$", name) else f"{name}.service"
    running, enabled = truth_of(item.at("running")), truth_of(item.at("enabled"))
    if running:
        draft.add(place, what, "unit", unit=unit)
    elif running is False:
        argv = ("systemctl", "is-active", "--", unit)
        draft.add(
            place,
            what,
            "command",
            argv=argv,
            status=None,
            stdout={"matches": ("^(inactive|failed|unknown)$",)},
        )
    if enabled:
        draft.add(place, f"{what}.enabled", "command", argv=("systemctl", "is-enabled", "--", unit))
    elif enabled is False:
        argv = ("systemctl", "is-enabled", "--", unit)
        draft.add(place, f"{what}.enabled", "command", argv=argv, status=None, stdout={"lacks": ("enabled",)})


RESOURCES: Mapping[str, Carry] = {
    "addr": _address,
    "command": _command,
    "dns": _dns,
    "file": file,
    "group": _group,
    "http": _http,
    "interface": _interface,
    "kernel-param": _setting,
    "mount": _mount,
    "package": _package,
    "port": _port,
    "process": _process,
    "service": _service,
    "user": _user,
}
# What of each is carried over or told of where it is.
KEYS: Mapping[str, tuple[str, ...]] = {
    "addr": ("reachable", "timeout"),
    "command": ("exec", "exit-status", "stdout", "stderr", "timeout"),
    "dns": ("resolvable", "resolveable", "addrs", "server", "timeout"),
    "file": (
        "path", "exists", "mode", "owner", "group", "filetype", "contains", "contents", "size", "md5", "sha256", "sha512",
        "linked-to",
    ),
    "group": ("exists", "gid"),
    "http": ("url", "method", "status", "allow-insecure", "no-follow-redirects", "timeout", "body"),
    "interface": ("exists", "addrs", "mtu"),
    "kernel-param": ("value",),
    "mount": ("mountpoint", "exists", "opts", "source", "filesystem", "timeout", "usage"),
    "package": ("installed", "versions"),
    "port": ("listening", "ip"),
    "process": ("comm", "running"),
    "service": ("running", "enabled"),
    "user": ("exists", "uid", "gid", "home", "shell", "groups"),
}  # fmt: skip
LEFT: Mapping[str, str] = {
    "gossfile": "import those files as well, or the one that `goss render` makes of all of them",
    "matching": "compares values of the file itself and asks nothing",
    "vars": "give the file that `goss render` makes",
}
