"""A fitted model as one file: a zip of JSON and plain arrays, without pickle, so that opening one runs no code."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from assortment.demand.design.attributes import AttributeColumn, AttributeDesign
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.design.demographics import DemographicDesign
from assortment.demand.design.nests import Nests
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.classes import Trial
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.fitting.nests import NestTrial
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.held_out import HeldOut
from assortment.demand.model.model_tree import Arrays, ForeignTreeError, decoded, encoded
from assortment.demand.model.spread import Spread
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume
from assortment.errors import DemandError
from assortment.inputs import Products

FORMAT, VERSION = "assortment choice model", 1
CLASSES: tuple[type, ...] = (
    *(AttributeColumn, AttributeDesign, Calendar, ChoiceModel, Coefficients, CovariateDesign, DemographicDesign),
    *(Evidence, HeldOut, Nests, NestTrial, Products, Spread, Tastes, Trial, Volume),
)
"""What a file may hold besides plain values, frames and arrays: every dataclass that a model consists of."""

_TREE = "model.json"
_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every member: the same model gives the same bytes
_DAMAGED = (zipfile.BadZipFile, zlib.error, LookupError, ValueError, TypeError, EOFError, RuntimeError)


def save_model(model: ChoiceModel, path: str | os.PathLike[str]) -> Path:
    """Write a model to a file; see ``ChoiceModel.save``."""
    target = Path(path)
    content = _zipped(model)
    # In the same folder as the target: a rename is atomic only within one file system.
    beside = target.with_name(f".{target.name}-{uuid4().hex[:8]}")
    try:
        try:
            with beside.open("xb") as file:
                file.write(content)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise DemandError(f"{target} cannot be written: {error.strerror}; choose another place.") from error
    return target


def load_model(path: str | os.PathLike[str]) -> ChoiceModel:
    """Read a model from a file; see ``ChoiceModel.load``."""
    source = Path(path)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise DemandError(f"{source} cannot be read: {error.strerror}; check the path.") from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            model = _decoded(file, source)
    except _DAMAGED as error:
        raise DemandError(
            f"{source} is not a model saved by ChoiceModel.save, or it was cut off or changed since; "
            "copy it again from where it was saved, or fit the model again."
        ) from error
    return model


def _zipped(model: ChoiceModel) -> bytes:
    arrays = Arrays()
    tree = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": version("assortment"),
        "model": encoded(model, CLASSES, arrays),
    }
    buffer = io.BytesIO()
    members = {_TREE: json.dumps(tree, ensure_ascii=False, allow_nan=False).encode(), **arrays.members}
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _decoded(file: zipfile.ZipFile, source: Path) -> ChoiceModel:
    tree: Any = json.loads(file.read(_TREE))
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ValueError("another format")
    written_by = f"{tree['written_by']}, format {int(tree['version'])}"
    if tree["version"] > VERSION:
        raise DemandError(
            f"{source} was written by a newer assortment ({written_by}); this one reads formats up to {VERSION}. "
            "Install the newer version, or fit the model again."
        )
    try:
        model = decoded(tree["model"], CLASSES, file.read)
    except ForeignTreeError as error:
        raise DemandError(
            f"{source} was written by another version of assortment ({written_by}; {error}); "
            "install that version, or fit the model again."
        ) from error
    if not isinstance(model, ChoiceModel):
        raise ValueError("another class")
    return model
