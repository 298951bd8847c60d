"""`seatrial init`: a first fleet.yaml from what a site has already, with every guess said aloud.

What is in: finding and reading the files, asking a cluster's or a cloud's own client library, and writing without ever
overwriting. What is not: what is guessed, which is the fleet file's room (fleetfile/first).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from seatrial.cli.options import Json, print_json
from seatrial.errors import CouldNotAct, InputError
from seatrial.fleetfile import parse
from seatrial.fleetfile.first import Drafted, Found, guess, ssh_config_of, written
from seatrial.model.text import safe

MOST_BYTES = 16 * 1024 * 1024
MOST_FILES = 2000
MOST_TOLD = 20

What = Annotated[
    Literal["ansible", "ssh-config", "kubernetes", "openstack"], Parameter(help="what the file is for")
]
Given = Annotated[
    Path | None,
    Parameter(
        help="an inventory or its directory, an ssh config, a kubeconfig, a clouds.yaml "
        "[default: where each tool looks itself; ansible has none]"
    ),
]
Output = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,
        help="the fleet file to write; - for standard output; it is never overwritten",
    ),
]


def init(
    what: What,
    file: Given = None,
    /,
    *,
    output: Output = "fleet.yaml",
    context: Annotated[str | None, Parameter(help="for kubernetes: the context in the kubeconfig")] = None,
    cloud: Annotated[str | None, Parameter(help="for openstack: the cloud in clouds.yaml")] = None,
    offline: Annotated[
        bool,
        Parameter(negative="", help="for kubernetes and openstack: read the file only and ask no server"),
    ] = False,
    json: Json = False,
) -> int:
    """Write a first fleet.yaml from FILE, and say what was guessed: stages, roles and peers, from names.

    Exit code 0 when the file was written, 2 when FILE cannot be read, has no machine, or the fleet file is there already.
    No host is asked anything. A cluster or a cloud is asked for its machines; where it does not answer, its file has to do.
    """
    _fitting(what, context, cloud, offline)
    free = None if output == "-" else _free(Path(output))
    found, made_from, told = _find(what, file, context, cloud, offline)
    draft = guess(found)
    companion = None if free is None else free.with_suffix(".ssh_config")
    config = ssh_config_of(draft, made_from=made_from)
    if companion is not None and config is not None:
        _free(companion)
    text = written(
        draft, made_from=made_from, ssh_config=str(companion.resolve()) if companion and config else None
    )
    # What is written must load: a mistake here would be ours, and a person must not be the one to find it.
    parse(text, filename=output)
    if free is not None:
        if companion is not None and config is not None:
            _write(companion, config)
        _write(free, text)
    if json:
        print_json(_document(draft, text, config, free, companion, told))
        return 0
    if free is None:
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
        print(text, end="")
        if config is not None:
            print(
                "\n# Put this into your ssh config:\n"
                + "".join(f"# {line}\n" for line in config.splitlines()),
                end="",
            )
    _tell(draft, free, companion if config else None, told)
    return 0


def _fitting(what: str, context: str | None, cloud: str | None, offline: bool) -> None:
    if context is not None and what != "kubernetes":
        raise InputError(f"--context says nothing about {what}", hint="it goes with kubernetes only")
    if cloud is not None and what != "openstack":
        raise InputError(f"--cloud says nothing about {what}", hint="it goes with openstack only")
    if offline and what not in ("kubernetes", "openstack"):
        raise InputError(f"--offline says nothing about {what}", hint="of it only files are read")


def _free(path: Path) -> Path:
    if path.exists() or path.is_symlink():
        raise InputError(
            f"{path}: is there already, and is not overwritten",
            hint="name another one with --output, or `--output -` to look",
        )
    if not path.parent.is_dir():
        raise InputError(
            f"{path}: there is no directory {path.parent}", hint="make it, or name another file with --output"
        )
    return path


def _write(path: Path, text: str) -> None:
    try:
        # Whoever was faster by a moment is not overwritten either.
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"{path}: is there already, and is not overwritten", hint="name another one with --output"
        ) from None
    except OSError as problem:
        raise CouldNotAct(
            f"{path}: cannot be written: {problem.strerror}", hint="look at the directory with ls -ld"
        ) from None


def _find(
    what: str, file: Path | None, context: str | None, cloud: str | None, offline: bool
) -> tuple[Found, str, str]:
    """What was found, what it was made from, and a sentence about how."""
    if what == "ansible":
        if file is None:
            raise InputError("which inventory?", hint="seatrial init ansible INVENTORY")
        return _ansible(file), str(file), ""
    if what == "ssh-config":
        return _ssh_config(file)
    from seatrial.cli.listed import from_cloud, from_kubernetes

    if what == "kubernetes":
        path = (
            file or Path((os.environ.get("KUBECONFIG") or "").split(":")[0] or "~/.kube/config").expanduser()
        )
        found, told = from_kubernetes(path, text_of(path), context, offline=offline)
    else:
        path = file or _clouds()
        found, told = from_cloud(path, text_of(path), cloud, offline=offline)
    return found, str(path), told


def _clouds() -> Path:
    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    places = (
        [Path(named)]
        if named
        else [
            Path("clouds.yaml"),
            Path("~/.config/openstack/clouds.yaml").expanduser(),
            Path("/etc/openstack/clouds.yaml"),
        ]
    )
    return next((path for path in places if path.is_file()), places[0])


def text_of(path: Path) -> str:
    """The text of a file, bounded. Raises InputError when it cannot be read or is no UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise InputError(f"{path}: cannot be read: {problem.strerror}", hint="give the file itself") from None
    except ValueError:
        raise InputError(f"{str(path)!r}: is no name of a file", hint="give the file itself") from None
    if len(data) > MOST_BYTES:
        raise InputError(f"{path}: is larger than {MOST_BYTES // 1024 // 1024} MiB", hint="give a part of it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text in UTF-8", hint="is it the right file?") from None


def _ansible(path: Path) -> Found:
    from seatrial.fleetfile.first.ansible import from_ansible

    folder = path if path.is_dir() else path.parent
    files = sorted(one for one in path.iterdir() if _is_inventory(one)) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: has no inventory file in it", hint="give the inventory file itself")
    scripts = [
        one for one in files if one.is_file() and os.access(one, os.X_OK) and text_of(one).startswith("#!")
    ]
    if scripts:
        hint = (
            f"ansible-inventory -i {scripts[0]} --list >inventory.json; seatrial init ansible inventory.json"
        )
        raise InputError(f"{scripts[0]}: is a program, and init runs none", hint=hint)
    return from_ansible(
        {str(one): text_of(one) for one in files[:MOST_FILES]},
        of_groups=_settings(folder / "group_vars"),
        of_hosts=_settings(folder / "host_vars"),
        name=path.resolve().stem,
    )


def _is_inventory(path: Path) -> bool:
    # What Ansible itself passes over in a directory.
    ignored = (".pyc", ".swp", ".bak", ".orig", ".cfg", ".retry", ".ini~", "~", ".md", ".rst", ".txt")
    return path.is_file() and not path.name.startswith(".") and not path.name.endswith(ignored)


def _settings(folder: Path) -> Mapping[str, str]:
    """The YAML of group_vars or host_vars by name: NAME, NAME.yml or the files in NAME/."""
    if not folder.is_dir():
        return {}
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir())[:MOST_FILES]:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        texts = [
            text_of(one) for one in files if one.is_file() and one.suffix in ("", ".yml", ".yaml", ".json")
        ]
        # Vaults hold secrets and never how a host is reached.
        kept = [text for text in texts if not text.startswith("$ANSIBLE_VAULT")]
        name = path.stem if path.suffix in (".yml", ".yaml", ".json") else path.name
        if kept:
            found[name] = "\n".join(text.removeprefix("---") for text in kept)
    return found


def _ssh_config(file: Path | None) -> tuple[Found, str, str]:
    from dataclasses import replace

    from seatrial.fleetfile.first.sshconfig import from_ssh_config
    from seatrial.vantage.sshconfig import CutConfig, config_paths, parse_jumps

    paths = (file,) if file is not None else config_paths(None)
    if not paths:
        raise InputError("there is no ssh config in ~/.ssh/config", hint="seatrial init ssh-config FILE")
    for path in paths:
        text_of(path)
    config = CutConfig(paths)

    def jump(alias: str) -> str | None:
        steps = parse_jumps(config.value_for(alias, "proxyjump") or "")
        return steps[-1].alias if steps and steps[-1].alias != alias else None

    found = from_ssh_config(config.aliases(), config.value_for, jump, where=str(paths[0]))
    if file is not None:
        found.machines[:] = [replace(machine, config=str(file.resolve())) for machine in found.machines]
    return found, " and ".join(map(str, paths)), ""


def _document(
    draft: Drafted, text: str, config: str | None, free: Path | None, companion: Path | None, told: str
) -> dict[str, Any]:
    return {
        "file": str(free) if free else None,
        "ssh_config_file": str(companion) if companion and config else None,
        "hosts": len(draft.hosts),
        "stages": draft.stages,
        "groups": draft.groups,
        "guessed": [{"what": one.what, "because": one.because} for one in draft.guesses],
        "left_out": [{"what": one.what, "where": one.where, "why": one.why} for one in draft.left],
        "still_to_say": draft.still,
        "said": told or None,
        "text": text,
        "ssh_config": config,
    }


def _tell(draft: Drafted, free: Path | None, companion: Path | None, told: str) -> None:
    """For people, on standard error, since the file itself may be on standard output."""

    def say(text: str) -> None:
        print(safe(text), file=sys.stderr)

    if told:
        say(f"asked     {told}")
    for one in draft.guesses[:MOST_TOLD]:
        say(f"guessed   {one.what}   ({one.because})")
    if len(draft.guesses) > MOST_TOLD:
        say(f"guessed   {len(draft.guesses) - MOST_TOLD} more: they are comments in the file")
    for left in draft.left[:MOST_TOLD]:
        say(f"left out  {left.line()}")
    if len(draft.left) > MOST_TOLD:
        say(f"left out  {len(draft.left) - MOST_TOLD} more")
    for still in draft.still:
        say(f"to say    {still}")
    if free is not None:
        beside = f" and {companion}" if companion else ""
        say(f"written   {free}{beside}: {len(draft.hosts)} hosts, {len(draft.groups)} groups of peers")
        where = "" if str(free) == "fleet.yaml" else f" -f {free}"
        say(f"next      seatrial check{where}; seatrial plan KERNEL{where}")
