"""Are the fleet's flows carried? The judge of FlowCounts, and the door to the rest of the flow checks.

What is in: `ask` (Commands of a round), `count` (their answers as FlowCounts) and `judge` (FlowCounts as Results).
A flow passes only when its probes arrived, as the right source, were answered, and the host that was meant to
carry them shows that it did. What is not in: where a loss is, which the diagnose room says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seatrial.checks.compared import remembered
from seatrial.checks.latency import median, slow
from seatrial.model.fleet import Fleet, Flow
from seatrial.model.observation import FlowCount
from seatrial.model.result import Outcome, Result

NOT_THE_PATH = {"EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRINUSE"}
IN_WORDS = {
    "ENETUNREACH": "the sender has no route",
    "EHOSTUNREACH": "the host cannot be reached",
    "ECONNREFUSED": "refused",
    "EPERM": "the sender's own firewall dropped it",
    "EACCES": "forbidden on the way",
    "ECONNRESET": "reset",
}


def judge(
    fleet: Fleet,
    counts: Sequence[FlowCount],
    *,
    max_loss: float = 0.0,
    carrier: str | None = None,
    before: Mapping[str, Result] | None = None,
) -> tuple[Result, ...]:
    """One Result a flow, in the order of `counts`.

    `max_loss` is the percentage of a flow's probes that may be lost, `carrier` the host on trial, which must have
    carried the probes itself; without it any host of the flow's `by` may have. `before` has the Results of the
    baseline, by flow, so that what failed before is not blamed on what changed. Raises KeyError for a flow that the
    fleet does not have.
    """
    every = {one.flow: one for one in counts}
    return tuple(
        remembered(
            _Flow(fleet, fleet.flows[one.flow], one, every, max_loss, carrier).result(),
            (before or {}).get(one.flow),
        )
        for one in counts
    )


class _Flow:
    """One flow's count and the questions that are asked of it, in order."""

    def __init__(
        self,
        fleet: Fleet,
        flow: Flow,
        counted: FlowCount,
        every: Mapping[str, FlowCount],
        max_loss: float,
        carrier: str | None,
    ) -> None:
        self.fleet, self.flow, self.count, self.every = fleet, flow, counted, every
        self.max_loss = max_loss
        self.carrier = carrier if carrier in counted.carried else None
        self.asked = max(counted.asked, counted.sent)

    def result(self) -> Result:
        one = self.count
        if self.asked == 0 or (one.sent == 0 and (one.problem or not one.errors)):
            return self.unknown(one.problem or f"nothing was sent from {self.flow.source_vantage}")
        if NOT_THE_PATH & set(one.errors):
            return self.unknown(f"{self.flow.source_vantage} ran short: {', '.join(sorted(one.errors))}")
        if one.sent == 0:
            return self.never_left()
        if one.arrived is None:
            return self.unknown(one.problem or f"{self.flow.to} could not be asked what arrived", lost=True)
        if self.lost > self.max_loss:
            return self.lossy(one.arrived)
        if wrong := self.wrong_sources():
            return self.fail(f"passed, but arrived as {wrong} instead of {self.expected or 'its sender'}")
        if not one.sources:
            return self.unknown("passed, but nothing shows which source arrived")
        if self.flow.df and 0 < one.size < self.flow.size:
            return self.unknown(
                f"passed, but in packets of {one.size} bytes: one end takes no {self.flow.size}",
                hint="ask with udp, whose packets nobody makes smaller",
            )
        if late := slow(median(one.rtt_ms), self.flow.max_ms):
            # Nothing was lost, so the diagnosis of losses has nothing to say of it.
            hint = "is a host on the way busy, or a queue before it full?"
            return self.make(Outcome.FAIL, f"passed{late}", hint)
        return self.carriage()

    @property
    def lost(self) -> float:
        """Percent of the probes that were not answered, whatever the reason."""
        return 100.0 * (self.asked - min(self.count.answered, self.asked)) / self.asked

    @property
    def expected(self) -> str:
        """The source address that the far end must see."""
        return self.flow.source or self.count.sender

    def wrong_sources(self) -> str:
        return ", ".join(sorted(source for source in self.count.sources if source != self.expected))

    def never_left(self) -> Result:
        if "EMSGSIZE" in self.count.errors:
            return self.fail(f"too big: {self.flow.size} bytes do not leave {self.flow.source_vantage}")
        return self.fail(f"never left {self.flow.source_vantage}: {self.error_words()}")

    def error_words(self) -> str:
        return ", ".join(IN_WORDS.get(name, name) for name in sorted(self.count.errors))

    def lossy(self, arrived: int) -> Result:
        """Which of the losses it is: out, back, by size; the larger part gives the sentence its name."""
        one = self.count
        out, back = one.sent - arrived, arrived - one.answered
        shown = ", ".join(sorted(one.sources)) if arrived > 0 else ""
        wrong = f" instead of {self.expected}" if shown and self.wrong_sources() else ""
        sentence = f"went out, arrived as {shown}{wrong}, answer lost{self.part(back)}"
        if back < out or arrived <= 0:
            sentence = f"went out, never arrived{self.part(out)}"
            if one.errors:
                sentence += f": {self.error_words()}"
        if self.too_big():
            sentence = f"too big: {sentence} at {self.flow.size} bytes"
        if (known := self.carried_words()) and arrived <= 0:
            sentence += f" ({known})"
        return self.fail(sentence)

    def part(self, lost: int) -> str:
        """How many, when it is not all of them."""
        return "" if self.count.answered <= 0 and lost >= self.count.sent else f" for {lost} of {self.asked}"

    def too_big(self) -> bool:
        """Whether size is what the path minds: it says so, or what is smaller passes."""
        if "EMSGSIZE" in self.count.errors:
            return True
        if self.flow.df and self.flow.protocol == "tcp" and self.count.connected > self.count.answered:
            return True
        return any(self.smaller_passes(name, other) for name, other in self.every.items())

    def smaller_passes(self, name: str, other: FlowCount) -> bool:
        flow = self.fleet.flows[name]
        same = (flow.source_vantage, flow.to, flow.address) == (
            self.flow.source_vantage,
            self.flow.to,
            self.flow.address,
        )
        passes = other.asked > 0 and 100.0 * (other.asked - other.answered) / other.asked <= self.max_loss
        kin = flow.protocol == self.flow.protocol or self.flow.df
        return same and kin and flow.size < self.flow.size and passes

    def carried_words(self) -> str:
        number = self.count.carried.get(self.carrier) if self.carrier else None
        return "" if number is None else f"{self.carrier} carried {number} of {self.count.sent}"

    def carriage(self) -> Result:
        """A pass needs the proof that the host that is meant carried what was answered."""
        one = self.count
        named = self.carrier or self.flow.by
        mine = [one.carried.get(self.carrier)] if self.carrier else list(one.carried.values())
        known = [number for number in mine if number is not None]
        others = [number for host, number in one.carried.items() if self.carrier and host != self.carrier]
        if not known:
            why = one.problem or f"{named} could not be asked"
            return self.unknown(f"passed, but nothing shows that {named} carried it: {why}")
        total = sum(known)
        if total < one.answered:
            how = f"only {total} of {one.answered} are shown" if total else "nothing shows"
            hint = f"the table of connections on {named} must hold them: does a rule with `ct state` see this flow?"
            return self.unknown(
                f"passed, but {how} that {named} carried {'them' if total else 'it'}", hint=hint
            )
        if any(number for number in others):
            return self.unknown(
                f"passed, but its peers know the same connections, so nothing shows that {named} carried it",
                hint="with sysctl net.netfilter.nf_conntrack_acct=1 the copy of a peer is told from the real one",
            )
        lost = f", {self.asked - one.answered} of {self.asked} lost" if one.answered < self.asked else ""
        return self.make(Outcome.PASS, f"pass{lost}")

    def unknown(self, because: str, *, hint: str = "", lost: bool = False) -> Result:
        seen = f"{self.count.answered} of {self.asked} answered, but " if lost and self.asked else ""
        return self.make(Outcome.UNKNOWN, seen + because, hint or self.count.hint)

    def fail(self, because: str) -> Result:
        return self.make(Outcome.FAIL, because, "the diagnosis of all flows together names where")

    def make(self, outcome: Outcome, because: str, hint: str = "") -> Result:
        one = self.count
        evidence: dict[str, Any] = {
            "asked": self.asked,
            "sent": one.sent,
            "arrived": one.arrived,
            "answered": one.answered,
            "lost": round(self.lost, 2) if self.asked else None,
            "sources": dict(one.sources),
            "expected": self.expected,
            "carried": dict(one.carried),
            "errors": dict(one.errors),
            "rtt_ms": None if (took := median(one.rtt_ms)) is None else round(took, 3),
        }
        return Result(
            check=one.flow,
            outcome=outcome,
            because=because,
            vantage=self.flow.source_vantage,
            evidence=evidence,
            hint=hint,
        )
