"""Seatrial as a person installs it: a wheel, built in a clean copy of the tree, in a virtual environment of its own."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the build reads. A directory of builds and caches would make a wheel that only works here.
TREE = ("src", "packaging", "examples", "LICENSE", "README.md", "pyproject.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Where it is; `wheel` is the file that it came from."""

    wheel: Path
    folder: Path

    def run(self, *words: str, cwd: Path, program: str = "seatrial") -> subprocess.CompletedProcess[str]:
        """Run what the wheel has put into bin/, in a folder where nothing of the checkout is near."""
        return subprocess.run(
            [str(self.folder / "bin" / program), *words],
            cwd=cwd,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(cwd),
                "XDG_STATE_HOME": str(cwd / "state"),
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def build(folder: Path) -> Path:
    """The wheel."""
    copy = folder / "tree"
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        else:
            shutil.copy2(ROOT / name, copy / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-index"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist"), str(copy)],
        check=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )
    shutil.rmtree(copy)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Installed:
    """The wheel in an environment of its own, which borrows the libraries of this one and not its Seatrial."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = (folder / "lib").glob("python3.*/site-packages")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        f"--python={folder}/bin/python",
        "install",
        "--quiet",
    ]
    # A checkout on PYTHONPATH that was installed editable looks to pip as if it were there already.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [*pip, "--no-index", "--no-deps", str(wheel)], check=True, stdin=subprocess.DEVNULL, env=environment
    )
    # A line of a .pth file is a path; that an editable Seatrial is in there is in another .pth, which is not read.
    libraries = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (packages / "libraries.pth").write_text("\n".join(libraries) + "\n")
    return Installed(wheel=wheel, folder=folder)
