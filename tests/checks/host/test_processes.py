"""Which threads hang, told from two real looks that are changed in one thing each; and the NFS server that is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seatrial.checks.host.processes import commands, judge
from seatrial.model.check.host import ProcessesCheck
from seatrial.model.command import Output
from seatrial.model.result import Outcome, Result

GOLDEN = Path(__file__).parent / "golden"
# Written by hand in the shape of stuck.sh; a real one, of a guest whose server is gone, is in golden/.
SCENE = """thread 812 812
process 812
comm backup
ns mnt:[1]
cgroup /system.slice/backup.service
at /
at /srv/home/ada/out.tar
at /usr/bin/tar
stack [<0>] rpc_wait_bit_killable+0x11/0x70 [sunrpc]
room mnt:[1] 4242
here mnt:[1]
mount 40 19 0:40 / /srv/home rw,relatime shared:9 - nfs4 192.0.2.10:/home rw,vers=4.2,hard,addr=192.0.2.10,clientaddr=192.0.2.21
mount 41 19 0:41 / /srv/with\\040blank rw,relatime shared:9 - nfs4 192.0.2.11:/blank rw,vers=4.2,soft
answers 41
end
"""
LOOK = "S 1 do_epoll_wait init\nD 812 rpc_wait_bit_killable tar\n"


def said(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text().partition("--- stdout\n")[2].partition("--- stderr\n")[0]


def judged(first: str, again: str, scene: str = "", **keys: Any) -> Result:
    check = ProcessesCheck.model_validate({"kind": "processes", "from": "vm", **keys})
    texts = (first, "", again, scene)
    return judge(
        "processes",
        check,
        [
            Output(command=command, status=0, stdout=text)
            for command, text in zip(commands(check), texts, strict=True)
        ],
    )


def test_the_mount_that_hangs_is_named_with_who_waits_and_what_frees_them() -> None:
    result = judged(LOOK, LOOK, SCENE)
    assert result.because == (
        "1 of 2 threads hangs in the kernel: tar (1); /srv/home from 192.0.2.10:/home does not answer within 3 s"
    )
    (mount,) = result.evidence["mounts"]
    assert mount["processes"][0] | {"stack": []} == {
        "pid": 812, "name": "backup", "unit": "backup.service", "stack": []
    }  # fmt: skip
    assert mount["free"] == [
        "umount -f -l /srv/home",
        "kill -9 812",
        "mount -t nfs4 -o rw,vers=4.2,hard 192.0.2.10:/home /srv/home",
        "systemctl restart backup.service",
    ]
    assert all(command in result.hint for command in mount["free"])
    assert "a check of kind nfs says whether 192.0.2.10 hangs" in result.hint


@pytest.mark.parametrize(
    ("edit", "because"),
    [
        # Only its place in the kernel tells of the network, and one mount alone is silent.
        (("at /srv/home/ada/out.tar\n", ""), "; /srv/home from 192.0.2.10:/home does not answer within 3 s"),
        # It stands in the mount that answers: the server is up, and keeps it waiting.
        (
            ("at /srv/home/ada/out.tar", "at /srv/with blank/x"),
            "; /srv/with blank from 192.0.2.11:/blank answers, and keeps them waiting",
        ),
        # A directory with a name that only begins the same is another one.
        (
            ("at /srv/home/ada/out.tar", "at /srv/homes"),
            "; /srv/home from 192.0.2.10:/home does not answer within 3 s",
        ),
        # Two that are silent, and nothing that says which: none is named.
        (("answers 41\n", ""), None),
        (("answers 41", "fails 41"), "; /srv/home from 192.0.2.10:/home does not answer within 3 s"),
        # Cut off, or with something else at its end: nothing of it is believed.
        (("end\n", ""), ""),
        (("end\n", "end\x1b[2J\n"), ""),
        (("process 812", "process many"), ""),
        (("thread 812 812", "thread 812"), "; /srv/home from 192.0.2.10:/home does not answer within 3 s"),
    ],
    ids=str,
)
def test_what_is_not_known_of_a_process_is_not_made_up(edit: tuple[str, str], because: str | None) -> None:
    scene = SCENE.replace(*edit)
    assert scene != SCENE
    if because is None:
        scene, because = scene.replace("at /srv/home/ada/out.tar\n", ""), ""
    result = judged(LOOK, LOOK, scene)
    assert result.because == f"1 of 2 threads hangs in the kernel: tar (1){because}"
    assert result.because.isprintable() and result.hint.isprintable()


def test_a_mount_that_only_a_container_sees_is_freed_from_inside_of_it() -> None:
    scene = SCENE.replace("ns mnt:[1]", "ns mnt:[7]").replace(
        "room mnt:[1] 4242\nhere mnt:[1]", "room mnt:[7] 812"
    )
    (mount,) = judged(LOOK, LOOK, scene).evidence["mounts"]
    assert mount["free"][0] == "nsenter -t 812 -m -- umount -f -l /srv/home"


def test_paths_that_a_shell_would_read_otherwise_are_quoted() -> None:
    scene = SCENE.replace("/srv/home", "/srv/$(reboot)")
    (mount,) = judged(LOOK, LOOK, scene).evidence["mounts"]
    assert mount["free"][0] == "umount -f -l '/srv/$(reboot)'"


def test_without_root_it_is_said_that_root_would_know() -> None:
    assert judged(LOOK, LOOK).hint == "an NFS server does not answer; as root it could be said which"


def test_a_number_that_another_process_got_in_between_is_not_held_for_the_same_one() -> None:
    first = said("processes-stuck-first")
    assert judged(first, first).outcome is Outcome.FAIL
    assert judged(first, first.replace(" dd\n", " cp\n")).outcome is Outcome.PASS


def test_threads_of_one_kind_are_counted_together() -> None:
    look = "".join(f"D {number} - kworker/{number}:1+flush\n" for number in range(10, 40))
    look += "".join(f"D {number} - nfsd\n" for number in range(100, 164)) + "S 1 - init\n"
    result = judged(look, look)
    assert result.because == "94 of 95 threads hang in the kernel: nfsd (64), kworker (30)"
    assert judged(look, look, most=94).outcome is Outcome.PASS
    assert judged(look, look, names=("nfsd",)).evidence["stuck"] == 64


@pytest.mark.parametrize("line", ["D many - nfsd", "D 1", "\x1b[2JD 1 - nfsd", "D 1 - "])
def test_a_list_with_another_line_in_it_is_not_understood(line: str) -> None:
    look = f"S 1 - init\n{line}\n"
    assert judged(look, look).outcome is Outcome.UNKNOWN
