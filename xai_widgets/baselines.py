"""Baselines as values: where a path starts, or what stands for "absent", defined in the space of the raw inputs."""

from __future__ import annotations

import numbers
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np

from xai_widgets.declare import Declared, document, fields, nearest, param
from xai_widgets.gaussian import blurred
from xai_widgets.layout import positions


class Baseline(Declared):
    """Base of all baselines: a rule that makes a reference input for each sample."""

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        """Whether this kind of baseline makes sense for inputs of a shape (N, ...)."""
        return True

    @property
    def count(self) -> int | None:
        """How many references there are: 1 where the rule is fixed, None where it draws at random without end."""
        return 1

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        """A reference for each sample; samples do not influence one another.

        Args:
            inputs: Raw inputs with a batch axis, float.
            draw: Which of the references; the same draw always gives the same.

        Returns:
            An array of the same shape and dtype.

        Raises:
            ValueError: The baseline does not fit inputs of this shape.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Baseline):
    """The same value everywhere: a number, a colour (one value per channel), or one value per feature."""

    value: Any = param(0.0, kind="value", doc="The value, in the units of the inputs.")

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        value = np.asarray(self.value, inputs.dtype)
        sample = inputs.shape[1:]
        if value.shape == (1, *sample):  # one sample, cut out of others
            value = value[0]
        if value.ndim and value.shape not in (sample, sample[-1:]):
            raise ValueError(
                f"Constant.value of shape {value.shape} does not fit samples of shape {sample}: give a number, "
                f"{sample[-1] if sample else 1} values (one per channel), an array of that shape, or Samples() of many"
            )
        return np.broadcast_to(value, inputs.shape).copy()


@dataclass(frozen=True, eq=False, repr=False)
class Blur(Baseline):
    """The input, blurred by a Gaussian along its spatial axes (edges repeated): shapes go, colours stay."""

    sigma: float = param(10.0, gt=0, soft_max=50, step=0.5, unit="px", doc="Standard deviation of the blur, in pixels.")

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return bool(positions(shape))

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        if not self.fits(inputs.shape):
            raise ValueError(
                f"Blur needs pictures, volumes or series with a channel axis, got inputs of shape {inputs.shape}; "
                "for tables use Constant or Mean"
            )
        return blurred(inputs, self.sigma)


@dataclass(frozen=True, eq=False, repr=False)
class GaussianNoise(Baseline):
    """The input with Gaussian noise on it, kept within the input's own range (Sturmfels et al., 2020)."""

    label = "Noise"

    sigma: float = param(
        0.5, gt=0, soft_max=2, step=0.01, doc="Standard deviation, as a fraction of the input's range."
    )
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, another noise.")

    @property
    def count(self) -> None:
        return None

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        low, high = _range(inputs)
        noise = _generator(self.seed, draw).standard_normal(inputs.shape[1:], np.float32)
        return np.clip(inputs + self.sigma * (high - low) * noise, low, high).astype(inputs.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class UniformNoise(Baseline):
    """Uniform noise over the input's own range: nothing of the input is left (Sturmfels et al., 2020)."""

    label = "Uniform"

    seed: int = param(0, ge=0, kind="seed", doc="Another seed, another noise.")

    @property
    def count(self) -> None:
        return None

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        low, high = _range(inputs)
        noise = _generator(self.seed, draw).random(inputs.shape[1:], np.float32)
        return (low + (high - low) * noise).astype(inputs.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class MaxDistance(Baseline):
    """At each place the end of the input's range that is farther away: no value equals its own baseline."""

    label = "Farthest"

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        low, high = _range(inputs)
        return np.where(inputs - low > high - inputs, low, high).astype(inputs.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class Mean(Baseline):
    """The mean of some samples, feature by feature."""

    samples: np.ndarray = param(kind="array", doc="Samples with a batch axis, in the units of the inputs.")

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        _check_samples("Mean", self.samples, inputs)
        return np.broadcast_to(self.samples.mean(axis=0), inputs.shape).astype(inputs.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class Samples(Baseline):
    """Some samples, each in turn: the attribution is averaged over all of them, or taken from a single one."""

    label = "Data"

    samples: np.ndarray = param(kind="array", doc="Samples with a batch axis, in the units of the inputs.")
    only: int | None = param(None, ge=0, kind="sample", doc="The place of a single one to take; by default all.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.only is not None and self.only >= len(self.samples):
            raise ValueError(f"Samples.only must be from 0 to {len(self.samples) - 1}, got {self.only}")

    @property
    def count(self) -> int:
        return len(self.samples) if self.only is None else 1

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        _check_samples("Samples", self.samples, inputs)
        place = draw % self.count if self.only is None else self.only
        return np.broadcast_to(self.samples[place], inputs.shape).astype(inputs.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class Mix(Baseline):
    """Something between two baselines."""

    a: Baseline = param(Constant(0.0), doc="The baseline at amount 0.")
    b: Baseline = param(Constant(1.0), doc="The baseline at amount 1.")
    amount: float = param(0.5, ge=0, soft_max=1, step=0.01, doc="How much of the second one.")

    @property
    def count(self) -> int | None:
        counts = self.a.count, self.b.count
        return None if None in counts else max(count for count in counts if count is not None)

    def reference(self, inputs: np.ndarray, draw: int = 0) -> np.ndarray:
        first, second = (one.reference(inputs, draw) for one in (self.a, self.b))
        return ((1 - self.amount) * first + self.amount * second).astype(inputs.dtype)


BASELINES: tuple[type[Baseline], ...] = (
    Constant,
    Blur,
    GaussianNoise,
    UniformNoise,
    MaxDistance,
    Mean,
    Samples,
    Mix,
)
for _cls in BASELINES:
    document(_cls)


def as_baseline(name: str, value: Any) -> Baseline:
    """The baseline that a value, a class, a name or a number stands for.

    Args:
        name: What errors call it.
        value: A baseline; its class, or that class's name, as in Python ("Blur"), in JSON ("blur") or on a control
            ("noise"); a number, or one for each channel or feature.

    Raises:
        TypeError: It is something else, or the class needs arguments.
        ValueError: The name is unknown.
    """
    if isinstance(value, str):
        known = {name.lower(): cls for cls in BASELINES for name in (cls.name, cls.label, cls.__name__)}
        if value.lower() not in known:
            raise ValueError(f"{name} {value!r} is no baseline{nearest(value, [cls.name for cls in BASELINES])}")
        value = known[value.lower()]
    if isinstance(value, type) and value in BASELINES:
        missing = [field.name for field in fields(value) if field.default is MISSING]
        if missing:
            call = f"{value.__name__}({', '.join(missing)})"
            raise TypeError(f"{name}: {value.__name__} needs {', '.join(missing)}, as in xai.{call}")
        return value()
    if isinstance(value, Baseline):
        return value
    if isinstance(value, numbers.Real | np.ndarray | list | tuple) and not isinstance(value, bool):
        return Constant(value)
    raise TypeError(f"{name} must be a baseline such as Blur(sigma=10), or a number, got {value!r}")


def _range(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each sample, shaped to broadcast."""
    axes = tuple(range(1, inputs.ndim))
    return inputs.min(axis=axes, keepdims=True), inputs.max(axis=axes, keepdims=True)


def _generator(seed: int, draw: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64([seed, draw]))


def _check_samples(name: str, samples: np.ndarray, inputs: np.ndarray) -> None:
    if samples.shape[1:] != inputs.shape[1:]:
        raise ValueError(f"{name}.samples must have shape (K, {str(inputs.shape[1:])[1:]}, got {samples.shape}")
