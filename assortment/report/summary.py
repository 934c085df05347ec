"""The chain in a few lines, in the same figures that its page shows."""

from __future__ import annotations

from assortment.report.chain_page import chain_figures
from assortment.report.facts import Facts
from assortment.report.people import shoppers_in_words
from assortment.report.run import Run
from assortment.report.tastes import plain_sentence
from assortment.report.volume import warning


def summary(run: Run) -> dict[str, str]:
    """Return what a run found, as label and text: stores, core, local, worth and units against today, gap.

    "Warning" is there only when the plan sells far fewer units than today, "Shoppers" when there are several classes of
    them, and "Take care" when the demand model has found something that a reader of any figure should know.
    """
    facts = Facts.of(run)
    lines = {figure["label"]: f"{figure['value']} ({figure['note']})" for figure in chain_figures(facts)}
    told = warning(facts)
    return {
        **lines,
        **({"Warning": told} if told else {}),
        "Forecast": facts.chain_claim.sentence,
        "Local tastes": plain_sentence(run.model.tastes_in_words),
        **({"Shoppers": classes} if (classes := shoppers_in_words(facts)) else {}),
        "Buying nothing": run.model.walk_away_in_words,
        **({"Take care": " ".join(run.model.cautions)} if run.model.cautions else {}),
    }
