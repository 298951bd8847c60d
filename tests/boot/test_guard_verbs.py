"""What every verb of the guard does and refuses, and what the loop does, on a machine on paper."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from seatrial.boot import guard
from seatrial.boot.grub import Grub
from seatrial.boot.scripts import guard_payload, guard_script, text
from seatrial.errors import InputError
from seatrial.model.command import Command
from tests.boot.machine import CANDIDATE, GOOD, THIRD, Machine, entry, facts
from tests.boot.test_guard_interrupted import armed, assert_over, bless, on_trial

ETC = "etc/seatrial"
UNITS = "etc/systemd/system"


def everything(machine: Machine) -> dict[str, bytes]:
    """All files of the machine but the simulation's own and what lives in memory."""
    return {
        str(path.relative_to(machine.root)): path.read_bytes() if path.is_file() else b""
        for path in sorted(machine.root.rglob("*"))
        if path.relative_to(machine.root).parts[0] not in ("sim", "run", "bin", "proc")
    }


def word(machine: Machine, command: Command) -> tuple[int | None, str]:
    output = machine.ask(command)
    answer = guard.read_answer(output)
    assert answer is not None, output
    return output.status, answer.text


def test_arming_enables_the_unit_for_every_way_of_booting(machine: Machine) -> None:
    assert machine.arm().ok
    for target in ("sysinit", "rescue", "emergency"):
        link = machine.root / UNITS / f"{target}.target.wants/seatrial-guard.service"
        assert str(link.readlink()) == "/etc/systemd/system/seatrial-guard.service"
    assert (machine.root / ETC / "guard.sh").read_text() == guard_script()
    assert (machine.root / UNITS / "seatrial-guard.service").read_text() == text("seatrial-guard.service")
    said = machine.guard()
    assert (said.phase, said.trial, said.good, said.candidate) == ("armed", "t1", GOOD, CANDIDATE)
    assert (said.deadline, said.armed_boot_id, said.watching) == (90.0, machine.boot_id, True)


def test_arming_twice_is_one_arming_and_another_trial_is_refused(machine: Machine) -> None:
    assert machine.arm().ok
    before = everything(machine)
    assert machine.arm().ok
    assert machine.arm(trial="t2").status == 3
    assert everything(machine) == before


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda it: it.editenv("set", f"saved_entry={entry(THIRD)}"), "the saved default is"),
        (lambda it: it.editenv("set", f"next_entry={entry(THIRD)}"), "pending already"),
        (lambda it: it.editenv("set", "prev_saved_entry=0"), "pending already"),
        (lambda it: it.grubenv.write_bytes(b""), "no environment block"),
        (lambda it: it.grubenv.unlink(), "no environment block"),
        (lambda it: it.power_on(kernel=THIRD), "is running, not the good kernel"),
        (lambda it: (it.root / "run/systemd/system").rmdir(), "systemd does not run"),
        (lambda it: (it.root / "bin/flock").unlink(), "holds the guard's lock"),
        (lambda it: (it.root / "bin/grub-editenv").unlink(), "grub-editenv is missing"),
        (lambda it: (it.sim / "fail-dd").touch(), "cannot be written"),
        (lambda it: (it.sim / "fail-ln").touch(), "no room"),
        (lambda it: (it.sim / "fail-sed").touch(), "no room"),
        (lambda it: (it.root / "etc/seatrial").touch(), "no room"),
        (lambda it: (it.root / "var/lib/seatrial").touch(), "no room"),
    ],
)
def test_arming_is_refused_and_changes_nothing(machine: Machine, spoil: object, says: str) -> None:
    spoil(machine)  # type: ignore[operator]
    before = everything(machine)
    output = machine.arm()
    assert output.status == 3
    assert says in output.stdout
    assert everything(machine) == before


def test_when_systemd_does_not_take_the_unit_nothing_is_armed(machine: Machine) -> None:
    for mark in ("no-start", "no-reload"):
        (machine.sim / mark).touch()
        assert machine.arm().status == 4
        assert machine.guard().phase == "disarmed"
        assert not machine.enabled
        (machine.sim / mark).unlink()
    assert machine.arm(trial="t2").ok


def test_a_full_disk_while_arming_leaves_nothing(machine: Machine) -> None:
    before = everything(machine)
    limited = Command(
        name="guard.arm",
        # Files may not grow beyond 16 KiB, which neither the script nor the ballast fits into.
        argv=("sh", "-c", 'ulimit -f 16; exec sh "$@"', "sh", *machine_arm().argv[1:]),
        stdin=machine_arm().stdin,
    )
    assert machine.ask(limited).status in (3, 153, None)
    assert everything(machine) == before


def machine_arm() -> Command:
    return guard.arm(trial="t1", facts=facts(), good=GOOD, candidate=CANDIDATE, seconds=90)


def test_nobody_connected_the_deadline_passes_and_the_good_kernel_is_back(machine: Machine) -> None:
    armed(machine)
    assert machine.live() == "idle"
    assert machine.reboot_until_quiet() == "ended"
    assert machine.boots == [GOOD, CANDIDATE, GOOD]
    said = machine.guard()
    assert said.phase == "reverted"
    assert said.boots == 1
    assert "reached userspace at uptime 5 s, was last seen at 20 s; uptime 25 s passed" in said.because
    assert any("going back" in line for line in said.log)
    assert "<2>seatrial-guard: uptime 25 s passed" in (machine.root / "dev/kmsg").read_text()
    assert_over(machine, "end")


def test_a_candidate_that_never_comes_up_is_told_apart_from_one_that_did(machine: Machine) -> None:
    armed(machine).power_on()
    # It panics before the unit could start: GRUB has taken the wish away, and the firmware boots again.
    machine.power_on()
    assert machine.running == GOOD
    machine.live()
    assert "never came as far as the guard" in machine.guard().because
    assert_over(machine, "end")


def test_a_candidate_that_dies_on_its_own_is_told_apart_from_a_passed_deadline(machine: Machine) -> None:
    on_trial(machine).power_on()
    machine.live()
    assert "ended without the guard's doing" in machine.guard().because


def test_a_blessing_makes_the_candidate_the_default_and_ends_the_guard(machine: Machine) -> None:
    on_trial(machine)
    assert machine.ask(bless(machine)).ok
    assert machine.guard().blessed_boot_id == machine.boot_id
    assert machine.default == CANDIDATE
    assert not machine.enabled
    assert machine.ask(bless(machine)).ok
    assert machine.reboot_until_quiet() == ""
    assert_over(machine, "end")


def test_a_blessing_for_anything_else_is_refused(machine: Machine) -> None:
    on_trial(machine)
    here = machine.boot_id
    for trial, boot_id, kernel in (("t2", here, CANDIDATE), ("t1", "other", CANDIDATE), ("t1", here, GOOD)):
        assert word(machine, guard.bless(trial=trial, boot_id=boot_id, kernel=kernel))[0] == 3
    machine.uptime = 25
    status, why = word(machine, bless(machine))
    assert (status, why) == (3, "the deadline of 25 s has passed")
    assert machine.default == GOOD
    assert machine.guard().phase == "armed"


def test_a_blessing_before_the_reboot_is_refused(machine: Machine) -> None:
    armed(machine)
    status, _ = word(machine, guard.bless(trial="t1", boot_id=machine.boot_id, kernel=GOOD))
    assert status == 3
    assert machine.default == GOOD


def test_a_blessing_that_cannot_be_kept_yet_is_completed_when_it_can(machine: Machine) -> None:
    on_trial(machine)
    (machine.sim / "fail-grub-editenv").touch()
    status, why = word(machine, bless(machine))
    assert status == 4
    assert "the blessing is recorded" in why
    assert (machine.guard().phase, machine.guard().doing) == ("armed", "blessing")
    machine.limit = 200
    assert machine.live() == "idle"
    (machine.sim / "fail-grub-editenv").unlink()
    assert machine.live() == "ended"
    assert machine.guard().phase == "blessed"
    assert_over(machine, "end")


def test_more_time_is_given_again_and_again_and_never_taken_away(machine: Machine) -> None:
    on_trial(machine)
    now = machine.uptime
    assert machine.ask(guard.extend(trial="t1", boot_id=machine.boot_id, seconds=300)).ok
    assert machine.guard().deadline == now + 300
    assert machine.ask(guard.extend(trial="t1", boot_id=machine.boot_id, seconds=5)).ok
    assert machine.guard().deadline == now + 300
    machine.limit = 250
    assert machine.live() == "idle"
    machine.limit = 3000
    assert machine.live() == "rebooted"
    assert machine.reboot_until_quiet() == "ended"
    assert_over(machine, "end")


def test_more_time_holds_for_one_boot_only(machine: Machine) -> None:
    on_trial(machine)
    assert machine.ask(guard.extend(trial="t1", boot_id=machine.boot_id, seconds=900)).ok
    assert word(machine, guard.extend(trial="t1", boot_id="other", seconds=900))[0] == 3
    machine.power_on(kernel=CANDIDATE)
    assert machine.guard().deadline == 25
    machine.live()
    assert machine.uptime < 100


def test_the_revert_verb_goes_back_at_once(machine: Machine) -> None:
    on_trial(machine)
    assert machine.ask(guard.revert(trial="t1")).ok
    assert machine.guard().doing == "reverting"
    assert machine.live() == "rebooted"
    assert machine.reboot_until_quiet() == "ended"
    assert "asked to go back" in machine.guard().because
    assert_over(machine, "end")


def test_disarming_takes_the_one_shot_boot_back(machine: Machine) -> None:
    armed(machine)
    assert machine.ask(guard.disarm(trial="t1")).ok
    assert machine.ask(guard.disarm(trial="t1")).ok
    assert machine.reboot_until_quiet() == ""
    assert machine.boots == [GOOD, GOOD]
    assert_over(machine, "end")


def test_disarming_the_running_candidate_is_refused(machine: Machine) -> None:
    on_trial(machine)
    assert word(machine, guard.disarm(trial="t1"))[0] == 3
    assert machine.guard().phase == "armed"


def test_cleaning_is_refused_while_armed_and_leaves_nothing_after(machine: Machine) -> None:
    before = everything(machine)
    armed(machine)
    assert word(machine, guard.clean())[0] == 3
    machine.ask(guard.disarm(trial="t1"))
    assert machine.ask(guard.clean()).ok
    after = everything(machine)
    for run in (before, after):
        run.pop("dev/kmsg")
        run.pop("boot/grub/grubenv")
    assert after == before
    assert machine.env.get("saved_entry") == entry(GOOD)
    assert machine.guard().phase == "absent"


def test_a_candidate_that_somebody_made_the_default_does_not_loop(machine: Machine) -> None:
    on_trial(machine)
    machine.editenv("set", f"saved_entry={entry(CANDIDATE)}")
    machine.live()
    assert machine.reboot_until_quiet() == "ended"
    assert machine.boots[-1] == GOOD
    assert_over(machine, "end")


def test_a_wish_that_grub_could_not_take_away_is_taken_away_as_soon_as_the_candidate_is_up(
    machine: Machine,
) -> None:
    armed(machine).power_on(consumes=False)
    assert machine.running == CANDIDATE
    machine.limit = 14
    assert machine.live() == "idle"
    # The candidate dies before its deadline: the next boot must be the good kernel all the same.
    machine.power_on()
    assert machine.running == GOOD
    machine.limit = 3000
    assert machine.live() == "ended"
    assert_over(machine, "end")


def test_a_grub_that_does_not_listen_is_left_alone_after_three_boots(machine: Machine) -> None:
    armed(machine)
    ends = []
    for _ in range(5):
        machine.power_on(kernel=CANDIDATE, consumes=False)
        ends.append(machine.live())
    assert ends == ["rebooted", "rebooted", "rebooted", "ended", ""]
    said = machine.guard()
    assert said.phase == "disarmed"
    assert "gave up" in said.because


def test_a_default_that_cannot_be_mended_ends_in_staying_up_and_not_in_a_loop(machine: Machine) -> None:
    on_trial(machine)
    machine.editenv("set", f"saved_entry={entry(CANDIDATE)}")
    (machine.sim / "fail-grub-editenv").touch()
    ends: list[str] = []
    while not ends or ends[-1] == "rebooted":
        ends.append(machine.live())
        machine.power_on()
        assert len(ends) < 6
    assert machine.guard().phase == "disarmed"


def test_without_a_way_back_and_without_a_count_nothing_is_rebooted(machine: Machine) -> None:
    on_trial(machine)
    machine.editenv("set", f"saved_entry={entry(CANDIDATE)}")
    (machine.sim / "fail-grub-editenv").touch()
    (machine.root / "var/lib/seatrial").rename(machine.root / "var/lib/away")
    machine.limit = 300
    assert machine.live() == "idle"
    assert "staying up" in (machine.root / "dev/kmsg").read_text()


def test_on_a_full_disk_the_guard_has_room_in_its_pocket(machine: Machine) -> None:
    on_trial(machine)
    (machine.sim / "full").touch()
    assert machine.live() == "rebooted"
    assert machine.guard().doing == "reverting"
    assert not (machine.root / "var/lib/seatrial/ballast").exists()


def test_an_emptied_environment_block_is_made_anew(machine: Machine) -> None:
    on_trial(machine)
    machine.grubenv.write_bytes(b"")
    assert machine.live() == "rebooted"
    assert machine.reboot_until_quiet() == "ended"
    assert machine.boots[-1] == GOOD
    assert_over(machine, "end")


def test_a_third_kernel_ends_the_trial_without_a_reboot(machine: Machine) -> None:
    armed(machine).power_on(kernel=THIRD, consumes=False)
    assert machine.live() == "ended"
    said = machine.guard()
    assert said.phase == "disarmed"
    assert THIRD in said.because
    assert_over(machine, "end")


def test_every_way_to_restart_is_tried_each_with_its_own_time(machine: Machine) -> None:
    on_trial(machine)
    (machine.sim / "deaf").write_text("3\n")
    machine.limit = 25 + 3 * 60 + 12
    assert machine.live() == "idle"
    reboots = [call for call in machine.calls if "reboot" in call]
    assert reboots == [
        "systemctl -i --no-block reboot",
        "systemctl -i --no-block reboot --force",
        "systemctl -i --no-block reboot --force --force",
    ]
    assert (machine.root / "proc/sysrq-trigger").read_text() == "b"


def test_without_a_state_the_candidate_still_goes_back(machine: Machine) -> None:
    """/var is not mounted, or its disk is broken: the order on the root file system is enough."""
    on_trial(machine)
    state = machine.root / "var/lib/seatrial"
    state.rename(machine.root / "var/lib/away")
    assert machine.live() == "rebooted"
    assert not state.exists()
    machine.power_on()
    assert machine.running == GOOD
    machine.limit = 60
    assert machine.live() == "idle"
    (machine.root / "var/lib/away").rename(state)
    assert machine.live() == "ended"
    assert machine.guard().phase == "reverted"
    assert_over(machine, "end")


def test_the_environment_block_is_never_truncated_or_replaced(machine: Machine) -> None:
    inode = machine.grubenv.stat().st_ino
    on_trial(machine)
    machine.ask(bless(machine))
    assert machine.grubenv.stat().st_ino == inode
    assert machine.grubenv.stat().st_size == 1024


def test_one_shot_boots_do_not_overwrite_each_other(machine: Machine) -> None:
    assert machine.ask(Grub().boot_once(entry(CANDIDATE))).ok
    assert machine.ask(Grub().boot_once(entry(CANDIDATE))).ok
    assert machine.ask(Grub().boot_once(entry(THIRD))).status == 3
    assert machine.ask(Grub().make_default(entry(THIRD))).ok
    assert machine.env == {"saved_entry": entry(THIRD)}


def test_entries_and_names_that_could_be_more_than_words_are_not_handed_over() -> None:
    for bad in ("", "a\nb", "$(reboot)", "a`b`", "\\", 'x"', "x" * 500):
        with pytest.raises(InputError):
            Grub().boot_once(bad)
        with pytest.raises(InputError):
            guard.revert(trial=bad)


def test_a_test_that_forgets_the_paper_root_can_do_nothing(tmp_path: Path) -> None:
    for argv in (["sh", "-s", "--", "watch"], ["sh", "-s", "--", "status"], ["sh", "-s", "--", "clean"]):
        ended = subprocess.run(argv, input=guard_payload(), capture_output=True, check=False)
        assert ended.returncode == 3
        assert b"SEATRIAL_ROOT is not set" in ended.stderr
    environment = {"SEATRIAL_ROOT": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        ["/bin/sh", "-s", "--", "watch"],
        input=guard_payload(),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert ended.returncode == 3


def test_the_scripts_are_clean_to_shellcheck(tmp_path: Path) -> None:
    whole = {
        "guard.sh": guard_script(),
        "entry.sh": text("grubenv.sh") + text("boot-entry.sh"),
        "facts.sh": text("grub-facts.sh"),
        "describe.sh": text("describe.sh"),
    }
    for name, script in whole.items():
        (tmp_path / name).write_text(script)
        ended = subprocess.run(
            ["shellcheck", "-s", "sh", str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        assert ended.stdout == ""
