"""What a host says of its machine: the real script here, a captured answer, and text from anybody."""

from __future__ import annotations

import os
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.boot.describe import describe, read_description
from seatrial.model.command import Output, Trouble

# Of a lab's host, Debian 12, cut to a few modules.
CAPTURED = {
    "running": "6.1.0-47-cloud-amd64",
    "machine": "x86_64",
    "built": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)",
    "dmi": "sys_vendor QEMU\nproduct_name Standard PC (Q35 + ICH9, 2009)\nbios_version 1.16.2-debian-1.16.2-1",
    "cpu": "      1 QEMU TCG CPU version 2.5+",
    "nics": "lan0 virtio_net\nwan0 virtio_net",
    "modules": "nf_conntrack\nvrf\nnft_chain_nat",
    "filesystems": "cgroup2\next4\nproc\ntmpfs",
    "kernels": "linux-image-6.1.0-47-cloud-amd64 6.1.170-3 installed\nlinux-image-6.1.0-56-cloud-amd64 6.1.192-2 installed\n"
    "linux-image-6.1.0-40-cloud-amd64 6.1.153-1 config-files",
}


def said(text: str, status: int | None = 0) -> Output:
    trouble = None if status is not None else Trouble.UNREACHABLE
    return Output(command=describe(), status=status, stdout=text, trouble=trouble)


def framed(sections: dict[str, str]) -> str:
    parts = []
    for name, text in sections.items():
        lines = "".join(f"|{line}\n" for line in [*text.split("\n"), "@0"])
        parts.append(f"@begin {name}\n{lines}@end {name}\n")
    return "".join(parts) + "@done\n"


def test_a_captured_answer_is_read() -> None:
    assert read_description(said(framed(CAPTURED))) == {
        "running": "6.1.0-47-cloud-amd64",
        "machine": "x86_64",
        "product": "QEMU Standard PC (Q35 + ICH9, 2009)",
        "bios": "1.16.2-debian-1.16.2-1",
        "cpu": "1 x QEMU TCG CPU version 2.5+",
        "nics": {"lan0": "virtio_net", "wan0": "virtio_net"},
        "modules": ["nf_conntrack", "vrf", "nft_chain_nat"],
        "filesystems": ["ext4"],
        "packages": {"6.1.0-47-cloud-amd64": "6.1.170-3", "6.1.0-56-cloud-amd64": "6.1.192-2"},
    }


def test_this_machine_answers_the_script() -> None:
    ended = subprocess.run(["sh", "-s"], input=describe().stdin, capture_output=True, check=True)
    found = read_description(said(ended.stdout.decode()))
    assert found is not None
    assert found["running"] == os.uname().release
    assert found["cpu"]


def test_a_host_that_does_not_answer_or_is_cut_off_says_nothing() -> None:
    whole = framed(CAPTURED)
    assert read_description(said("", None)) is None
    assert read_description(said(whole.replace("@done\n", ""))) is None
    assert read_description(said(framed({**CAPTURED, "running": "\x1b[2J"}))) is None


def test_what_a_host_says_is_bounded() -> None:
    flood = {name: "\n".join(f"{text} {n}" * 50 for n in range(3000)) for name, text in CAPTURED.items()}
    found = read_description(said(framed({**flood, "running": "6.1", "modules": "m\n" * 100_000})))
    assert found is not None
    assert len(found["modules"]) <= 500
    assert len(str(found)) < 100_000


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(set(CAPTURED) - {"running"})), st.text(max_size=200)))
def test_no_text_of_a_host_breaks_the_reading(some: dict[str, str]) -> None:
    found = read_description(said(framed({**CAPTURED, **some})))
    assert found is None or found["running"] == CAPTURED["running"]
