"""The blocking way in: `explain`, and the `Attribution` that it gives."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.baselines import BASELINES
from xai_widgets.declare import from_json, to_json
from xai_widgets.layout import has_channels, positions
from xai_widgets.methods import METHODS, Frame, Inputs, IntegratedGradients, Method, as_method

if TYPE_CHECKING:
    import shap
    from matplotlib.figure import Figure

    from xai_widgets.engine.score import Outputs, Score


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each part of some inputs contributed to a score, and how far to trust that. It holds no model.

    Attributes:
        values: float32 (float64 where the model is), in the structure and of the shape of the inputs; of a layer's
            output where `wrt` was given.
        target: (N,) int, the class that was explained, -1 where there is no class.
        score: (N,), in the unit that `score_name` tells.
        baseline_score: (N,), NaN where the method has no baseline.
        residual: (N,), sum of values - (score - baseline_score); NaN where the method claims no such sum.
        method: The method with all its parameters.
        inputs: The raw inputs, in their structure.
        error: Standard error in the structure of `values`, None where the method does not sample.
        change: (N,) estimate of how far the values still are from their limit, as a fraction; NaN where unknown.
        passes: Forward-and-backward passes of the model, a sample.
        path: Points on the path (k,) and the scores there (N, k), None for methods without a path.
        score_name: "logit", "probability", "output", "activation" or "target function".
        targets: (N,) what was explained of each sample, in words: a class name, "class 3", "tabby rather than lynx".
        notes: Plain sentences on conventions, and on what may mislead.
    """

    values: Any
    target: np.ndarray
    score: np.ndarray
    baseline_score: np.ndarray
    residual: np.ndarray
    method: Method
    inputs: Any
    error: Any = None
    change: np.ndarray | None = None
    passes: int = 1
    path: tuple[np.ndarray, np.ndarray] | None = None
    score_name: str = "logit"
    targets: tuple[str, ...] = ()
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
        if len(values) != len(inputs):
            inputs = inputs[:1] * len(values)
        maps = [_heatmap(array, x, size, self.method.per_channel) for array, x in zip(values, inputs, strict=True)]
        return maps[0] if len(maps) == 1 and not isinstance(self.values, list | dict | tuple) else maps

    def plot(self, sample: int | None = None) -> Figure:
        """A matplotlib figure of one sample, or of the first eight; made without pyplot, so it is safe in a thread."""
        from xai_widgets.figures import figure

        return figure(self, sample)

    def to_shap(self) -> shap.Explanation:
        """The same as a `shap.Explanation`, for shap's plots.

        Raises:
            ValueError: There are several inputs.
        """
        values, inputs = leaves(self.values), leaves(self.inputs)
        if len(values) != 1 or values[0].shape != inputs[0].shape:
            raise ValueError("to_shap() needs one input, and values of its shape")
        import shap

        return shap.Explanation(values=values[0], base_values=self.baseline_score, data=inputs[0])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an npz file at exactly this path, without pickle."""
        arrays: dict[str, np.ndarray] = {}
        carried: dict[str, np.ndarray] = {}
        meta: dict[str, Any] = {"method": to_json(self.method, carried)}
        for name in ("passes", "score_name", "targets", "notes"):
            meta[name] = getattr(self, name)
        for name in ("values", "inputs", "error", "path"):
            meta[name] = _flatten(getattr(self, name), name, arrays)
        for name in ("target", "score", "baseline_score", "residual", "change"):
            meta[name] = _flatten(getattr(self, name), name, arrays)
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
        if not isinstance(opened, np.lib.npyio.NpzFile) or "meta" not in opened:
            raise ValueError(f"{os.fspath(path)} holds no Attribution")
        with opened as file:
            meta = json.loads(str(file["meta"]))
            carried = {key.removeprefix("method/"): file[key] for key in file if key.startswith("method/")}
            values = {
                field.name: _restore(meta[field.name], file)
                for field in fields(cls)
                if field.name not in ("method", "passes", "score_name", "targets", "notes")
            }
        method = from_json(meta["method"], METHODS, BASELINES, carried)
        if isinstance(values["path"], list):
            values["path"] = tuple(values["path"])
        return cls(
            **values,
            method=method,  # type: ignore[arg-type]
            passes=meta["passes"],
            score_name=meta["score_name"],
            targets=tuple(meta["targets"]),
            notes=tuple(meta["notes"]),
        )


class Subject:
    """A model and some samples, checked: what is explained, before it is asked how.

    Args:
        model, inputs, preprocess, wrt, names: As in `explain`.
    """

    def __init__(
        self,
        model: Any,
        inputs: Any,
        *,
        preprocess: Callable[[Any], Any] | None = None,
        wrt: str | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        from xai_widgets.engine.inputs import read
        from xai_widgets.engine.model import ModelView

        self.names = _class_names(names)
        self.model = model  # kept alive for as long as the work may go on; a view does not
        self.preprocess = preprocess
        self.view = ModelView(model, preprocess, wrt)
        self.inputs = read(self.view, inputs)
        self.notes = self.view.settle_preprocess(self.inputs.arrays, self.inputs.structure)

    def rows(self, rows: slice) -> Subject:
        """Some of the samples."""
        part = copy.copy(self)
        part.__dict__.pop("outputs", None)
        part.inputs = self.inputs.rows(rows)
        return part

    def refreshed(self) -> Subject:
        """The same with the model as it is now."""
        fresh = copy.copy(self)
        fresh.__dict__.pop("outputs", None)
        fresh.view = self.view.refreshed()
        return fresh

    @cached_property
    def outputs(self) -> Outputs:
        """What the model gives for the samples, with and without the final activation."""
        structure = self.inputs.structure
        outputs = self.view.forward(self.view.enter(self.inputs.arrays, structure), structure)
        rows = len(outputs.flat[0].logits)
        if rows != len(self.inputs):
            raise ValueError(
                f"the model gave {rows} rows for {len(self.inputs)} samples: "
                "model and preprocess must keep the batch axis"
            )
        return outputs

    @cached_property
    def spatial_layers(self) -> tuple[str, ...]:
        """Paths of the layers that a class activation map can be made of, in call order."""
        from xai_widgets.engine.cam import spatial_layers

        structure = self.inputs.structure
        return spatial_layers(self.view, self.view.enter(self.inputs.arrays, structure), structure)


class Task:
    """One request: explain a subject's score by a method. Whatever can be refused is refused when it is made.

    Args:
        subject: The model and the samples.
        method: The method.
        target, probability: As in `explain`.
    """

    def __init__(self, subject: Subject, method: Method, *, target: Any = None, probability: bool = False) -> None:
        from xai_widgets.engine.score import resolve

        if not isinstance(probability, bool):
            raise TypeError(f"probability must be True or False, got {probability!r}")
        self.subject, self.method = subject, method
        view, inputs = subject.view, subject.inputs
        entered = view.enter(inputs.arrays, inputs.structure)

        def find_layer(name: str) -> str:
            return view.path_of(name, "Neuron.layer")

        heads = view.heads(entered, inputs.structure)
        self.score = resolve(target, heads, len(inputs), subject.names, probability, find_layer)
        if not method.single and self.score.is_open:
            self.score = self.score.told(subject.outputs, subject.names)

    @cached_property
    def scores(self) -> np.ndarray:
        """(N,) scores of the samples, for methods whose frames do not bring them."""
        from xai_widgets.engine.score import NeuronReader

        view, inputs = self.subject.view, self.subject.inputs
        if not isinstance(self.score.reader, NeuronReader):
            return view.scores_of(self.score, self.subject.outputs)
        return view.scores(self.score, view.enter(inputs.arrays, inputs.structure), inputs.structure)

    def outputs_name(self) -> list[str]:
        """What stands for a class name where the model's only output is a value: nothing is classified."""
        heads = self.subject.outputs.heads
        return ["the output"] if len(heads) == 1 and heads[0].classes == 1 else []

    def _check_count(self, scores: np.ndarray, count: int) -> None:
        if len(scores) != count:
            raise ValueError(
                f"the score must be one scalar per sample, {count}, got {len(scores)}: "
                "a target function, the model and preprocess must keep the batch axis"
            )

    def frames(self, rows: slice = slice(None)) -> Iterator[tuple[Frame, Attribution]]:
        """Explain some of the samples, coarse first: every frame with the attribution that it makes."""
        score, inputs = self.score.rows(rows), self.subject.inputs.rows(rows)
        for frame in self.method.frames(self.subject.view, score, inputs):
            scores = self.scores[rows] if frame.score is None else frame.score
            self._check_count(scores, len(inputs))
            told = score
            if frame.outputs is not None:
                told = score.told(frame.outputs, self.subject.names)
                if len(inputs) == len(self.subject.inputs):
                    self.subject.outputs = frame.outputs
            yield frame, self._attribution(frame, told, scores, inputs)

    def _attribution(self, frame: Frame, told: Score, score: np.ndarray, inputs: Inputs) -> Attribution:
        count, view = len(inputs), self.subject.view
        at_layer = view.wrt is not None or len(frame.values) != len(inputs.arrays)

        def pack(arrays: Sequence[np.ndarray]) -> Any:
            return _pack([np.asarray(array, view.dtype) for array in arrays], inputs.structure, at_layer)

        missing = np.full(count, np.nan, score.dtype)
        baseline_score = missing if frame.baseline_score is None else frame.baseline_score
        total = sum(np.asarray(array, np.float64).reshape(count, -1).sum(axis=1) for array in frame.values)
        residual = (total - (score - baseline_score)) if self.method.claims() else missing
        return Attribution(
            values=pack(frame.values),
            target=told.targets.astype(np.int64),
            score=score,
            baseline_score=baseline_score,
            residual=np.asarray(residual, score.dtype),
            method=self.method,
            inputs=_pack(list(inputs.arrays), inputs.structure, False),
            error=None if frame.error is None else pack(frame.error),
            change=missing if frame.change is None else frame.change.astype(score.dtype),
            passes=frame.passes,
            path=frame.path,
            score_name=self.score.reader.name,
            targets=told.labels,
            notes=(*self.score.reader.notes(), *self.subject.notes, *frame.notes, *_doubts(frame)),
        )


_UNSETTLED = 0.1


def _doubts(frame: Frame) -> Iterator[str]:
    """Plain sentences where the values themselves cannot be trusted."""
    values = frame.values
    if frame.progress >= 1 and frame.change is not None and np.nanmax(frame.change, initial=0) > _UNSETTLED:
        yield (
            f"The map may still change by some {np.nanmax(frame.change):.0%}: more steps or samples would steady it, "
            "whatever the residual says."
        )
    if not all(np.isfinite(array).all() for array in values):
        yield "Some values are not finite: the gradient does not exist there (a square root at 0, say), or overflows."
    zero = [place for place, array in enumerate(values) if not np.any(array)]
    if 0 < len(zero) < len(values):
        listed = ", ".join(map(str, zero))
        yield f"The map of input {listed} is zero: the score does not depend on it by any differentiable way."


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
        **parameters: The method's fields, only where `method` is a name.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: An argument does not fit the model: it is named, with what came and what is allowed.
    """
    chosen = as_method(IntegratedGradients if method is None else method, parameters)
    subject = Subject(model, inputs, preprocess=preprocess, wrt=wrt, names=names)
    together = _positive("batch_size", batch_size) or subject.view.chunk(subject.inputs.arrays)
    task = Task(subject, chosen, target=target, probability=probability)
    starts = range(0, len(subject.inputs), together)
    return _joined([_last(task.frames(slice(start, start + together))) for start in starts])


def _last(frames: Iterator[tuple[Frame, Attribution]]) -> Attribution:
    *_, (_, attribution) = frames
    return attribution


def _joined(parts: Sequence[Attribution]) -> Attribution:
    first = parts[0]
    if len(parts) == 1:
        return first

    def join(name: str) -> Any:
        return _map(lambda *arrays: np.concatenate(arrays), *(getattr(part, name) for part in parts))

    joined = {
        name: join(name) for name in ("values", "inputs", "target", "score", "baseline_score", "residual", "change")
    }
    if first.error is not None:
        joined["error"] = join("error")
    path = None
    if first.path is not None:
        path = first.path[0], np.concatenate([part.path[1] for part in parts if part.path is not None])
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    targets = tuple(label for part in parts for label in part.targets)
    return replace(first, **joined, path=path, targets=targets, notes=notes)


def _class_names(names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"names must be a sequence of class names, got {names!r}")
    return tuple(names)


def _positive(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer >= 1, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be >= 1, got {value}")
    return int(value)


# Structures of arrays: a plain array, or a list, tuple or dict of them (sorted by key, as TensorFlow flattens).


def leaves(tree: Any) -> list[np.ndarray]:
    """The arrays of a structure, in the order in which TensorFlow flattens it."""
    if isinstance(tree, Mapping):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def _map(function: Callable[..., Any], *trees: Any) -> Any:
    first = trees[0]
    if isinstance(first, Mapping):
        return {key: _map(function, *(tree[key] for tree in trees)) for key in first}
    if isinstance(first, list | tuple):
        return [_map(function, *branches) for branches in zip(*trees, strict=True)]
    return function(*trees)


def _pack(arrays: list[np.ndarray], structure: Any, at_layer: bool) -> Any:
    if at_layer:
        return arrays[0] if len(arrays) == 1 else arrays
    remaining = iter(arrays)

    def fill(tree: Any) -> Any:
        if isinstance(tree, Mapping):
            filled = {key: fill(tree[key]) for key in sorted(tree)}
            return {key: filled[key] for key in tree}
        if isinstance(tree, list | tuple):
            return [fill(branch) for branch in tree]
        return next(remaining)

    return fill(structure)


def _flatten(tree: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """A JSON skeleton of a structure whose arrays go into `arrays` under paths that start with `name`."""
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        return {"keys": list(tree), "items": [_flatten(tree[key], f"{name}/{key}", arrays) for key in tree]}
    if isinstance(tree, list | tuple):
        return [_flatten(branch, f"{name}/{place}", arrays) for place, branch in enumerate(tree)]
    arrays[name] = np.asarray(tree)
    return name


def _restore(skeleton: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if skeleton is None:
        return None
    if isinstance(skeleton, dict):
        return {key: _restore(item, arrays) for key, item in zip(skeleton["keys"], skeleton["items"], strict=True)}
    if isinstance(skeleton, list):
        return [_restore(item, arrays) for item in skeleton]
    return arrays[skeleton]


def _heatmap(values: np.ndarray, inputs: np.ndarray, size: tuple[int, ...] | None, per_channel: bool) -> np.ndarray:
    # Only an input may come without a channel axis; what a layer gives has one.
    summed = per_channel and values.ndim > 2 and (values.shape != inputs.shape or has_channels(inputs.shape))
    maps = values.sum(axis=-1) if summed else values
    wanted = positions(inputs.shape) if size is None else size
    if size is not None and len(size) != maps.ndim - 1:
        raise ValueError(f"size must have {maps.ndim - 1} axes for maps of shape {maps.shape}, got {size}")
    if len(wanted) != maps.ndim - 1 or maps.shape[1:] == wanted:
        return maps
    from skimage.transform import resize

    return np.stack([resize(one, wanted, order=1, mode="edge", anti_aliasing=False) for one in maps])
