"""Who keeps a volume from being unmounted, asked of real mount namespaces (onhost/pair.py), inside of one that the test makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ONHOST = Path(__file__).parents[2] / "src/seatrial/onhost"
# A shared mount with a volume on it; a second namespace, as the kernel makes it for a unit with a /tmp of its own (slave), or
# for somebody who keeps everything (private); what pair.py says, and whether the volume is gone there after the unmount.
STORY = """
mount -t tmpfs none "$1" && mount --make-shared "$1" && mkdir "$1/volume" && mount -t tmpfs none "$1/volume"
to=$1/in from=$1/out
mkfifo "$to" "$from"
unshare -m --propagation "$2" sh -c 'echo ready; read -r _; grep -c " $1/volume " /proc/self/mountinfo' sh "$1" \
    <"$to" >"$from" &
exec 4>"$to" 5<"$from"
read -r _ <&5
"$4" -c 'import sys; sys.path.insert(0, sys.argv[1]); import pair; pair.holders(sys.argv[2])' "$3" "$1/volume"
umount "$1/volume"
echo >&4
read -r left <&5
echo "left	$left"
"""


@pytest.mark.parametrize(("kind", "left"), [("slave", 0), ("private", 1)])
def test_a_namespace_holds_a_volume_only_if_it_keeps_it_when_it_is_unmounted(
    tmp_path: Path, kind: str, left: int
) -> None:
    inside = ["sh", "-c", STORY, "sh", str(tmp_path), kind, str(ONHOST), sys.executable]
    ended = subprocess.run(
        ["unshare", "-Urm", *inside], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    *said, last = [line.split("\t") for line in ended.stdout.splitlines()]
    assert last == ["left", str(left)]
    assert [(line[1], line[-1]) for line in said] == [("namespace", f"{tmp_path}/volume")] * left
