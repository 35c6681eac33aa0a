"""Scores of inputs of which parts are replaced by a reference: masks travel, inputs are composed in the graph."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from xai_widgets.engine.checkpoint import checkpoint
from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, no_gradient
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import Outputs, gathered, given_at, precise, reaches
from xai_widgets.engine.score import Score
from xai_widgets.layout import positions

Sizes = tuple[int, ...]
Paint = Callable[[Sequence[Sizes], Sequence[tf.Tensor], Sequence[tf.Tensor]], list[tf.Tensor]]


def places(shape: Sequence[int]) -> Sizes:
    """The sizes of the axes along which an array (n, ...) can be masked: positions, or the features of a table."""
    return positions(shape) or tuple(shape[1:])


def by_player(sizes: Sequence[Sizes], labels: Sequence[tf.Tensor], moving: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Masks (n, k, *size) of each array, from one number a player.

    Args:
        sizes: Of each array.
        labels: Which player each position belongs to, (n, *size) int of each array.
        moving: One tensor (n, k, players) bool, True for what is kept.
    """
    (present,) = moving
    rows = tf.shape(present)[:2]
    # Copies of a player's whole column of masks are much cheaper than one number at a time.
    columns = tf.transpose(present, (0, 2, 1))
    masks = []
    for size, label in zip(sizes, labels, strict=True):
        flat = tf.reshape(label, (rows[0], -1))
        drawn = tf.transpose(tf.gather(columns, flat, axis=1, batch_dims=1), (0, 2, 1))
        masks.append(tf.reshape(drawn, tf.concat([rows, size], axis=0)))
    return masks


def by_value(_: Sequence[Sizes], __: Sequence[tf.Tensor], moving: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Masks (n, k, ...) of all axes of each array, channels too, as they are: bool, True for what is kept."""
    return list(moving)


def by_window(sizes: Sequence[Sizes], _: Sequence[tf.Tensor], moving: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Masks (1, k, *size) of each array, 0 within a window and 1 around it.

    Args:
        sizes: Of each array.
        moving: Where windows start and end along each axis, (k, axes, 2) int of each array.
    """
    masks = []
    for size, bounds in zip(sizes, moving, strict=True):
        inside = None
        for axis, length in enumerate(size):
            along = tf.range(length)[None]
            hit = tf.logical_and(along >= bounds[:, axis, :1], along < bounds[:, axis, 1:])
            hit = tf.reshape(hit, (-1, *(length if other == axis else 1 for other in range(len(size)))))
            inside = hit if inside is None else tf.logical_and(inside, hit)
        masks.append(tf.logical_not(inside)[None])
    return masks


def by_grid(sizes: Sequence[Sizes], cells: Sequence[tf.Tensor], moving: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Masks (1, k, *size) of each array, linear between the nodes of shifted grids.

    Args:
        sizes: Of each array.
        cells: Of each array the lengths (1, axes) of a cell; without axes for a table, whose nodes are its mask.
        moving: For each array its nodes (k, ...), one more along each axis than cells reach; shifts (m, axes) of grids
            in cells, from 0 to below 1; and which of them each mask has, (k,) int.
    """
    masks = []
    for size, cell, nodes, shifts, which in zip(sizes, cells, moving[::3], moving[1::3], moving[2::3], strict=True):
        shape = tf.shape(nodes)
        mask = nodes
        for axis, length in enumerate(size[: cell.shape[1]]):
            at = tf.range(length, dtype=nodes.dtype) / cell[0, axis] + shifts[:, axis : axis + 1]
            near = tf.nn.relu(1 - tf.abs(at[..., None] - tf.cast(tf.range(shape[axis + 1]), nodes.dtype)))
            # The axis that is interpolated goes last; when all have been, their order is the old one.
            mask = tf.reshape(mask, (shape[0], shape[axis + 1], -1))
            mask = tf.matmul(mask, tf.gather(near, which), transpose_a=True, transpose_b=True)
        masks.append(tf.reshape(mask, (1, shape[0], *size)))
    return masks


class Look(NamedTuple):
    """What some masks tell.

    Attributes:
        scores: (n, k) float64.
        sums: Of grids, for each array the sums over the masks M of M, of M squared, and of M times its score:
            (n, 3, positions) float64, positions flattened.
        outputs: What the model gives for the first mask of each sample: where that keeps all, for the sample itself.
    """

    scores: np.ndarray
    sums: list[np.ndarray]
    outputs: Outputs


class Masked:
    """Scores of masked inputs: a compiled function with what stays the same bound to it.

    What a mask leaves out is replaced by a reference; where there are several, the score is the mean over them. Many
    are spread over several calls of the model, between which the worker may end the job.

    Args:
        view: The model. Where its `wrt` layer is set, site and references are outputs of that layer.
        score: What is evaluated.
        structure: The structure that the inputs have together.
        site: What is masked, an array (n, ...) each.
        references: For each reference its arrays (n, ...).
        inputs: What the model gets besides, where a layer's output is replaced.
        paint: `by_player`, `by_value`, `by_window` or `by_grid`.
        fixed: What it needs besides what travels, (1 or n, ...) each: label maps, lengths of cells.
    """

    def __init__(
        self,
        view: ModelView,
        score: Score,
        structure: Any,
        site: Sequence[np.ndarray],
        references: Sequence[Sequence[np.ndarray]],
        inputs: Sequence[np.ndarray],
        paint: Paint,
        fixed: Sequence[np.ndarray] = (),
    ) -> None:
        self._view, self._score, self._structure, self._paint = view, score, structure, paint
        besides = list(inputs) if view.wrt is not None else []
        self.site, self._fixed, self._besides = list(site), list(fixed), besides
        self.references = len(references)
        self._most = int(_LARGEST * view.chunk(site, forward=True))
        self._references = _stacked(references)
        self._bound = [tf.constant(array) for array in (*besides, *fixed, *site)]
        self._classes = tf.constant(score.classes, tf.int32)
        self._function: Any = None

    def __call__(self, moving: Sequence[np.ndarray]) -> np.ndarray:
        """Scores (n, k), float64, of the masks that `paint` makes from `moving`."""
        return self.look(moving).scores

    def look(self, moving: Sequence[np.ndarray]) -> Look:
        """The same with all else that the masks tell."""
        if self._function is None:
            self._function, self._fact = self._compiled(moving)
        travelling = [tf.constant(array) for array in moving]
        total: Any = 0.0
        alone: list[tf.Tensor] = []
        columns: list[tf.Tensor] = []
        products: list[np.ndarray] | None = None
        for references in self._groups(self._count(moving)):
            checkpoint()
            scores, alone, parts, columns = self._function(*self._bound, *travelling, *references, self._classes)
            total = total + scores.numpy().astype(np.float64)
            more = [part.numpy().astype(np.float64) for part in parts]
            products = more if products is None else [one + other for one, other in zip(products, more, strict=True)]
        sums: list[np.ndarray] = []
        for one, product in zip(alone, products or (), strict=True):
            both = np.broadcast_to(one, (len(product), *one.shape))
            sums.append(np.concatenate([both, product[:, None] / self.references], axis=1))
        return Look(total / self.references, sums, gathered(columns, *self._fact))

    def _count(self, moving: Sequence[np.ndarray]) -> int:
        """How many rows of the model the masks of all samples take for one reference."""
        return len(self.site[0]) * moving[0].shape[0 if self._paint in (by_window, by_grid) else 1]

    def _groups(self, rows: int) -> Iterator[list[tf.Tensor]]:
        """The references, as many at a time as fit a call."""
        parts = min(self.references, -(-rows * self.references // self._most))
        if parts < 2:
            yield self._references
            return
        each = -(-self.references // parts)
        for start in range(0, self.references, each):
            yield [one[:, start : start + each] for one in self._references]

    def _compiled(self, moving: Sequence[np.ndarray]) -> tuple[Any, Any]:
        view, score, structure, paint = self._view, self._score, self._structure, self._paint
        width, besides, fixed = len(self.site), len(self._besides), len(self._fixed)
        sizes = [places(array.shape) for array in self.site]
        traced: list[Outputs] = []

        def run(*tensors: tf.Tensor) -> Any:
            *bound, classes = tensors
            parts = iter(bound)
            inputs, labels, values, travelling, references = (
                list(itertools.islice(parts, count)) for count in (besides, fixed, width, len(moving), width)
            )
            masks = paint(sizes, labels, travelling)
            points = [
                _composed(value, reference, mask)
                for value, reference, mask in zip(values, references, masks, strict=True)
            ]
            grid = tf.stack([tf.shape(classes)[0], tf.shape(masks[0])[1], tf.shape(references[0])[1]])
            repeats = grid[1] * grid[2]
            rows = [tf.reshape(point, tf.concat([[-1], tf.shape(point)[3:]], axis=0)) for point in points]
            for row, value in zip(rows, values, strict=True):
                row.set_shape((None, *value.shape[1:]))
            scores, outputs = _scores(view, score, rows, inputs, structure, classes, repeats)
            traced.append(outputs)
            scores = precise(tf.reduce_sum(tf.reshape(scores, grid), axis=2))
            sums = _sums(masks, scores) if paint is by_grid else ([], [])
            return scores, *sums, given_at(outputs, tf.range(grid[0]) * repeats)

        moving_specs = [_free(array, paint) for array in moving]
        reference_specs = [tf.TensorSpec([None, None, *array.shape[1:]], array.dtype) for array in self.site]
        signature = [*specs(self._besides), *specs(self._fixed), *specs(self.site), *moving_specs, *reference_specs]
        key = ("masked", paint.__name__, *score.key, repr(structure), width, fixed)
        return view.compiled(key, run, [*signature, CLASSES], lambda: traced[-1][1:])


def _sums(masks: Sequence[tf.Tensor], scores: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """For each array sums of masks and of their squares (2, positions), and of masks times scores (n, positions)."""
    flat = [tf.reshape(mask, (tf.shape(mask)[1], -1)) for mask in masks]
    alone = [tf.stack([tf.reduce_sum(one, axis=0), tf.reduce_sum(one**2, axis=0)]) for one in flat]
    return alone, [tf.matmul(scores, tf.cast(one, scores.dtype)) for one in flat]


def _free(array: np.ndarray, paint: Paint) -> tf.TensorSpec:
    """The specification of something that travels: only its rank is fixed, so that no other count retraces.

    How many axes there are is fixed as well.
    """
    shape: Sequence[int | None] = [None] * array.ndim
    if paint is by_window:
        shape = [None, *array.shape[1:]]
    return tf.TensorSpec(shape, array.dtype)


def _composed(value: tf.Tensor, reference: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """(n, ...), (n or 1, r, ...) and masks (n or 1, k, *size) -> (n, k, r, ...); exact where a mask is 0 or 1.

    A mask may also have all axes of its array.
    """
    channel = [1] * (value.shape.rank + 1 - mask.shape.rank)
    shape = tf.concat([tf.shape(mask)[:2], [1], tf.shape(mask)[2:], channel], axis=0)
    mask = tf.reshape(mask, tf.cast(shape, tf.int32))
    if mask.dtype == tf.bool:
        return tf.where(mask, value[:, None, None], reference[:, None])
    return mask * value[:, None, None] + (1 - mask) * reference[:, None]


def _scores(
    view: ModelView,
    score: Score,
    rows: Sequence[tf.Tensor],
    inputs: Sequence[tf.Tensor],
    structure: Any,
    classes: tf.Tensor,
    repeats: tf.Tensor,
) -> tuple[tf.Tensor, Outputs]:
    if view.wrt is None:
        return view.told(score, rows, structure, classes)
    replacements = iter(rows)

    def see(output: Any) -> Any:
        return tf.nest.map_structure(lambda tensor: tf.cast(next(replacements), tensor.dtype), output)

    with view.tap(see):
        told = view.told(score, [tf.repeat(tensor, repeats, axis=0) for tensor in inputs], structure, classes)
    if not reaches(rows, [told[0]]):
        raise ValueError(no_gradient(view, reached=False))
    return told


def _stacked(references: Sequence[Sequence[np.ndarray]]) -> list[tf.Tensor]:
    """References (n, r, ...) for each array, or (1, r, ...) where they are the same for all samples."""
    arrays = [np.stack(parts, axis=1) for parts in zip(*references, strict=True)]
    return [tf.constant(one[:1] if (one == one[:1]).all() else one) for one in arrays]


# A call may be so much larger than others: the first has the ends too, and a single mask may have many references.
_LARGEST = 1.5
