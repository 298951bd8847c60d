"""Are the fleet's flows carried? A round of probes with two ends, and the proof of who carried them.

`ask` makes the Commands of a round, `count` reads their answers as FlowCounts, `judge` makes Results of those.
"""

from seatrial.checks.flow.judge import judge
from seatrial.checks.flow.round import Round, ask
from seatrial.checks.flow.tally import count

__all__ = ["Round", "ask", "count", "judge"]
