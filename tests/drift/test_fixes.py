"""Fixes that a person pastes at night: what they do, word by word."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from seatrial.drift.audit import across
from seatrial.drift.find.made import commented_out
from seatrial.drift.read.boot import FstabLine
from tests.drift.said import CANDIDATE, GOOD, captured, facts, found, of, section
from tests.drift.test_findings import unit


@pytest.mark.parametrize(
    ("source", "path", "line"),
    [
        ("UUID=dead-beef", "/data", "UUID=dead-beef /data ext4 defaults 0 2"),
        ("//srv/a.b", "/mnt/my files", "  //srv/a.b\t/mnt/my\\040files cifs nofail 0 0"),
        ("LABEL=a,b*", "/it's", "LABEL=a,b* /it's ext4 defaults 0 0"),
    ],
)
def test_a_line_of_fstab_becomes_a_comment_and_no_other_line_does(
    tmp_path: Path, source: str, path: str, line: str
) -> None:
    others = ["# /data", "UUID=dead-beef /database ext4 defaults 0 2", "LABEL=aXbb /it's ext4 defaults 0 0"]
    fstab = tmp_path / "fstab"
    fstab.write_text("\n".join([*others, line, ""]))
    fix = commented_out(FstabLine(source=source, path=path, kind="ext4", options=()))
    sed = fix.partition(" && ")[0].replace("/etc/fstab", str(fstab))
    subprocess.run(["sh", "-c", sed], check=True)
    assert fstab.read_text() == "\n".join([*others, f"#{line}", ""])
    assert (tmp_path / "fstab.before").read_text().endswith(f"{line}\n")


def test_a_member_that_an_array_gave_up_is_named() -> None:
    said = "md0 : active raid1 loop7[1](F) loop6[0]\n      7168 blocks super 1.2 [2/1] [U_]"
    fix = found(of(raid=said))["hardware.array"].fix
    assert (
        fix
        == "mdadm /dev/md0 --remove /dev/loop7 && mdadm /dev/md0 --add /dev/loop7 && { mdadm --wait /dev/md0 || :; }"
    )


def test_a_file_of_rules_that_does_not_empty_its_tables_is_not_loaded_twice() -> None:
    said = captured("guest.facts").partition("@begin nft-file\n|")[2].partition("\n|@0\n")[0]
    plain = said.replace("\n|", "\n").replace("L flush ruleset\n", "")
    fix = found(of(nft_file=plain + "\nL add rule inet gateway forward drop"))["running.nft"].fix
    assert fix == "(printf 'delete table inet gateway\\n'; cat /etc/nftables.conf) | nft -f -"


def test_who_loads_a_file_that_empties_all_is_told_what_goes_with_it() -> None:
    docker = "+table ip nat {\n\tchain DOCKER {\n\t}\n}"
    told = found(of(nft_now=docker, nft_file="+L add rule inet gateway forward drop"))["running.nft"]
    assert "takes table ip nat away as well" in told.because
    assert told.fix == "nft -f /etc/nftables.conf"


def test_the_line_that_sshd_complains_of_is_named_in_the_fix() -> None:
    told = found(of(sshd_test="/etc/ssh/sshd_config.d/zz.conf: line 7: Bad configuration option: x"))
    assert (
        told["restart.sshd"].fix
        == "sed -i.before '7s/^/#/' /etc/ssh/sshd_config.d/zz.conf && sshd -t && systemctl reload ssh.service"
    )


def test_the_last_word_of_apts_files_says_whether_it_reboots_by_itself() -> None:
    env = "# GRUB Environment Block\nsaved_entry=x\n".ljust(1024, "#")
    on, off = (f'Unattended-Upgrade::Automatic-Reboot "{word}";' for word in ("true", "false"))
    assert "boot.automatic" in found(of(grub_env=env, automatic=f"{off}\n{on}"))
    assert "boot.automatic" not in found(of(grub_env=env, automatic=f"{on}\n{off}"))


def test_units_that_restart_keep_the_order_of_units_that_do_not() -> None:
    units = (
        unit("a.service", MainPID="901", After="middle.service")
        + "\n"
        + unit("middle.service", MainPID="0", After="z.service")
        + "\n"
        + unit("z.service", MainPID="902")
    )
    told = of(
        units="+" + units,
        processes="+901 1 1000 a\n902 1 1000 z",
        groups="+901 /system.slice/a.service\n902 /system.slice/z.service",
        deleted="901 /usr/lib/x.so\n902 /usr/lib/x.so",
    )
    assert told.restarts == ("z.service", "a.service")


def test_what_makes_a_host_like_its_peers_is_a_command() -> None:
    said = section(captured("guest.facts"), "packages", "nginx 1.22 ii\nextra 1 ii", more=True)
    peer = section(captured("guest.facts"), "packages", "nginx 1.21 ii", more=True)
    peer = section(peer, "exports-file", "F /etc/exports\nL /srv *(ro)")
    said = said.replace("|vm/dirty_ratio:20", "|vm/dirty_ratio:33")
    every = {"gw-p1": facts(drift=peer), "gw-s1": facts(drift=said)}
    told = across({"gw-s1": of()}, every, {"pair": ("gw-p1", "gw-s1")})["gw-s1"]
    fixes = {one.name: one.fix for one in told.findings if one.name.startswith("peers.")}
    assert fixes["peers.packages"] == "apt-get install --allow-downgrades extra- nginx=1.21"
    assert fixes["peers.exports"] == "printf '%s\\n' '/srv *(ro)' >>/etc/exports && exportfs -ra"
    assert (
        fixes["peers.sysctl"]
        == "printf '%s\\n' 'vm.dirty_ratio = 20' >>/etc/sysctl.d/zz-as-its-peers.conf && sysctl -p /etc/sysctl.d/zz-as-its-peers.conf"
    )


def test_peers_on_two_kernels_are_told_which_way_is_whose() -> None:
    other = captured("guest.facts").replace(f"|kernel {GOOD}", f"|kernel {CANDIDATE}")
    every = {"gw-p1": facts(drift=other), "gw-s1": facts()}
    told = across({"gw-s1": of()}, every, {"pair": ("gw-p1", "gw-s1")})["gw-s1"]
    (one,) = [each for each in told.findings if each.name == "peers.kernel"]
    assert one.fix == f"seatrial rollout start {CANDIDATE}"
