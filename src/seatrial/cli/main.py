"""The command line's front door: which verb is where, how an error looks, and which exit code it has.

Verbs are loaded when they are called, so that `--help` answers at once. What is not in: any verb.
"""

from __future__ import annotations

import sys

from cyclopts import App

from seatrial import __version__
from seatrial.cli.examples import CODES, epilogue_of
from seatrial.errors import Interrupted, SeatrialError

app = App(
    name="seatrial",
    version=__version__,
    help="A kernel is on trial until the traffic that depends on it has been carried by it and measured.",
    # Examples stay on lines of their own, and nothing has to be loaded that could typeset them.
    help_format="plaintext",
    help_epilogue=CODES,
)
rollout = App(name="rollout", help="Take a kernel through the stages: the main job.")
lab = App(name="lab", help="A platform of real kernels on this machine.")
soak = App(name="soak", help="A candidate under load against the good kernel.")
exports = App(name="exports", help="What NFS servers serve, beside what they should.")


def _verb(parent: App, path: str, *, name: str, help: str) -> None:
    """Register a verb that is loaded when it is called; its examples come along."""
    if path.endswith(":app"):
        parent.command(path, name=name, help=help)
        return
    above = "" if parent is app else f"{parent.name[0]} "
    parent.command(path, name=name, help=help, help_epilogue=epilogue_of(above + name))


_verb(
    app,
    "seatrial.cli.init:init",
    name="init",
    help="A first fleet.yaml from Ansible, ssh, Kubernetes, OpenStack.",
)
_verb(app, "seatrial.cli.check:check", name="check", help="Ask the platform, once.")
_verb(
    app,
    "seatrial.cli.watch:watch",
    name="watch",
    help="Ask again and again, and serve the figures to Prometheus.",
)
_verb(
    app, "seatrial.cli.plan:plan", name="plan", help="Order, gates and refusals, without touching anything."
)
_verb(
    app,
    "seatrial.cli.rehearse:rehearse",
    name="rehearse",
    help="The operator's own plan on simulated hosts, fast-forward.",
)
_verb(
    app, "seatrial.cli.diagnose:diagnose", name="diagnose", help="Name what explains recorded observations."
)
_verb(
    app,
    "seatrial.cli.drift:app",
    name="drift",
    help="What the next boot, restart or failover would change.",
)
app.command(rollout)
_verb(
    app,
    "seatrial.cli.incident:app",
    name="incident",
    help="Hold every rollout while something is going on.",
)
_verb(
    app,
    "seatrial.cli.failover:failover",
    name="failover",
    help="Move a group's service to a peer, with proof and a way back.",
)
_verb(
    app,
    "seatrial.cli.report:report",
    name="report",
    help="Time line and report of a rollout, from the journal.",
)
_verb(
    app,
    "seatrial.cli.kernels:app",
    name="kernels",
    help="Verdicts remembered: which kernel is bad for which role.",
)
_verb(
    app,
    "seatrial.cli.bisect:bisect",
    name="bisect",
    help="The first bad kernel after a good one, booted in the lab.",
)
_verb(app, "seatrial.cli.report:log", name="log", help="Add a person's line to the journal.")
app.command(lab)
app.command(exports)
_verb(
    app,
    "seatrial.cli.bring:bring",
    name="import",
    help="Turn another tool's file into checks of a fleet.yaml.",
)
app.command(soak)
_verb(
    app,
    "seatrial.cli.demo:demo",
    name="demo",
    help="A whole story: the outage of 2021, on real kernels or rehearsed.",
)
_verb(
    app,
    "seatrial.cli.serve:serve",
    name="serve",
    help="The page: rollouts as they run, for eyes and for programs.",
)
_verb(
    app,
    "seatrial.cli.notify:notify",
    name="notify",
    help="Tell people what they were not told yet, or try whether they hear it.",
)
_verb(
    app,
    "seatrial.cli.fleetlock:app",
    name="fleetlock",
    help="Hosts that reboot by themselves: who has a slot, and why others have none.",
)
_verb(
    app,
    "seatrial.cli.suspects:suspects",
    name="suspects",
    help="Which patches between two kernels to look at first.",
)
_verb(app, "seatrial.cli.schema:schema", name="schema", help="The JSON schema of fleet.yaml, for editors.")

_verb(
    app,
    "seatrial.cli.sudoers:sudoers",
    name="sudoers",
    help="The least that a login needs from sudo for this fleet.",
)

_verb(rollout, "seatrial.cli.rollout:start", name="start", help="Begin a rollout and be its controller.")
_verb(rollout, "seatrial.cli.rollout:status", name="status", help="Where a rollout stands.")
_verb(rollout, "seatrial.cli.rollout:approve", name="approve", help="Let a rollout into a stage.")
_verb(rollout, "seatrial.cli.rollout:pause", name="pause", help="Begin no further trial.")
_verb(
    rollout,
    "seatrial.cli.rollout:resume",
    name="resume",
    help="Take a pause back, or go on after a dead controller.",
)
_verb(
    rollout,
    "seatrial.cli.rollout:abort",
    name="abort",
    help="Send back what is on trial and begin nothing else.",
)
_verb(rollout, "seatrial.cli.rollout:work", name="work", help="Be one of several controllers of a rollout.")
_verb(
    rollout, "seatrial.cli.rollout:skip", name="skip", help="Leave a host out, or say that one was seen to."
)
_verb(
    rollout,
    "seatrial.cli.rollout:force",
    name="force",
    help="Take the responsibility for one host or one gate.",
)

_verb(lab, "seatrial.cli.lab:up", name="up", help="Start the platform.")
_verb(lab, "seatrial.cli.lab:down", name="down", help="End it and leave nothing behind.")
_verb(lab, "seatrial.cli.lab:status", name="status", help="What runs, and where a boot's time went.")
_verb(lab, "seatrial.cli.lab:ssh", name="ssh", help="A shell on one of its hosts.")
_verb(lab, "seatrial.cli.lab:run", name="run", help="Run one command on a host or an endpoint.")
_verb(lab, "seatrial.cli.fault:fault", name="fault", help="Break something of it while it runs, or mend it.")

_verb(exports, "seatrial.cli.exports:check_exports", name="check", help="Compare; nothing is changed.")
_verb(
    exports,
    "seatrial.cli.exports:apply_exports",
    name="apply",
    help="Add what is missing, on every host the same.",
)

_verb(soak, "seatrial.cli.soak:judge", name="judge", help="Is the candidate worse, by recorded samples?")
_verb(soak, "seatrial.cli.soak:load", name="load", help="Make one of the fleet's loads for a while.")


_verb(app, "seatrial.cli.shell:completion", name="completion", help="Completion for bash, zsh or fish.")
_verb(app, "seatrial.cli.shell:manual", name="manual", help="The manual, for man.")


def run() -> None:
    """Run the command line and exit as cli.md says."""
    from seatrial.cli.quick import stand_ins, wants_help_only

    if wants_help_only(sys.argv[1:]):
        with stand_ins():
            app.help_print(sys.argv[1:-1])
        sys.exit(0)
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
