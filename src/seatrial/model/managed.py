"""Movers of services that something else manages: a cluster manager, a cloud, or commands of the operator's own.

What is in: what the operator declares for each. What is not: keepalived and DRBD, which Seatrial tells themselves (mover.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seatrial.model.declared import Address, Duration, Name, Text, Word, wrong
from seatrial.model.moverbase import AbsolutePath, MoverBase

_NAMES = "by host: what it is called there, where that is another name than here"
_LONG = Annotated[Duration, Field(ge=1, le=7200)]


class PacemakerMover(MoverBase):
    """A resource or a group of Pacemaker, which is asked to move it; Seatrial starts and stops nothing itself."""

    driver: Literal["pacemaker"] = Field(description="what moves it")
    resource: Word = Field(description="the resource, group or promotable clone, by its id in the cluster")
    names: dict[Name, Word] = Field(default_factory=dict, description=_NAMES)
    promoted: bool = Field(
        default=False, description="whether its promoted instance is what moves (a promotable clone)"
    )
    address: Address | None = Field(
        default=None, description="an address that moves with it, if there is one"
    )
    timeout: _LONG = Field(default=180.0, description="how long the cluster may take for one move")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address that moves with it."""
        return () if self.address is None else (self.address,)


class DrbdReactorMover(MoverBase):
    """A promoter of drbd-reactor, which is asked to let go of its resource; the daemon of a peer takes it."""

    driver: Literal["drbd-reactor"] = Field(description="what moves it")
    resource: Name = Field(description="the resource in the configuration of DRBD")
    plugin: Name | None = Field(
        default=None,
        description="the promoter's snippet, as `drbd-reactorctl ls` names it; absent: as the resource",
    )
    address: Address | None = Field(
        default=None, description="an address that moves with it, if there is one"
    )
    timeout: _LONG = Field(default=120.0, description="how long a peer may take to start the service")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address that moves with it."""
        return () if self.address is None else (self.address,)


class KubernetesMover(MoverBase):
    """The pods of machines of a Kubernetes cluster: a machine is cordoned and drained, and later uncordoned."""

    driver: Literal["kubernetes"] = Field(description="what moves it")
    source_vantage: Name = Field(
        alias="from", description="the vantage or host that reaches the cluster's API"
    )
    names: dict[Name, Word] = Field(default_factory=dict, description=_NAMES)
    kubeconfig: AbsolutePath | None = Field(
        default=None, description="its file there; absent: as kubectl finds it, or the account of a pod"
    )
    context: Word | None = Field(default=None, description="the context of it; absent: the current one")
    python: Word = Field(default="python3", description="a Python there that has the library `kubernetes`")
    empty_dir: Literal["refuse", "delete"] = Field(
        default="refuse", description="pods that keep data in an emptyDir lose it when they go"
    )
    bare: Literal["refuse", "delete"] = Field(
        default="refuse", description="pods that nothing manages do not come back when they go"
    )
    timeout: _LONG = Field(default=600.0, description="how long a drain may take, with its budgets")


class OpenstackMover(MoverBase):
    """What OpenStack keeps on a host: its compute service is disabled and its servers are live-migrated, its agents are off."""

    driver: Literal["openstack"] = Field(description="what moves it")
    source_vantage: Name = Field(alias="from", description="the vantage or host that reaches the cloud's API")
    names: dict[Name, Word] = Field(default_factory=dict, description=_NAMES)
    cloud: Name = Field(description="its name in clouds.yaml")
    clouds_file: AbsolutePath | None = Field(
        default=None, description="another file than the library looks for"
    )
    python: Word = Field(default="python3", description="a Python there that has the library `openstack`")
    compute: bool = Field(
        default=True, description="whether its compute service is disabled and its servers migrated"
    )
    agents: tuple[Word, ...] = Field(
        default=(), description="agents of Neutron that are switched off there, such as neutron-l3-agent"
    )
    timeout: _LONG = Field(default=1800.0, description="how long all live migrations of a host may take")

    @model_validator(mode="after")
    def _something(self) -> OpenstackMover:
        if not self.compute and not self.agents:
            raise wrong("compute", "`compute` or `agents` is wanted: nothing would be moved")
        return self


class CommandMover(MoverBase):
    """Your own commands, for what has no driver: a load balancer, an anycast daemon, a script that is there already."""

    driver: Literal["command"] = Field(description="what moves it")
    source_vantage: Name = Field(alias="from", description="the vantage or host that runs them")
    where: tuple[Text, ...] = Field(
        min_length=1,
        description="a program and its words, which changes nothing and prints the hosts that carry the service, one a line",
    )
    depool: tuple[Text, ...] = Field(
        min_length=1, description="takes the host that stands for `{host}` in its words out; may be repeated"
    )
    repool: tuple[Text, ...] = Field(min_length=1, description="puts it back; may be repeated")
    names: dict[Name, Word] = Field(default_factory=dict, description=_NAMES)
    timeout: _LONG = Field(default=60.0, description="for each of them")

    @model_validator(mode="after")
    def _says_whom(self) -> CommandMover:
        for key in ("depool", "repool"):
            if not any("{host}" in word for word in getattr(self, key)):
                raise wrong(key, "no word of it has `{host}`, so it cannot know which host is meant")
        return self
