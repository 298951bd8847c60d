"""The parts of the lab that need no virtual machine."""

from __future__ import annotations

import io
import ipaddress
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from seatrial.errors import InputError, LabError
from seatrial.lab import accel, console, debs, image, nfspair, pacemaker, plan, realbug, scenario, seed
from seatrial.lab.gateway import STAGES, gateway_topology
from seatrial.lab.image import Kernels
from seatrial.lab.machine import qemu_argv
from seatrial.lab.places import lab_home
from seatrial.lab.scenario import Scenario
from seatrial.lab.topology import Endpoint, LabHost

KERNELS = Kernels(good="6.1.0-47-cloud-amd64", candidate="6.1.0-56-cloud-amd64")
DOCUMENTATION = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


@pytest.mark.parametrize(
    ("tcg", "kvm", "is_kvm"),
    [(0.1, 0.1, True), (0.1, 0.9, True), (0.1, 3.5, False), (2.0, 3.5, True), (0.1, None, False)],
)
def test_kvm_is_used_only_where_it_is_not_far_slower_than_software(
    tcg: float, kvm: float | None, is_kvm: bool
) -> None:
    found = accel.judge(tcg=tcg, kvm=kvm)
    assert found.is_kvm is is_kvm
    assert found.because
    assert is_kvm or "software emulation" in found.because


CONSOLE = """\
10.000 2026-11-22T16:00:00.000+00:00 == power on
13.000 2026-11-22T16:00:03.000+00:00 Loading Linux 6.1.0-47-cloud-amd64 ...
15.500 2026-11-22T16:00:05.500+00:00 [    0.000000] Linux version 6.1.0-47-cloud-amd64 (debian)
17.500 2026-11-22T16:00:07.500+00:00 [    2.121339] Run /sbin/init as init process
20.000 2026-11-22T16:00:10.000+00:00 seatrial-lab: ready 6.1.0-47-cloud-amd64 after 5.35 s
21.000 2026-11-22T16:00:11.000+00:00 == login
30.000 2026-11-22T16:00:20.000+00:00 == reset
34.000 2026-11-22T16:00:24.000+00:00 [    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian)
34.500 2026-11-22T16:00:24.500+00:00 Kernel panic - not syncing
not a line
40.0"""


def test_a_boot_is_split_into_the_parts_that_the_console_shows() -> None:
    first, second = console.boots(console.parse(CONSOLE))
    assert (first.firmware_and_grub, first.kernel, first.userspace, first.ssh) == (5.5, 2.0, 2.5, 1.0)
    assert first.total == 11.0
    assert first.release == "6.1.0-47-cloud-amd64"
    assert "11.0 s" in str(first)
    assert (second.release, second.firmware_and_grub, second.kernel, second.total) == (
        "6.1.0-56-cloud-amd64", 4.0, None, None,
    )  # fmt: skip


def test_no_console_shows_no_boot() -> None:
    assert console.boots([]) == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[H\x1b[J\x1b[1;1H  Booting `Debian'\r", "Booting `Debian'"),
        (b"\x1b]0;title\x07plain", "0;titleplain"),
        (b"a\x00b\xc2\x9bc", "abc"),
        (b"[\x1b[0;32m  OK  \x1b[0m] Started", "[  OK  ] Started"),
        (b"x" * 5000, "x" * console.LONGEST_LINE),
    ],
)
def test_what_a_guest_writes_cannot_move_a_cursor(raw: bytes, text: str) -> None:
    assert console.clean(raw) == text


PLACES: list[LabHost | Endpoint] = [*gateway_topology().hosts, *gateway_topology().endpoints]


def test_every_address_of_the_lab_is_a_documentation_address() -> None:
    addresses = [address for place in PLACES for nic in place.nics for address in nic.addresses]
    assert addresses
    for address in addresses:
        assert any(ipaddress.ip_interface(address).ip in net for net in DOCUMENTATION), address


def test_no_two_places_share_an_address() -> None:
    addresses = [
        ipaddress.ip_interface(address).ip
        for place in PLACES
        for nic in place.nics
        for address in nic.addresses
    ]
    assert len(addresses) == len(set(addresses))


def test_every_card_is_plugged_into_a_segment_of_its_own_stage() -> None:
    topology = gateway_topology()
    shorts = {stage.stage: stage.short for stage in STAGES}
    for place in PLACES:
        for nic in place.nics:
            assert nic.segment in topology.segments
            assert nic.segment.startswith(shorts[place.stage])


def test_a_seed_has_the_keys_and_modes_that_sshd_insists_on(tmp_path: Path) -> None:
    key = tmp_path / "host_key"
    key.write_text("private\n")
    key.with_suffix(".pub").write_text("public\n")
    host = gateway_topology().host("gw-p2")
    packed = seed.pack(host, authorized_key="ssh-ed25519 AAAA\n", host_key=key)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        entries = {entry.name: entry for entry in tar.getmembers()}
    assert entries["etc/ssh/ssh_host_ed25519_key"].mode == 0o600
    assert entries["root/.ssh"].mode == 0o700
    assert entries["root/.ssh/authorized_keys"].mode == 0o600
    assert {entry.uid for entry in entries.values()} == {0}
    assert "etc/keepalived/keepalived.conf" in entries
    assert len(packed) % 512 == 0


@pytest.mark.parametrize("name", ["", "-x", "A", "a/b", "..", "a" * 33, "a b"])
def test_a_lab_name_that_could_leave_its_directory_is_refused(name: str) -> None:
    with pytest.raises(InputError) as refused:
        lab_home(name)
    assert refused.value.hint


def test_a_path_too_long_for_a_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/tmp/" + "x" * 90)
    with pytest.raises(InputError, match="too long"):
        lab_home("t")


def test_the_image_is_known_by_its_whole_recipe() -> None:
    assert image.recipe_hash() == image.recipe_hash()
    assert {"kernels.sh", "configure.sh", "disk.sh", "mask"} <= {path.name for path in image.GUEST.iterdir()}


@pytest.mark.parametrize("fault", list(Scenario))
def test_a_fault_touches_the_candidate_and_never_the_good_kernel(fault: Scenario) -> None:
    steps = [*scenario.undo(KERNELS), *scenario.put(fault, KERNELS, b"module")]
    assert fault.says
    for step in steps:
        assert KERNELS.good not in step.script
        assert KERNELS.good.encode() not in step.stdin


def test_the_reverted_call_is_put_back_in_one_place_only() -> None:
    source = "a\n\tif (nf_hook(pf, hook, net, NULL, skb, dev, NULL, vrf_rcv_finish) != 1)\nb\n"
    patched = realbug.patch(source)
    assert patched.count("nf_reset_ct(skb);") == 1
    assert patched.index("nf_reset_ct") < patched.index("nf_hook")
    with pytest.raises(LabError, match="has changed"):
        realbug.patch("something else")


def test_a_plan_and_a_status_come_back_as_they_were_written(tmp_path: Path) -> None:
    told = plan.LabPlan(
        name="t",
        topology=gateway_topology(),
        accelerator=accel.judge(tcg=0.1, kvm=None),
        kernels=KERNELS,
        root_uuid="u",
        owner_pid=1,
    )
    plan.write_plan(tmp_path, told)
    assert plan.read_plan(tmp_path) == told
    status = plan.LabStatus(pid=1, phase="running", hosts={"a": plan.HostStatus(pid=2, port=3)})
    assert plan.read_status(tmp_path) is None
    plan.write_status(tmp_path, status)
    assert plan.read_status(tmp_path) == status
    assert not plan.is_alive(tmp_path)


def test_the_management_network_lets_nothing_out(tmp_path: Path) -> None:
    told = plan.LabPlan(
        name="t",
        topology=gateway_topology(),
        accelerator=accel.judge(tcg=0.1, kvm=None),
        kernels=KERNELS,
        root_uuid="u",
    )
    argv = qemu_argv(told, told.topology.hosts[0], tmp_path, [7, 8], 0)
    user = [word for word in argv if word.startswith("user,")]
    assert len(user) == 1
    assert "restrict=on" in user[0]
    assert "hostfwd=tcp:127.0.0.1:0-:22" in user[0]


def test_what_apt_would_install_is_read_as_the_files_that_it_fetches() -> None:
    said = """\
Reading package lists...
Inst libnss3 (2:3.87.1-1+deb12u4 Debian-Security:12/stable-security [amd64])
Inst psmisc [22.1] (23.6-1 Debian:12.12/stable [amd64]) []
Inst libc6:i386 (2.36-9 Debian:12.12/stable [i386])
Conf libnss3 (2:3.87.1-1+deb12u4 Debian-Security:12/stable-security [amd64])
"""
    assert debs.planned(said) == [
        "libnss3_2%3a3.87.1-1+deb12u4_amd64.deb",
        "psmisc_23.6-1_amd64.deb",
        "libc6_2.36-9_i386.deb",
    ]


def test_the_cluster_beside_ours_serves_what_ours_does_and_is_read_by_the_driver() -> None:
    text = Path(pacemaker.__file__).with_suffix(".xml").read_text()
    values = {one.get("name"): one.get("value") for one in ElementTree.fromstring(text).iter("nvpair")}
    ours = nfspair.mover()
    assert (values["drbd_resource"], values["ip"]) == (ours["resource"], nfspair.SERVICE)
    assert values["directory"] == nfspair.VOLUME
    assert ours["nfs"]["scope"] == values["nfs_server_scope"]  # type: ignore[index]
    assert ours["nfs"]["state"] == values["nfs_shared_infodir"]  # type: ignore[index]
    assert f'<group id="{pacemaker.GROUP}">' in text
