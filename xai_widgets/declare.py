"""One declaration per parameter: its check, its control, its JSON and its documentation follow from it.

Methods and baselines are frozen dataclasses whose fields are made by `param`. They are values: comparable, hashable,
printable. Arrays in them are copied, made read-only, and compared by content.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np


def param(
    default: Any = dataclasses.MISSING,
    *,
    doc: str,
    ge: float | None = None,
    gt: float | None = None,
    soft_max: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] | None = None,
    unit: str = "",
    kind: str | None = None,
) -> Any:
    """Declare a field of a method or baseline.

    Args:
        default: The default, whose type is the field's type; none for an array that must be given.
        doc: One sentence for documentation and tool tips.
        ge, gt: Hard lower bound, inclusive or exclusive.
        soft_max: Where a slider ends; Python takes any larger value.
        step: Step of the slider; None for a continuous one.
        choices: The allowed words.
        unit: "px", "%" or nothing.
        kind: "value" for a number or an array, "array", "data" for an array or several by name, "words" for a mapping
            from text to text, "seed", "layer", "method" for another method, "sample" for the place of one of the
            samples of a field of kind "array", "size" for an integer, one for each axis or None (chosen from the
            input), "limit" for a "value" or None (likewise), "segments" for a number of them or an array of labels;
            otherwise told from the default.
    """
    meta = {
        "doc": doc,
        "ge": ge,
        "gt": gt,
        "soft_max": soft_max,
        "step": step,
        "choices": choices,
        "unit": unit,
        "kind": kind or _kind(default, choices),
    }
    return dataclasses.field(default=default, metadata=meta)


def _kind(default: Any, choices: tuple[str, ...] | None) -> str:
    if choices is not None:
        return "choice"
    for type_, kind in ((bool, "bool"), (int, "int"), (float, "float"), (Declared, "baseline")):
        if isinstance(default, type_):
            return kind
    raise TypeError(f"no kind of control for a default of type {type(default).__name__}")


Naming = Callable[[str, np.ndarray], str | None]


class Declared:
    """Base of methods and baselines: `@dataclass(frozen=True, eq=False, repr=False)` classes with `param` fields."""

    name: ClassVar[str]
    label: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", cls.__name__)
        cls.name = cls.__dict__.get("name", words.lower().replace(" ", "_"))
        cls.label = cls.__dict__.get("label", words.capitalize())

    def __new__(cls, *_: Any, **values: Any) -> Self:
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise TypeError(f"{cls.__name__} has no parameter {name!r}{nearest(name, known)}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        from xai_widgets.checks import check

        for field in fields(type(self)):
            value = check(f"{type(self).__name__}.{field.name}", getattr(self, field.name), field)
            object.__setattr__(self, field.name, value)

    def _content(self) -> tuple[Any, ...]:
        return (type(self), *(_hashable(getattr(self, field.name)) for field in fields(type(self))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Declared) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        return self.source()

    def source(self, prefix: str = "", naming: Naming = lambda name, array: None) -> str:
        """Python source that makes this value.

        Args:
            prefix: Stands before class names.
            naming: From the name of a field and the array in it to its source; where that is None, a small array is
                written out and a large one only named.
        """
        names = [field.name for field in fields(type(self))]
        values = ", ".join(f"{name}={_source(name, getattr(self, name), prefix, naming)}" for name in names)
        return f"{prefix}{type(self).__name__}({values})"

    def replace(self, **changes: Any) -> Self:
        """The same value with other fields."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def summary(cls) -> str:
        """First paragraph of the docstring on one line."""
        return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def document(cls: type[Declared]) -> None:
    """Let `help` tell the fields of a class: what each is for, what is allowed, and its default."""
    lines = []
    for field in fields(cls):
        meta, facts = field.metadata, []
        if meta["choices"]:
            facts.append(f"one of {', '.join(map(repr, meta['choices']))}")
        bounds = {">=": meta["ge"], ">": meta["gt"]}
        facts += [f"{sign} {bound}" for sign, bound in bounds.items() if bound is not None]
        facts += [meta["unit"]] if meta["unit"] else []
        facts.append("required" if field.default is dataclasses.MISSING else f"default {field.default!r}")
        lines.append(f"\n    {field.name}: {meta['doc']} ({'; '.join(facts)})")
    if lines:
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\nArgs:{''.join(lines)}"


class Words(Mapping[str, str]):
    """A mapping from text to text that never changes; it prints as a dict, and their order does not matter."""

    def __init__(self, words: Mapping[str, str] = {}) -> None:
        self._words = dict(words)

    def __getitem__(self, word: str) -> str:
        return self._words[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __hash__(self) -> int:
        return hash(frozenset(self._words.items()))

    def __repr__(self) -> str:
        return repr(self._words)


def parts(value: Declared) -> Iterator[Declared]:
    """A method or baseline and all that its fields hold, at any depth."""
    yield value
    for field in fields(type(value)):
        nested = getattr(value, field.name)
        if isinstance(nested, Declared):
            yield from parts(nested)


def fields(cls: type[Declared]) -> tuple[dataclasses.Field[Any], ...]:
    """The declared fields of a method or baseline, in order."""
    return dataclasses.fields(cls)  # type: ignore[arg-type]


class ByName(Mapping[str, Any]):
    """Arrays, or more of these, by name: read-only, compared by content."""

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def _content(self) -> tuple[Any, ...]:
        return tuple((name, _hashable(value)) for name, value in self._items.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByName) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        return _source("", self, "", lambda name, array: None)


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    return value


_MOST_IN_SOURCE = 32


def _source(name: str, value: Any, prefix: str, naming: Naming) -> str:
    if isinstance(value, Declared):
        return value.source(prefix, naming)
    if isinstance(value, np.ndarray):
        return naming(name, value) or (str(value.tolist()) if value.size <= _MOST_IN_SOURCE else name)
    if isinstance(value, ByName):
        items = (f"{key!r}: {_source(_word(key), one, prefix, naming)}" for key, one in value.items())
        return "{" + ", ".join(items) + "}"
    return repr(value)


def _word(name: str) -> str:
    """The name of a variable that may hold what has this name."""
    return re.sub(r"\W|^(?=\d)", "_", name)


def nested_methods() -> tuple[type[Declared], ...]:
    """The methods that a field of kind "method" may hold: none that has such a field, so nothing nests without end."""
    from xai_widgets.methods import GRADIENT_METHODS

    return GRADIENT_METHODS


def nearest(word: object, known: Iterable[str]) -> str:
    """A hint such as "; did you mean 'saliency'?" with the nearest known word, or the known words."""
    words = list(known)
    initials = {"".join(re.findall(r"(?:^|_)([a-z])", one)): one for one in reversed(words) if "_" in one}
    plain = {_plain(one): one for one in words}
    close = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.5)
    meant = initials.get(str(word).lower()) or (plain[close[0]] if close else None)
    if meant:
        return f"; did you mean {meant!r}?"
    shown = ", ".join(map(repr, words[:12])) + (", ..." if len(words) > 12 else "")
    return f"; known: {shown}" if words else ""


def _plain(word: object) -> str:
    """The letters and digits of a word, whatever its style; "++" is how people write "plus_plus"."""
    return re.sub(r"[\W_]", "", str(word).replace("+", "plus")).lower()


def positive(name: str, value: Any) -> int | None:
    """None, or an integer of at least 1.

    Raises:
        TypeError, ValueError: It is neither.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer >= 1, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be >= 1, got {value}")
    return int(value)


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What controls depend on besides their declaration.

    Attributes:
        low, high: Smallest and largest value of the inputs: the slider's ends for fields of kind "value".
        channels: 3 where the inputs are pictures in colour, else 0.
        layers: The layers that a field of kind "layer" may name.
        arrays, samples: Default of a field of kind "array", as JSON, and the names of its samples.
    """

    low: float = 0.0
    high: float = 1.0
    channels: int = 0
    layers: tuple[str, ...] = ()
    arrays: Any = None
    samples: tuple[str, ...] = ()


def schema(
    cls: type[Declared], around: Surroundings = Surroundings(), current: Declared | None = None
) -> dict[str, Any]:
    """What a view needs to draw the controls of a method or baseline, as plain JSON.

    Args:
        cls: A method or baseline class.
        around: What the controls depend on besides.
        current: A value that the sliders must reach, where it or a part of it is of this class.
    """
    same = next((part for part in parts(current) if type(part) is cls), None) if current is not None else None
    return {
        "name": cls.name,
        "label": cls.label,
        "doc": cls.summary(),
        "fields": [_field_schema(field, around, same) for field in fields(cls)],
    }


def _field_schema(field: dataclasses.Field[Any], around: Surroundings, current: Declared | None) -> dict[str, Any]:
    meta = field.metadata
    low, high = meta["ge"], meta["soft_max"]
    if meta["gt"] is not None:
        # The first stop above it, for a slider must not offer a value that is refused; and it must reach the default.
        low = min(meta["gt"] + (meta["step"] or 1e-3), field.default)
    if meta["kind"] == "value":
        low, high = around.low, around.high
    reached = getattr(current, field.name, None)
    if isinstance(reached, int | float) and not isinstance(reached, bool) and high is not None:
        low, high = low if low is None else min(low, reached), max(high, reached)
    return {
        "name": field.name,
        "label": field.name.capitalize().replace("_", " "),
        "doc": meta["doc"],
        "kind": meta["kind"],
        "default": around.arrays if meta["kind"] == "array" else to_json(field.default),
        "min": low,
        "max": high,
        "step": 1 if meta["kind"] in ("int", "seed", "size", "segments") and meta["step"] is None else meta["step"],
        "unit": meta["unit"],
        "choices": _choices(meta, around),
        "channels": around.channels if meta["kind"] == "value" else 0,
    }


def _choices(meta: Mapping[str, Any], around: Surroundings) -> list[str] | None:
    """The words that a field may hold, or what it may name."""
    if meta["kind"] == "method":
        return [cls.name for cls in nested_methods()]
    offered = {"choice": meta["choices"], "layer": around.layers, "sample": around.samples}
    return list(offered.get(meta["kind"], ())) or None


_MOST_IN_JSON = 4  # a colour travels as it is


def to_json(value: Any, arrays: dict[str, np.ndarray] | None = None) -> Any:
    """A declared value as `{"name": ..., field: ...}`; an array goes into `arrays` and travels by its key."""
    if isinstance(value, Declared):
        values = {field.name: to_json(getattr(value, field.name), arrays) for field in fields(type(value))}
        return {"name": value.name, **values}
    if isinstance(value, Words):
        return dict(value)
    if isinstance(value, np.ndarray):
        if value.ndim == 1 and value.size <= _MOST_IN_JSON:
            return value.tolist()
        if arrays is None:
            raise TypeError("an array has no plain JSON form")
        key = hashlib.blake2b(
            repr((value.shape, value.dtype.str)).encode() + value.tobytes(), digest_size=8
        ).hexdigest()
        arrays[key] = value
        return {"array": key, "shape": list(value.shape)}
    if isinstance(value, ByName):
        return {"names": {key: to_json(one, arrays) for key, one in value.items()}}
    return value


def from_json(
    data: Any,
    classes: Iterable[type[Declared]],
    nested: Iterable[type[Declared]] = (),
    arrays: Mapping[str, np.ndarray] | None = None,
    limits: Mapping[tuple[str, str], float] | None = None,
) -> Declared:
    """The inverse of `to_json`; nothing but the given classes and their declared fields can be made.

    Args:
        data: What came: `{"name": ..., field: ...}`.
        classes: The classes that `name` may choose from.
        nested: The classes that a field of kind "baseline" may hold.
        arrays: Arrays that a key may name.
        limits: The largest value allowed for a (class name, field), such as the ends of a view's sliders.

    Raises:
        TypeError: `data` has another form, or a field is unknown or of a wrong type.
        ValueError: The name or an array's key is unknown, or a value is out of its bounds.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
        raise TypeError(f"expected an object with a name, got {str(data)[:80]!r}")
    known = {cls.name: cls for cls in classes}
    if data["name"] not in known:
        raise ValueError(f"unknown name {data['name'][:80]!r}{nearest(data['name'], known)}")
    cls = known[data["name"]]
    declared = {field.name: field for field in fields(cls)}
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name == "name":
            continue
        meta = declared[name].metadata if name in declared else {}
        if meta.get("kind") == "baseline":
            value = from_json(value, nested, nested, arrays, limits)
        elif meta.get("kind") == "method":
            value = from_json(value, nested_methods(), nested, arrays, limits)
        elif isinstance(value, Mapping) and meta.get("kind") != "words":
            value = _arrays_of(value, f"{cls.__name__}.{name}", arrays or {})
        elif limits and isinstance(value, int | float) and value > limits.get((cls.name, name), math.inf):
            raise ValueError(f"{cls.__name__}.{name} must be <= {limits[cls.name, name]} here, got {value!r}")
        values[name] = value
    return cls(**values)


def _arrays_of(data: Any, name: str, arrays: Mapping[str, np.ndarray]) -> Any:
    """The array that a key stands for, or those by name."""
    if isinstance(data, Mapping) and isinstance(data.get("names"), Mapping):
        return {str(key): _arrays_of(one, name, arrays) for key, one in data["names"].items()}
    if not isinstance(data, Mapping):
        return data  # a short one, as it is
    key = str(data.get("array"))
    if key not in arrays:
        raise ValueError(f"{name}: unknown array {key[:80]!r}")
    return arrays[key]
