"""blackbox_exporter's modules, and what Prometheus has them probe, to checks.

What is in: blackbox.yml says how a module asks, the scrape configs of a prometheus.yml say whom. What is not: service
discovery, whose addresses are in no file.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from seatrial.errors import InputError
from seatrial.fleetfile.imported.draft import Draft, Imported
from seatrial.fleetfile.imported.reading import (
    key_place,
    others,
    read_root,
    truth_of,
    word_of,
    words_of,
)
from seatrial.fleetfile.mistake import Place, meant, shown
from seatrial.fleetfile.tree import Item

DISCOVERY = re.compile(r".+_sd_configs$")
PLAIN = re.compile(r"[^][.*^$+?(){}|\\]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One address that one module is to probe, and where that is written."""

    module: str
    address: str
    place: Place


def from_blackbox(
    data: bytes,
    *,
    filename: str,
    vantage: str,
    stage: str | None = None,
    scrapes: tuple[bytes, str] | None = None,
) -> Imported:
    """The checks of a blackbox.yml for all that `scrapes`, a prometheus.yml and its name, has it probe.

    Raises InputError for what is no YAML or has no modules.
    """
    draft = Draft(vantage=vantage, stage=stage, file=filename)
    root = read_root(data, draft, "a blackbox.yml")
    listed = root.at("modules")
    if listed is None or not isinstance(listed.value, dict):
        raise InputError(
            f"{filename}:1:1: it has no modules, so it is no blackbox.yml",
            hint="give blackbox.yml, and prometheus.yml with --prometheus",
        )
    modules = {name: module for name, module in listed.entries().items() if isinstance(module.value, dict)}
    probed: list[Probed] = []
    if scrapes is not None:
        draft.file = scrapes[1]
        probed = list(_probed(draft, read_root(scrapes[0], draft, "a prometheus.yml")))
        for one in probed:
            if one.module not in modules:
                why = f"there is no module {one.module}{meant(one.module, modules)}"
                draft.leave(one.place, one.address, why)
            else:
                _carry(draft, one, modules[one.module], filename)
    draft.file = filename
    for name, module in modules.items():
        if not any(one.module == name for one in probed):
            where = "nothing in the scrape configs is probed with it"
            why = where if scrapes else "whom it probes is in prometheus.yml: give that with --prometheus"
            draft.leave(module.place, name, why)
    for key, place in others(root, "modules"):
        draft.leave(place, key, "has no counterpart")
    return draft.done()


def _probed(draft: Draft, root: Item) -> Iterator[Probed]:
    """Every address in the scrape configs of a job that goes through blackbox_exporter."""
    jobs = root.at("scrape_configs")
    for _, job in jobs.elements() if jobs else []:
        modules = words_of(job.at("params", "module")) or ()
        if not modules or (word_of(job.at("metrics_path")) or "") != "/probe":
            continue
        name = word_of(job.at("job_name")) or "a job"
        for key, item in job.entries().items():
            if DISCOVERY.fullmatch(key):
                draft.leave(
                    key_place(job, key), f"{name}.{key}", "whom it finds is in no file that was given"
                )
            elif key == "static_configs":
                for _, group in item.elements():
                    listed = group.at("targets")
                    for _, one in listed.elements() if listed else []:
                        address = word_of(one)
                        if address is not None:
                            yield from (Probed(module=m, address=address, place=one.place) for m in modules)


def _carry(draft: Draft, one: Probed, module: Item, modules_file: str) -> None:
    prober = word_of(module.at("prober")) or ""
    what = f"{one.module}: {one.address}"
    carry = PROBERS.get(prober)
    if carry is None:
        draft.leave(one.place, what, f"there is no check for the prober {prober or 'that is missing'}")
        return
    settings = module.at(prober) or Item(place=module.place, value={})
    scrapes_file, draft.file = draft.file, modules_file
    for key, place in others(settings, *KEYS[prober], *QUIET):
        draft.leave(place, f"{one.module}.{prober}.{key}", "has no counterpart")
    draft.file = scrapes_file
    carry(draft, one, settings, word_of(module.at("timeout")))


def _http(draft: Draft, one: Probed, settings: Item, timeout: str | None) -> None:
    what = f"{one.module}: {one.address}"
    if (word_of(settings.at("method")) or "GET").upper() != "GET":
        draft.leave(one.place, what, "only GET is asked")
        return
    codes = words_of(settings.at("valid_status_codes")) or ()
    status = int(codes[0]) if codes and codes[0].isdecimal() and codes[0].isascii() else 200
    url = one.address if "://" in one.address else f"http://{one.address}"
    contained = []
    for key in ("fail_if_body_not_matches_regexp", "fail_if_not_matches_regexp"):
        for expression in words_of(settings.at(key)) or ():
            if PLAIN.fullmatch(expression):
                contained.append(expression)
            else:
                why = f"{shown(expression)}: only plain text is looked for in a page"
                draft.leave(one.place, f"{one.module}.{key}", why)
    asked = [
        draft.add(one.place, what, "http", url=url, status=status, contains=text, timeout=timeout)
        for text in contained or (None,)
    ]
    if not any(asked):
        return
    if len(codes) != 1:
        draft.change(one.place, what, f"only status {status} passes, where several did")
    follows = truth_of(settings.at("follow_redirects")), truth_of(settings.at("no_follow_redirects"))
    if status < 300 and follows[0] is not False and follows[1] is not True:
        draft.change(one.place, what, f"a redirect is an answer of its own here and not {status}")
    if truth_of(settings.at("tls_config", "insecure_skip_verify")):
        draft.change(one.place, what, "the certificate is verified here")


def _tcp(draft: Draft, one: Probed, settings: Item, timeout: str | None) -> None:
    what = f"{one.module}: {one.address}"
    found = re.fullmatch(r"(?:tcp://)?(\[[^\]]+\]|[^:/]+):(\d{1,5})", one.address)
    if found is None:
        draft.leave(one.place, what, "HOST:PORT is wanted")
        return
    host, port = found[1].strip("[]"), int(found[2])
    if not truth_of(settings.at("tls")):
        draft.add(one.place, what, "tcp", address=host, port=port, timeout=timeout)
        return
    verify = "no" if truth_of(settings.at("tls_config", "insecure_skip_verify")) else None
    name = word_of(settings.at("tls_config", "server_name"))
    ca = word_of(settings.at("tls_config", "ca_file"))
    if _is_address(host):
        draft.add(
            one.place, what, "tls", name_=name, address=host, port=port, verify=verify, ca=ca, timeout=timeout
        )
    else:
        draft.add(one.place, what, "tls", name_=host, port=port, verify=verify, ca=ca, timeout=timeout)
        if name not in (None, host):
            draft.change(one.place, what, f"it is asked for {host}, not for {name}")


def _icmp(draft: Draft, one: Probed, settings: Item, timeout: str | None) -> None:
    what = f"{one.module}: {one.address}"
    if _is_address(one.address):
        draft.add(one.place, what, "ping", address=one.address, timeout=timeout)
    elif re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", one.address):
        # A ping check takes an address, so that it does not depend on DNS.
        draft.add(
            one.place, what, "command", argv=("ping", "-n", "-c", "3", "-W", "5", one.address), timeout="30s"
        )
        draft.change(one.place, what, "a name and no address: the resolver of the vantage is asked as well")
    else:
        draft.leave(one.place, what, "is no address and no name")


def _dns(draft: Draft, one: Probed, settings: Item, timeout: str | None) -> None:
    what = f"{one.module}: {one.address}"
    found = re.fullmatch(r"\[(.+)\](?::(\d+))?|([^:]+)(?::(\d+))?|([^[]*:[^[]*:.*)", one.address)
    if found is None:
        draft.leave(one.place, what, "SERVER or SERVER:PORT is wanted")
        return
    server, port = found[1] or found[3] or found[5], found[2] or found[4] or "53"
    query = word_of(settings.at("query_name"))
    if query is None or port != "53":
        draft.leave(one.place, what, "a `query_name` is wanted" if query is None else "only port 53 is asked")
        return
    codes = words_of(settings.at("valid_rcodes")) or ()
    if codes and tuple(codes) != ("NOERROR",):
        draft.leave(one.place, what, f"only NOERROR passes, not {', '.join(codes)}")
        return
    kind = word_of(settings.at("query_type"))
    draft.add(
        one.place, what, "dns", server=server, name_=query.rstrip("."), type=kind or "A", timeout=timeout
    )
    if kind is None:
        draft.change(one.place, what, "it is asked for A, since `query_type` is not given")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


PROBERS: Mapping[str, Callable[[Draft, Probed, Item, str | None], None]] = {
    "http": _http,
    "tcp": _tcp,
    "icmp": _icmp,
    "dns": _dns,
}
KEYS: Mapping[str, tuple[str, ...]] = {
    "http": (
        "method", "valid_status_codes", "fail_if_body_not_matches_regexp", "fail_if_not_matches_regexp", "follow_redirects",
        "no_follow_redirects", "tls_config",
    ),
    "tcp": ("tls", "tls_config"),
    "icmp": (),
    "dns": ("query_name", "query_type", "valid_rcodes"),
}  # fmt: skip
# How an address is chosen makes no difference to who is asked where an address is given.
QUIET = ("preferred_ip_protocol", "ip_protocol_fallback", "protocol", "valid_http_versions", "enable_http2")
