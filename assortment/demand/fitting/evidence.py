"""Do demographics forecast what they have not seen better than the chain average does?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Floats

CHAIN_EVERYWHERE = "Tastes are those of the chain average everywhere: demographics are left out of the forecast."
LEAST_GAIN = 5e-5
"""Nats per purchase; what gains less forecasts the same shares to the last digit that anybody prints."""
_SURE = 1.645  # standard errors beyond which a gain is chance in one case of twenty


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Hold-out loss of the model with demographics against the same model without.

    Losses are minus the mean log probability per unit bought (nats), each purchase forecast by a fit that had not seen
    its store or household. The scale of the prior was chosen on the same folds, which flatters the demographics a
    little.

    Parameters
    ----------
    log_loss_demographics, log_loss_chain
        With demographics, and with the tastes of the chain average everywhere. NaN when nothing could be held out.
    standard_error
        Of the gain, from the blocks.
    blocked_by
        What was held out whole: "store", "household", or several such as "store and household".
    blocks, purchases
        Number of blocks and of units bought.
    log_loss_fit, log_loss_even
        Of the whole fit on what it was fitted to, and if everything on offer was chosen alike.
    """

    log_loss_demographics: float
    log_loss_chain: float
    standard_error: float
    blocked_by: str
    blocks: int
    purchases: float
    log_loss_fit: float = float("nan")
    log_loss_even: float = float("nan")

    @classmethod
    def of(cls, with_demographics: Floats, chain: Floats, units: Floats, blocked_by: str) -> Evidence:
        """Compare the (B,) losses of the blocks, each a sum over the (B,) units bought."""
        held = units > 0
        loss, base, weight = with_demographics[held], chain[held], units[held]
        total = float(weight.sum())
        gain = base - loss
        rest = gain - gain.sum() / total * weight
        blocks = int(held.sum())
        error = float(np.sqrt((rest**2).sum() * blocks / (blocks - 1))) / total if blocks > 1 else float("nan")
        return cls(
            log_loss_demographics=float(loss.sum()) / total,
            log_loss_chain=float(base.sum()) / total,
            standard_error=error,
            blocked_by=blocked_by,
            blocks=blocks,
            purchases=total,
        )

    @classmethod
    def untested(cls, units: Floats, blocked_by: str) -> Evidence:
        """Nothing could be held out of the (B,) units bought by block, or there is no demographic to test."""
        nan = float("nan")
        return cls(
            log_loss_demographics=nan,
            log_loss_chain=nan,
            standard_error=nan,
            blocked_by=blocked_by,
            blocks=int((units > 0).sum()),
            purchases=float(units.sum()),
        )

    @property
    def gain(self) -> float:
        """Nats per purchase by which demographics forecast better than the chain average."""
        return self.log_loss_chain - self.log_loss_demographics

    @property
    def demographics_help(self) -> bool:
        """Whether the gain exceeds its own standard error, and is one at all."""
        return bool(self.gain > self.standard_error and self.gain > LEAST_GAIN)

    @property
    def fit_in_words(self) -> tuple[str, ...]:
        """The figures of the fit, where they are known."""
        if not np.isfinite(self.log_loss_fit):
            return ()
        explained = 1.0 - self.log_loss_fit / self.log_loss_even if self.log_loss_even > 0 else 0.0
        return (
            f"Log-loss per purchase of the fit {self.log_loss_fit:.4f}; {self.log_loss_even:.4f} if all on offer were "
            f"chosen alike (pseudo R² {explained:.3f}).",
        )

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if not np.isfinite(self.gain):
            return "Whether demographics help was not tested: nothing to hold out, or no demographic that varies."
        *nouns, last = (f"{noun}s" for noun in self.blocked_by.split(" and "))
        blocks = f"{', '.join(nouns)} and {last}" if nouns else last
        figures = (
            f"log-loss per purchase {self.log_loss_demographics:.4f} with demographics, {self.log_loss_chain:.4f} for "
            f"the chain average; gain {self.gain:.4f} ± {self.standard_error:.4f}, {self.blocks} {blocks}"
        )
        unseen = f"{blocks} the model had not seen"
        if self.demographics_help and self.gain < _SURE * self.standard_error:
            return (
                f"Demographics forecast {unseen} a little better than the chain average does, by so little that it may "
                f"be chance ({figures}); take what follows from them as a hint."
            )
        if self.demographics_help:
            return f"Demographics forecast {unseen} better than the chain average does ({figures})."
        return f"Demographics do not forecast {unseen} better than the chain average does ({figures})."
