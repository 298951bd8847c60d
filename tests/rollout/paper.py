"""A host on paper: the few facts that decide looks at, and what each act does to them. No I/O, no clock.

It is smaller than the product's simulated host on purpose: it lets a test interrupt a trial at every step of every
act, thousands of times, without a journal or an engine in the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Policy
from seatrial.model.fold import RolloutState, TrialState, advance
from seatrial.model.hostfacts import BootFacts, GuardFacts, Sight
from seatrial.model.trial import State
from seatrial.rollout.decide import Act, Do, Move, Seen, Terms, Wait
from seatrial.rollout.silenced import next_action, span

GOOD, CANDIDATE = "6.1.0-47", "6.1.0-56"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class PaperHost:
    """One host and its peer. `flaw` says what is wrong: flows, dead-network, panic, unclear, refused, or nothing."""

    flaw: str = ""
    peers: tuple[str, ...] = ()
    policy: Policy = field(default_factory=lambda: Policy(guard=300, reboot=60))
    now: datetime = BEGIN
    running: str = GOOD
    boot: int = 1
    default: str = GOOD
    next: str | None = None
    phase: str = "absent"
    armed_boot: str = ""
    blessed_boot: str = ""
    up_at: datetime = BEGIN
    carrier: str = ""
    state: RolloutState = field(default_factory=lambda: RolloutState(id="r1"))
    reboots: int = 0
    blessed_without_proof: bool = False
    silences: tuple[str, ...] = ()
    deaf: str = ""
    silenced_until: datetime = BEGIN
    loud: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.carrier = "gw" if self.peers else ""
        self.note(Kind.ROLLOUT_STARTED, host="", candidate=CANDIDATE, hosts=["gw"], roles={"gw": ["gateway"]})

    def note(self, kind: Kind, *, host: str = "gw", **data: object) -> None:
        event = Event(seq=self.state.last + 1, at=self.now, kind=kind, rollout="r1", host=host, data=data)
        self.state = advance(self.state, event)

    def trial(self) -> TrialState:
        return self.state.trials["gw"]

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._guard()

    def _uptime(self) -> float:
        return max(0.0, (self.now - self.up_at).total_seconds())

    def _guard(self) -> None:
        if self.phase == "armed" and self.running == CANDIDATE and self._uptime() > self.policy.guard:
            self.restart()

    def restart(self) -> None:
        self.reboots += 1
        self.boot += 1
        self.running, self.next = self.next or self.default, None
        self.up_at = self.now + timedelta(seconds=20)
        if self.running == CANDIDATE and self.flaw == "panic":
            self.running = self.default
            self.up_at += timedelta(seconds=20)
        if self.running == GOOD and self.phase == "armed":
            self.phase = "reverted"
        if self.peers and self.carrier == "gw":
            self.carrier = self.peers[0]

    def sight(self) -> Sight | None:
        self._guard()
        if self.now < self.up_at or (self.flaw == "dead-network" and self.running == CANDIDATE):
            return None
        return Sight(
            boot=BootFacts(
                running=self.running,
                boot_id=str(self.boot),
                uptime=self._uptime(),
                kernels={},
                saved_default=True,
                default=self.default,
                next=self.next,
            ),
            guard=GuardFacts(
                phase=self.phase,
                trial="r1.gw",
                candidate=CANDIDATE,
                good=GOOD,
                deadline=self.policy.guard,
                armed_boot_id=self.armed_boot,
                blessed_boot_id=self.blessed_boot,
            ),
        )

    def results(self, purpose: Act, outcome: str) -> None:
        result = {"check": "f", "outcome": outcome, "because": "the flow", "hint": ""}
        self.note(Kind.RESULTS, purpose=str(purpose), results=[result], boot_id=str(self.boot))

    def probe(self, act: Act) -> None:
        if self.sight() is None:
            self.results(act, "unknown")
        elif self.running == CANDIDATE and self.flaw in ("flows", "unclear"):
            self.results(act, "fail" if self.flaw == "flows" else "unknown")
        else:
            self.results(act, "pass")
        self.tick(3)

    @property
    def is_silenced(self) -> bool:
        return self.now < self.silenced_until

    def told(self, act: Act) -> bool:
        """Monitoring is told; False when it does not answer. `deaf` names the deed that it is deaf to."""
        if act == self.deaf:
            return False
        self.silenced_until = self.now + timedelta(seconds=span(self.policy) if act is Act.SILENCE else 0)
        return True

    def perform(self, act: Act) -> None:
        if self.silences and not self.is_silenced and act in (Act.DRAIN, Act.ARM, Act.REBOOT):
            self.loud.append(str(act))
        match act:
            case Act.PREFLIGHT:
                self.results(act, "fail" if self.flaw == "refused" else "pass")
            case Act.BASELINE | Act.EXERCISE | Act.SOAK | Act.PROOF:
                self.probe(act)
            case Act.DRAIN:
                self.carrier = self.peers[0]
            case Act.ATTRACT:
                self.carrier = "gw"
            case Act.ARM:
                self.phase, self.armed_boot = "armed", str(self.boot)
            case Act.REBOOT:
                self.next = CANDIDATE
                self.restart()
            case Act.BLESS:
                # The guard refuses a blessing for another boot or kernel, and so does this one.
                if self.running == CANDIDATE and self.phase == "armed":
                    proven = self.trial().rounds.get(Act.EXERCISE)
                    self.blessed_without_proof |= proven is None or proven.outcome != "pass"
                    self.phase, self.default, self.blessed_boot = "blessed", CANDIDATE, str(self.boot)
            case Act.REVERT:
                self.restart()
            case Act.DISARM:
                self.phase, self.next = "disarmed", None
            case Act.EXTEND:
                self.policy = self.policy.model_copy(update={"guard": self.policy.guard + 300})

    def terms(self) -> Terms:
        state = self.state
        return Terms(
            trial="r1.gw",
            host="gw",
            candidate=CANDIDATE,
            policy=self.policy,
            peers=self.peers,
            silences=self.silences,
            abort=state.abort,
            is_aborted=state.is_aborted,
        )

    def turn(self, *, cut: str = "") -> str:
        """One turn of the engine; `cut` after the intent, or after the act and before its record. Says what was done."""
        seen = Seen(sight=self.sight(), carriers=frozenset({self.carrier} - {""}), now=self.now)
        action = next_action(self.trial(), seen, self.terms())
        match action:
            case Wait():
                self.tick(action.seconds * 5)
                return "wait"
            case Move():
                self.note(
                    Kind.TRIAL_MOVED,
                    to=str(action.to),
                    because=action.because,
                    hint=action.hint,
                    facts=dict(action.facts),
                )
                return f"move {action.to}"
            case Do():
                self.note(Kind.TRIAL_INTENT, act=str(action.act), facts=dict(action.facts))
                if cut == "intent":
                    return "cut"
                if action.act in (Act.SILENCE, Act.UNSILENCE):
                    return self._tell(action.act, cut)
                self.perform(action.act)
                if cut == "act":
                    return "cut"
                self.note(Kind.TRIAL_ACTED, act=str(action.act))
                self.tick(1)
                return f"do {action.act}"

    def _tell(self, act: Act, cut: str) -> str:
        done = self.told(act)
        if cut == "act":
            return "cut"
        if not done:
            self.note(Kind.TRIAL_FAILED, act=str(act), problem="Alertmanager is away", hint="start it")
        else:
            until = self.silenced_until.isoformat() if act is Act.SILENCE else None
            self.note(Kind.TRIAL_ACTED, act=str(act), until=until)
        self.tick(1)
        return f"do {act}"

    def run(self, *, cut_turn: int = -1, cut: str = "", abort_turn: int = -1, limit: int = 3000) -> list[str]:
        """Turns until the trial is over; says what was done in each."""
        done: list[str] = []
        while not self.trial().over:
            if len(done) == abort_turn:
                self.note(Kind.ROLLOUT_ABORTED, host="", why="a person said so")
            done.append(self.turn(cut=cut if len(done) == cut_turn else ""))
            assert len(done) < limit, done[-20:]
        return done

    @property
    def end(self) -> State:
        return self.trial().state


def fresh(flaw: str, *, peers: bool, soak: float = 0.0) -> PaperHost:
    policy = Policy(guard=300, reboot=60, soak=soak)
    return PaperHost(flaw=flaw, peers=("peer",) if peers else (), policy=policy)
