"""What goss wants of files, as commands that say it. What is not in: any other resource."""

from __future__ import annotations

import re

from seatrial.fleetfile.imported.draft import Draft
from seatrial.fleetfile.imported.reading import key_place, truth_of, whole_of, word_of
from seatrial.fleetfile.imported.wording import wish_of
from seatrial.fleetfile.mistake import Place
from seatrial.fleetfile.tree import Item

# goss' words for test(1).
KINDS = {"file": "-f", "directory": "-d", "symlink": "-L", "pipe": "-p", "socket": "-S", "character-device": "-c",
         "block-device": "-b"}  # fmt: skip
SUMS = ("md5", "sha256", "sha512")


def file(draft: Draft, name: str, item: Item, place: Place) -> None:
    """The checks of one file: that it is there and what it is, whose, and what is in it."""
    what, path = f"file.{name}", word_of(item.at("path")) or name
    if truth_of(item.at("exists")) is False:
        draft.add(place, what, "command", argv=("test", "!", "-e", path))
        return
    _kind(draft, item, place, what, path)
    _owner(draft, item, place, what, path)
    for key in SUMS:
        wanted = word_of(item.at(key))
        if wanted is not None and not re.fullmatch(r"[0-9a-fA-F]{32,128}", wanted):
            draft.leave(key_place(item, key), f"{what}.{key}", "is no such sum")
        elif wanted is not None:
            # A backslash before the sum says that the name was written with escapes.
            draft.add(
                place,
                f"{what}.{key}",
                "command",
                argv=(f"{key}sum", "--", path),
                stdout={"matches": (rf"(?i)^\\?{wanted} ",)},
            )
    if (wanted := word_of(item.at("linked-to"))) is not None:
        draft.add(
            place, f"{what}.linked-to", "command", argv=("readlink", "--", path), stdout={"equals": wanted}
        )
    for key in ("contents", "contains"):
        wish = wish_of(draft, item.at(key), f"{what}.{key}").keys()
        if wish is not None:
            draft.add(place, f"{what}.{key}", "command", argv=("cat", "--", path), stdout=wish)


def _kind(draft: Draft, item: Item, place: Place, what: str, path: str) -> None:
    kind = word_of(item.at("filetype"))
    if kind is not None and kind not in KINDS:
        draft.leave(key_place(item, "filetype"), f"{what}.filetype", f"{kind} is not known")
        kind = None
    draft.add(place, what, "command", argv=("test", KINDS.get(kind or "", "-e"), path))


def _owner(draft: Draft, item: Item, place: Place, what: str, path: str) -> None:
    """Mode, owner, group and size by one stat, which follows no link, as goss does."""
    formats, wanted = [], []
    mode = word_of(item.at("mode"))
    if mode is not None:
        formats.append("%a")
        wanted.append(mode.lstrip("0o") or "0")
    for key, letter in (("owner", "%U"), ("group", "%G")):
        if (name := word_of(item.at(key))) is not None:
            formats.append(letter)
            wanted.append(name)
    size = item.at("size")
    if size is not None:
        if (number := whole_of(size)) is not None:
            formats.append("%s")
            wanted.append(str(number))
        else:
            draft.leave(key_place(item, "size"), f"{what}.size", "only one number can be carried over")
    if formats:
        argv = ("stat", "-c", " ".join(formats), "--", path)
        draft.add(place, f"{what}.is", "command", argv=argv, stdout={"equals": " ".join(wanted)})
