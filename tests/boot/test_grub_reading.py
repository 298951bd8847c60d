"""Reading GRUB's files and a host's facts: captures, their variations, and text from anybody."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.boot import guard
from seatrial.boot.frames import read_sections
from seatrial.boot.grub import Grub
from seatrial.boot.grubcfg import by_number, read_menu
from seatrial.boot.grubenv import read_env
from seatrial.boot.refusals import refusals
from seatrial.model.command import Output, Trouble
from seatrial.model.hostfacts import BootFacts
from seatrial.model.result import Outcome
from tests.boot.machine import CANDIDATE, GOOD, THIRD, facts, kernel

CAPTURES = Path(__file__).with_name("captures")
LAB = (CAPTURES / "debian12-lab.facts").read_text()
UUID = "1773f282-5a1b-441e-865c-8b70a0ebc925"


def cfg(name: str) -> str:
    return (CAPTURES / f"{name}.cfg").read_text()


def read(text: str) -> BootFacts:
    found = Grub().read(Output(command=Grub().facts(), status=0, stdout=text))
    assert found is not None
    return found


def section(text: str, name: str, body: str, status: int = 0) -> str:
    """The same answer with another body for one section."""
    head, _, rest = text.partition(f"@begin {name}\n")
    _, _, tail = rest.partition(f"@end {name}\n")
    lines = "".join(f"|{line}\n" for line in body.split("\n"))
    return f"{head}@begin {name}\n{lines}|\n|@{status}\n@end {name}\n{tail}"


def outcomes(found: BootFacts) -> dict[str, tuple[str, str]]:
    return {
        result.check: (result.outcome.value, result.because)
        for result in refusals(found, GOOD, CANDIDATE)
        if result.outcome is not Outcome.PASS
    }


def test_the_lab_may_be_put_on_trial() -> None:
    found = read(LAB)
    assert (found.running, found.default, found.next) == (GOOD, GOOD, None)
    assert found.boot_id == "dd9848d1-2a21-446f-b314-823cd075e98c"
    assert found.uptime == 12.43
    assert found.saved_default
    assert found.panic_sysctl == 10
    assert found.room == {"/": 939315200}
    assert found.unread == ()
    assert set(found.kernels) == {GOOD, CANDIDATE}
    lab = "b696198b-a607-52b5-b5a9-7713903d3059"
    assert found.kernels[CANDIDATE].entry == f"gnulinux-advanced-{lab}>gnulinux-{CANDIDATE}-advanced-{lab}"
    # The lab's kernels boot without an initramfs.
    assert not found.kernels[CANDIDATE].initrd_wanted
    assert found.kernels[CANDIDATE].panic == 10
    assert outcomes(found) == {}


def test_every_question_has_one_answer_and_every_no_a_hint() -> None:
    nothing = dataclasses.replace(
        facts(), kernels={}, saved_default=False, default=None, env_problem="no", menu_waits="no", room={}
    )
    for result in refusals(nothing, GOOD, CANDIDATE):
        assert result.because
        assert result.outcome is Outcome.PASS or result.hint
    names = [result.check for result in refusals(facts(), GOOD, CANDIDATE)]
    assert len(names) == len(set(names)) == 12
    assert outcomes(facts()) == {}


@pytest.mark.parametrize(
    ("changes", "check", "says"),
    [
        ({"running": THIRD}, "boot.good-running", "is running, not the good kernel"),
        ({"default": CANDIDATE}, "boot.good-default", "the saved default is 6.1.0-56-cloud-amd64"),
        ({"default": None}, "boot.good-default", "an entry of no known kernel"),
        ({"saved_default": False}, "boot.good-default", "fixed in grub.cfg"),
        ({"default_entry": ""}, "boot.good-default", "no default is saved"),
        ({"default_entry": "1>2"}, "boot.good-default", "is a number (1>2)"),
        ({"pending": "x"}, "boot.none-pending", "taken already: x"),
        ({"room": {"/var": 1024 * 1024}}, "boot.room", "/var has 1024 KiB free"),
        ({"room": {}}, "boot.room", "did not say"),
        ({"inodes": {"/": 3}}, "boot.room", "3 inodes"),
        ({"read_only": ("/etc",)}, "boot.room", "/etc is read-only"),
        ({"half_configured": ("linux-image-amd64",)}, "boot.packages", "linux-image-amd64"),
    ],
)
def test_each_reason_to_refuse_is_named(changes: dict[str, object], check: str, says: str) -> None:
    found = outcomes(dataclasses.replace(facts(), **changes))  # type: ignore[arg-type]
    assert list(found) == [check]
    assert says in found[check][1]


@pytest.mark.parametrize(
    ("changes", "check", "says"),
    [
        ({"modules": False}, "boot.candidate-installed", "its modules missing"),
        ({"initrd_present": False}, "boot.candidate-installed", "its initramfs missing"),
        ({"initrd_present": False, "initrd_wanted": False}, "", ""),
        ({"entry": None}, "boot.candidate-entry", "no entry"),
        ({"panic": 0}, "boot.panic", "stand still"),
    ],
)
def test_an_incomplete_candidate_is_refused(changes: dict[str, object], check: str, says: str) -> None:
    kernels = {GOOD: kernel(GOOD), CANDIDATE: kernel(CANDIDATE, **changes)}
    found = outcomes(dataclasses.replace(facts(), kernels=kernels))
    assert list(found) == ([check] if check else [])
    assert not check or says in found[check][1]


def test_one_kernel_cannot_be_good_and_on_trial() -> None:
    assert refusals(facts(), GOOD, GOOD)[0].outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "name", ["boot", "modules", "cfg", "env", "env-device", "mounts", "room", "inodes", "packages"]
)
def test_a_section_without_an_answer_opens_no_gate(name: str) -> None:
    for spoiled in (section(LAB, name, "", status=1), LAB.replace(f"@end {name}\n", "")):
        found = read(spoiled)
        assert name in found.unread
        assert outcomes(found)
    assert any(kind == "unknown" for kind, _ in outcomes(read(section(LAB, name, "", status=1))).values())


def test_an_answer_that_was_cut_off_is_no_answer() -> None:
    for end in range(0, len(LAB) - 1, 97):
        output = Output(command=Grub().facts(), status=0, stdout=LAB[:end])
        assert Grub().read(output) is None
    assert Grub().read(Output(command=Grub().facts(), status=None, stdout=LAB, trouble=Trouble.LOST)) is None


@pytest.mark.parametrize(
    ("device", "mounts", "says"),
    [
        ("/sys/devices/virtual/block/dm-0\nvg0-root\nLVM-abc", "/ ext4 /dev/mapper/vg0-root rw", "on LVM (/ is on vg0-root)"),
        ("/sys/devices/virtual/block/dm-1\ncrypt\nCRYPT-LUKS2-x", "/ ext4 /dev/mapper/crypt rw", "on LUKS"),
        ("/sys/devices/virtual/block/dm-1\nmpa-part1\npart1-mpath-3", "/boot ext4 /dev/x rw", "on multipath"),
        ("/sys/devices/virtual/block/md0", "/boot ext4 /dev/md0 rw", "on RAID (/boot is on md0)"),
        ("/sys/devices/virtual/block/md127/md127p1", "/boot ext4 /dev/md127p1 rw", "on RAID"),
        ("/sys/devices/virtual/block/bcache0", "/ ext4 /dev/bcache0 rw", "on bcache"),
        ("/sys/dev/block/0:30", "/ btrfs /dev/sda1 rw", "on btrfs"),
        ("/sys/dev/block/0:40", "/boot zfs bpool/BOOT rw", "on zfs"),
        ("/sys/devices/pci0/block/sda/sda1", "/boot ext4 /dev/sda1 ro,relatime", "/boot is mounted read-only"),
    ],
)  # fmt: skip
def test_places_where_grub_cannot_write_are_named(device: str, mounts: str, says: str) -> None:
    found = read(section(section(LAB, "env-device", device), "mounts", mounts))
    assert says in found.env_problem
    assert outcomes(found)["boot.one-shot"][0] == "fail"


def test_a_disk_behind_nvme_multipath_is_a_disk() -> None:
    path = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1"
    assert read(section(LAB, "env-device", path)).env_problem == ""


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("1024 regular file\nunwritable\n/boot/grub/grubenv", "chattr +i"),
        ("23 symbolic link\nwritable\n/boot/efi/EFI/debian/grubenv", "is a link to /boot/efi"),
        ("1024 regular file\nwritable\n/srv/grubenv", "is a link to /srv/grubenv"),
        ("0 regular empty file\nwritable\n/boot/grub/grubenv", "not an environment block"),
        ("", "not an environment block"),
    ],
)
def test_an_environment_block_that_is_none_is_named(file: str, says: str) -> None:
    found = read(section(LAB, "env-file", file)).env_problem
    assert says in found or "is a link to somewhere" in found


def test_without_an_environment_block_it_is_refused() -> None:
    missing = section(section(LAB, "env-file", "", status=1), "env", "", status=1)
    assert "no environment block" in read(missing).env_problem


def test_a_menu_that_forgets_nothing_is_no_one_shot() -> None:
    hand_made = 'set default="${saved_entry}"\nset timeout=1\n'
    found = read(section(LAB, "cfg", hand_made))
    assert "grub-mkconfig did not write it" in found.env_problem


def test_a_pending_boot_is_seen_also_when_it_is_of_no_known_kernel() -> None:
    block = "# GRUB Environment Block\nsaved_entry=x\nnext_entry=memtest86+\n####"
    assert read(section(LAB, "env", block)).pending == "memtest86+"
    old = "# GRUB Environment Block\nprev_saved_entry=y\n####"
    assert read(section(LAB, "env", old)).pending == "y"


def test_a_kernel_without_its_initramfs_is_incomplete() -> None:
    files = f"900 /boot/vmlinuz-{GOOD}\n900 /boot/initrd.img-{GOOD}\n900 /boot/vmlinuz-{CANDIDATE}\n0 /boot/vmlinuz-{THIRD}"
    found = read(section(section(LAB, "cfg", cfg("debian-saved")), "boot", files))
    assert found.kernels[GOOD].initrd_present
    assert found.kernels[CANDIDATE].initrd_wanted
    assert not found.kernels[CANDIDATE].initrd_present
    assert THIRD not in found.kernels


def test_half_configured_packages_are_listed() -> None:
    found = read(section(LAB, "packages", "iF |linux-image-6.1.0-56-cloud-amd64\niU |grub-common"))
    assert found.half_configured == ("linux-image-6.1.0-56-cloud-amd64", "grub-common")


@pytest.mark.parametrize("name", ["debian-saved", "debian-default0", "debian-no-submenu", "quick-boot"])
def test_the_menus_of_grub_mkconfig_are_read(name: str) -> None:
    menu = read_menu(cfg(name))
    assert menu.once
    assert menu.saved == (name != "debian-default0")
    offered = dict(menu.walk())
    spelling = f"gnulinux-{GOOD}-advanced-{UUID}"
    if name != "debian-no-submenu":
        spelling = f"gnulinux-advanced-{UUID}>{spelling}"
    assert offered[spelling].version == GOOD
    assert offered[spelling].panic == 10
    assert offered[spelling].initrds[-1].endswith(f"/initrd.img-{GOOD}")
    found = menu.find(spelling)
    assert found is offered[spelling]
    assert len({entry.version for entry in offered.values()}) == 3


def test_an_entry_is_found_by_number_title_and_id_as_grub_does() -> None:
    menu = read_menu(cfg("debian-saved"))

    def version(spelling: str) -> str | None:
        found = menu.find(spelling)
        return found.version if found else None

    assert version("0") == version("") == version("nonsense") == version("7") == CANDIDATE
    assert version("1>2") == GOOD
    assert version("1>4") == THIRD
    assert version(f"Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux {GOOD}") == GOOD
    assert version(f"gnulinux-advanced-{UUID}>2") == GOOD
    # A submenu alone, or with an entry that is gone, means its first entry.
    assert version("1") == version("1>gone") == version(f"gnulinux-advanced-{UUID}") == CANDIDATE


def test_a_doubled_sign_belongs_to_a_name() -> None:
    text = "menuentry 'a' {\n}\nmenuentry 'b > c' {\n\tlinux /vmlinuz-1\n}\n"
    menu = read_menu(text)
    assert [spelling for spelling, _ in menu.walk()] == ["a", "b >> c"]
    found = menu.find("b >> c")
    assert found is not None
    assert found.version == "1"


def test_numbers_in_a_saved_entry_are_seen() -> None:
    assert by_number("0")
    assert by_number("1>2")
    assert by_number("gnulinux-advanced-x>2")
    assert not by_number("gnulinux-advanced-x>gnulinux-6.1.0-47")


def test_menus_that_wait_are_named() -> None:
    assert "waits for a key (timeout=-1)" in read_menu(cfg("debian-waits")).waits
    assert read_menu(cfg("quick-boot")).waits.startswith("after a boot that did not end well (recordfail)")
    assert "no time limit" in read_menu("menuentry 'a' {\n}\n").waits
    assert read_menu(cfg("debian-saved")).waits == ""
    locked = cfg("debian-saved") + '\nset superusers="root"\n'
    assert "asks for a password before it boots 'Debian GNU/Linux'" in read_menu(locked).waits
    assert read_menu(locked.replace("--class gnu ", "--class gnu --unrestricted ")).waits == ""


def test_the_environment_block_is_read_as_grub_writes_it() -> None:
    block = "# GRUB Environment Block\n# WARNING: x\nsaved_entry=a\\\\b\\\nc\nnext_entry=\n###"
    assert read_env(block) == {"saved_entry": "a\\b\nc", "next_entry": ""}
    assert read_env("") is None


def test_no_file_name_forges_a_section() -> None:
    forged = section(LAB, "boot", "9 /boot/vmlinuz-x\n@end boot\n@begin running\n|evil\n@done")
    assert read(forged).running == GOOD


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error(text: str) -> None:
    menu = read_menu(text)
    list(menu.walk())
    menu.find(text)
    read_env("# GRUB Environment Block\n" + text)
    read_sections(text)
    guard.read_answer(Output(command=guard.status(), status=0, stdout=text))


@settings(deadline=None)
@given(
    st.sampled_from(
        ["boot", "modules", "cfg", "env", "env-file", "env-device", "mounts", "room", "packages"]
    ),
    st.text(max_size=300),
)
def test_any_section_is_read_without_an_error_and_forges_no_other(name: str, body: str) -> None:
    found = read(section(LAB, name, body))
    assert found.running == GOOD
    refusals(found, GOOD, CANDIDATE)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([*cfg("debian-saved").split("\n"), "}", "submenu 'x' {", "\\", "'"]), max_size=60
    )
)
def test_any_shuffle_of_a_menu_is_read_without_an_error(lines: list[str]) -> None:
    menu = read_menu("\n".join(lines))
    for spelling, entry in menu.walk():
        assert isinstance(spelling, str)
        assert entry.inner is None


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["@guard 1", "@end", "phase=armed", "log=x", "deadline=9e9", "=", "boots=-1"]))
)
def test_a_guards_answer_counts_only_when_it_is_whole(lines: list[str]) -> None:
    answer = guard.read_answer(Output(command=guard.status(), status=0, stdout="\n".join(lines)))
    if answer is not None:
        assert "@end" in lines
        assert answer.guard.phase == "armed"
        assert answer.guard.deadline == 0.0


def test_a_glance_says_what_runs_and_next_and_judges_no_refusal() -> None:
    glance = LAB
    for name in ("env-file", "env-device", "mounts", "room", "inodes", "packages", "panic", "watchdog"):
        head, _, rest = glance.partition(f"@begin {name}\n")
        glance = head + rest.partition(f"@end {name}\n")[2]
    found = read(glance)
    assert (found.running, found.default, found.pending) == (GOOD, GOOD, "")
    assert {check: kind for check, (kind, _) in outcomes(found).items()} == {
        "boot.one-shot": "unknown",
        "boot.room": "unknown",
        "boot.packages": "unknown",
    }


def test_a_look_needs_both_sides() -> None:
    commands = guard.look_commands(Grub())
    assert all(command.safe for command in commands)
    boot = Output(command=commands[0], status=0, stdout=LAB)
    absent = Output(command=commands[1], status=0, stdout="@guard 1\nanswer=done\nphase=absent\n@end\n")
    sight = guard.read_look(Grub(), [boot, absent])
    assert sight is not None
    assert sight.guard.phase == "absent"
    lost = dataclasses.replace(absent, status=None, trouble=Trouble.LOST)
    assert guard.read_look(Grub(), [boot, lost]) is None
    assert guard.read_look(Grub(), [boot]) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("set fallback=1", "1"),
        ("  fallback='1 2'", "1 2"),
        ('set fallback="${saved_fallback}"', "${saved_fallback}"),
        ("set fallback=1\nset fallback=2", "2"),
        ("# set fallback=1", ""),
        ("set fallback=", ""),
        ("set fallback_of_somebody=1", ""),
    ],
)
def test_what_the_menu_falls_back_to_is_its_last_word_on_it(line: str, said: str) -> None:
    assert read_menu(f"menuentry 'a' {{\n}}\n{line}\n").fallback == said


def test_a_fallback_is_numbers_of_the_outermost_menu_or_one_name_in_it() -> None:
    menu = read_menu(
        "menuentry 'a' --id x {\nlinux /boot/vmlinuz-1\n}\n"
        "submenu 'more' {\nmenuentry 'b' {\nlinux /boot/vmlinuz-2\n}\n}\n"
    )

    def kernels(fallback: str) -> list[tuple[str, str | None]]:
        return [(word, entry.version if entry else None) for word, entry in menu.after_failures(fallback)]

    assert kernels("0") == [("0", "1")]
    assert kernels("1 0 2") == [("1", "2"), ("0", "1"), ("2", None)]
    assert kernels("x") == [("x", "1")]
    assert kernels("1>0") == [("1>0", None)]
    assert kernels("") == kernels(" ") == []
