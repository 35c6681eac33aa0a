"""Structures of arrays: a plain array, or a list, tuple or dict of them (sorted by key, as TensorFlow flattens)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np


def leaves(tree: Any) -> list[np.ndarray]:
    """The arrays of a structure, in the order in which TensorFlow flattens it."""
    if isinstance(tree, Mapping):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def map_leaves(function: Callable[..., Any], *trees: Any) -> Any:
    """The structure with `function` of the arrays that stand at the same place of each tree."""
    first = trees[0]
    if isinstance(first, Mapping):
        return {key: map_leaves(function, *(tree[key] for tree in trees)) for key in first}
    if isinstance(first, list | tuple):
        return [map_leaves(function, *branches) for branches in zip(*trees, strict=True)]
    return function(*trees)


def packed(arrays: list[np.ndarray], structure: Any) -> Any:
    """Arrays in the structure of some others: the inverse of `leaves`."""
    return _filled(structure, iter(arrays))


def _filled(tree: Any, remaining: Iterator[np.ndarray]) -> Any:
    if isinstance(tree, Mapping):
        filled = {key: _filled(tree[key], remaining) for key in sorted(tree)}
        return {key: filled[key] for key in tree}
    if isinstance(tree, list | tuple):
        return [_filled(branch, remaining) for branch in tree]
    return next(remaining)


def skeleton_of(tree: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """A JSON skeleton of a structure whose arrays go into `arrays` under paths that start with `name`."""
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        return {"keys": list(tree), "items": [skeleton_of(tree[key], f"{name}/{key}", arrays) for key in tree]}
    if isinstance(tree, list | tuple):
        return [skeleton_of(branch, f"{name}/{place}", arrays) for place, branch in enumerate(tree)]
    arrays[name] = np.asarray(tree)
    return name


def restored(skeleton: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The inverse of `skeleton_of`."""
    if skeleton is None:
        return None
    if isinstance(skeleton, dict):
        return {key: restored(item, arrays) for key, item in zip(skeleton["keys"], skeleton["items"], strict=True)}
    if isinstance(skeleton, list):
        return [restored(item, arrays) for item in skeleton]
    return arrays[skeleton]


def input_names(tree: Any) -> list[str]:
    """Names of the inputs: keys of a dict, or "input 0", "input 1"."""
    if isinstance(tree, dict):
        return [str(key) for key in sorted(tree)]
    return [f"input {place}" for place in range(len(leaves(tree)))]
