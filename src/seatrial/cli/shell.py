"""`seatrial completion` and `seatrial manual`: files for shells and for man, made from the verbs themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

Shell = Annotated[Literal["bash", "zsh", "fish"], Parameter(help="the shell that is to complete")]


def completion(shell: Shell, /) -> int:
    """Print the completion of SHELL. It asks nothing of Seatrial while you type.

    bash: into ~/.local/share/bash-completion/completions/seatrial; zsh: into a file _seatrial of $fpath; fish: into
    ~/.config/fish/completions/seatrial.fish. The Debian package has them in their places.
    """
    print(script(shell), end="")
    return 0


def script(shell: Literal["bash", "zsh", "fish"]) -> str:
    """The completion of a shell."""
    from seatrial.cli.main import app

    return app.generate_completion(prog_name="seatrial", shell=shell)


def manual() -> int:
    """Print the manual, for `man -l` or for a folder of man pages (seatrial.1)."""
    from seatrial.cli.main import app
    from seatrial.cli.manual import man_page

    print(man_page(app), end="")
    return 0
