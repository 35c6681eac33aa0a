"""The blocking way in: `explain`, and the `Attribution` that it gives."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.baselines import BASELINES
from xai_widgets.declare import from_json, positive, to_json
from xai_widgets.layout import has_channels, positions
from xai_widgets.methods import BESIDES, METHODS, IntegratedGradients, Method, as_method
from xai_widgets.trees import leaves, map_leaves, restored, skeleton_of

if TYPE_CHECKING:
    import shap
    from matplotlib.figure import Figure

    from xai_widgets.task import Task

_PLAIN = ("passes", "score_name", "targets", "wrt", "features", "notes")


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each part of some inputs contributed to a score, and how far to trust that. It holds no model.

    Attributes:
        values: float32 (float64 where the model is), in the structure and of the shape of the inputs; of a layer's
            output where `wrt` was given; one number a segment, (N, segments), where there are `segments`. Of
            `ActivationMaximization` they are the input that it made, and `score` is that input's.
        target: (N,) int, the class that was explained, -1 where there is no class.
        score: (N,), in the unit that `score_name` tells.
        baseline_score: (N,), NaN where the method has no baseline.
        residual: (N,), sum of values - (score - baseline_score); NaN where the method claims no such sum.
        method: The method with all its parameters.
        inputs: The raw inputs, in their structure.
        segments: Which segment each position belongs to, (N, H, W) int in the structure of `inputs`, for methods that
            treat the positions of a segment together; None elsewhere. Samples with fewer segments have zeros at the
            end of their values.
        error: Standard error in the structure of `values`, None where the method does not sample.
        change: (N,) estimate of how far the values still are from their limit, as a fraction; NaN where unknown.
        passes: Passes of the model, a sample: forward and backward for gradients, else forward.
        path: Points on the path, or steps made, (k,) and the scores there (N, k), None for methods without a path.
        score_name: "logit", "probability", "output", "activation" or "target function".
        targets: (N,) what was explained of each sample, in words: a class name, "class 3", "tabby rather than lynx".
        wrt: Path of the layer whose output the values belong to, None for the inputs.
        features: Names of the columns of a table, where they are known.
        notes: Plain sentences on conventions, and on what may mislead.
    """

    values: Any
    target: np.ndarray
    score: np.ndarray
    baseline_score: np.ndarray
    residual: np.ndarray
    method: Method
    inputs: Any
    segments: Any = None
    error: Any = None
    change: np.ndarray | None = None
    passes: int = 1
    path: tuple[np.ndarray, np.ndarray] | None = None
    score_name: str = "logit"
    targets: tuple[str, ...] = ()
    wrt: str | None = None
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.score)

    def __repr__(self) -> str:
        shapes = " + ".join(str(array.shape) for array in leaves(self.values))
        scores = np.array2string(self.score, precision=3, threshold=8, separator=", ")
        return f"Attribution({self.method!r}, values {shapes}, {self.score_name} {scores})"

    def heatmap(self, size: tuple[int, ...] | None = None) -> Any:
        """The signed sum over channels at the size of the inputs, not normalised.

        Args:
            size: Another spatial size, such as (H, W); it must have as many axes as the map has positions.

        Returns:
            (N, H, W), (N, T) or (N, D, H, W), (N, d) for tables; a list for several inputs or calls of a layer.
        """
        if size is not None and not (isinstance(size, tuple) and all(isinstance(one, int) and one > 0 for one in size)):
            raise TypeError(f"size must be a tuple of positive integers such as (H, W), got {size!r}")
        values, inputs = leaves(self.values), leaves(self.inputs)
        if self.segments is not None:
            values = [
                np.take_along_axis(array, labels.reshape(len(labels), -1), axis=1).reshape(labels.shape)
                for array, labels in zip(values, leaves(self.segments), strict=True)
            ]
        if len(values) != len(inputs):
            inputs = inputs[:1] * len(values)
        per_channel = self.method.per_channel and self.segments is None
        maps = [_heatmap(array, x, size, per_channel) for array, x in zip(values, inputs, strict=True)]
        return maps[0] if len(maps) == 1 and not isinstance(self.values, list | dict | tuple) else maps

    def plot(self, sample: int | None = None) -> Figure:
        """A matplotlib figure of one sample, or of the first eight, with method, baseline, score and notes.

        Columns of a table stand by size, the rest of many as "others"; steps and tokens along their positions. It is
        made without pyplot, so it is safe in a thread.

        Raises:
            ValueError: There is no such sample.
            TypeError: `sample` is no integer.
        """
        from xai_widgets.figures import figure

        return figure(self, sample)

    def _repr_png_(self) -> bytes:
        """What a notebook shows where an attribution is the value of a cell."""
        from xai_widgets.figures import figure_png

        return figure_png(self)

    def to_shap(self) -> shap.Explanation:
        """The same as a `shap.Explanation`, for shap's plots.

        Its values are those of the attribution where they have the shape of the input, else `heatmap()`, in which
        segments are painted and the map of a layer has the size of the input: (N, H, W) of a picture.

        Raises:
            ValueError: There are several inputs, the layer is called several times, or its output has no place in the
                input.
            ImportError: shap is not installed.
        """
        values, inputs = leaves(self.values), leaves(self.inputs)
        if len(values) != 1 or len(inputs) != 1:
            raise ValueError(f"to_shap() needs one map of one input, got {len(values)} of {len(inputs)}")
        shown, data = values[0], inputs[0]
        if shown.shape != data.shape:
            (shown,) = leaves(self.heatmap())
        if shown.shape[1:] not in (data.shape[1:], positions(data.shape)):
            raise ValueError(f"to_shap() needs a map of the input, {data.shape}, got values of shape {values[0].shape}")
        import shap

        names = list(self.features) or None
        return shap.Explanation(values=shown, base_values=self.baseline_score, data=data, feature_names=names)

    @classmethod
    def from_shap(cls, explanation: shap.Explanation, *, target: Any = None) -> Attribution:
        """An attribution of what shap computed, of any model: for its maps, figures, files, and to compare it.

        Args:
            explanation: Values of a table (N, d), of pictures or series, (N, ...) like its data, or (N, H, W) with one
                value for each position; of several outputs with an axis more, the last. A single row of a table may
                come without its batch axis.
            target: Which of several outputs: its number, its name among the explanation's `output_names`, or one for
                each sample. Of a single output it only says which class that is.

        Raises:
            TypeError: It is no `shap.Explanation`, or the target is neither a number nor a name.
            ValueError: The values are of text or do not fit their data, the target is missing or unknown, or whether
                there is a batch axis cannot be told.
        """
        from xai_widgets.given import from_explanation

        return from_explanation(explanation, target)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an npz file at exactly this path, without pickle."""
        arrays: dict[str, np.ndarray] = {}
        carried: dict[str, np.ndarray] = {}
        meta: dict[str, Any] = {"method": to_json(self.method, carried)}
        for name in _PLAIN:
            meta[name] = getattr(self, name)
        for name in ("values", "inputs", "segments", "error", "path"):
            meta[name] = skeleton_of(getattr(self, name), name, arrays)
        for name in ("target", "score", "baseline_score", "residual", "change"):
            meta[name] = skeleton_of(getattr(self, name), name, arrays)
        arrays.update({f"method/{key}": array for key, array in carried.items()})
        with open(path, "wb") as file:
            np.savez_compressed(file, meta=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Attribution:
        """Read what `save` wrote.

        Raises:
            ValueError: The file was not written by `save`, or names an unknown method.
        """
        opened = np.load(path, allow_pickle=False)
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise ValueError(f"{os.fspath(path)} holds no Attribution")
        with opened as file:
            if "meta" not in file:
                raise ValueError(f"{os.fspath(path)} holds no Attribution")
            meta = json.loads(str(file["meta"]))
            carried = {key.removeprefix("method/"): file[key] for key in file if key.startswith("method/")}
            values = {
                field.name: restored(meta[field.name], file)
                for field in fields(cls)
                if field.name not in ("method", *_PLAIN)
            }
        method = from_json(meta["method"], (*METHODS, *BESIDES), BASELINES, carried)
        if isinstance(values["path"], list):
            values["path"] = tuple(values["path"])
        return cls(
            **values,
            method=method,  # type: ignore[arg-type]
            passes=meta["passes"],
            score_name=meta["score_name"],
            targets=tuple(meta["targets"]),
            wrt=meta["wrt"],
            features=tuple(meta.get("features", ())),
            notes=tuple(meta["notes"]),
        )


def explain(
    model: Any,
    inputs: Any,
    method: Method | str | type[Method] | None = None,
    *,
    target: Any = None,
    preprocess: Callable[[Any], Any] | None = None,
    wrt: str | None = None,
    batch_size: int | None = None,
    names: Sequence[str] | None = None,
    probability: bool = False,
    features: Sequence[str] | None = None,
    **parameters: Any,
) -> Attribution:
    """Attribute a score of a Keras model to its inputs.

    Args:
        model: Any built Keras 3 model on TensorFlow. It is never changed.
        inputs: Samples with a batch axis, (N, ...); a list or dict of arrays for several inputs.
        method: A method, or its name with `parameters`; by default `IntegratedGradients()`.
        target: None (the predicted class of each sample), a class, a class name, one of these per sample, or a
            callable `outputs -> (N,)` that gets the outputs without their final softmax or sigmoid.
        preprocess: From raw inputs to what the model takes, such as `keras.applications.*.preprocess_input`.
            Baselines are defined before it.
        wrt: Name or path of a layer: attribute to its output instead of the inputs.
        batch_size: Samples that are explained together; by default chosen from the size of an input.
        names: Class names, in the order of the model's outputs.
        probability: Explain the probability instead of the logit.
        features: Names of the columns of a table; by default those of a pandas frame.
        **parameters: The method's fields, only where `method` is a name.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: An argument does not fit the model: it is named, with what came and what is allowed.
    """
    from xai_widgets.task import Subject, Task, feature_names

    chosen = as_method(IntegratedGradients if method is None else method, parameters, _KEYWORDS)
    subject = Subject(model, inputs, preprocess=preprocess, wrt=wrt, names=names)
    together = positive("batch_size", batch_size)
    columns = feature_names(features, inputs, subject.inputs.arrays)
    found = settled(Task(subject, chosen, target=target, probability=probability), together)
    return replace(found, features=columns) if columns and wrt is None else found


_KEYWORDS = ("target", "preprocess", "wrt", "batch_size", "names", "probability", "features")


def settled(task: Task, together: int | None = None) -> Attribution:
    """The attribution that a task ends with, some samples at a time: by default as many as suit their size."""
    subject = task.subject
    together = together or subject.view.chunk(subject.inputs.arrays)
    starts = range(0, len(subject.inputs), together)
    return _joined([task.answer(slice(start, start + together)) for start in starts])


def _joined(parts: Sequence[Attribution]) -> Attribution:
    first = parts[0]
    if len(parts) == 1:
        return first

    def join(name: str) -> Any:
        return map_leaves(_concatenated, *(getattr(part, name) for part in parts))

    joined = {
        name: join(name) for name in ("values", "inputs", "target", "score", "baseline_score", "residual", "change")
    }
    for name in ("error", "segments"):
        known = all(getattr(part, name) is not None for part in parts)
        joined[name] = join(name) if known else None
    path = None
    if first.path is not None:
        path = first.path[0], np.concatenate([part.path[1] for part in parts if part.path is not None])
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    targets = tuple(label for part in parts for label in part.targets)
    return replace(first, **joined, path=path, targets=targets, notes=notes)


def _concatenated(*arrays: np.ndarray) -> np.ndarray:
    """Samples one after the other; those with fewer segments get zeros at the end."""
    widest = max(array.shape[1:] for array in arrays)
    if arrays[0].ndim == 2:
        arrays = tuple(np.pad(array, ((0, 0), (0, widest[0] - array.shape[1]))) for array in arrays)
    return np.concatenate(arrays)


def _heatmap(values: np.ndarray, inputs: np.ndarray, size: tuple[int, ...] | None, per_channel: bool) -> np.ndarray:
    # Only an input may come without a channel axis; what a layer gives has one.
    summed = per_channel and values.ndim > 2 and (values.shape != inputs.shape or has_channels(inputs.shape))
    maps = values.sum(axis=-1) if summed else values
    wanted = positions(inputs.shape) if size is None else size
    if size is None and per_channel and values.ndim == 2:  # units of a layer, which have no place in a series
        return maps
    if size is not None and len(size) != maps.ndim - 1:
        raise ValueError(f"size must have {maps.ndim - 1} axes for maps of shape {maps.shape}, got {size}")
    if len(wanted) != maps.ndim - 1 or maps.shape[1:] == wanted:
        return maps
    from skimage.transform import resize

    return np.stack([resize(one, wanted, order=1, mode="edge", anti_aliasing=False) for one in maps])
