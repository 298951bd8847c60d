"""Are the fleet's flows carried? A round of probes with two ends, and the proof of who carried them.

`ask` makes the Commands of a round, `count` reads their answers as FlowCounts, `added` adds up those of several
rounds, `judge` makes Results of them.
"""

from seatrial.checks.flow.added import added
from seatrial.checks.flow.judge import judge
from seatrial.checks.flow.round import Round, ask
from seatrial.checks.flow.tally import count

__all__ = ["Round", "added", "ask", "count", "judge"]
