"""ModelView: everything that the engine needs to know of a Keras model, in one place."""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from xai_widgets.declare import nearest
from xai_widgets.engine.score import (
    Head,
    NeuronReader,
    Outputs,
    Score,
    TracedOutput,
    before_activation,
    identity,
    output_names,
    precise,
    reaches,
)
from xai_widgets.engine.taps import tapped, uncovered


@dataclass
class _Compiled:
    """The compiled functions of one model, each with what was learnt while tracing it.

    They hold the model's variables, never the model itself. `covered` are the builds of the model whose own
    tf.functions cannot be traced as plain Python.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    functions: dict[Any, tuple[Any, Any]] = field(default_factory=dict)
    covered: set[Any] = field(default_factory=set)


# Keyed by the model, weakly: a model that is deleted is freed together with its functions.
_COMPILED: weakref.WeakKeyDictionary[Any, _Compiled] = weakref.WeakKeyDictionary()
_COMPILED_LOCK = threading.Lock()
_MOST_FUNCTIONS = 64
_LONG = 16


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
        if not model.built or (not model.variables and not getattr(model, "inputs", None)):
            raise ValueError("the model is not built: call it once on data, or give it an Input layer")
        if preprocess is not None and not callable(preprocess):
            raise TypeError(f"preprocess must be a function of a batch, got {preprocess!r}")
        self._model = weakref.ref(model)
        self.preprocess = preprocess
        self._outside: Callable[[Any], Any] | None = None
        self.wrt = None if wrt is None else self.path_of(wrt, "wrt")
        self.build = _build(model)
        self.watched: tuple[str, ...] = ()
        self._together: tuple[tuple[str, ...], ...] = ()
        self.recall: Recall | None = None
        self._standins: tuple[tuple[Any, tf.Variable], ...] = ()
        with _COMPILED_LOCK:
            self._compiled = _COMPILED.setdefault(model, _Compiled())

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
        wide = any(str(variable.dtype) == "float64" for variable in self.model.variables)
        return np.dtype(np.float64 if wide else np.float32)

    @property
    def layers(self) -> dict[str, Any]:
        """Every layer at any depth by its path, such as "backbone/conv5"; a layer used twice is listed once."""
        found: dict[str, Any] = {}
        seen: set[int] = set()

        def visit(layer: Any, path: str) -> None:
            for child in getattr(layer, "_layers", ()):
                if id(child) in seen or not isinstance(child, keras.layers.Layer):
                    continue
                seen.add(id(child))
                name = f"{path}{child.name}"
                while name in found:
                    name += "'"
                found[name] = child
                visit(child, f"{name}/")

        visit(self.model, "")
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
        if name in layers:
            return name
        ends = [path for path in layers if path.endswith(f"/{name}")]
        if len(ends) == 1:
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

    def chunk(self, inputs: Sequence[np.ndarray], forward: bool = False) -> int:
        """How many rows one call of a compiled function takes: about 100 ms of work or less on a common network.

        Without a derivative (`forward`) it takes more of the smallest inputs: there what is around a call counts most.
        Of tables and tokens each row meets every weight, token by token, so that their number tells the work.
        """
        elements = max(1, sum(int(np.prod(array.shape[1:])) for array in inputs))
        if any(array.ndim > 2 for array in inputs):
            rows = int(np.clip(1_250_000 // elements, 1, 64))
            return int(np.clip(204_800 // elements, rows, 256)) if forward else rows
        most, work = (65_536, 1_000_000_000) if forward else (4096, 250_000_000)
        weights, tokens = self._weights_met
        rows = min(2_000_000 // elements, work // (weights * (elements if tokens else 1)))
        return int(np.clip(rows, 8, most))

    @functools.cached_property
    def _weights_met(self) -> tuple[int, bool]:
        """How many weights a row of a table, or a token, meets; and whether it is a token.

        An embedding looks up its own weights.
        """
        embeddings = [layer for layer in self.layers.values() if type(layer).__name__ == "Embedding"]
        looked_up = sum(layer.count_params() for layer in embeddings)
        return max(1, self.model.count_params() - looked_up), bool(embeddings)

    def calls(self, inputs: Sequence[np.ndarray], total: int, rows: int = 1, forward: bool = False) -> list[slice]:
        """How `total` points of each sample are spread over calls of the model: a small call first, then full ones.

        A small call gives a picture soon, where a full one takes long: with large inputs. Each point takes `rows` rows;
        `forward` is as in `chunk`.
        """
        full = self.chunk(inputs, forward)
        each = max(1, full // (rows * len(inputs[0])))
        first = max(1, each // 4) if full <= _LONG else each
        edges = [0, *range(min(first, total), total, each), total]
        return [slice(start, stop) for start, stop in itertools.pairwise(dict.fromkeys(edges))]

    def compiled(
        self,
        key: tuple[Any, ...],
        function: Callable[..., Any],
        specs: Sequence[Any],
        fact: Callable[[], Any] = lambda: None,
    ) -> tuple[Any, Any]:
        """The concrete function under `key`, traced where it is new, and what `fact` told right after its tracing.

        Args:
            key: What tells this function from others of the same model, preprocessing and layer.
            function: Called with tensors while tracing.
            specs: Its input signature.
            fact: Tells what was learnt while tracing.
        """
        shapes = tuple((tuple(spec.shape), spec.dtype) for spec in specs)
        full = (key, identity(self.preprocess), self.wrt, shapes, self.build)
        store = self._compiled
        with store.lock:
            if full not in store.functions:
                with _losses_kept(self.model):
                    concrete = self._concrete(function, specs)
                while len(store.functions) >= _MOST_FUNCTIONS:
                    store.functions.pop(next(iter(store.functions)))
                store.functions[full] = concrete, fact()
            return store.functions[full]

    def with_weights(self, standins: Sequence[tuple[Any, tf.Variable]]) -> ModelView:
        """The same view, computing with other values in place of some of the model's variables.

        The model itself stays as it is, for everyone: nothing has to be restored, and other threads see no change.

        Args:
            standins: A Keras variable of the model, and the variable that is read in its place.
        """
        other = copy.copy(self)
        other._standins = tuple(standins)
        other._compiled = _Compiled(lock=self._compiled.lock, covered=self._compiled.covered)
        return other

    def _stateless(self) -> keras.StatelessScope:
        """What the model adds as a loss or assigns to a variable (a stateful LSTM does) goes nowhere within."""
        return keras.StatelessScope(self._standins, collect_losses=True)

    def _concrete(self, function: Callable[..., Any], specs: Sequence[Any]) -> Any:
        def run(*tensors: tf.Tensor) -> Any:
            with self._stateless():  # around all of it: a derivative may read weights after the call of the model
                return function(*tensors)

        covered = self._compiled.covered
        if self.build not in covered:
            try:
                with uncovered((self.model, *self.layers.values())):
                    return _concrete(run, specs)
            except tf.errors.OperatorNotAllowedInGraphError:  # one of its tf.functions may live by its autograph
                covered.add(self.build)
        try:
            return _concrete(run, specs)
        except tf.errors.OperatorNotAllowedInGraphError as error:
            raise ValueError(
                "the model cannot be traced (model.predict cannot run it either): it uses a tensor as a Python bool or "
                f"iterates over one; use keras.ops.cond, ops.where or tf.while_loop instead. {error}"
            ) from error

    def refreshed(self) -> ModelView:
        """The same view of the model as it is now: a layer added or an activation replaced is traced anew."""
        other = copy.copy(self)
        other.build = _build(self.model)
        return other

    def settle_preprocess(self, inputs: Sequence[np.ndarray], structure: Any) -> tuple[str, ...]:
        """Find out whether `preprocess` can be traced; where it only takes NumPy it is applied outside of the graph.

        Returns:
            Notes: one sentence where it is applied outside.

        Raises:
            ValueError: It fails on tensors and on arrays, or changes the number of samples.
        """
        if self.preprocess is None:
            return ()
        preprocess = self.preprocess
        notes: tuple[str, ...] = ()

        def run(*tensors: tf.Tensor) -> Any:
            return tf.nest.flatten(preprocess(tf.nest.pack_sequence_as(structure, list(tensors))))

        try:
            function, _ = self.compiled(("preprocess", repr(structure)), run, specs(inputs))
            prepared = function(*map(tf.constant, inputs))
        except Exception as tensor_error:
            self._outside, self.preprocess = preprocess, None
            notes = ("preprocess only takes NumPy arrays, so the map is with respect to what it returns.",)
            try:
                prepared = self.enter(inputs, structure)
            except Exception as error:
                raise ValueError(
                    f"preprocess failed on tensors ({tensor_error}) and on NumPy arrays ({error})"
                ) from error
        shapes = [tuple(array.shape) for array in prepared]
        if any(shape[:1] != (len(inputs[0]),) for shape in shapes):
            raise ValueError(f"preprocess must keep the {len(inputs[0])} samples of the batch, it gave {shapes}")
        return notes

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
        heads = tuple(_head(name, traced) for name, traced in zip(names, flat, strict=True))
        return Outputs(flat, template, heads)

    @property
    def _states(self) -> list[Any]:
        """What stateful recurrent layers keep from call to call, for a batch of one size only."""
        stateful = (layer for layer in self.layers.values() if getattr(layer, "stateful", False))
        return [state for layer in stateful for state in tf.nest.flatten(getattr(layer, "states", None) or [])]

    def state_notes(self) -> tuple[str, ...]:
        """A note where the model holds a state: an explanation, with its many copies of a sample, does not go on."""
        if not any(np.any(state.numpy()) for state in self._states):
            return ()
        return ("A stateful layer starts afresh here: what it holds from the calls before does not count.",)

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


def _build(model: Any) -> tuple[Any, ...]:
    """What a traced function of a model has in it besides variables: its layers, their activations and precision."""
    return tuple(
        (id(layer), id(getattr(layer, "activation", None)), layer.dtype_policy.name)
        for layer in model._flatten_layers(include_self=True)
    )


@contextlib.contextmanager
def _losses_kept(model: Any) -> Iterator[None]:
    """Put back the losses of the user's own last call, which Keras clears with each call."""
    kept = [(layer, list(layer._losses), set(layer._loss_ids)) for layer in model._flatten_layers(include_self=True)]
    try:
        yield
    finally:
        for layer, losses, ids in kept:
            layer._losses[:] = losses
            layer._loss_ids.clear()
            layer._loss_ids.update(ids)


def given(outputs: Outputs) -> list[tf.Tensor]:
    """The outputs as one list of tensors, for a compiled function to return; `gathered` undoes it."""
    return [tensor for output in outputs.flat for tensor in (precise(output.logits), precise(output.value))]


def given_at(outputs: Outputs, rows: tf.Tensor) -> list[tf.Tensor]:
    """The same of some rows."""
    return [tf.gather(tensor, rows) for tensor in given(outputs)]


def gathered(columns: Sequence[tf.Tensor], structure: Any, heads: tuple[Head, ...]) -> Outputs:
    """What `given` took apart."""
    flat = [
        TracedOutput(value, logits, head.activation)
        for logits, value, head in zip(columns[::2], columns[1::2], heads, strict=True)
    ]
    return Outputs(flat, structure, heads)


def specs(inputs: Sequence[np.ndarray]) -> list[tf.TensorSpec]:
    """Specifications of tensors like these, of any batch size."""
    return [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in inputs]


def _concrete(function: Callable[..., Any], specs: Sequence[Any]) -> Any:
    return tf.function(function, input_signature=specs, autograph=False).get_concrete_function()


def _head(name: str, traced: TracedOutput) -> Head:
    shape = tuple(traced.value.shape)
    if len(shape) < 2:
        return Head(name, traced.activation, 1)
    return Head(name, traced.activation, shape[-1] or 1, shape[1:-1])
