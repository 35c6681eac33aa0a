"""Class activation maps: where the channels of a layer are active, weighted by what each means for the score.

The functions of arrays take activations and gradients (n, ..., channels) and return signed maps (n, ...).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, Gradient
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import Head, Outputs, gathered, given, precise
from xai_widgets.engine.reach import active, reached, unwrapped
from xai_widgets.engine.replaced import interpolation, slopes_at
from xai_widgets.engine.score import Score
from xai_widgets.engine.taps import tapped

# Activations and gradients of so many numbers take 128 MB.
MOST_TOGETHER = 16_000_000


class Places(NamedTuple):
    """Layers that have positions.

    Attributes:
        layers: Paths of the layers that a score depends on and whose output has a channel axis and positions, more
            than one along each axis, in call order.
        beside: Paths of those among them that also lead to the score on a way around the last of them.
        active: Paths of those among them that give what an activation function gave.
        shapes: What each of them gives for a sample, as far as tracing tells.
    """

    layers: tuple[str, ...]
    beside: tuple[str, ...]
    active: frozenset[str]
    shapes: tuple[tuple[int | None, ...], ...]

    def groups(self, most: int = MOST_TOGETHER) -> tuple[tuple[str, ...], ...]:
        """Layers that may be looked at in one pass: neighbours that give at most so many numbers a sample together."""
        groups: list[list[str]] = [[]]
        total = 0
        for layer, shape in zip(self.layers, self.shapes, strict=True):
            size = math.prod(side or 1 for side in shape)
            if groups[-1] and total + size > most:
                groups.append([])
                total = 0
            groups[-1].append(layer)
            total += size
        return tuple(tuple(group) for group in groups if group)


def spatial_layers(view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any) -> Places:
    """Find the layers that a class activation map of a score can be made of.

    A layer that holds others is left out where it returns what one of them returns; a block that adds or activates
    what they return is a layer of its own. What runs inside a loop cannot be looked at and is left out.
    """
    learnt: list[tuple[Places, tuple[str, ...]]] = []

    def run(*tensors: tf.Tensor) -> Any:
        *values, classes = tensors
        graph, layers = tf.compat.v1.get_default_graph(), view.layers
        holders = {path.rpartition("/")[0] for path in layers}
        found: dict[str, list[tf.Tensor]] = {}
        seen: set[Any] = set()

        def see(path: str) -> Any:
            def note(output: Any) -> Any:
                if tf.is_tensor(output) and output.graph is graph and _may_have_positions(output):
                    same = unwrapped(output).ref()
                    if path not in holders or same not in seen:
                        found[path] = [*found.pop(path, []), output]
                    seen.add(same)
                return output

            return note

        with contextlib.ExitStack() as stack:
            for path, layer in layers.items():
                stack.enter_context(tapped(layer, see(path)))
            scores, _ = view.score_and_outputs(score, values, structure, classes)
        before = reached([scores])
        paths = [path for path, outputs in found.items() if any(one.op in before for one in outputs)]
        around = reached([scores], {one.op for one in found[paths[-1]]}) if paths else set()
        beside = [path for path in paths[:-1] if any(one.op in around for one in found[path])]
        unknown = [path for path in paths if any(None in one.shape[1:-1] for one in found[path])]
        activated = frozenset(path for path in paths if all(map(active, found[path])))
        shapes = tuple(tuple(found[path][0].shape[1:]) for path in paths)
        learnt.append((Places(tuple(paths), tuple(beside), activated, shapes), tuple(unknown)))
        return [[tf.shape(one)[1:-1] for one in found[path]] for path in unknown]

    signature = [*specs(inputs), CLASSES]
    key = ("spatial layers", *score.key, repr(structure))
    function, (places, unknown) = view.compiled(key, run, signature, lambda: learnt[-1])
    if not unknown:
        return places
    # Sizes that tracing does not tell (a reshape to -1, say) are asked for, of one sample.
    sizes = function(*(tf.constant(array[:1]) for array in inputs), tf.constant(score.classes[:1], tf.int32))
    single = {path for path, calls in zip(unknown, sizes, strict=True) if any((one.numpy() < 2).any() for one in calls)}
    known = {path: shape for path, shape in zip(places.layers, places.shapes, strict=True) if path not in single}
    last = bool(known) and places.layers[-1] in known
    return Places(tuple(known), places.beside if last else (), places.active, tuple(known.values()))


def _may_have_positions(output: tf.Tensor) -> bool:
    return (output.shape.rank or 0) > 2 and all(size is None or size > 1 for size in output.shape[1:-1])


# For each call of a layer, the places of the inputs that it depends on.
Reads = tuple[tuple[int, ...], ...]


class Look(NamedTuple):
    """What a layer returns, and what else the same forward pass gave.

    Attributes:
        activations: (n, ..., channels) for each call of the layer.
        reads: For each call, the places of the inputs that it depends on.
        scores: (n,).
        outputs: What the model gives.
    """

    activations: list[np.ndarray]
    reads: Reads
    scores: np.ndarray
    outputs: Outputs


def look(view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any) -> Look:
    """Look at the `wrt` layer of a view, by one forward pass that sees all layers of its group."""
    traced: list[tuple[Outputs, dict[str, Reads]]] = []
    assert view.wrt is not None
    group = view.group

    def run(*tensors: tf.Tensor) -> Any:
        *values, classes = tensors
        calls: dict[str, list[tf.Tensor]] = {path: [] for path in group}

        def see(path: str, output: Any) -> Any:
            calls[path].extend(tf.nest.flatten(output))
            return output

        with view.taps(see):
            scores, outputs = view.score_and_outputs(score, values, structure, classes)
        for path, seen in calls.items():
            if not seen:
                raise ValueError(f"the model {view.name!r} does not call layer {path!r}")
        traced.append((outputs, {path: _reads(seen, values) for path, seen in calls.items()}))
        return {path: list(map(precise, seen)) for path, seen in calls.items()}, precise(scores), given(outputs)

    def fact() -> tuple[Any, tuple[Head, ...], dict[str, Reads]]:
        outputs, reads = traced[-1]
        return outputs.structure, outputs.heads, reads

    # One function, whichever of the layers is asked for.
    key = ("look", group, *score.key, repr(structure))
    function, (template, heads, reads) = view.at(group[0]).compiled(key, run, [*specs(inputs), CLASSES], fact)
    calls, scores, columns = function(*map(tf.constant, inputs), tf.constant(score.classes, tf.int32))
    seen = [call.numpy() for call in calls[view.wrt]]
    return Look(seen, reads[view.wrt], scores.numpy(), gathered(columns, template, heads))


def _reads(calls: Sequence[tf.Tensor], inputs: Sequence[tf.Tensor]) -> Reads:
    before = [reached([call]) for call in calls]
    return tuple(tuple(place for place, one in enumerate(inputs) if one.op in ops) for ops in before)


def enlarged(maps: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Maps (n, ...) with positions of other sizes, linearly between them."""
    for size in sizes:
        # The first axis of positions is replaced and goes last; when all have, their order is the old one.
        maps = np.tensordot(maps, interpolation(maps.shape[1], size).astype(maps.dtype), axes=(1, 1))
    return maps


def weighted(activations: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The sum of the channels, each with a weight, (n, channels)."""
    flat = activations.reshape(len(activations), -1, activations.shape[-1])
    return (flat @ weights[:, :, None].astype(flat.dtype)).reshape(activations.shape[:-1])


def cam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """CAM: channels weighted by the head's weights (Zhou et al., 2016).

    Each position has its share of a pooled weight as its gradient, so their sum is the weight.
    """
    return weighted(activations, gradients.sum(axis=_positions(gradients)))


def grad_cam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Grad-CAM: channels weighted by the mean of their gradients over positions (Selvaraju et al., 2017)."""
    return weighted(activations, gradients.mean(axis=_positions(gradients)))


def grad_cam_plus_plus(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Grad-CAM++: positive gradients summed with the weights of equation 19 (Chattopadhay et al., 2018).

    Where the gradient g is not zero, g^2 / (2 g^2 + sum(A) g^3) is 1 / (2 + sum(A) g): so it does not underflow.
    """
    totals = activations.sum(axis=_positions(activations), keepdims=True)
    rising = np.maximum(gradients, 0)
    return weighted(activations, _over(rising, 2 + totals * rising).sum(axis=_positions(gradients)))


def layer_cam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """LayerCAM: each activation weighted by its own positive gradient (Jiang et al., 2021)."""
    return np.einsum("n...k,n...k->n...", activations, np.maximum(gradients, 0))


def hi_res_cam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """HiResCAM: each activation weighted by its own gradient (Draelos and Carin, 2020)."""
    return np.einsum("n...k,n...k->n...", activations, gradients)


def x_grad_cam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """XGrad-CAM: channels weighted by the mean of their gradients, as active as they are there (Fu et al., 2020)."""
    axes = _positions(activations)
    return weighted(activations, _over((activations * gradients).sum(axis=axes), activations.sum(axis=axes)))


def eigen_cam(activations: np.ndarray) -> np.ndarray:
    """Eigen-CAM: the projection on the first right-singular vector of (positions, channels), not centred.

    Muhammad and Yeasin, 2020. The sign is the one with which the map goes along with the mean activation; where the
    channels' mean says nothing (after a layer norm it is zero everywhere), the largest magnitude is positive.
    """
    return np.stack([_first_component(one) for one in activations])


def shares(
    map_of: Callable[[np.ndarray, np.ndarray], np.ndarray], activations: np.ndarray, gradients: np.ndarray
) -> np.ndarray:
    """What each channel adds to the sum of the map that `map_of` makes of activations and gradients, (n, channels).

    For every map that is a sum over channels the channels' own maps add up to it, so each is asked for alone.
    """
    alone = [np.moveaxis(one, -1, 1).reshape(-1, *one.shape[1:-1], 1) for one in (activations, gradients)]
    parts = map_of(*alone)
    return parts.reshape(*activations.shape[:1], activations.shape[-1], -1).sum(axis=-1)


def magnitude(activations: np.ndarray) -> np.ndarray:
    """How active a layer is at each position, whatever the channel: (n, ...)."""
    return np.abs(activations).mean(axis=-1)


_NEGLIGIBLE = 1e-4
_SMALL = 64


def _first_component(activations: np.ndarray) -> np.ndarray:
    matrix = activations.reshape(-1, activations.shape[-1]).astype(np.float64)
    # The smaller of the two Gram matrices: many positions or many channels, seldom both.
    if len(matrix) < matrix.shape[1]:
        value, vector = _largest(matrix @ matrix.T)
        projection = vector * np.sqrt(max(value, 0))
    else:
        _, vector = _largest(matrix.T @ matrix)
        projection = matrix @ vector
    mean = matrix.mean(axis=1)
    along = projection @ mean
    if abs(along) <= _NEGLIGIBLE * np.linalg.norm(projection) * np.linalg.norm(matrix, axis=1).max(initial=0):
        along = projection[np.abs(projection).argmax()]
    return (np.where(along < 0, -1, 1) * projection).reshape(activations.shape[:-1]).astype(activations.dtype)


def _largest(gram: np.ndarray) -> tuple[float, np.ndarray]:
    """The largest eigenvalue and its vector: of a large matrix by Lanczos' iteration, many times quicker than all."""
    if len(gram) <= _SMALL or not gram.any():
        values, vectors = np.linalg.eigh(gram)
    else:
        from scipy.sparse.linalg import eigsh

        # From the same start each time, and from one that no pattern is at right angles to.
        values, vectors = eigsh(gram, k=1, v0=np.random.default_rng(0).normal(size=len(gram)))
    return float(values[-1]), vectors[:, -1]


_PROBES = 8
_ALIKE = {np.dtype(np.float32): 1e-3, np.dtype(np.float64): 1e-6}


def is_pooled(view: ModelView, score: Score, found: Gradient, inputs: Sequence[np.ndarray], structure: Any) -> bool:
    """Whether the score is a sum over the `wrt` layer's positions, each channel with one weight, and nothing else.

    That is so where the gradient is the same at all positions, and the same for other activations: it is asked for
    some random ones, which the rest of the network takes in one small call. How the model is written does not matter.

    Args:
        view, score, inputs, structure: As `gradient` took them; the score with its class told.
        found: What `gradient` gave.
    """
    if not all(np.allclose(one, _first_position(one), rtol=0, atol=_tolerance(one)) for one in found.gradients):
        return False
    random = np.random.default_rng(0)
    site = [_like(array[:1], random) for array in found.site]
    rows = [np.repeat(array[:1], _PROBES, axis=0) for array in inputs]
    slopes = slopes_at(view, score.rows(slice(1)).repeated(_PROBES), rows, site, structure)
    return all(
        np.allclose(other, one[:1], rtol=0, atol=_tolerance(one[:1]))
        for one, other in zip(found.gradients, slopes, strict=True)
    )


def _first_position(gradients: np.ndarray) -> np.ndarray:
    return gradients.reshape(len(gradients), -1, gradients.shape[-1])[:, :1].reshape(
        len(gradients), *[1] * (gradients.ndim - 2), gradients.shape[-1]
    )


def _tolerance(gradients: np.ndarray) -> float:
    return _ALIKE[gradients.dtype] * float(np.abs(gradients).max())


def _like(activations: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Random activations of the same size: channels differ as a whole, so that what is pooled differs too."""
    size = float(activations.std()) or 1.0
    shape = activations.shape[1:]
    channels = random.normal(size=(_PROBES, *[1] * (len(shape) - 1), shape[-1]))
    return (size * (channels + random.normal(size=(_PROBES, *shape)))).astype(activations.dtype)


def _positions(array: np.ndarray) -> tuple[int, ...]:
    return tuple(range(1, array.ndim - 1))


def _over(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient, zero where the denominator is."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
