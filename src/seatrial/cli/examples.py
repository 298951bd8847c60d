"""What may be typed, for each verb: shown by `--help` and in the manual, and parsed by a test, so that none of it rots."""

from __future__ import annotations

from collections.abc import Mapping

CODES = (
    "Exit codes: 0 as wished, 1 looked and found wrong, 2 the input is wrong, 3 could not find out, "
    "4 could not act, 130 interrupted."
)
_GOOD, _BAD = "6.1.0-47-amd64", "6.1.0-56-amd64"

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "init": ("seatrial init ansible inventory/production", "seatrial init ssh-config --output -"),
    "check": (
        "seatrial check",
        "seatrial check --host gw-p1 --repeat 5",
        "seatrial check --format junit",
    ),
    "watch": ("seatrial watch --every 60s", "seatrial watch --rounds 1 --json"),
    "plan": (f"seatrial plan {_BAD}",),
    "rehearse": ("seatrial rehearse", "seatrial rehearse --faults faults.yaml --json"),
    "diagnose": ("seatrial diagnose observations.json --top 3",),
    "drift": ("seatrial drift --host gw-p1", "seatrial drift --local"),
    "drift snapshot": ("seatrial drift snapshot --host gw-p1",),
    "drift diff": ("seatrial drift diff before.json after.json",),
    "rollout start": (f"seatrial rollout start {_BAD} --why 'security update'",),
    "rollout status": ("seatrial rollout status", "seatrial rollout status r1 --follow"),
    "rollout approve": (
        "seatrial rollout approve r1 --stage production --why 'seen in staging' --ticket T42",
    ),
    "rollout pause": ("seatrial rollout pause r1 --why 'another incident'",),
    "rollout resume": ("seatrial rollout resume r1",),
    "rollout abort": ("seatrial rollout abort r1 --why 'users complain'",),
    "rollout work": ("seatrial rollout work r1 --room 20",),
    "rollout skip": ("seatrial rollout skip r1 --host gw-p2 --why 'is being replaced'",),
    "rollout force": (
        "seatrial rollout force r1 --host gw-p2 --why 'agreed with the network team' --ticket T42",
    ),
    "incident": ("seatrial incident",),
    "incident open": ("seatrial incident open --why 'the storage is slow' --ticket T123",),
    "incident close": ("seatrial incident close i1",),
    "notify": ("seatrial notify", "seatrial notify --try --to ops"),
    "fleetlock status": ("seatrial fleetlock status",),
    "fleetlock release": ("seatrial fleetlock release k8s-3 --why 'was replaced'",),
    "failover": ("seatrial failover nfs --to nfs-2 --why 'disk is to be changed'",),
    "report": ("seatrial report r1 --format html", "seatrial report r1 --upstream"),
    "kernels": ("seatrial kernels", "seatrial kernels --json"),
    "kernels mark": (f"seatrial kernels mark {_BAD} --role gateway --why 'answers are lost'",),
    "kernels override": (
        f"seatrial kernels override {_BAD} --role gateway --until 7d --why 'to find the cause'",
    ),
    "kernels export": ("seatrial kernels export verdicts.json --key ~/.ssh/id_ed25519",),
    "kernels import": ("seatrial kernels import verdicts.json --signers allowed_signers",),
    "bisect": (f"seatrial bisect {_GOOD} {_BAD} --flow private-out-tcp",),
    "log": ("seatrial log 'users report time-outs'",),
    "lab up": ("seatrial lab up", "seatrial lab up two --topology gateway"),
    "lab down": ("seatrial lab down",),
    "lab status": ("seatrial lab status --json",),
    "lab ssh": ("seatrial lab ssh gw-s1",),
    "lab run": ("seatrial lab run gw-s1 -- uname -r",),
    "lab fault": ("seatrial lab fault list", "seatrial lab fault off"),
    "exports check": ("seatrial exports check",),
    "exports apply": ("seatrial exports apply --why 'a new client'",),
    "import": ("seatrial import goss goss.yaml --from gw-p1",),
    "soak judge": ("seatrial soak judge samples.csv",),
    "soak load": ("seatrial soak load files --for 60s",),
    "demo": ("seatrial demo --rehearse", "seatrial demo --scenario good"),
    "serve": ("seatrial serve", "seatrial serve --new-token anna --role approve --tokens tokens"),
    "suspects": (f"seatrial suspects {_GOOD} {_BAD} --symptom 'answers to translated traffic are lost'",),
    "schema": ("seatrial schema",),
    "sudoers": ("seatrial sudoers --host gw-p1 --login deploy", "seatrial sudoers --gate"),
    "completion": ("seatrial completion bash",),
    "manual": ("seatrial manual",),
}


def epilogue_of(verb: str) -> str:
    """What stands below the options of a verb: its examples, each on a line, and the exit codes."""
    examples = EXAMPLES.get(verb, ())
    if not examples:
        return CODES
    lines = "\n".join(f"  {one}" for one in examples)
    return f"{'Example' if len(examples) == 1 else 'Examples'}:\n{lines}\n\n{CODES}"
