"""A model comes back from its file exactly, and nothing else comes out of one."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from demand_worlds import World
from hypothesis import given, settings
from hypothesis import strategies as st
from test_fit_demand import stores_of
from test_household_demand import BANDS, make_areas, make_baskets

from assortment.demand import ChoiceModel, fit_demand
from assortment.demand.model.model_file import VERSION
from assortment.demand.model.model_tree import Arrays, ForeignTreeError, decoded, encoded
from assortment.errors import DemandError


def same(one: Any, other: Any) -> bool:
    """Whether two values are alike to the last bit and of the same types, all the way down."""
    if type(one) is not type(other):
        return False
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, dict | MappingProxyType):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return same_values(one, other)


def same_values(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame | pd.Series | pd.Index):
        check = {pd.DataFrame: pd.testing.assert_frame_equal, pd.Series: pd.testing.assert_series_equal}
        kind = next((check[k] for k in check if isinstance(one, k)), pd.testing.assert_index_equal)
        kind(one, other, check_exact=True)
        return True
    if isinstance(one, np.ndarray):
        shaped = one.dtype == other.dtype and one.shape == other.shape and one.flags.writeable == other.flags.writeable
        plain = one.dtype != object
        return shaped and (one.tobytes() == other.tobytes() if plain else same(list(one.ravel()), list(other.ravel())))
    return one is other or repr(one) == repr(other)


def through(value: Any, classes: tuple[type, ...] = ()) -> Any:
    arrays = Arrays()
    text = json.dumps(encoded(value, classes, arrays), allow_nan=False)
    return decoded(json.loads(text), classes, arrays.members.__getitem__)


@pytest.fixture(scope="module")
def of_households() -> ChoiceModel:
    baskets, members, products = make_baskets(1.0)
    areas = make_areas()
    return fit_demand(None, products, areas, baskets=baskets, households=members, segment="band", segments=BANDS)


@pytest.fixture(scope="module")
def saved(fitted: ChoiceModel, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return fitted.save(tmp_path_factory.mktemp("saved") / "milk.model").read_bytes()


def test_every_field_comes_back_exactly(fitted: ChoiceModel, of_households: ChoiceModel, tmp_path: Path) -> None:
    """Models from tills and from households, field by field; the same model gives the same bytes."""
    for number, model in enumerate((fitted, of_households)):
        file = model.save(tmp_path / f"{number}.model")
        loaded = ChoiceModel.load(str(file))
        for part in fields(ChoiceModel):
            assert same(getattr(model, part.name), getattr(loaded, part.name)), part.name
        assert loaded.save(tmp_path / "again.model").read_bytes() == file.read_bytes()


def test_a_loaded_model_predicts_the_same_to_the_last_bit(fitted: ChoiceModel, world: World, tmp_path: Path) -> None:
    """Every field of the forecast, and shares of offers."""
    loaded = ChoiceModel.load(fitted.save(tmp_path / "a.model"))
    one, other = (
        model.predict(stores_of(world.store_ids), world.products, world.profiles) for model in (fitted, loaded)
    )
    assert same(one, other)
    offers = world.sales.frame[["week", "store_id", "product_id", "price", "flyer"]]
    assert fitted.shares(offers, world.profiles).equals(loaded.shares(offers, world.profiles))
    assert fitted.summary() == loaded.summary()


@dataclass(frozen=True)
class Kept:
    """As a class of a model."""

    value: Any
    more: tuple[int, ...] = (1,)
    table: dict[str, int] = field(default_factory=dict)


VALUES = [
    None,
    True,
    -3,
    "Müller „½“",
    float("nan"),
    float("inf"),
    float("-inf"),
    -0.0,
    0.1 + 0.2,
    (),
    ((1, "a"), [None, 2.5]),
    {"a": 1, 2: (3,)},
    MappingProxyType({"x": 1.5}),
    dt.date(2025, 3, 3),
    pd.Timestamp("2025-03-03"),
    pd.NaT,
    pd.NA,
    np.float64(0.1),
    np.int32(7),
    np.zeros((0, 3)),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.broadcast_to(np.arange(2.0), (3, 2)),
    np.array([1, 2], dtype=np.intp),
    np.array(["a", None, 1.5], dtype=object),
    np.array(["2025-03-03"], dtype="datetime64[us]"),
    np.array([True, False]),
    pd.Index(["a", "b"], name="store_id"),
    pd.Index(["a", "b"], dtype=object),
    pd.DatetimeIndex(["2025-03-03", "2025-03-10"], name="week"),
    pd.Series([1.0, np.nan], index=["a", "b"], name="units"),
    pd.DataFrame(),
    pd.DataFrame(index=["a", "b"]),
    pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": ["x", None], "d": [True, False]}, index=["r", "s"]),
    pd.DataFrame({"o": pd.Series(["x", None, 3], dtype=object), "s": pd.Series(["x", None, "y"], dtype="string")}),
    pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "f": pd.array([None, 0.5], dtype="Float64")}),
    pd.DataFrame({"b": pd.array([True, None], dtype="boolean"), "w": pd.to_datetime(["2025-03-03", None])}),
    pd.DataFrame({"k": pd.Categorical(["x", None, "y"], categories=["y", "x"], ordered=True)}),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}")
def test_any_value_of_a_field_comes_back_as_it_was(value: Any) -> None:
    """Type, dtype, missing values, order, sign of zero, and whether it can be written to."""
    assert same(value, through(value))
    assert same(Kept(value), through(Kept(value), (Kept,)))


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.tuples(inner, inner) | st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(NESTED)
def test_nested_values_come_back_as_they_were(value: Any) -> None:
    """Whatever the nesting."""
    assert same(value, through(value))


class Pair(NamedTuple):
    left: int
    right: int


@pytest.mark.parametrize(
    "value",
    [
        Pair(1, 2),
        Kept(1),
        {1, 2},
        lambda: None,
        1j,
        pd.DataFrame({"a": [1]}, index=[[0], [1]]),
        dt.datetime(2025, 1, 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_not_come_back_is_refused_when_saved(value: Any) -> None:
    """A programmer hears of it at once, not the user who opens the file."""
    with pytest.raises(TypeError, match="saved with a model"):
        encoded((value,), (), Arrays())


def test_a_field_that_a_file_lacks_takes_its_default() -> None:
    """So that new fields with defaults can read older files; one without default, or an unknown one, is named."""
    tree = {"class": "Kept", "fields": {"value": 1}}
    assert decoded(tree, (Kept,), lambda _: b"") == Kept(1)
    for fields_, said in (({"more": 2}, "no value"), ({"value": 1, "extra": 2}, "has extra")):
        with pytest.raises(ForeignTreeError, match=said):
            decoded({"class": "Kept", "fields": fields_}, (Kept,), lambda _: b"")


def changed(content: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A model's file with another tree."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "model.json":
                tree = json.loads(text)
                text = json.dumps(change(tree) or tree).encode()
            new.writestr(name, text)
    return buffer.getvalue()


def test_a_newer_file_says_what_to_do(saved: bytes, tmp_path: Path) -> None:
    """Versions of both are named."""
    file = tmp_path / "new.model"
    file.write_bytes(changed(saved, lambda tree: tree.update(version=VERSION + 1, written_by="9.9")))
    with pytest.raises(DemandError, match=rf"newer assortment \(9\.9.*formats up to {VERSION}.*fit the model again"):
        ChoiceModel.load(file)


def test_a_file_with_other_classes_or_fields_says_so(saved: bytes, tmp_path: Path) -> None:
    """Also a class that exists, but has no place in a model."""
    file = tmp_path / "other.model"
    for change, said in (
        (lambda tree: tree["model"].update({"class": "Popen"}), "it holds a Popen"),
        (lambda tree: tree["model"]["fields"].pop("volume"), "ChoiceModel has no volume"),
    ):
        file.write_bytes(changed(saved, lambda tree, change=change: change(tree) and None))
        with pytest.raises(DemandError, match=f"another version.*{said}"):
            ChoiceModel.load(file)


def foreign(saved: bytes) -> dict[str, bytes]:
    """Files that are no models, or no longer."""
    zipped, pickled = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("workbook.xml", "<x/>")
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    middle = len(saved) // 2
    return {
        "empty": b"",
        "text": b"store_id,product_id\n",
        "another zip": zipped.getvalue(),
        "cut in the middle": saved[:middle],
        "one byte short": saved[:-1],
        "a byte changed": saved[:200] + bytes([saved[200] ^ 255]) + saved[201:],
        "json of another kind": changed(saved, lambda tree: [tree]),
        "another format": changed(saved, lambda tree: tree.update(format="x")),
        "no version": changed(saved, lambda tree: tree.pop("version") and None),
        "another class": changed(saved, lambda tree: tree.update(model={"tuple": []})),
        "a missing array": changed(saved, lambda tree: tree.update(model={"array": "arrays/999.npy"})),
        "a value of no kind": changed(saved, lambda tree: tree.update(model={"eval": "1"})),
        "pickle": with_member(changed(saved, lambda tree: tree.update(model={"array": "p.npy"})), pickled.getvalue()),
    }


def with_member(content: bytes, member: bytes) -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("p.npy", member)
    return buffer.getvalue()


def test_foreign_and_damaged_files_are_refused(saved: bytes, tmp_path: Path) -> None:
    """One error for people, whatever is wrong, and no pickle is opened."""
    file = tmp_path / "some.model"
    for what, content in foreign(saved).items():
        file.write_bytes(content)
        with pytest.raises(DemandError, match=r"some\.model is not a model.*fit the model again"):
            ChoiceModel.load(file)
            pytest.fail(what)


def test_a_path_that_is_not_there_or_cannot_be_written_is_named(fitted: ChoiceModel, tmp_path: Path) -> None:
    """Reading and writing, a missing folder and one in place of a file."""
    for path in (tmp_path / "nothing.model", tmp_path):
        with pytest.raises(DemandError, match="cannot be read"):
            ChoiceModel.load(path)
    for path in (tmp_path / "no" / "such.model", tmp_path):
        with pytest.raises(DemandError, match="cannot be written"):
            fitted.save(path)
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_leaves_the_old_file(
    fitted: ChoiceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there stays whole, and nothing half-written is left beside it."""
    file = tmp_path / "a.model"
    file.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(DemandError, match="No space left"):
            fitted.save(file)
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]
    fitted.save(file)
    assert isinstance(ChoiceModel.load(file), ChoiceModel)
