"""How good probabilities and calls are. Everything with an interval; nothing is decided here.

Calibration as in Van Calster et al. 2019 (doi:10.1186/s12916-019-1466-7): the intercept is that of calibration in the
large (slope fixed at 1), the slope that of a logistic regression on the log-odds. Net benefit as in Vickers and Elkin
2006 (doi:10.1177/0272989X06295361). Intervals of shares are Wilson's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; NaN becomes None in documents."""

    value: float
    low: float
    high: float

    def document(self) -> dict[str, float | None]:
        return {k: None if np.isnan(v) else round(float(v), 4) for k, v in asdict(self).items()}

    def inside(self, low: float, high: float) -> str:
        """Is it between the limits? `yes`, `no`, or `unclear` where the interval crosses one of them."""
        if np.isnan(self.value):
            return "unclear"
        if low <= self.low and self.high <= high:
            return "yes"
        return "no" if self.high < low or self.low > high else "unclear"


def share(hits: float, of: float, z: float) -> Estimate:
    """`hits` of `of`, with Wilson's interval; NaN of nobody."""
    if of <= 0:
        return Estimate(np.nan, np.nan, np.nan)
    p = hits / of
    middle = (p + z * z / (2.0 * of)) / (1.0 + z * z / of)
    half = z * np.sqrt(p * (1.0 - p) / of + z * z / (4.0 * of * of)) / (1.0 + z * z / of)
    return Estimate(p, float(min(middle - half, p)), float(max(middle + half, p)))


def log_odds(p: Floats, floor: float) -> Floats:
    """ln p / (1 - p), p kept away from 0 and 1 by `floor`."""
    kept = np.clip(p, floor, 1.0 - floor)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def logistic(x: Floats, y: Flags, offset: Floats) -> tuple[Floats, Floats]:
    """Maximum-likelihood logistic regression by Newton's method: (coefficients, standard errors).

    Separable data ends at a large, finite coefficient with a huge error.
    """
    beta = np.zeros(x.shape[1])
    information = np.eye(x.shape[1])
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-(x @ beta + offset)))
        information = (x * (p * (1.0 - p))[:, None]).T @ x + np.eye(x.shape[1]) * RIDGE
        step = np.linalg.solve(information, x.T @ (y - p) - RIDGE * beta)
        beta = beta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < RIDGE:
            break
    return beta, np.asarray(np.sqrt(np.diag(np.linalg.inv(information))))


STEPS = 60  # of Newton's method; a handful is enough unless the data separate
RIDGE = 1e-8  # keeps a singular matrix solvable, and ends the iteration


def calibration(p: Floats, y: Flags, floor: float, z: float) -> dict[str, Estimate]:
    """Intercept (in the large) and slope, NaN where everybody or nobody has it."""
    if y.all() or not y.any():
        nothing = Estimate(np.nan, np.nan, np.nan)
        return {"intercept": nothing, "slope": nothing}
    at = log_odds(p, floor)
    one = np.ones((len(p), 1))
    (intercept,), (error,) = logistic(one, y, at)
    (_, slope), (_, slope_error) = logistic(np.column_stack([one, at]), y, np.zeros(len(p)))
    return {
        "intercept": Estimate(intercept, intercept - z * error, intercept + z * error),
        "slope": Estimate(slope, slope - z * slope_error, slope + z * slope_error),
    }


def brier(p: Floats, y: Flags) -> float:
    """Mean squared difference of probability and truth."""
    return float(np.mean((p - y) ** 2))


def auc(score: Floats, y: Flags) -> float:
    """Area under the ROC curve (ties count half), NaN where everybody or nobody has it."""
    if y.all() or not y.any():
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2.0
    positives = y.sum()
    return float((rank[place][y].sum() - positives * (positives + 1) / 2.0) / (positives * (len(y) - positives)))


def reliability(p: Floats, y: Flags, bins: int, z: float) -> list[dict[str, Any]]:
    """Mean probability and share that has it, in `bins` groups of equal width; empty groups are left out."""
    group = np.minimum((p * bins).astype(int), bins - 1)
    out = []
    for g in range(bins):
        inside = group == g
        if inside.any():
            found = share(float(y[inside].sum()), float(inside.sum()), z)
            out.append({"mean": round(float(p[inside].mean()), 4), "persons": int(inside.sum()), **found.document()})
    return out


def net_benefit(flagged: Flags, y: Flags, threshold: float) -> float:
    """True positives less false positives weighted by the odds of the threshold, per person."""
    return float(((flagged & y).sum() - (flagged & ~y).sum() * threshold / (1.0 - threshold)) / len(y))
