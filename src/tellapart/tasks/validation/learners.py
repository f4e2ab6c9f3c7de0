"""Comparisons that learn from labelled persons of the same generator: logistic regression and gradient boosting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tellapart.simulate.model import HYPOTHESES

Floats = NDArray[np.float64]
NAMES = ("logistic regression", "gradient boosting")


def fitted(features: Floats, truth: NDArray[np.int64]) -> dict[str, Any]:
    """Both models, trained. Defaults of the library, save for early stopping and enough iterations."""
    models = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=ITERATIONS)),
        HistGradientBoostingClassifier(early_stopping=True, random_state=0),
    )
    return {name: model.fit(features, truth) for name, model in zip(NAMES, models, strict=True)}


ITERATIONS = 500


def probabilities(model: Any, features: Floats) -> Floats:
    """Probability of every hypothesis, 0 for one that nobody had in training."""
    out = np.zeros((len(features), len(HYPOTHESES)))
    out[:, model.classes_] = model.predict_proba(features)
    return out
