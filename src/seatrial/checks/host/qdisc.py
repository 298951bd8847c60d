"""Is the traffic of an interface shaped as it is wanted? The text of tc is read, since some of its releases answer a
question about classes with text although JSON was asked for. What is not in: filters, and what passed through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import first_trouble, not_understood
from seatrial.checks.reading import clean
from seatrial.model.check.host import QdiscCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

QDISC = re.compile(r"^qdisc ([a-z0-9_]{1,32}) [0-9a-f]{0,4}: (?:dev \S+ )?root\b", re.MULTILINE)
CLASS = re.compile(
    r"^class [a-z0-9_]{1,32} ([0-9a-f]{0,4}:[0-9a-f]{1,4}) (?:.*? )?rate (\d{1,12}(?:\.\d{1,6})?)([KMGT]?)bit\b",
    re.MULTILINE,
)
STEPS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
# The kernel keeps bytes a second, and tc rounds what it shows.
LEEWAY = 0.01


def commands(check: QdiscCheck) -> tuple[Command, ...]:
    """The qdiscs, then the classes where some are wanted."""
    words = ("qdisc", "class") if check.classes else ("qdisc",)
    return tuple(
        Command(
            name=f"qdisc.{word}",
            argv=("tc", word, "show", "dev", check.device),
            timeout=check.timeout,
            package="iproute2",
        )
        for word in words
    )


def judge(name: str, check: QdiscCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the root qdisc is of the wanted kind and all wanted classes have their rates."""
    place = check.source_vantage
    if outputs and outputs[0].status == 1 and "Cannot find device" in outputs[0].stderr:
        because = f"{place} has no interface {check.device}"
        return made(name, check, Outcome.FAIL, because, hint=f"`ip link` on {place} says which it has")
    if why := first_trouble(outputs, len(commands(check)), place):
        return unknown(name, check, why)
    root = QDISC.search(outputs[0].stdout)
    if root is None:
        return unknown(name, check, not_understood(place, f"the qdisc of {check.device}"))
    rates = {
        clean(ident): float(number) * STEPS[step]
        for ident, number, step in CLASS.findall(outputs[1].stdout if check.classes else "")
    }
    evidence = {"root": root.group(1), "rates": dict(list(rates.items())[:40])}
    wrong = []
    if check.root is not None and root.group(1) != check.root:
        wrong.append(f"{check.device} has {root.group(1)}, not {check.root}")
    for ident, wanted in check.classes.items():
        if ident not in rates:
            wrong.append(f"{check.device} has no class {ident}")
        elif abs(rates[ident] - wanted) > LEEWAY * wanted:
            wrong.append(f"class {ident} of {check.device} has {_rate(rates[ident])}, not {_rate(wanted)}")
    seconds = sum(output.seconds for output in outputs)
    if wrong:
        because = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        hint = f"what shapes {check.device} at boot has not run, or something else has replaced it"
        return made(name, check, Outcome.FAIL, because, hint=hint, seconds=seconds, evidence=evidence)
    shown = [f"{ident} at {_rate(rates[ident])}" for ident in list(check.classes)[:5]]
    because = f"{check.device} has {root.group(1)}" + (f" with {', '.join(shown)}" if shown else "")
    return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)


def _rate(bits: float) -> str:
    for step, size in reversed(STEPS.items()):
        if bits >= size:
            return f"{bits / size:g}{step.lower()}bit"
    return f"{bits:g}bit"
