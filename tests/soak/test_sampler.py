"""The sampler's sources, on what an NFS server and its client said in the lab, and on this machine's own connections."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from seatrial.onhost import sampler
from seatrial.soak.readings import Reading, rates, read, samples

GOLDEN = Path(__file__).parent / "golden"
# About six seconds lay between the two times that the hosts were asked.
APART = 6.0


def sources(folder: Path) -> sampler.Sources:
    return sampler.Sources({"root": str(folder)})


def numbers(folder: Path) -> dict[str, float]:
    """What every source says that reads files; the connections are those of the kernel that runs here."""
    s, v = sources(folder), dict[str, float]()
    for source in sampler.SOURCES:
        if source not in (sampler.clients, sampler.messages):
            try:
                source(s, v)
            except OSError:
                continue
    return v


def reading(*values: dict[str, float], every: float = APART) -> Reading:
    head = {"boot_id": "b", "kernel": "k", "cpus": 1, "t": 0.0}
    rows = [{"t": 100 + number * every, "v": one} for number, one in enumerate(values)]
    found = read("\n".join(json.dumps(one) for one in [head, *rows, {"end": 1.0, "cpu": 0.0, "new": []}]))
    assert not isinstance(found, str), found
    return found


@pytest.fixture(scope="module")
def server() -> Reading:
    return reading(*(numbers(GOLDEN / "nfs-server" / one) for one in ("1", "2")))


@pytest.fixture(scope="module")
def client() -> Reading:
    return reading(*(numbers(GOLDEN / "nfs-client" / one) for one in ("1", "2")))


def test_an_nfs_server_s_work_and_its_clients_are_read(server: Reading) -> None:
    work = {
        name: rates(server, name, every=APART)[0][1] for name in ("nfsd.calls", "nfsd.write", "nfsd.rename")
    }
    assert all(3 < rate < 60 for rate in work.values()), work
    assert rates(server, "nfsd.write.bytes", every=APART)[0][1] == pytest.approx(4096 * work["nfsd.write"])
    assert server.values[0]["nfsd.clients"] == 1
    found = samples(server, ["nfsd.client.*"], every=APART)
    assert found["nfsd.client.192.0.2.21.silent"] == ((100.0, 0.0), (106.0, 0.0))
    assert found["nfsd.client.192.0.2.21.states"][0] == (100.0, 0.0)


def test_a_server_s_disks_and_pressure_are_read_and_its_loops_are_not(server: Reading) -> None:
    found = samples(server, ["disk.*", "pressure.*"], every=APART)
    assert {"disk.nvme0n1.latency", "disk.dm-0.latency", "disk.dm-0.queue", "pressure.io.full"} <= set(found)
    assert not any("loop" in name or "p1" in name for name in found)
    ((_, latency, work),) = found["disk.dm-0.latency"]
    assert 0 < latency < 50 and work > 1


def test_a_client_s_operations_are_read_with_how_long_they_took(client: Reading) -> None:
    found = samples(client, ["mount.*"], every=APART)
    for operation in ("open", "write", "close", "rename", "remove"):
        ((_, latency, work),) = found[f"mount./mnt/volume.{operation}.latency"]
        assert 0.5 < latency < 100 and 1 < work < 20, operation
    ((_, again, sent),) = found["mount./mnt/volume.write.again"]
    assert again == 0 and sent > 10


def test_states_are_counted_and_a_client_that_is_gone_meanwhile_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(GOLDEN / "nfs-server" / "1", root)
    clients = root / "proc/fs/nfsd/clients"
    held = (
        '- 0x00000001a7b1d26203000000a34d4fb5: { type: open, access: rw, deny: --, superblock: "fe:00:12" }\n'
    )
    (clients / "3" / "states").write_text(2 * held)
    (clients / "4").mkdir()
    second = (clients / "3" / "info").read_text().replace("192.0.2.21:700", "[2001:db8::7]:700")
    (clients / "4" / "info").write_text(second.replace("last renew: 0", "last renew: 7"))
    (clients / "4" / "states").write_text(held)
    (clients / "5").mkdir()
    v = dict[str, float]()
    sampler.nfs_clients(sources(root), v)
    assert v == {
        "nfsd.clients": 3.0,
        "nfsd.client.192.0.2.21.silent": 0.0,
        "nfsd.client.192.0.2.21.states": 2.0,
        "nfsd.client.2001-db8--7.silent": 7.0,
        "nfsd.client.2001-db8--7.states": 1.0,
    }


def test_a_socket_s_own_counters_are_read_from_what_a_kernel_6_1_answers() -> None:
    seen: dict[bytes, tuple[str, tuple[int, int, int]]] = {}
    for number in ("1", "2"):
        answer = bytes.fromhex((GOLDEN / "nfs-server" / number / "sock_diag").read_text())
        told = list(sampler.messages_in(answer))
        assert [kind for kind, _ in told] == [20, 3]
        sampler.note(told[0][1], seen)
    # Both times it was the same connection, so one cookie.
    ((name, (size, sent, again)),) = seen.values()
    assert name == "192.0.2.21"
    assert 500_000 < size < 5_000_000 and 500 < sent < 5_000 and again < 10


def test_bytes_of_a_client_are_counted_by_its_address_and_only_at_the_ports_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port = server.getsockname()[1]
        with socket.create_connection(server.getsockname()) as old, server.accept()[0] as old_there:
            exchange(old, old_there, 5_000)
            clients = sampler.Clients([port])
            clients.ask()
            # What it had carried before it was first seen is not of this time.
            assert clients.sums == {"127.0.0.1": [0.0, 0.0, 0.0]}
            with socket.create_connection(other.getsockname()) as aside, other.accept()[0] as aside_there:
                exchange(aside, aside_there, 70_000)
                exchange(old, old_there, 10_000)
                with socket.create_connection(server.getsockname()) as new, server.accept()[0] as new_there:
                    exchange(new, new_there, 20_000)
                    clients.ask()
            size, sent, again = clients.sums["127.0.0.1"]
            # The very last answer may not be acknowledged yet, and an opening counts as one byte.
            assert 29_990 <= size <= 30_010
            assert sent >= 2 and again == 0
            clients.ask()
            left = clients.sums["127.0.0.1"][0]
            assert size <= left <= size + 10, "a connection that is closed takes nothing away"


def exchange(one: socket.socket, other: socket.socket, size: int) -> None:
    """So many bytes one way, acknowledged: the last byte is answered."""
    one.sendall(bytes(size - 1))
    left = size - 1
    while left:
        left -= len(other.recv(left))
    other.sendall(b"x")
    assert one.recv(1) == b"x"


def test_a_disk_that_comes_or_goes_is_a_gap_of_its_own_and_nobody_else_s(tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(GOLDEN / "nfs-server" / "1", root)
    stats, s = root / "proc/diskstats", sources(root)
    vanished = "".join(line for line in stats.read_text().splitlines(True) if " dm-0 " not in line)
    texts = [stats.read_text(), vanished, stats.read_text(), stats.read_text()]
    values = []
    for number, text in enumerate(texts):
        stats.write_text(
            text.replace(" 2432 ", f" {2432 + 10 * number} ").replace(" 2211 ", f" {2211 + number} ")
        )
        v = dict[str, float]()
        sampler.disks(s, v)
        values.append(v)
    found = samples(reading(*values, every=1.0), ["disk.*.latency"], every=1.0)
    assert [row[0] for row in found["disk.nvme0n1.latency"]] == [101.0, 102.0, 103.0]
    assert [row[0] for row in found["disk.dm-0.latency"]] == [103.0]


def test_among_many_processes_it_is_looked_seldom_and_what_was_not_looked_for_is_not_known(
    tmp_path: Path,
) -> None:
    for pid in range(1, 400):
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "stat").write_text(f"{pid} (nfsd) {'D' if pid < 4 else 'S'} 1 0 0\n")
    s = sources(tmp_path)
    said = []
    for blocked in (3.0, 3.0, 0.0):
        v = {"blocked": blocked}
        sampler.waiting(s, v)
        said.append(v)
    assert said[0] == {"blocked": 3.0, "waiting.nfsd": 3.0, "looked": 1.0}
    assert said[1] == {"blocked": 3.0}
    assert said[2] == {"blocked": 0.0, "looked": 1.0}


def test_new_lines_of_the_kernel_s_log_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    s, v = sources(tmp_path), dict[str, float]()
    at, into = os.pipe()
    os.set_blocking(at, False)
    s.kmsg = at
    # The ring gives one record for each reading, and so does this pipe.
    for level, line in ((6, "fine"), (4, "nfsd: slow"), (3, "I/O error, dev vdb")):
        os.write(into, f"{level},77,12345,-;{line}\n SUBSYSTEM=block\n".encode())
        sampler.messages(s, v)
    assert v["kernel.warnings"] == 2.0
    assert s.new == ["nfsd: slow", "I/O error, dev vdb"]
    os.close(into)
    os.close(at)


@pytest.mark.parametrize("said", [b"", b"\x01" * 20, b"\xff" * 4096])
def test_whatever_a_kernel_answers_is_read_to_its_end(said: bytes) -> None:
    seen: dict[bytes, Any] = {}
    for kind, one in sampler.messages_in(said):
        if kind == 20:
            sampler.note(one, seen)
    assert seen == {}
