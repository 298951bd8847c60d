"""The trials of a rollout by host, in the order of the rollout: a frozen mapping whose copies share what did not change.

An Event changes one trial of perhaps ten thousand. A plain dict would be copied whole for each, which makes a rollout
quadratic in its hosts; here a block of about the square root is. Persistent maps of libraries forget the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isqrt

from seatrial.model.trialstate import TrialState


class Trials(Mapping[str, TrialState]):
    """A trial for each host."""

    __slots__ = ("_blocks", "_places", "_wide")

    def __init__(
        self, blocks: tuple[tuple[TrialState, ...], ...], places: Mapping[str, int], wide: int
    ) -> None:
        self._blocks, self._places, self._wide = blocks, places, wide

    @classmethod
    def of(cls, trials: Mapping[str, TrialState]) -> Trials:
        """The same trials, in the same order."""
        rows, wide = tuple(trials.values()), max(1, isqrt(len(trials)))
        blocks = tuple(rows[at : at + wide] for at in range(0, len(rows), wide))
        return cls(blocks, {host: place for place, host in enumerate(trials)}, wide)

    def put(self, trial: TrialState) -> Trials:
        """These trials with that of one host replaced. Raises KeyError for a host that is not in them."""
        number, place = divmod(self._places[trial.host], self._wide)
        block = self._blocks[number]
        fresh = (*block[:place], trial, *block[place + 1 :])
        return Trials((*self._blocks[:number], fresh, *self._blocks[number + 1 :]), self._places, self._wide)

    def __getitem__(self, host: str) -> TrialState:
        number, place = divmod(self._places[host], self._wide)
        return self._blocks[number][place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
