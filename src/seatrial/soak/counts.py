"""The e-process for counts: do more of the candidate's probes fail, looked at after every sample.

What is in: E for equal and unequal numbers sent, and confidence sequences of both shares. What is not in: verdicts.

With as many sent on either side a failure falls on the candidate with chance 1/2 if nothing is wrong, and
E = 2^(k1+k0) B(a+k1, b+k0) / B(a, b) with a = b = 1 (Lindon and Malek 2022, "Anytime-valid inference for multinomial
count data"): 8, 11, 14 failures on the candidate only for 1/20, 1/100, 1/1000. That is the mean, over a uniform
theta, of prod theta^k1 (1-theta)^k0 / 2^-(k1+k0). With theta = r / (1 + r) and a share q of what was sent on the
candidate's side, a rate ratio r puts a failure there with chance q r / (q r + 1 - q), which gives the same mean for
shares that change from sample to sample. Given their sum, failures among finitely many probes are hypergeometric,
which is less spread than binomial (Hoeffding 1963, theorem 4), so E stays a supermartingale.
"""

from __future__ import annotations

import numpy as np

from seatrial.soak.memory import Floats

A = B = 1.0
_POINTS = 96
_BISECTIONS = 48


def log_evidence(failed: Floats, sent: Floats) -> Floats:
    """log E after each batch. `failed` and `sent` are (n, 2): good, candidate; what came since the batch before."""
    q = sent[:, 1] / sent.sum(axis=1)
    if np.all(q == 0.5):
        from scipy.special import betaln

        good, candidate = np.cumsum(failed, axis=0).T
        equal: Floats = (good + candidate) * np.log(2.0) + betaln(A + candidate, B + good) - betaln(A, B)
        return equal
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    theta = 0.5 * (points + 1)
    # In logarithms and for each theta: what one failure on either side multiplies E with.
    below = np.log(q[:, None] * theta + (1 - q[:, None]) * (1 - theta))
    gained = failed[:, [1]] * (np.log(theta) - below) + failed[:, [0]] * (np.log1p(-theta) - below)
    steps = np.cumsum(gained, axis=0)
    most = steps.max(axis=1)
    mixed: Floats = np.log(np.exp(steps - most[:, None]) @ (0.5 * weights)) + most
    return mixed


def bounds(failed: Floats, sent: Floats, alpha: float) -> tuple[Floats, Floats]:
    """A share's confidence sequence at each look (n), given totals: the true share is in all of them but for `alpha`.

    The p with B(1+k, 1+n-k) / (p^k (1-p)^(n-k)) < 1/alpha: the martingale of Robbins (1970) for a uniform prior.
    """
    share = failed / sent
    low = _edge(failed, sent, alpha, inside=share, outside=np.zeros_like(share))
    high = _edge(failed, sent, alpha, inside=share, outside=np.ones_like(share))
    return low, high


def ratio(failed: Floats, sent: Floats) -> Floats:
    """The candidate's share over good's at each look (n), given totals (n, 2): good, candidate.

    Half a failure more on either side keeps it finite; it is the estimate, the bounds do not need it.
    """
    result: Floats = (failed[:, 1] + 0.5) / (sent[:, 1] + 1) * (sent[:, 0] + 1) / (failed[:, 0] + 0.5)
    return result


def _edge(failed: Floats, sent: Floats, alpha: float, *, inside: Floats, outside: Floats) -> Floats:
    from scipy.special import gammaln

    mixture = gammaln(1 + failed) + gammaln(1 + sent - failed) - gammaln(2 + sent)
    tiny = 1e-15
    for _ in range(_BISECTIONS):
        middle = 0.5 * (inside + outside)
        likely = failed * np.log(middle + tiny) + (sent - failed) * np.log1p(-middle + tiny)
        within = mixture - likely < -np.log(alpha)
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return outside
