"""Evidence: how far above zero a gain has to lie before its step pays, by what else speaks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow_errata.trials.gains import Gain

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlflow_errata.estimate import Estimate
    from mlflow_errata.trials.variants import Change

WORTH = 0.01
"""Share of what the model still loses that a gain must come to: less is not worth a step."""
PEOPLE = 2.0
"""Standard errors by which the gain of rows that people have to collect must lie above zero."""
ANSWERED = 1.0
"""Standard errors by which a gain has to lie above zero that a diagnosis makes likely: of a step that answers what was
found, and of the same model on newer rows where Brier does not speak against it."""
CLEAR = 2.0
"""Standard errors by which a gain that calibrated scores tell too has to lie above zero."""
CONFIRMED = 1.6
"""The same where Brier confirms it, or of a threshold that no label chose."""
ALONE = 1.64
"""Standard errors, as of a normal gain, by which one that nothing but the labels tells has to lie above zero."""
WITNESS = 1.0
"""Standard errors by which Brier has to gain to confirm."""
BOTH, EACH = 3.0, 0.5
"""Standard errors by which a gain that calibrated scores do not tell and that of Brier have to lie above zero together,
and by which each of them has to."""
AMONG_MANY = 0.5
"""How many more are asked of the best of several that answer one question: z(1 - .05 / 4) - z(1 - .05) = .6."""
SURE = 4.0
"""Standard errors from which a gain needs no witness."""


@dataclass(frozen=True)
class Evidence:
    """What is known of the gain of a change.

    Parameters
    ----------
    gain : Gain, as it is best known
    told : bool, calibrated scores tell it too
    agreed : bool, they agree with what is counted on the labels
    brier : float or None, standard errors by which the Brier score gains; None where scores do not move, or decide
    """

    gain: Gain
    told: bool
    agreed: bool = True
    brier: float | None = None

    def convinces(self, change: Change, answered: Collection[str]) -> bool:
        """Whether the gain lies beyond chance.

        The best of many candidates is easily one that chance favoured, so what was counted on the labels is not asked
        alone. Where calibrated scores tell the gain too, what is known from both has to lie CLEAR errors above zero.
        Brier is a witness where scores move: it hardly counts decisions, so less is asked of what it confirms, of a
        threshold that no label chose, of what a diagnosis makes likely (ANSWERED), and more of one of several. Where
        labels and calibrated scores disagree, the gain has to be CLEAR and confirmed by Brier, or SURE.

        Parameters
        ----------
        change : Change
        answered : kinds of steps that answer what a diagnosis found
        """
        errors, brier = self.gain.ratio, self.brier or 0.0
        if self.told and not self.agreed:
            return errors > SURE or (errors > CLEAR and brier > WITNESS)
        newer = "rows" in change.parts and brier > 0
        if self.told:
            confirmed = brier > WITNESS or (self.brier is None and change.parts.get("cut") == "told")
            return errors > (ANSWERED if newer else asked(change, answered, confirmed=confirmed))
        if self.brier is not None:
            both = min(errors, brier) > EACH and errors + brier > BOTH
            return both or errors > (ANSWERED if newer else SURE)
        return self.gain.beyond > (ANSWERED if change.kind in answered else ALONE + _among_many(change))


def worth(gain: Gain | Estimate, loss: float) -> bool:
    """Whether a gain comes to WORTH of what the model still loses."""
    return gain.value >= WORTH * loss


def asked(change: Change, answered: Collection[str], *, confirmed: bool) -> float:
    """Standard errors above zero that are asked of a gain that calibrated scores tell too."""
    if change.kind in answered:
        return ANSWERED
    return (CONFIRMED if confirmed else CLEAR) + _among_many(change)


def _among_many(change: Change) -> float:
    """What is asked more of one of several that answer one question: thresholds, weights, models, windows."""
    several = change.parts.get("cut") == "tuned" or not {"balance", "model"}.isdisjoint(change.parts)
    return AMONG_MANY if several or change.family == "forget" else 0.0
