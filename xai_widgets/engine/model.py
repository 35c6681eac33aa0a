"""ModelView: everything that the engine needs to know of a Keras model, in one place."""

from __future__ import annotations

import contextlib
import copy
import functools
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from xai_widgets.declare import nearest
from xai_widgets.engine.chunks import calls, rows_a_call, work_of
from xai_widgets.engine.compiled import (
    MOST_FUNCTIONS,
    Compiled,
    Traced,
    attributes_kept,
    build_of,
    compiled_of,
    identity,
    losses_kept,
    specs,
)
from xai_widgets.engine.outputs import Head, Outputs, before_activation, gathered, given, head_of, output_names, reaches
from xai_widgets.engine.score import NeuronReader, Score
from xai_widgets.engine.taps import tapped, uncovered

_FIRST = "channels_first"


@dataclass
class Recall:
    """Keeps what the last pass of the model found of a group of layers; empty it to have the model run again."""

    found: Any = None


class ModelView:
    """One view of a Keras model: its inputs, its layers at any depth, its logits, and the functions compiled for it.

    Args:
        model: A built Keras 3 model on the TensorFlow backend: functional, Sequential, nested or subclassed.
        preprocess: From raw inputs to what the model takes, traced on tensors; with a batch axis, None for identity.
        wrt: Name or path of a layer whose output stands in for the inputs, None for the raw inputs.

    Attributes:
        build: What a traced function of the model has in it besides variables: another build, another function.

    Raises:
        TypeError: `model` is no Keras 3 model.
        ValueError: The model is not built, Keras runs on another backend, or the layer is unknown.
    """

    def __init__(self, model: Any, preprocess: Callable[[Any], Any] | None = None, wrt: str | None = None) -> None:
        if not isinstance(model, keras.Model):
            raise TypeError(f"model must be a Keras 3 model, got {type(model).__module__}.{type(model).__name__}")
        if keras.backend.backend() != "tensorflow":
            raise ValueError(f"Keras must run on the tensorflow backend, not on {keras.backend.backend()}")
        if not model.built or not (getattr(model, "inputs", None) or model.variables):
            raise ValueError("the model is not built: call it once on data, or give it an Input layer")
        if preprocess is not None and not callable(preprocess):
            raise TypeError(f"preprocess must be a function of a batch, got {preprocess!r}")
        self._model = weakref.ref(model)
        self.preprocess = preprocess
        self._outside: Callable[[Any], Any] | None = None
        self.wrt = None if wrt is None else self.path_of(wrt, "wrt")
        self.build = build_of(model)
        self.watched: tuple[str, ...] = ()
        self._together: tuple[tuple[str, ...], ...] = ()
        self.recall: Recall | None = None
        self._standins: tuple[tuple[Any, tf.Variable], ...] = ()
        self._compiled = compiled_of(model)

    @property
    def model(self) -> Any:
        model = self._model()
        if model is None:
            raise ReferenceError("the model of this view was deleted")
        return model

    @property
    def name(self) -> str:
        return str(self.model.name)

    @functools.cached_property
    def dtype(self) -> np.dtype[Any]:
        """Of attributions: float64 where the model computes so, else float32."""

        def wide() -> bool:
            return any(str(variable.dtype) == "float64" for variable in self.model.variables)

        return np.dtype(np.float64 if self._compiled.once((self.build, "wide"), wide) else np.float32)

    @property
    def layers(self) -> dict[str, Any]:
        """Every layer at any depth by its path, such as "backbone/conv5"; a layer used twice is listed once."""
        found: dict[str, Any] = {}
        _find_layers(self.model, "", found, set())
        return found

    def path_of(self, name: str, argument: str) -> str:
        """The path of the layer that a path, or its last part alone, names.

        Raises:
            TypeError: `name` is no text; `argument` is what the error calls it.
            ValueError: No layer, or more than one, is so named.
        """
        if not isinstance(name, str):
            raise TypeError(f"{argument} must be the name or path of a layer, got {name!r}")
        layers = self.layers
        ends = [name] if name in layers else [path for path in layers if path.endswith(f"/{name}")]
        if len(ends) == 1:
            if isinstance(layers[ends[0]], keras.layers.InputLayer):
                raise ValueError(f"{argument} {name!r} is an input of the model, which computes nothing: leave it out")
            return ends[0]
        names = [*layers, *(path.rpartition("/")[2] for path in layers)]
        hint = f"; it may be any of {', '.join(map(repr, ends))}" if ends else nearest(name, dict.fromkeys(names))
        raise ValueError(f"{argument} {name!r} names no single layer of the model{hint}")

    def at(self, wrt: str) -> ModelView:
        """The same view with respect to the output of a layer, given by its path."""
        other = copy.copy(self)
        other.wrt = wrt
        return other

    def watching(self, layers: Sequence[str]) -> ModelView:
        """The same view, where methods that can also tell what they find at some layers, given by their paths."""
        other = copy.copy(self)
        other.watched = tuple(layers)
        return other

    def alongside(self, groups: Sequence[tuple[str, ...]], recall: Recall | None = None) -> ModelView:
        """The same view, in which one function looks at all layers of a group.

        Going from one of them to the next then traces nothing, and does not even run the model where `recall` keeps
        what the last pass found: whoever hands it over says that samples, score and weights are the same.

        Args:
            groups: Paths of layers.
            recall: Keeps the last pass; None to keep nothing.
        """
        other = copy.copy(self)
        other._together, other.recall = tuple(groups), recall
        return other

    @property
    def group(self) -> tuple[str, ...]:
        """The layers that one function looks at where the `wrt` layer is looked at, itself among them."""
        alone = () if self.wrt is None else (self.wrt,)
        return next((group for group in self._together if self.wrt in group), alone)

    @property
    def input_shapes(self) -> list[tuple[int | None, ...]] | None:
        """Shapes of the model's inputs with their batch axis, None where a subclassed model does not tell."""
        inputs = getattr(self.model, "inputs", None)
        if not inputs:
            return None
        return [tuple(tensor.shape) for tensor in inputs]

    @property
    def vocabularies(self) -> dict[int, int]:
        """How many token ids there are, by the place of each input that an embedding is seen to take as it is.

        The graph of a functional model tells it without a trace; of other models nothing is told.
        """
        inputs = getattr(self.model, "inputs", None)
        if not inputs or self.preprocess is not None or self._outside is not None:
            return {}
        places = {id(tensor): place for place, tensor in enumerate(inputs)}
        return {
            places[id(tensor)]: layer.input_dim
            for layer in self.model.layers
            if type(layer) is keras.layers.Embedding  # another may do what it likes with an id
            for node in layer._inbound_nodes
            for tensor in node.input_tensors
            if id(tensor) in places
        }

    def chunk(self, inputs: Sequence[np.ndarray], forward: bool = False) -> int:
        """How many rows one call of a compiled function takes; without a derivative where it is only `forward`."""
        shapes = tuple(array.shape[1:] for array in inputs)
        work = self._compiled.once((self.build, shapes), lambda: work_of((self.model, *self.layers.values()), shapes))
        return rows_a_call(shapes, work, forward)

    def calls(self, inputs: Sequence[np.ndarray], total: int, rows: int = 1, forward: bool = False) -> list[slice]:
        """How `total` points of each sample are spread over calls of the model, where each point takes `rows` rows."""
        return calls(total, self.chunk(inputs, forward), rows * len(inputs[0]))

    def compiled(
        self,
        key: tuple[Any, ...],
        function: Callable[..., Any],
        specs: Sequence[Any],
        fact: Callable[[], Any] = lambda: None,
    ) -> tuple[Traced, Any]:
        """The traced function under `key`, traced where it is new, and what `fact` told right after its tracing.

        Args:
            key: What tells this function from others of the same model, preprocessing and layer.
            function: Called with tensors while tracing.
            specs: Its input signature.
            fact: Tells what was learnt while tracing.
        """
        full = (key, identity(self.preprocess), self.wrt, tuple(specs), self.build)
        store = self._compiled
        with store.lock:
            if full not in store.functions:
                with losses_kept(self.model), attributes_kept((self.model, *self.layers.values())):
                    traced = self._traced(function, specs)
                while len(store.functions) >= MOST_FUNCTIONS:
                    store.functions.pop(next(iter(store.functions)))
                store.functions[full] = traced, fact()
            return store.functions[full]

    def with_weights(self, standins: Sequence[tuple[Any, tf.Variable]]) -> ModelView:
        """The same view, computing with other values in place of some of the model's variables.

        The model itself stays as it is, for everyone: nothing has to be restored, and other threads see no change.

        Args:
            standins: A Keras variable of the model, and the variable that is read in its place.
        """
        other = copy.copy(self)
        other._standins = tuple(standins)
        other._compiled = Compiled(
            lock=self._compiled.lock, covered=self._compiled.covered, learnt=self._compiled.learnt
        )
        return other

    def _stateless(self) -> keras.StatelessScope:
        """What the model adds as a loss or assigns to a variable (a stateful LSTM does) goes nowhere within."""
        return keras.StatelessScope(self._standins, collect_losses=True)

    def _traced(self, function: Callable[..., Any], specs: Sequence[Any]) -> Traced:
        def run(*tensors: tf.Tensor) -> Any:
            with self._stateless():  # around all of it: a derivative may read weights after the call of the model
                return function(*tensors)

        covered = self._compiled.covered
        if self.build not in covered:
            try:
                with uncovered((self.model, *self.layers.values())):
                    return Traced(run, specs)
            except tf.errors.OperatorNotAllowedInGraphError:  # one of its tf.functions may live by its autograph
                covered.add(self.build)
        try:
            return Traced(run, specs)
        except tf.errors.OperatorNotAllowedInGraphError as error:
            raise ValueError(
                "the model cannot be traced (model.predict cannot run it either): it uses a tensor as a Python bool or "
                f"iterates over one; use keras.ops.cond, ops.where or tf.while_loop instead. {error}"
            ) from error

    def refreshed(self) -> ModelView:
        """The same view of the model as it is now: a layer added or an activation replaced is traced anew."""
        other = copy.copy(self)
        other.build = build_of(self.model)
        return other

    def settle_preprocess(self, inputs: Sequence[np.ndarray], structure: Any) -> tuple[str, ...]:
        """Find out whether `preprocess` can be traced; where it only takes NumPy it is applied outside of the graph.

        Returns:
            Notes: a sentence where it makes something else of a sample alone than of a batch.

        Raises:
            ValueError: It fails on tensors and on arrays, or changes the number of samples.
        """
        if self.preprocess is None:
            return ()
        preprocess = self.preprocess

        def run(*tensors: tf.Tensor) -> Any:
            return tf.nest.flatten(preprocess(tf.nest.pack_sequence_as(structure, list(tensors))))

        try:
            function, _ = self.compiled(("preprocess", repr(structure)), run, specs(inputs))
            prepared = function(*map(tf.constant, inputs))
        except Exception as tensor_error:
            self._outside, self.preprocess = preprocess, None
            try:
                prepared = self.enter(inputs, structure)
            except Exception as error:
                raise ValueError(
                    f"preprocess failed on tensors ({tensor_error}) and on NumPy arrays ({error})"
                ) from error
        if not all(hasattr(array, "shape") for array in prepared):
            kinds = ", ".join(type(array).__name__ for array in prepared)
            raise ValueError(f"preprocess must return what the model takes, arrays with a batch axis, got {kinds}")
        shapes = [tuple(array.shape) for array in prepared]
        if any(shape[:1] != (len(inputs[0]),) for shape in shapes):
            raise ValueError(f"preprocess must keep the {len(inputs[0])} samples of the batch, it gave {shapes}")
        if len(inputs[0]) == 1:
            return ()

        def mixes() -> bool:
            alone = [array[:1] for array in inputs]
            with contextlib.suppress(Exception):  # whatever a function raises that cannot do with one sample
                found = self.enter(alone, structure) if self._outside else function(*map(tf.constant, alone))
                pairs = zip(found, prepared, strict=True)
                return not all(_alike(np.asarray(one), np.asarray(several[:1])) for one, several in pairs)
            return True

        # Asked once of a function, by one small call.
        if not self._compiled.once(("mixes", identity(preprocess)), mixes):
            return ()
        return (
            "preprocess makes something else of a sample alone than in a batch, as it mixes samples or is random: the "
            "map depends on which samples and copies are computed together.",
        )

    @property
    def prepares_outside(self) -> bool:
        """Whether `preprocess` only takes NumPy arrays, and is applied before the compiled functions."""
        return self._outside is not None

    def enter(self, inputs: Sequence[np.ndarray], structure: Any) -> list[np.ndarray]:
        """What the compiled functions take for raw inputs: the same, or a NumPy-only `preprocess` of a copy."""
        if self._outside is None:
            return list(inputs)
        prepared = self._outside(tf.nest.pack_sequence_as(structure, [array.copy() for array in inputs]))
        if len(tf.nest.flatten(prepared)) != len(inputs):
            raise ValueError(
                "preprocess on NumPy arrays must return as many as it gets; write it with keras.ops instead"
            )
        return [np.asarray(array, self.dtype) for array in tf.nest.flatten(prepared)]

    def call(self, inputs: Sequence[tf.Tensor], structure: Any) -> Outputs:
        """What the model gives for inputs as the compiled functions take them, while tracing.

        A stateful layer starts from zeros, as after `reset_state()`: its state is for a batch of one size.
        """
        packed = tf.nest.pack_sequence_as(structure, list(inputs))
        if self.preprocess is not None:
            packed = self.preprocess(packed)
        rows = tf.shape(tf.nest.flatten(packed)[0])[0]
        with self._stateless() as scope:
            for state in self._states:
                scope.state_mapping[id(state)] = tf.zeros((rows, *state.shape[1:]), state.dtype)
            given = self.model(packed, training=False)
        flat = [before_activation(value) for value in tf.nest.flatten(given)]
        template = tf.nest.map_structure(lambda _: None, given)
        names = output_names(template, getattr(self.model, "output_names", None) or ())
        heads = tuple(head_of(name, traced) for name, traced in zip(names, flat, strict=True))
        return Outputs(flat, template, heads)

    @property
    def _states(self) -> list[Any]:
        """What stateful recurrent layers keep from call to call, for a batch of one size only."""
        stateful = (layer for layer in self.layers.values() if getattr(layer, "stateful", False))
        return [state for layer in stateful for state in tf.nest.flatten(getattr(layer, "states", None) or [])]

    @property
    def channels_first(self) -> dict[str, tuple[int | None, ...]]:
        """What enters each layer that takes the first axis of a sample for its channels, (C, ...), by its path."""

        def found() -> dict[str, tuple[int | None, ...]]:
            first = {path: one for path, one in self.layers.items() if getattr(one, "data_format", "") == _FIRST}
            return {path: _enters(one) for path, one in first.items()}

        paths: dict[str, tuple[int | None, ...]] = self._compiled.once((self.build, _FIRST), found)
        return paths

    def channels_first_of(self, shapes: Sequence[tuple[int, ...]]) -> str | None:
        """Path of a layer that takes samples of one of some shapes as they are, channels first; None without such."""
        for path, wanted in self.channels_first.items():
            for shape in shapes:
                pairs = zip(wanted, shape, strict=False)
                if wanted and len(wanted) == len(shape) and all(want in (None, got) for want, got in pairs):
                    return path
        return None

    def notes(self, shapes: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
        """Notes on what is unusual about the model, for samples of some shapes.

        Where it holds a state: an explanation, with its many copies of a sample, does not go on from there.
        """
        notes = []
        if any(np.any(state.numpy()) for state in self._states):
            notes.append("A stateful layer starts afresh here: what it holds from the calls before does not count.")
        first = self.channels_first_of(shapes)
        if first is not None:
            notes.append(
                f"Layer {first!r} takes channels first, while heat maps and figures take the last axis for channels: "
                "the values are right, pictures of them are not."
            )
        return tuple(notes)

    def forward(self, inputs: Sequence[np.ndarray], structure: Any) -> Outputs:
        """What the model gives for inputs as the compiled functions take them, one chunk at a time."""

        function, (template, heads) = self._forward(inputs, structure)
        chunks = list(self._chunks(function, inputs))
        columns = chunks[0] if len(chunks) == 1 else [tf.concat(column, axis=0) for column in zip(*chunks, strict=True)]
        return gathered(columns, template, heads)

    def heads(self, inputs: Sequence[np.ndarray], structure: Any) -> tuple[Head, ...]:
        """What is known of the model's outputs without running it."""
        _, (_, heads) = self._forward(inputs, structure)
        return heads

    def _forward(self, inputs: Sequence[np.ndarray], structure: Any) -> tuple[Any, tuple[Any, tuple[Head, ...]]]:
        traced: list[Outputs] = []

        def run(*tensors: tf.Tensor) -> Any:
            traced.append(self.call(tensors, structure))
            if not reaches(tensors, [output.value for output in traced[-1].flat]):
                raise ValueError(f"the output of model {self.name!r} does not depend on its input")
            return given(traced[-1])

        def fact() -> tuple[Any, tuple[Head, ...]]:
            return traced[-1].structure, traced[-1].heads

        return self.compiled(("forward", repr(structure)), run, specs(inputs), fact)

    def scores(self, score: Score, inputs: Sequence[np.ndarray], structure: Any) -> np.ndarray:
        """Scores (n,) of inputs as the compiled functions take them."""
        if not isinstance(score.reader, NeuronReader):
            return self.scores_of(score, self.forward(inputs, structure))

        def run(*tensors: tf.Tensor) -> Any:
            return self.score(score, tensors, structure, None)

        function, _ = self.compiled(("scores", *score.key, repr(structure)), run, specs(inputs))
        return np.concatenate([scores.numpy() for (scores,) in self._chunks(function, inputs)])

    def scores_of(self, score: Score, outputs: Outputs) -> np.ndarray:
        """Scores (n,) of what `forward` gave."""
        assert not isinstance(score.reader, NeuronReader)
        return score.reader(outputs.flat, outputs.structure, tf.constant(score.classes, tf.int32)).numpy()

    def score(self, score: Score, inputs: Sequence[tf.Tensor], structure: Any, classes: tf.Tensor) -> tf.Tensor:
        """The scores (m,) of inputs as the compiled functions take them, while tracing: those of `told`."""
        return self.told(score, inputs, structure, classes)[0]

    def told(
        self, score: Score, inputs: Sequence[tf.Tensor], structure: Any, classes: tf.Tensor
    ) -> tuple[tf.Tensor, Outputs]:
        """The scores (m,) of inputs as the compiled functions take them, while tracing, with all that the model gives.

        Args:
            score: Its classes are known.
            inputs, structure: (m, ...) each; of each sample there may be several rows, one after the other.
            classes: (n, K) of the samples.
        """
        if isinstance(score.reader, NeuronReader):
            return self.score_and_outputs(score, inputs, structure, classes)
        outputs = self.call(inputs, structure)
        return score.reader.told(outputs.flat, outputs.structure, classes), outputs

    def score_and_outputs(
        self, score: Score, inputs: Sequence[tf.Tensor], structure: Any, classes: tf.Tensor
    ) -> tuple[tf.Tensor, Outputs]:
        """The scores (n,) of as many samples, whose classes may be open, with all that the model gives."""
        if not isinstance(score.reader, NeuronReader):
            outputs = self.call(inputs, structure)
            return score.reader(outputs.flat, outputs.structure, classes), outputs
        calls: list[tf.Tensor] = []

        def see(output: Any) -> Any:
            calls.extend(tf.nest.flatten(output))
            return output

        with self._compiled.lock, tapped(self.layers[score.reader.layer], see):
            outputs = self.call(inputs, structure)
        return score.reader.of_layer(calls), outputs

    def _chunks(self, function: Any, inputs: Sequence[np.ndarray]) -> Iterator[list[tf.Tensor]]:
        size = self.chunk(inputs, forward=True)
        for start in range(0, len(inputs[0]), size):
            yield tf.nest.flatten(function(*(tf.constant(array[start : start + size]) for array in inputs)))

    @contextlib.contextmanager
    def tap(self, see: Callable[[Any], Any]) -> Iterator[None]:
        """Within the context the `wrt` layer returns `see(output)` in this thread; the tracing lock must be held."""
        assert self.wrt is not None
        with self._compiled.lock, tapped(self.layers[self.wrt], see):
            yield

    @contextlib.contextmanager
    def taps(self, see: Callable[[str, Any], Any]) -> Iterator[None]:
        """As `tap` for each layer of the `group`, which returns `see(path, output)`."""
        layers = self.layers
        with self._compiled.lock, contextlib.ExitStack() as stack:
            for path in self.group:
                stack.enter_context(tapped(layers[path], functools.partial(see, path)))
            yield


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are the same up to rounding."""
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-3 * np.abs(other).max(initial=0))


def _find_layers(layer: Any, path: str, found: dict[str, Any], seen: set[int]) -> None:
    """Enter the layers within a layer by their paths, each once."""
    for child in getattr(layer, "_layers", ()):
        if id(child) in seen or not isinstance(child, keras.layers.Layer):
            continue
        seen.add(id(child))
        name = f"{path}{child.name}"
        while name in found:
            name += "'"
        found[name] = child
        _find_layers(child, f"{name}/", found, seen)


def _enters(layer: Any) -> tuple[int | None, ...]:
    """The shape of a sample that enters a layer, as it was built or first called; () where neither tells."""
    shape = (layer.get_build_config() or {}).get("input_shape")
    if shape is None and layer._inbound_nodes:
        shape = layer._inbound_nodes[0].input_tensors[0].shape
    return tuple(shape or ())[1:]
