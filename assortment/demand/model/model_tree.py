"""A model as a tree of JSON values and arrays, exactly, whatever fields its classes have.

What JSON has stands as it is; anything else is an object whose first key says what it is, such as ``{"tuple": […]}``
or ``{"class": "Volume", "fields": {…}}``. Arrays are members of their own, in NumPy's format.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

_PLAIN = "biufcmMU"  # kinds of arrays that NumPy stores without pickle
_NULLABLE: dict[str, Any] = {
    **{name: getattr(np, name.lower()) for name in ("Int8", "Int16", "Int32", "Int64", "Float32", "Float64")},
    "boolean": np.bool_,
}


class ForeignTreeError(Exception):
    """The tree names a class or a field that this version does not have."""


class Arrays:
    """The arrays of a tree, by the name of their member."""

    def __init__(self) -> None:
        self.members: dict[str, bytes] = {}

    def add(self, values: Any) -> str:
        """Store an array and return its name."""
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        name = f"arrays/{len(self.members)}.npy"
        self.members[name] = buffer.getvalue()
        return name


def encoded(value: Any, classes: tuple[type, ...], arrays: Arrays) -> Any:
    """Return a value as JSON; its arrays go to ``arrays``.

    Raises
    ------
    TypeError
        A type that has no place in a model's file.
    """
    return _Encoder(classes, arrays).encode(value)


def decoded(tree: Any, classes: tuple[type, ...], read: Callable[[str], bytes]) -> Any:
    """Return the value of a tree.

    Parameters
    ----------
    tree
        As ``encoded`` gave it.
    classes
        Dataclasses that it may name.
    read
        Gives the content of an array by its name.

    Raises
    ------
    ForeignTreeError
        It names another class, or fields that the class does not have.
    LookupError, TypeError, ValueError
        It is damaged.
    """
    return _Decoder(classes, read).decode(tree)


class _Encoder:
    def __init__(self, classes: tuple[type, ...], arrays: Arrays) -> None:
        self._classes, self._arrays = classes, arrays

    def encode(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind in self._classes and is_dataclass(value):
            parts = {field.name: self.encode(getattr(value, field.name)) for field in fields(value)}
            return {"class": kind.__name__, "fields": parts}
        # Subclasses, such as named tuples, would come back as something else: only the types themselves.
        encode = self._plain.get(kind) or next((way for of, way in self._arrays_of if isinstance(value, of)), None)
        if encode is None:
            raise TypeError(
                f"a {kind.__module__}.{kind.__qualname__} cannot be saved with a model; "
                "a dataclass that a model consists of belongs into CLASSES of model_file.py"
            )
        return encode(self, value)

    def _float(self, value: float) -> Any:
        return value if np.isfinite(value) else {"float": str(value)}

    def _items(self, values: Any) -> list[Any]:
        return [self.encode(value) for value in values]

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        return {"mapping": [self._items(pair) for pair in value.items()], "fixed": type(value) is not dict}

    def _array(self, value: Any) -> Any:
        if value.dtype == object:
            return {"objects": self._items(value.ravel()), "shape": value.shape, "writeable": value.flags.writeable}
        if value.dtype.kind not in _PLAIN:
            raise TypeError(f"an array of type {value.dtype} cannot be saved with a model")
        return {"array": self._arrays.add(value), "writeable": value.flags.writeable}

    def _column(self, values: Any) -> Any:
        """The values of a column or an index, of whatever type."""
        dtype = values.dtype
        if isinstance(dtype, np.dtype):
            return self._array(values.to_numpy())
        if isinstance(dtype, pd.StringDtype):
            text = [None if missing else str(item) for item, missing in zip(values, values.isna(), strict=True)]
            return {"text": text, "storage": dtype.storage, "na": "NA" if dtype.na_value is pd.NA else "nan"}
        if isinstance(dtype, pd.CategoricalDtype):
            codes = np.asarray(pd.Categorical(values).codes)
            return {"codes": self._array(codes), "of": self._index(dtype.categories), "ordered": bool(dtype.ordered)}
        kind = _NULLABLE.get(str(dtype))
        if kind is None:
            raise TypeError(f"a column of type {dtype} cannot be saved with a model")
        known, missing = values.to_numpy(dtype=kind, na_value=kind(0)), np.asarray(values.isna(), dtype=np.bool_)
        return {"nullable": str(dtype), "known": self._array(known), "missing": self._array(missing)}

    def _frame(self, value: pd.DataFrame) -> Any:
        columns = [self._column(value.iloc[:, i]) for i in range(value.shape[1])]
        return {"frame": columns, "columns": self._index(value.columns), "index": self._index(value.index)}

    def _series(self, value: pd.Series) -> Any:
        return {"series": self._column(value), "index": self._index(value.index), "name": self.encode(value.name)}

    def _index(self, value: pd.Index) -> Any:
        if isinstance(value, pd.MultiIndex):
            raise TypeError("an index of several levels cannot be saved with a model")
        if isinstance(value, pd.RangeIndex):
            return {"range": [value.start, value.stop, value.step], "name": self.encode(value.name)}
        return {"labels": self._column(value), "name": self.encode(value.name)}

    _plain: Mapping[type, Callable[[_Encoder, Any], Any]] = MappingProxyType(
        {
            float: _float,
            tuple: lambda self, value: {"tuple": self._items(value)},
            list: lambda self, value: {"list": self._items(value)},
            dict: _mapping,
            MappingProxyType: _mapping,
            dt.date: lambda _, value: {"date": value.isoformat()},
            pd.Timestamp: lambda self, value: {"moment": self._array(np.asarray(value.asm8))},
            type(pd.NA): lambda *_: {"missing": "NA"},
            type(pd.NaT): lambda *_: {"missing": "NaT"},
        }
    )
    _arrays_of: tuple[tuple[type, Callable[[_Encoder, Any], Any]], ...] = (
        (np.generic, lambda self, value: {"number": self._array(np.asarray(value))}),
        (np.ndarray, _array),
        (pd.DataFrame, _frame),
        (pd.Series, _series),
        (pd.Index, _index),
    )


class _Decoder:
    def __init__(self, classes: tuple[type, ...], read: Callable[[str], bytes]) -> None:
        self._classes, self._read = {kind.__name__: kind for kind in classes}, read

    def decode(self, tree: Any) -> Any:
        if not isinstance(tree, dict):
            if tree is None or isinstance(tree, bool | int | float | str):
                return tree
            raise ValueError("a value without a type")
        return self._kinds[next(iter(tree))](self, tree)

    def _items(self, trees: Any) -> list[Any]:
        return [self.decode(tree) for tree in trees]

    def _object(self, tree: Any) -> Any:
        kind: Any = self._classes.get(tree["class"])
        if kind is None:
            raise ForeignTreeError(f"it holds a {tree['class']}")
        given = {name: self.decode(part) for name, part in tree["fields"].items()}
        declared = {field.name: field for field in fields(kind)}
        unknown = [name for name in given if name not in declared]
        if unknown:
            raise ForeignTreeError(f"its {kind.__name__} has {', '.join(unknown)}")
        # Checked when it was made, and to come back exactly as it was: no __init__, which converts what it is given.
        value = object.__new__(kind)
        for name, field in declared.items():
            if name not in given:
                if field.default is MISSING and field.default_factory is MISSING:
                    raise ForeignTreeError(f"its {kind.__name__} has no {name}")
                given[name] = field.default if field.default_factory is MISSING else field.default_factory()
            object.__setattr__(value, name, given[name])
        return value

    def _mapping(self, tree: Any) -> Any:
        pairs = {self.decode(key): self.decode(item) for key, item in tree["mapping"]}
        return MappingProxyType(pairs) if tree["fixed"] else pairs

    def _array(self, tree: Any) -> Any:
        values = np.load(io.BytesIO(self._read(tree["array"])), allow_pickle=False)
        values.setflags(write=tree["writeable"])
        return values

    def _objects(self, tree: Any) -> Any:
        values = np.empty(len(tree["objects"]), dtype=object)
        values[:] = self._items(tree["objects"])
        values = values.reshape(tree["shape"])
        values.setflags(write=tree["writeable"])
        return values

    def _text(self, tree: Any) -> Any:
        na: Any = pd.NA if tree["na"] == "NA" else np.nan
        return pd.array(tree["text"], dtype=pd.StringDtype(tree["storage"], na_value=na))

    def _codes(self, tree: Any) -> Any:
        dtype = pd.CategoricalDtype(self.decode(tree["of"]), tree["ordered"])
        return pd.Categorical.from_codes(self.decode(tree["codes"]), dtype=dtype)

    def _nullable(self, tree: Any) -> Any:
        values = pd.array(self.decode(tree["known"]), dtype=tree["nullable"])
        values[self.decode(tree["missing"])] = pd.NA
        return values

    def _frame(self, tree: Any) -> pd.DataFrame:
        index = self.decode(tree["index"])
        columns = {i: _series_of(self.decode(column), index) for i, column in enumerate(tree["frame"])}
        frame = pd.DataFrame(columns, index=index)
        frame.columns = self.decode(tree["columns"])
        return frame

    def _series(self, tree: Any) -> pd.Series:
        return _series_of(self.decode(tree["series"]), self.decode(tree["index"]), self.decode(tree["name"]))

    def _labels(self, tree: Any) -> pd.Index:
        values = self.decode(tree["labels"])
        index: pd.Index = pd.Index(values, dtype=values.dtype, name=self.decode(tree["name"]))
        return index

    def _range(self, tree: Any) -> pd.RangeIndex:
        first, stop, step = tree["range"]
        return pd.RangeIndex(first, stop, step, name=self.decode(tree["name"]))

    _kinds: Mapping[str, Callable[[_Decoder, Any], Any]] = MappingProxyType(
        {
            "class": _object,
            "float": lambda _, tree: float(tree["float"]),
            "tuple": lambda self, tree: tuple(self._items(tree["tuple"])),
            "list": lambda self, tree: self._items(tree["list"]),
            "mapping": _mapping,
            "date": lambda _, tree: dt.date.fromisoformat(tree["date"]),
            "moment": lambda self, tree: pd.Timestamp(self.decode(tree["moment"])[()]),
            "missing": lambda _, tree: {"NA": pd.NA, "NaT": pd.NaT}[tree["missing"]],
            "number": lambda self, tree: self.decode(tree["number"])[()],
            "array": _array,
            "objects": _objects,
            "text": _text,
            "codes": _codes,
            "nullable": _nullable,
            "frame": _frame,
            "series": _series,
            "range": _range,
            "labels": _labels,
        }
    )


def _series_of(values: Any, index: pd.Index, name: Any = None) -> pd.Series:
    series: pd.Series = pd.Series(values, index=index, dtype=values.dtype, name=name)
    return series
