"""What is explained, checked, before and while it is asked how: `Subject` and `Task`."""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.doubts import doubts, drowned, likeness, of_samples, steadied
from xai_widgets.methods import Frame, Inputs, Method
from xai_widgets.trees import packed

if TYPE_CHECKING:
    from xai_widgets.engine.cam import Places
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.outputs import Outputs
    from xai_widgets.engine.score import Score


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
        self.notes = (
            *self.view.settle_preprocess(self.inputs.arrays, self.inputs.structure),
            *self.view.notes([array.shape[1:] for array in self.inputs.arrays]),
        )

    def rows(self, rows: slice) -> Subject:
        """Some of the samples."""
        return self._changed(inputs=self.inputs.rows(rows))

    def moved(self, arrays: Sequence[np.ndarray]) -> Subject:
        """The same with other values of the samples."""
        return self._changed(inputs=replace(self.inputs, arrays=tuple(arrays)))

    def refreshed(self) -> Subject:
        """The same with the model as it is now."""
        return self.seen_by(self.view.refreshed())

    def seen_by(self, view: ModelView) -> Subject:
        """The same by another view of the model."""
        return self._changed(view=view)

    @property
    def asked(self) -> Outputs | None:
        """What the model gave for the samples; None where it was not asked yet."""
        return self.__dict__.get("outputs")

    def expecting(self, outputs: Outputs) -> Subject:
        """The same, taking for granted that the model still gives what it gave before; see `still_gives`."""
        return self._changed(outputs=outputs)

    def still_gives(self, outputs: Outputs) -> bool:
        """Ask the model whether it gives the same as before, up to rounding."""
        now = self._changed().outputs
        pairs = zip(now.flat, outputs.flat, strict=True)
        return all(np.allclose(one.logits, other.logits, rtol=1e-5, atol=1e-5) for one, other in pairs)

    def _changed(self, **changes: Any) -> Subject:
        other = copy.copy(self)
        other.__dict__.pop("outputs", None)
        other.__dict__.update(changes)
        return other

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


class Task:
    """One request: explain a subject's score by a method. Whatever can be refused is refused when it is made.

    Args:
        subject: The model and the samples.
        method: The method.
        target, probability: As in `explain`; the target may be a finished `Score` too.
    """

    def __init__(self, subject: Subject, method: Method, *, target: Any = None, probability: bool = False) -> None:
        from xai_widgets.engine.gradients import token_layer
        from xai_widgets.engine.score import Score, resolve

        if not isinstance(probability, bool):
            raise TypeError(f"probability must be True or False, got {probability!r}")
        self.subject, self.method = subject, method
        view, inputs = subject.view, subject.inputs
        method.check(view, inputs)
        entered = view.enter(inputs.arrays, inputs.structure)

        def find_layer(name: str) -> str:
            return view.path_of(name, "Neuron.layer")

        if isinstance(target, Score):
            self.score = target
        else:
            heads = view.heads(entered, inputs.structure)
            self.score = resolve(target, heads, len(inputs), subject.names, probability, find_layer)
        self._tokens = None
        if view.wrt is None and method.through_embedding:
            self._tokens = token_layer(view, entered, inputs.structure)
        self._is_given = target is not None and not isinstance(target, Score)
        if not method.single and self.score.is_open:
            self.score = self.score.told(subject.outputs, subject.names)
        elif subject.asked is not None:
            self.score = replace(self.score, asked=True)

    @property
    def view(self) -> ModelView:
        """What the method looks at: token ids through the embedding that they enter."""
        return self.subject.view if self._tokens is None else self.subject.view.at(self._tokens)

    @cached_property
    def scores(self) -> np.ndarray:
        """(N,) scores of the samples, for methods whose frames do not bring them."""
        from xai_widgets.engine.score import NeuronReader

        view, inputs = self.subject.view, self.subject.inputs
        if not isinstance(self.score.reader, NeuronReader):
            return view.scores_of(self.score, self.subject.outputs)
        return view.scores(self.score, view.enter(inputs.arrays, inputs.structure), inputs.structure)

    @cached_property
    def places(self) -> Places:
        """The layers that a class activation map can be made of."""
        from xai_widgets.engine.cam import spatial_layers

        view, inputs = self.subject.view, self.subject.inputs
        entered = view.enter(inputs.arrays, inputs.structure)
        return spatial_layers(view, self.score, entered, inputs.structure)

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
        for frame in self._frames(rows):
            yield frame, self._told(frame, rows)

    def resumed(self, frame: Frame, method: Method) -> tuple[Task, Iterator[tuple[Frame, Attribution]]]:
        """The same under a method that only refits what was drawn until a frame, and its frames: see `Surrogate`."""
        assert frame.surrogate is not None
        assert frame.surrogate.resume is not None
        other, frames = copy.copy(self), frame.surrogate.resume(method)
        other.method = method
        return other, ((one, other._told(one, slice(None))) for one in frames)

    def answer(self, rows: slice = slice(None)) -> Attribution:
        """The attribution that the last frame makes."""
        # Not `*_, last = frames`: that would keep every frame until the end.
        for frame in self._frames(rows):  # noqa: B007
            pass
        return self._told(frame, rows)

    def _frames(self, rows: slice) -> Iterator[Frame]:
        score, inputs = self.score.rows(rows), self.subject.inputs.rows(rows)
        for frame in self.method.frames(self.view, score, inputs):
            if frame.outputs is not None and len(inputs) == len(self.subject.inputs):
                self.subject.outputs = frame.outputs
            yield frame if self._tokens is None else _a_token(frame, self._tokens)

    def _told(self, frame: Frame, rows: slice) -> Attribution:
        score, inputs = self.score.rows(rows), self.subject.inputs.rows(rows)
        scores = self.scores[rows] if frame.score is None else frame.score
        self._check_count(scores, len(inputs))
        told = score if frame.outputs is None else score.told(frame.outputs, self.subject.names)
        notes = tuple(self._other_class(told, rows, frame)) if frame.progress >= 1 else ()
        return self._attribution(frame, told, scores, inputs, notes)

    def _other_class(self, score: Score, rows: slice, frame: Frame) -> Iterator[str]:
        """A plain sentence where the class that was asked for is not the one that the model predicts."""
        from xai_widgets.engine.score import named

        if not self._is_given or self.method.class_free or self.method.makes_input:
            return
        predicted = score.predicted(self.subject.outputs if frame.outputs is None else frame.outputs)
        if predicted is None:
            return
        if frame.outputs is None:
            predicted = predicted[rows]
        other = predicted != score.targets
        if len(predicted) == 1 and other.any():
            best = named(int(predicted[0]), self.subject.names)
            yield f"The model predicts {best}; this map explains {score.labels[0]}."
        elif other.any():
            yield "For some samples the class that is explained is not the one that the model predicts."

    def _attribution(
        self, frame: Frame, told: Score, score: np.ndarray, inputs: Inputs, notes: tuple[str, ...]
    ) -> Attribution:
        count, view = len(inputs), self.subject.view
        of_layer, dtype = view.wrt is not None or frame.of_layer, view.dtype

        def pack(arrays: Sequence[np.ndarray]) -> Any:
            if of_layer:
                return arrays[0] if len(arrays) == 1 else list(arrays)
            return packed(list(arrays), inputs.structure)

        def numbers(arrays: Sequence[np.ndarray]) -> Any:
            return pack([np.asarray(array, dtype) for array in arrays])

        missing = np.full(count, np.nan, dtype)
        score = score.astype(dtype)
        frame = steadied(self.method, frame, score)
        baseline_score = missing if frame.baseline_score is None else frame.baseline_score.astype(dtype)
        total = sum(array.astype(dtype).astype(np.float64).reshape(count, -1).sum(axis=1) for array in frame.values)
        residual = (total - (score - baseline_score)) if self.method.claims() else missing
        given, unsquashed = self.subject.inputs, self._unsquashed(frame)
        of = partial(of_samples, first=inputs.first - given.first, total=len(given))
        return Attribution(
            values=numbers(frame.values),
            target=told.targets.astype(np.int64),
            score=score,
            baseline_score=baseline_score,
            residual=np.asarray(residual, dtype),
            method=self.method,
            inputs=packed(list(inputs.arrays), inputs.structure),
            segments=None if frame.segments is None else pack(frame.segments),
            error=None if frame.error is None else numbers(frame.error),
            change=missing if frame.change is None else frame.change.astype(dtype),
            passes=frame.passes,
            path=frame.path,
            score_name=self.score.reader.name,
            targets=told.labels,
            wrt=view.wrt,
            notes=(
                *self.conventions(),
                *frame.facts,
                *notes,
                *frame.notes,
                *likeness(frame, inputs.arrays, score if self._is_absolute(unsquashed) else None, of),
                *(() if self._tokens or view.wrt else drowned(self.method, inputs.arrays)),
                *doubts(
                    self.method,
                    frame,
                    inputs.arrays,
                    score,
                    residual,
                    self.score.reader.name,
                    unsquashed,
                    of,
                    ids=view.vocabularies if len(inputs.arrays) > 1 else (),
                ),
            ),
        )

    def conventions(self) -> tuple[str, ...]:
        """What holds for any map of this task, and is no reason for doubt."""
        return (*self.score.reader.notes(), *self.subject.notes, *self._beside())

    def _beside(self) -> Iterator[str]:
        """What is attributed to where `preprocess` is no part of the traced function."""
        if not self.subject.view.prepares_outside:
            return
        if self.method.differentiates:
            yield "preprocess only takes NumPy arrays, so the map is with respect to what it returns."
        elif self.view.wrt is None:
            yield (
                "preprocess only takes NumPy arrays, so it is what it returns that is masked: the same, where it "
                "treats each value by itself."
            )

    def _is_absolute(self, unsquashed: np.ndarray | None) -> bool:
        """Whether the values add up to a difference of scores that is small or large beside the scores: of classes."""
        classes = self.score.reader.name in ("logit", "probability")
        return self.method.claims() and (classes or (unsquashed is not None and unsquashed.shape[-1] > 1))

    def _unsquashed(self, frame: Frame) -> np.ndarray | None:
        """(n, classes) what the model gives, where the score is one of its outputs as it is; else None."""
        from xai_widgets.engine.score import ClassReader

        reader = self.score.reader
        if not isinstance(reader, ClassReader) or reader.head.activation is not None:
            return None
        outputs = self.subject.outputs if frame.outputs is None else frame.outputs
        return np.asarray(outputs.flat[reader.output].value)


def _a_token(frame: Frame, layer: str) -> Frame:
    """The frame with one value for each token, the sum over the width of its embedding; errors are at most theirs."""
    return replace(
        frame,
        values=[array.sum(axis=-1) for array in frame.values],
        error=None if frame.error is None else [array.sum(axis=-1) for array in frame.error],
        facts=(*frame.facts, f"Token ids are explained through the output of their embedding {layer!r}."),
    )


def _class_names(names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"names must be a sequence of class names, got {reprlib.repr(names)}")
    return tuple(names)


def feature_names(features: Sequence[str] | None, inputs: Any, arrays: Sequence[np.ndarray]) -> tuple[str, ...]:
    """Names of the columns of a table, checked: those of a pandas frame where none are given.

    Raises:
        TypeError: They are no sequence of names.
        ValueError: There are more or fewer than columns, or two are the same.
    """
    if features is None:
        columns = tuple(map(str, getattr(inputs, "columns", ())))
        return columns if len(set(columns)) == len(columns) == arrays[0].shape[-1] else ()
    if isinstance(features, str):
        raise TypeError(f"features must be a sequence of names, got {features!r}")
    names = tuple(map(str, features))
    width = arrays[0].shape[-1]
    if arrays[0].ndim != 2 or len(names) != width:
        raise ValueError(f"features must name the {width} columns of a table, got {len(names)} names")
    if len(set(names)) != width:
        raise ValueError("features must be different names")
    return names
