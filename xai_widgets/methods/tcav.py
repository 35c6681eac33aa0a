"""TCAV: how a score changes along the direction of a concept in what a layer returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.declare import ByName, param
from xai_widgets.methods.base import Frame, Inputs, Method, relative

if TYPE_CHECKING:
    from xai_widgets.engine.concepts import Direction
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score

_FEWEST = 4


@dataclass(frozen=True, eq=False, repr=False)
class TCAV(Method):
    """Concepts, given as examples, as directions in what a layer returns (Kim et al., 2018).

    `xai.tcav` tells for how many inputs a concept speaks for a class, and whether that could be chance. In `explain`
    it is a map of one concept: the gradient at the layer times the direction, averaged over the runs, of the shape of
    the layer's output; its sum is the derivative of the score along the direction.
    """

    family: ClassVar[str] = "Concepts"
    name = "tcav"
    label = "TCAV"

    concepts: Any = param(kind="data", doc="Examples of each concept by its name, raw inputs with a batch axis.")
    random: Any = param(kind="data", doc="Random examples, which each run chooses counterexamples from.")
    layer: str | None = param(
        None, kind="layer", doc="The layer; by default the last one that still has more than one position."
    )
    runs: int = param(20, ge=2, soft_max=100, doc="Directions of each concept, each against other random examples.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, other random examples.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.concepts, ByName):
            raise TypeError("TCAV.concepts must hold examples by name, such as {'striped': array}, got one array")

    @property
    def reading(self) -> str:
        return f"The map shows where more of {next(iter(self.concepts))!r} would raise (+) or lower (\u2212) {{target}}"

    @property
    def slopes(self) -> bool:
        return True

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        if view.wrt is not None:
            raise ValueError("TCAV looks at the layer in its parameter: give layer=, not wrt=")
        for name, examples in (*self._examples(), ("TCAV.random", self.random)):
            fewest = 2 * _FEWEST if name == "TCAV.random" else _FEWEST
            count = len(_read(view, name, examples, inputs))
            if count < fewest:
                raise ValueError(f"{name} must hold at least {fewest} examples, got {count}")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.gradients import gradient

        if len(self.concepts) != 1:
            raise ValueError(
                f"the map of TCAV is that of one concept, got {', '.join(map(repr, self.concepts))}: xai.tcav takes all"
            )
        trained = Trained(self, view, score, inputs)
        found = gradient(trained.at, score, view.enter(inputs.arrays, inputs.structure), inputs.structure)
        ends = np.cumsum([int(np.prod(array.shape[1:])) for array in found.gradients])
        first = second = np.zeros(ends[-1])
        accuracy = 0.0
        for run in range(self.runs):
            (one,) = trained.directions(run)
            first, second, accuracy = first + one.vector, second + one.vector**2, accuracy + one.accuracy
            done = run + 1
            spread = np.sqrt(np.maximum(second / done - (first / done) ** 2, 0) / max(1, done - 1))
            values, error = (
                [
                    slopes * part.reshape(slopes.shape[1:])
                    for slopes, part in zip(found.gradients, np.split(vector, ends[:-1]), strict=True)
                ]
                for vector in (first / done, spread)
            )
            error = [np.abs(array) for array in error]
            yield Frame(
                values,
                progress=done / self.runs,
                of_layer=True,
                error=error if done > 1 else None,
                change=relative(error, values) if done > 1 else None,
                outputs=found.outputs,
                score=found.scores,
                facts=(trained.fact,),
                notes=tuple(trained.notes([accuracy / done])) if done == self.runs else (),
            )

    def _examples(self) -> Iterator[tuple[str, Any]]:
        for name, examples in self.concepts.items():
            yield f"TCAV.concepts[{name!r}]", examples


def _read(view: ModelView, name: str, examples: Any, inputs: Inputs) -> Inputs:
    """Examples as raw inputs of the model; `name` is what an error calls them."""
    from xai_widgets.engine.inputs import read

    try:
        found = read(view, dict(examples) if isinstance(examples, ByName) else examples)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    shapes, wanted = ([array.shape[1:] for array in one.arrays] for one in (found, inputs))
    if len(shapes) != len(wanted) or any(len(one) != len(other) for one, other in zip(shapes, wanted, strict=True)):
        raise ValueError(f"{name} must be like the inputs, of shapes {wanted} without batch axis, got {shapes}")
    return found


class Trained:
    """Directions of the concepts of a `TCAV`, run by run.

    Attributes:
        at: The view at the layer.
        layer: Path of the layer.
        size: Examples of a concept that each run trains with, as many counterexamples, and as many of both to test.
        fact: What layer it is, in words.
    """

    def __init__(self, method: TCAV, view: ModelView, score: Score, inputs: Inputs) -> None:
        from xai_widgets.engine.concepts import activations

        self._method = method
        self.layer = self._layer(view, score, inputs)
        self.at = view.at(self.layer)

        def seen(name: str, examples: Any) -> np.ndarray:
            one = _read(view, name, examples, inputs)
            return activations(self.at, view.enter(one.arrays, one.structure), one.structure)

        self._concepts = [seen(name, examples) for name, examples in method._examples()]
        self._random = seen("TCAV.random", method.random)
        self.size = min(len(self._random) // 4, *(len(examples) // 2 for examples in self._concepts))
        self.fact = (
            f"The directions are in layer {self.layer!r}; each run takes {self.size} examples, half of them or fewer, "
            "and as many random ones."
        )

    def _layer(self, view: ModelView, score: Score, inputs: Inputs) -> str:
        from xai_widgets.engine.cam import spatial_layers

        if self._method.layer is not None:
            return view.path_of(self._method.layer, "TCAV.layer")
        layers = spatial_layers(view, score, view.enter(inputs.arrays, inputs.structure), inputs.structure).layers
        if not layers:
            raise ValueError(f"the model {view.name!r} has no layer with positions: give TCAV(layer=...)")
        return layers[-1]

    def directions(self, run: int) -> list[Direction]:
        """Of each concept, from another half of its examples and other random ones in each run."""
        return [self._direction(run, place, examples) for place, examples in enumerate(self._concepts)]

    def chance(self, run: int) -> Direction:
        """The same of a concept that is none: random examples against other random ones."""
        return self._direction(run, len(self._concepts), None)

    def _direction(self, run: int, place: int, examples: np.ndarray | None) -> Direction:
        from xai_widgets.engine.concepts import direction

        random, count = np.random.default_rng([self._method.seed, run, place]), 2 * self.size
        others = self._random[random.permutation(len(self._random))]
        if examples is None:
            return direction(others[:count], others[-count:])
        return direction(examples[random.permutation(len(examples))[:count]], others[:count])

    def notes(self, accuracies: list[float]) -> Iterator[str]:
        """Where a direction means little, from the accuracies of the concepts."""
        for name, accuracy in zip(self._method.concepts, accuracies, strict=True):
            if accuracy < _SEPARATES:
                yield (
                    f"The classifier tells {name!r} from random examples in {accuracy:.0%} of held-out cases only: "
                    "its direction means little. Another layer, or more examples, may have one."
                )
        if self.size < _FEW:
            yield f"With {self.size} examples a run, directions and accuracies are rough."


_SEPARATES, _FEW = 0.7, 10
