"""What a declared field may hold: one check for each kind of field."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.declare import ByName, Declared, Words, nearest, nested_methods

if TYPE_CHECKING:
    from xai_widgets.baselines import Baseline


def check(name: str, value: Any, field: dataclasses.Field[Any]) -> Any:
    """The value of a declared field in its own type, or an error that names the field and what is allowed.

    Raises:
        TypeError: The value is of another type.
        ValueError: The value is out of bounds, not finite, or not one of the choices.
    """
    meta = field.metadata
    return _CHECKS[meta["kind"]](name, value, meta, field.default)


def _check_int(name: str, value: Any, meta: Mapping[str, Any], _: Any) -> int:
    # A browser sends 64.0 as 64 and a slider may send 64.0 for 64: whole floats are taken, everything else is refused.
    whole = isinstance(value, numbers.Real) and not isinstance(value, bool) and float(value).is_integer()
    if not whole:
        raise TypeError(f"{name} must be an integer{_allowed(meta)}, got {value!r}")
    return int(_bounded(name, int(value), meta))


def _check_float(name: str, value: Any, meta: Mapping[str, Any], _: Any) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number{_allowed(meta)}, got {value!r}")
    return float(_bounded(name, float(value), meta))


def _check_value(name: str, value: Any, meta: Mapping[str, Any], default: Any) -> Any:
    if isinstance(value, numbers.Real):
        return _check_float(name, value, meta, default)
    try:
        array = np.array(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be a number or an array of numbers, got {value!r}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {value!r}")
    array.flags.writeable = False
    return float(array) if array.ndim == 0 else array


def _check_words(name: str, value: Any, _: Mapping[str, Any], __: Any) -> Words:
    if not isinstance(value, Mapping) or not all(isinstance(word, str) for pair in value.items() for word in pair):
        raise TypeError(f"{name} must be a mapping from text to text, got {value!r}")
    return Words(value)


def _check_array(name: str, value: Any, meta: Mapping[str, Any], default: Any) -> np.ndarray:
    array = _check_value(name, np.asarray(value), meta, default)
    if not isinstance(array, np.ndarray) or array.size == 0:
        raise ValueError(f"{name} must hold at least one sample, got {value!r}")
    return array


def _check_data(name: str, value: Any, meta: Mapping[str, Any], default: Any) -> np.ndarray | ByName:
    if not isinstance(value, Mapping):
        return _check_array(name, value, meta, default)
    if not value or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{name} must hold arrays by name, such as {{'striped': array}}, got {list(value)!r}")
    return ByName({key: _check_data(f"{name}[{key!r}]", one, meta, default) for key, one in value.items()})


def _check_layer(name: str, value: Any, _: Mapping[str, Any], __: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be the name of a layer, or None to find one, got {value!r}")
    return value


def _check_sample(name: str, value: Any, meta: Mapping[str, Any], default: Any) -> int | None:
    return None if value is None else _check_int(name, value, meta, default)


def _check_limit(name: str, value: Any, meta: Mapping[str, Any], default: Any) -> Any:
    return None if value is None else _check_value(name, value, meta, default)


def _check_size(name: str, value: Any, meta: Mapping[str, Any], default: Any) -> int | tuple[int, ...] | None:
    if value is None or isinstance(value, numbers.Real):
        return None if value is None else _check_int(name, value, meta, default)
    if not isinstance(value, list | tuple | np.ndarray) or len(value) == 0:
        raise TypeError(f"{name} must be an integer{_allowed(meta)}, one for each axis, or None, got {value!r}")
    return tuple(_check_int(name, one, meta, default) for one in value)


def _check_segments(name: str, value: Any, meta: Mapping[str, Any], default: Any) -> int | np.ndarray:
    if not isinstance(value, list | tuple | np.ndarray):
        return _check_int(name, value, meta, default)
    try:
        labels = np.array(value)
    except ValueError:  # rows of different lengths
        labels = np.array(None)
    if labels.dtype.kind not in "iub" or labels.ndim == 0 or labels.size == 0:
        raise TypeError(f"{name} must be an integer{_allowed(meta)} or an array of integer labels, got {value!r}")
    labels = labels.astype(np.int64)
    labels.flags.writeable = False
    return labels


def _check_bool(name: str, value: Any, _: Mapping[str, Any], __: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def _check_choice(name: str, value: Any, meta: Mapping[str, Any], _: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {', '.join(map(repr, meta['choices']))}, got {value!r}")
    if value not in meta["choices"]:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, meta['choices']))}, got {value!r}")
    return value


def _check_baseline(name: str, value: Any, _: Mapping[str, Any], __: Any) -> Baseline:
    from xai_widgets.baselines import as_baseline

    return as_baseline(name, value)


def _check_method(name: str, value: Any, _: Mapping[str, Any], default: Declared) -> Declared:
    known = {cls.name: cls for cls in nested_methods()}
    if isinstance(value, str):
        if value not in known:
            raise ValueError(f"{name} {value!r} is no gradient method{nearest(value, known)}")
        value = known[value]
    if isinstance(value, type) and value in known.values():
        value = value()
    if type(value) not in known.values():
        raise TypeError(f"{name} must be a gradient method such as {default!r} ({', '.join(known)}), got {value!r}")
    return value


_CHECKS: dict[str, Callable[[str, Any, Mapping[str, Any], Any], Any]] = {
    "int": _check_int,
    "seed": _check_int,
    "layer": _check_layer,
    "sample": _check_sample,
    "array": _check_array,
    "data": _check_data,
    "float": _check_float,
    "value": _check_value,
    "limit": _check_limit,
    "words": _check_words,
    "bool": _check_bool,
    "size": _check_size,
    "segments": _check_segments,
    "choice": _check_choice,
    "baseline": _check_baseline,
    "method": _check_method,
}


def _allowed(meta: Mapping[str, Any]) -> str:
    if meta["ge"] is not None:
        return f" >= {meta['ge']}"
    if meta["gt"] is not None:
        return f" > {meta['gt']}"
    return ""


def _bounded(name: str, value: float, meta: Mapping[str, Any]) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    low = (meta["ge"] is not None and value < meta["ge"]) or (meta["gt"] is not None and value <= meta["gt"])
    if low:
        raise ValueError(f"{name} must be{_allowed(meta)}, got {value!r}")
    return value
