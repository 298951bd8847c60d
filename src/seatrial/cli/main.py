"""The command line's front door: which verb is where, how an error looks, and which exit code it has.

Verbs are loaded when they are called, so that `--help` answers at once. What is not in: any verb.
"""

from __future__ import annotations

import sys

from cyclopts import App

from seatrial import __version__
from seatrial.errors import Interrupted, SeatrialError

app = App(
    name="seatrial",
    version=__version__,
    help="A kernel is on trial until the traffic that depends on it has been carried by it and measured.",
    help_epilogue="Exit codes: 0 as wished, 1 looked and found wrong, 2 the input is wrong, 3 could not find out, "
    "4 could not act, 130 interrupted.",
)
rollout = App(name="rollout", help="Take a kernel through the stages: the main job.")
lab = App(name="lab", help="A platform of real kernels on this machine.")
soak = App(name="soak", help="A candidate under load against the good kernel.")
exports = App(name="exports", help="What NFS servers serve, beside what they should.")

app.command(
    "seatrial.cli.init:init",
    name="init",
    help="A first fleet.yaml from Ansible, ssh, Kubernetes, OpenStack.",
)
app.command("seatrial.cli.check:check", name="check", help="Ask the platform, once.")
app.command(
    "seatrial.cli.watch:watch",
    name="watch",
    help="Ask again and again, and serve the figures to Prometheus.",
)
app.command(
    "seatrial.cli.plan:plan", name="plan", help="Order, gates and refusals, without touching anything."
)
app.command(
    "seatrial.cli.rehearse:rehearse",
    name="rehearse",
    help="The operator's own plan on simulated hosts, fast-forward.",
)
app.command(
    "seatrial.cli.diagnose:diagnose", name="diagnose", help="Name what explains recorded observations."
)
app.command(
    "seatrial.cli.drift:app",
    name="drift",
    help="What the next boot, restart or failover would change.",
)
app.command(rollout)
app.command(
    "seatrial.cli.incident:app",
    name="incident",
    help="Hold every rollout while something is going on.",
)
app.command(
    "seatrial.cli.failover:failover",
    name="failover",
    help="Move a group's service to a peer, with proof and a way back.",
)
app.command(
    "seatrial.cli.report:report", name="report", help="Time line and report of a rollout, from the journal."
)
app.command(
    "seatrial.cli.kernels:app",
    name="kernels",
    help="Verdicts remembered: which kernel is bad for which role.",
)
app.command(
    "seatrial.cli.bisect:bisect",
    name="bisect",
    help="The first bad kernel after a good one, booted in the lab.",
)
app.command("seatrial.cli.report:log", name="log", help="Add a person's line to the journal.")
app.command(lab)
app.command(exports)
app.command(
    "seatrial.cli.bring:bring", name="import", help="Turn another tool's file into checks of a fleet.yaml."
)
app.command(soak)
app.command(
    "seatrial.cli.demo:demo",
    name="demo",
    help="A whole story: the outage of 2021, on real kernels or rehearsed.",
)
app.command(
    "seatrial.cli.serve:serve",
    name="serve",
    help="The page: rollouts as they run, for eyes and for programs.",
)
app.command(
    "seatrial.cli.notify:notify",
    name="notify",
    help="Tell people what they were not told yet, or try whether they hear it.",
)
app.command(
    "seatrial.cli.fleetlock:app",
    name="fleetlock",
    help="Hosts that reboot by themselves: who has a slot, and why others have none.",
)
app.command(
    "seatrial.cli.suspects:suspects",
    name="suspects",
    help="Which patches between two kernels to look at first.",
)
app.command("seatrial.cli.schema:schema", name="schema", help="The JSON schema of fleet.yaml, for editors.")

app.command(
    "seatrial.cli.sudoers:sudoers",
    name="sudoers",
    help="The least that a login needs from sudo for this fleet.",
)

rollout.command("seatrial.cli.rollout:start", name="start", help="Begin a rollout and be its controller.")
rollout.command("seatrial.cli.rollout:status", name="status", help="Where a rollout stands.")
rollout.command("seatrial.cli.rollout:approve", name="approve", help="Let a rollout into a stage.")
rollout.command("seatrial.cli.rollout:pause", name="pause", help="Begin no further trial.")
rollout.command(
    "seatrial.cli.rollout:resume", name="resume", help="Take a pause back, or go on after a dead controller."
)
rollout.command(
    "seatrial.cli.rollout:abort", name="abort", help="Send back what is on trial and begin nothing else."
)
rollout.command("seatrial.cli.rollout:work", name="work", help="Be one of several controllers of a rollout.")
rollout.command(
    "seatrial.cli.rollout:skip", name="skip", help="Leave a host out, or say that one was seen to."
)
rollout.command(
    "seatrial.cli.rollout:force", name="force", help="Take the responsibility for one host or one gate."
)

lab.command("seatrial.cli.lab:up", name="up", help="Start the platform.")
lab.command("seatrial.cli.lab:down", name="down", help="End it and leave nothing behind.")
lab.command("seatrial.cli.lab:status", name="status", help="What runs, and where a boot's time went.")
lab.command("seatrial.cli.lab:ssh", name="ssh", help="A shell on one of its hosts.")
lab.command("seatrial.cli.lab:run", name="run", help="Run one command on a host or an endpoint.")
lab.command("seatrial.cli.fault:fault", name="fault", help="Break something of it while it runs, or mend it.")

exports.command("seatrial.cli.exports:check_exports", name="check", help="Compare; nothing is changed.")
exports.command(
    "seatrial.cli.exports:apply_exports", name="apply", help="Add what is missing, on every host the same."
)

soak.command("seatrial.cli.soak:judge", name="judge", help="Is the candidate worse, by recorded samples?")
soak.command("seatrial.cli.soak:load", name="load", help="Make one of the fleet's loads for a while.")


def run() -> None:
    """Run the command line and exit as cli.md says."""
    wants_json = "--json" in sys.argv
    try:
        code = app(result_action="return_value")
    except SeatrialError as error:
        _show(error, wants_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(Interrupted.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone; that is no failure of ours, and Python must not complain at exit.
        sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _show(error: SeatrialError, wants_json: bool) -> None:
    if wants_json:
        import json

        document = {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
        print(json.dumps(document), file=sys.stdout)
        return
    print(f"seatrial: {error.message}\n  hint: {error.hint}   (exit {error.exit_code})", file=sys.stderr)
