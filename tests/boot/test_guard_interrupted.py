"""KILL at every external command of every verb and of the loop, then go on: by hand, by the unit, or by a power cycle.

The points are counted, not chosen: a run without a kill says how many commands there are, and each of them is the
place of a kill once before it is run and once after. The invariants are at the bottom of each test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from seatrial.boot import guard
from seatrial.boot.grub import Grub
from seatrial.model.command import Command
from tests.boot.machine import CANDIDATE, GOOD, Machine, entry

# Few ticks of the loop make few points; what happens in each of them does not depend on how many there were.
SECONDS = 25
ONCE = Grub().boot_once(entry(CANDIDATE))


def armed(machine: Machine) -> Machine:
    """Armed and with the one-shot boot set, before the reboot."""
    assert machine.arm(seconds=SECONDS).ok
    assert machine.ask(ONCE).ok
    return machine


def on_trial(machine: Machine) -> Machine:
    """The candidate has been up for some seconds; its guard is watching."""
    armed(machine).power_on()
    assert machine.running == CANDIDATE
    machine.limit = 14
    assert machine.live() == "idle"
    machine.limit = 3000
    (machine.sim / "active").touch()
    return machine


def bless(machine: Machine) -> Command:
    return guard.bless(trial="t1", boot_id=machine.boot_id, kernel=CANDIDATE)


def interruptions(
    start: Machine, tmp_path: Path, act: Callable[[Machine, str], object]
) -> Iterator[tuple[str, Machine]]:
    """A twin of `start` for every point at which `act` can be cut off, cut off there."""
    probe = start.copy(tmp_path / "probe")
    act(probe, "")
    # Before a command and after the one before it differ by what the shell did itself; one shell shows that.
    whens = ("before", "after") if start.shell == "dash" else ("before",)
    points = [f"{k} {when}" for k in range(1, len(probe.calls) + 1) for when in whens]
    assert len(points) > 4
    for point in points:
        twin = start.copy(tmp_path / f"twin-{point.replace(' ', '-')}")
        act(twin, point)
        yield point, twin


def assert_over(machine: Machine, where: str) -> None:
    """Nothing is pending any more, and the default is the candidate only by a blessing."""
    said = machine.guard()
    assert said.phase in ("absent", "blessed", "reverted", "disarmed"), (where, said)
    assert not machine.enabled or said.phase == "absent", (where, said)
    assert not machine.env.get("next_entry"), (where, machine.env)
    assert len(machine.env) >= 1, where
    assert (machine.default == CANDIDATE) == (said.phase == "blessed"), (where, said, machine.env)


def test_a_cut_off_arming_is_harmless_at_the_next_boot(machine: Machine, tmp_path: Path) -> None:
    for point, twin in interruptions(machine, tmp_path, lambda it, kill: it.arm(SECONDS, kill)):
        armed_before = twin.guard().phase == "armed"
        by_hand = twin.copy(tmp_path / f"hand-{point.replace(' ', '-')}")
        assert twin.reboot_until_quiet() in ("", "ended"), point
        assert twin.boots[-1] == GOOD, point
        assert_over(twin, point)
        # Somebody boots the candidate by hand: nobody armed a trial, so nothing may take it away again.
        by_hand.power_on(kernel=CANDIDATE)
        by_hand.limit = 60
        wanted = "rebooted" if armed_before else "ended" if by_hand.enabled else ""
        assert by_hand.live() == wanted, point


def test_a_cut_off_arming_can_be_repeated(machine: Machine, tmp_path: Path) -> None:
    for point, twin in interruptions(machine, tmp_path, lambda it, kill: it.arm(SECONDS, kill)):
        again = twin.arm(SECONDS)
        assert again.ok, (point, again.stdout)
        assert twin.guard().phase == "armed", point
        assert twin.guard().watching, point
        assert twin.enabled, point
        assert not list(twin.root.rglob("*.new")), point


def test_a_cut_off_blessing_can_be_repeated(machine: Machine, tmp_path: Path) -> None:
    start = on_trial(machine)
    for point, twin in interruptions(start, tmp_path, lambda it, kill: it.ask(bless(it), kill)):
        again = twin.ask(bless(twin))
        assert again.ok, (point, again.stdout)
        assert twin.guard().phase == "blessed", point
        assert twin.reboot_until_quiet() == "", point
        assert twin.boots[-1] == CANDIDATE, point
        assert_over(twin, point)


def test_a_cut_off_blessing_is_completed_or_forgotten_by_the_loop(machine: Machine, tmp_path: Path) -> None:
    start = on_trial(machine)
    for point, twin in interruptions(start, tmp_path, lambda it, kill: it.ask(bless(it), kill)):
        recorded = bool(twin.guard().blessed_boot_id)
        ended = twin.live()
        if recorded:
            assert ended in ("", "ended"), point
        else:
            assert ended == "rebooted", point
            assert twin.reboot_until_quiet() == "ended", point
        assert twin.guard().phase == ("blessed" if recorded else "reverted"), point
        assert_over(twin, point)


def test_after_a_cut_off_blessing_a_power_cycle_ends_well(machine: Machine, tmp_path: Path) -> None:
    start = on_trial(machine)
    ends = set()
    for point, twin in interruptions(start, tmp_path, lambda it, kill: it.ask(bless(it), kill)):
        # At no moment is the candidate the default without a blessing on disk.
        assert twin.default == GOOD or twin.guard().blessed_boot_id == twin.boot_id, point
        assert twin.reboot_until_quiet() in ("", "ended"), point
        assert_over(twin, point)
        ends.add(twin.guard().phase)
    assert ends == {"blessed", "reverted"}


def test_a_blessing_and_then_its_completion_cut_off_ends_well(tmp_path: Path) -> None:
    start = on_trial(Machine(tmp_path / "root"))
    for point, half in interruptions(start, tmp_path, lambda it, kill: it.ask(bless(it), kill)):
        if half.guard().doing != "blessing":
            continue
        half.power_on()
        folder = tmp_path / f"second-{point.replace(' ', '-')}"
        folder.mkdir()
        for second, twin in interruptions(half, folder, lambda it, kill: it.live(kill)):
            assert twin.reboot_until_quiet() in ("", "ended"), (point, second)
            assert_over(twin, f"{point}, {second}")


def test_a_cut_off_revert_goes_back_all_the_same(machine: Machine, tmp_path: Path) -> None:
    start = on_trial(machine)
    for point, twin in interruptions(
        start, tmp_path, lambda it, kill: it.ask(guard.revert(trial="t1"), kill)
    ):
        assert twin.live() == "rebooted", point
        assert twin.reboot_until_quiet() == "ended", point
        assert twin.guard().phase == "reverted", point
        assert_over(twin, point)


def test_a_cut_off_disarming_never_leaves_the_candidate_without_a_guard(
    machine: Machine, tmp_path: Path
) -> None:
    start = armed(machine)
    for point, twin in interruptions(
        start, tmp_path, lambda it, kill: it.ask(guard.disarm(trial="t1"), kill)
    ):
        if twin.env.get("next_entry"):
            assert twin.guard().phase == "armed", point
            assert twin.enabled, point
        twin.reboot_until_quiet()
        assert twin.boots[-1] == GOOD, point
        assert_over(twin, point)


def test_a_power_cut_at_any_moment_of_the_candidates_boot_ends_on_the_good_kernel(tmp_path: Path) -> None:
    start = armed(Machine(tmp_path / "root"))
    start.power_on()
    for point, twin in interruptions(start, tmp_path, lambda it, kill: it.live(kill)):
        assert twin.reboot_until_quiet() == "ended", point
        assert twin.boots[-1] == GOOD, point
        assert twin.guard().phase == "reverted", point
        assert_over(twin, point)


def test_a_guard_that_is_killed_while_watching_is_started_again_and_goes_back(tmp_path: Path) -> None:
    start = armed(Machine(tmp_path / "root"))
    start.power_on()
    for point, twin in interruptions(start, tmp_path, lambda it, kill: it.live(kill)):
        if not (twin.sim / "rebooted").exists():
            assert twin.live() == "rebooted", point
        assert twin.reboot_until_quiet() == "ended", point
        assert_over(twin, point)


def test_a_report_that_is_cut_off_is_written_at_the_next_boot(machine: Machine, tmp_path: Path) -> None:
    start = on_trial(machine)
    start.live()
    start.power_on()
    assert start.running == GOOD
    for point, twin in interruptions(start, tmp_path, lambda it, kill: it.live(kill)):
        twin.reboot_until_quiet()
        assert twin.guard().phase == "reverted", point
        assert "reached userspace at uptime 5 s" in twin.guard().because, point
        assert_over(twin, point)
