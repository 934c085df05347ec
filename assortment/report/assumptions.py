"""What a plan rests on, in sentences: the scenario's rules, and what was assumed rather than known."""

from __future__ import annotations

from assortment.demand import CHAIN_EVERYWHERE
from assortment.report.claim import TOLERANCE
from assortment.report.costs import costs_in_words, priced_in_words, soft_in_words
from assortment.report.facts import Facts
from assortment.report.numbers import percent
from assortment.report.reasons import FELT
from assortment.report.volume import left_with_nothing

_WEIGHTS = {
    "occasions": "How many shoppers choose in the category comes from the chain's shelves table (occasions_per_week).",
    "units": "How many shoppers choose in the category is not known: units sold, scaled up by the walk-away rate.",
}


def rules_in_words(facts: Facts) -> list[str]:
    """Return one sentence per rule that the scenario sets, then what costs and prices of rules come to."""
    rules = (sentence for sentences in facts.rule_sentences.values() for sentence in sentences)
    return [*rules, *costs_in_words(facts), *soft_in_words(facts), *priced_in_words(facts)]


def assumptions(facts: Facts) -> list[str]:
    """Return what was assumed: the outside option, shopper weights, trade areas, what money means, and all warnings.

    What stands elsewhere on the page, on local tastes and what to take care of, is not told again.
    """
    run = facts.run
    elsewhere = {run.model.evidence.sentence, CHAIN_EVERYWHERE, *run.model.cautions}
    areas = run.areas
    told = [
        left_with_nothing(facts),
        _WEIGHTS.get(str(run.demand.weight_source), ""),
        "Trade areas "
        + (
            "divide people between the stores."
            if areas.kind == "divides"
            else "overlap: a person may count for several stores."
        ),
        "Prices are the regular ones, without promotion. Price effects are not corrected for how prices were set.",
        f"Who lives around a store goes with what it sells: that is an association between stores, not a cause. Only "
        f"effects on demand of at least {percent(FELT)} are told.",
        f"Money is claimed only where the forecast of today's listing is within {percent(TOLERANCE)} of what was sold.",
        "Intervals are of 90 % and hold the error of the demand model, not that of prices, margins or shelves.",
        *(
            facts.printed.sentence(text)
            for text in (*run.demand.notes, *run.manifest.get("warnings", ()))
            if text not in elsewhere
        ),
    ]
    return [sentence for sentence in dict.fromkeys(told) if sentence]
