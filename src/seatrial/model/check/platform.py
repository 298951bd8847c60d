"""Checks of what runs the platform, asked in its own words: schedulers, monitoring, and the operator's own commands."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from seatrial.model.check.base import CheckBase
from seatrial.model.declared import Declared, Name, Text, Word, wrong
from seatrial.model.pattern import read_pattern

# No process can be given a NUL; everything else is the operator's own affair.
Argument = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=4000)]
Shell = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", min_length=1, max_length=16000)]
Wanted = Annotated[str, StringConstraints(max_length=4000)]
File = Annotated[str, StringConstraints(pattern=r"^/\S{0,499}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S{1,490}$")]


def _readable(text: str) -> str:
    read_pattern(text)
    return text


Expression = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_readable)]


class Wording(Declared):
    """What one output of a command must be; space at both ends is not looked at."""

    equals: Wanted | None = Field(default=None, description="it is this text and nothing else")
    contains: tuple[Wanted, ...] = Field(default=(), max_length=50, description="texts that are all in it")
    lacks: tuple[Wanted, ...] = Field(default=(), max_length=50, description="texts of which none is in it")
    matches: tuple[Expression, ...] = Field(
        default=(),
        max_length=50,
        description="regular expressions; each is found in one of its lines. They are read in linear time, so there"
        " are no back references and no look-around",
    )


class CommandCheck(CheckBase):
    """A command of the operator's own, its status and what it prints."""

    kind: Literal["command"]
    argv: tuple[Argument, ...] = Field(
        default=(), max_length=200, description="the program and its words, without a shell"
    )
    shell: Shell | None = Field(default=None, description="text for /bin/sh, instead of argv")
    status: Annotated[int, Field(ge=0, le=255)] | None = Field(
        default=0, description="the exit status that is wanted; null: any"
    )
    stdout: Wording | None = Field(default=None, description="what its standard output must be")
    stderr: Wording | None = Field(default=None, description="what its standard error must be")
    root: bool = Field(default=False, description="run as root, through sudo -n where the login is not root")
    writes: bool = Field(
        default=False, description="true: it changes something, so what only looks never runs it"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.argv) == (self.shell is not None):
            raise wrong("argv", "either argv or shell says what to run")
        if self.argv and (not self.argv[0].strip() or self.argv[0].startswith("-")):
            raise wrong("argv", "the first word is the program")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The place where it runs, then the program."""
        return (self.source_vantage, f"the command {self._program} on {self.source_vantage}")

    @property
    def _program(self) -> str:
        """The first word; of shell text that of its last line, where settings often come before the program."""
        lines = (self.shell or "").strip().splitlines()
        words = self.argv or (lines[-1].split() if lines else [])
        program = next((word for word in words if "=" not in word), "sh")
        return program.rpartition("/")[2][:60] or "sh"


class NagiosCheck(CheckBase):
    """A plugin of Nagios, Icinga or any other monitoring that keeps to their exit codes."""

    kind: Literal["nagios"]
    argv: tuple[Argument, ...] = Field(
        min_length=1, max_length=200, description="the plugin and its words, without a shell"
    )
    warning: Literal["fail", "pass"] = Field(default="fail", description="what its WARNING is taken for")
    root: bool = Field(default=False, description="run as root, through sudo -n where the login is not root")

    @model_validator(mode="after")
    def _program(self) -> Self:
        if not self.argv[0].strip() or self.argv[0].startswith("-"):
            raise wrong("argv", "the first word is the plugin")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The place where it runs, then the plugin with its words: one plugin asks about many things."""
        words = " ".join((self.argv[0].rpartition("/")[2], *self.argv[1:]))
        return (self.source_vantage, f"the plugin {words[:100]} on {self.source_vantage}")


class PrometheusCheck(CheckBase):
    """An instant query to Prometheus, or to what speaks its API, and bounds for every series of the answer."""

    kind: Literal["prometheus"]
    url: Url = Field(description="the server, with the path that is in front of /api/v1")
    query: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        description="PromQL; it must give an instant vector or a scalar"
    )
    least: float | None = Field(default=None, description="no series may be below this")
    most: float | None = Field(default=None, description="no series may be above this")
    samples: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="how many series there must be"
    )
    empty: Literal["pass", "fail", "unknown"] = Field(
        default="unknown", description="what an answer without any series is taken for"
    )
    token_file: File | None = Field(
        default=None,
        description="a file on the vantage with a bearer token; it is read there and stays there",
    )
    ca_file: File | None = Field(
        default=None, description="a file on the vantage with the CA that signed the server's certificate"
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.least is None and self.most is None and self.samples is None:
            raise wrong("query", "least, most or samples says when it passes")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise wrong("least", "is above most, so that nothing could pass")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """What is measured; Prometheus itself only tells of it."""
        return (f"{self.query[:100]} at {urlsplit(self.url).netloc}",)


class KubernetesCheck(CheckBase):
    """The machines of a Kubernetes cluster are ready and under no pressure."""

    kind: Literal["kubernetes"]
    wanted: tuple[Word, ...] = Field(
        default=(),
        alias="nodes",
        max_length=1000,
        description="the machines that are looked at, by their names in the cluster; absent: all",
    )
    kernel: Word | None = Field(default=None, description="the kernel that each of them must run")
    kubeconfig: File | None = Field(
        default=None, description="a kubeconfig on the vantage; absent: where kubectl looks"
    )
    context: Text | None = Field(default=None, description="the context in it; absent: the current one")
    python: File | None = Field(
        default=None, description="a Python on the vantage that has the library kubernetes; absent: python3"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The cluster, then what is looked at in it."""
        cluster = f"kubernetes {self.context}" if self.context else f"kubernetes of {self.source_vantage}"
        if not self.wanted:
            return (cluster, f"machines of {cluster}")
        return (
            (cluster, *self.wanted) if len(self.wanted) == 1 else (cluster, f"{', '.join(self.wanted)[:100]}")
        )


class OpenstackCheck(CheckBase):
    """Servers are in the state that is wanted, or agents and services are alive, by OpenStack's own lists."""

    kind: Literal["openstack"]
    cloud: Name = Field(description="its name in the clouds.yaml of the vantage")
    ask: Literal["servers", "agents", "services"] = Field(
        description="servers: those of Nova; agents: those of Neutron; services: those of Nova, on its hosts"
    )
    names: tuple[Text, ...] = Field(
        default=(), max_length=1000, description="only servers of these names, each of which must be there"
    )
    host: Word | None = Field(default=None, description="only what is on this host, as OpenStack calls it")
    binary: Word | None = Field(
        default=None, description="only agents or services of this program, such as neutron-l3-agent"
    )
    states: tuple[Word, ...] = Field(
        default=("ACTIVE",), min_length=1, max_length=20, description="the states that are fine for a server"
    )
    least: int = Field(default=1, ge=0, le=1_000_000, description="how many there must be at least")
    all_projects: bool = Field(
        default=False, description="true: servers of all projects, which wants an admin"
    )
    clouds_file: File | None = Field(
        default=None, description="a clouds.yaml on the vantage; absent: where openstack looks"
    )
    python: File | None = Field(
        default=None, description="a Python on the vantage that has the library openstack; absent: python3"
    )

    @model_validator(mode="after")
    def _filters(self) -> Self:
        if self.names and self.ask != "servers":
            raise wrong("names", "goes with servers only")
        if self.binary and self.ask == "servers":
            raise wrong("binary", "goes with agents and services only")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The cloud, then what is listed."""
        of = f" of {self.binary}" if self.binary else ""
        on = f" on {self.host}" if self.host else ""
        return (f"cloud {self.cloud}", f"{self.ask}{of}{on} of cloud {self.cloud}")


PlatformCheck = CommandCheck | NagiosCheck | PrometheusCheck | KubernetesCheck | OpenstackCheck
