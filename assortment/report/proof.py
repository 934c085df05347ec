"""The proof line: how far from the best possible plan at most, by which solver, from which inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from assortment.report.facts import Facts
from assortment.report.numbers import UNKNOWN, percent

_TOLD = ("assortment", "PuLP", "highspy")


def proof(facts: Facts) -> str:
    """Return one paragraph: gap and bound, status, versions, date, scenario and the hash of the inputs."""
    manifest = facts.run.manifest
    versions = manifest.get("versions", {})
    solver = ", ".join(f"{name} {versions[name]}" for name in _TOLD if name in versions)
    origin = (
        f"Scenario {facts.printed(manifest.get('scenario', facts.run.title))}, {date(manifest)}, "
        f"seed {manifest.get('seed', UNKNOWN)}, inputs {input_hash(manifest)}."
    )
    return " ".join([_bound(facts), f"Status: {status(facts)}.", *([f"Made with {solver}."] if solver else []), origin])


def status(facts: Facts) -> str:
    """Return how the search for the plan ended, in words, with the gap asked for where the manifest tells it."""
    plan = facts.run.plan
    asked = facts.run.manifest.get("settings", {}).get("solve", {}).get("gap")
    wanted = "gap asked for" if asked is None else f"{100 * float(asked):.10g}\N{NO-BREAK SPACE}% asked for"
    words = {
        "optimal": f"optimal: proven within the {wanted}",
        "gap_open": f"gap open: not proven within the {wanted}" if np.isfinite(plan.bound) else "no proof was made",
        "time_limit": "stopped by the time limit",
        "interrupted": "interrupted",
    }
    return words.get(str(plan.status), str(plan.status).replace("_", " "))


def _bound(facts: Facts) -> str:
    plan = facts.run.plan
    if not np.isfinite(plan.bound):
        return "No bound was asked for: nothing is proven about better plans."
    found = f"By the model's own count no plan for the chain is worth more than {percent(plan.gap, 2)} above this one"
    if not facts.chain_claim.money:
        return f"{found}."
    return f"{found} (plan {facts.amount(plan.value)}, bound {facts.amount(plan.bound)} per week)."


def date(manifest: Mapping[str, Any]) -> str:
    """Return the day of the run, as ISO writes it."""
    return str(manifest.get("date", UNKNOWN))[:10]


def input_hash(manifest: Mapping[str, Any]) -> str:
    """Return twelve hex digits over the hashes of all inputs and the scenario's settings."""
    told = json.dumps([manifest.get("inputs", {}), manifest.get("settings", {})], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:12]
