"""An audit: all questions to the facts of a host, those across hosts to all facts, in order of danger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from seatrial.drift.facts import Facts
from seatrial.drift.find import certificates, peers, restart
from seatrial.drift.questions import QUESTIONS, Question
from seatrial.model.finding import Audit, Finding, Unread, in_order

_LEFT_ALONE = {
    "systemd-boot": "systemd-boot boots it, which is told apart and left alone",
    "ostree": "ostree chooses its boots, which is told apart and left alone",
    "talos": "Talos chooses its boots, which is told apart and left alone",
}
_HINTS = {
    "hardware.errors": "with Storage=persistent in journald.conf the boot before is kept",
}


def audit(name: str, facts: Facts) -> Audit:
    """Ask one host's facts every question."""
    findings: list[Finding] = []
    unread: list[Unread] = []
    for question in QUESTIONS:
        missing = _unasked(name, question, facts)
        if missing is not None:
            unread.append(missing)
            continue
        findings += (replace(found, host=name) for found in question.find(facts))
    return Audit(
        host=name,
        findings=in_order(_once(findings)),
        unread=tuple(unread),
        asked=len(QUESTIONS),
        identity={
            "kernel": facts.identity.kernel,
            "system": facts.identity.system,
            "boot": ", ".join(facts.identity.loaders) or "unknown",
            "firmware": facts.identity.firmware,
        },
        restarts=restart.order(facts, [_unit(found) for found in findings if _unit(found)]),
    )


def _once(findings: Sequence[Finding]) -> list[Finding]:
    kept: dict[tuple[str, str], Finding] = {}
    for one in findings:
        kept.setdefault((one.name, one.what), one)
    return list(kept.values())


def _unit(found: Finding) -> str:
    """The unit that a finding says to restart; reloads have no order."""
    words = found.fix.removeprefix("sshd -t && ").split()
    return words[2] if words[:2] == ["systemctl", "restart"] and len(words) == 3 else ""


def _unasked(name: str, question: Question, facts: Facts) -> Unread | None:
    """Why a question has no answer; None when it has one."""
    missing = [section for section in question.needs if section not in facts.read]
    identity, title = facts.identity, question.names[0]
    skipped = ""
    if question.only == "grub" and "grub" not in identity.loaders:
        other = next((_LEFT_ALONE[loader] for loader in identity.loaders if loader in _LEFT_ALONE), "")
        skipped = other or ("it is a container" if identity.container else "there is no GRUB to ask about")
    elif question.only == "systemd" and identity.init != "systemd":
        skipped = f"{identity.init or 'another program'} is its first process, not systemd"
    elif question.only == "modules" and missing:
        skipped = "its kernel has no modules"
    elif question.only == "firmware" and identity.container:
        skipped = "it is a container, which no firmware boots"
    elif question.only == "host" and identity.container:
        skipped = "it is a container, whose mounts others make"
    elif (
        question.only == "nft"
        and "nft-now" in missing
        and "nft-file" in facts.read
        and not facts.running.nft_file
    ):
        skipped = "there is no nft, and no file for it"
    elif question.only == "kept" and "errors-before" in missing:
        skipped = "nothing is kept of the boot before"
    if skipped:
        return Unread(name=title, because=skipped, hint=_HINTS.get(title, ""), host=name, skipped=True)
    if not missing:
        return None
    hint = (
        "run it as root, or with a login that may `sudo -n`"
        if not identity.root
        else "look at what its commands complain of there"
    )
    return Unread(name=title, because=f"the host could not say: {', '.join(missing)}", hint=hint, host=name)


def across(
    audits: Mapping[str, Audit], every: Mapping[str, Facts], groups: Mapping[str, Sequence[str]]
) -> dict[str, Audit]:
    """The audits with what only shows between hosts: trust, and peers that differ."""
    more: dict[str, list[Finding]] = {}
    for host, found in certificates.trust(every):
        more.setdefault(host, []).append(replace(found, host=host))
    for group, members in groups.items():
        known = {host: every[host] for host in members if host in every}
        for host, found in peers.differences(group, known):
            more.setdefault(host, []).append(replace(found, host=host))
    return {
        host: replace(one, findings=in_order(_once([*one.findings, *more.get(host, [])])))
        for host, one in audits.items()
    }
