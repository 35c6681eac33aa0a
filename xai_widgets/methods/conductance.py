"""How much of the score flows through the units of a layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.layout import positions
from xai_widgets.methods.base import Frame, Inputs, Method
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class Conductance(Method):
    """Integrated gradients as they flow through the units of a hidden layer (Dhamdhere et al., 2018).

    The values have the shape of the layer's output. They sum to the score minus the baseline's score where everything
    passes through the layer, and once: the residual is what goes around it. Of token ids the path runs in the output of
    the embedding that they enter.
    """

    missing: ClassVar[str] = "it goes around the layer, or wants more steps"

    layer: str | None = param(
        None, kind="layer", doc="The layer; by default the last one that still has more than one position."
    )
    steps: int = param(32, ge=1, soft_max=256, doc="Points on the path, one pass of the model each.")
    baseline: Baseline = param(Constant(0.0), doc="Where the path starts: what stands for absence.")
    rule: str = param(
        "midpoint",
        choices=("midpoint", "left", "right", "trapezoid", "gauss_legendre"),
        doc="Where the points lie and how they are weighted.",
    )

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return bool(positions(shape))  # elsewhere there is no layer to start with; one can be named in Python

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        if view.wrt is not None:
            raise ValueError("Conductance looks at the layer in its parameter: give layer=, not wrt=")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.cam import spatial_layers
        from xai_widgets.engine.conductance import ConductanceWalk
        from xai_widgets.engine.gradients import layer_output, token_layer
        from xai_widgets.engine.path import path_means

        structure = inputs.structure
        entered = view.enter(inputs.arrays, structure)
        if self.layer is None:
            layers = spatial_layers(view, score, entered, structure).layers
            if not layers:
                raise ValueError(f"the model {view.name!r} has no layer with positions: give Conductance(layer=...)")
            layer = layers[-1]
        else:
            layer = view.path_of(self.layer, "Conductance.layer")
        at = view.at(layer)
        tokens = token_layer(view, entered, structure)
        entry = view if tokens is None else view.at(tokens)
        site = Site(entry, self.baseline, inputs, entered)
        starts = [site.start(draw) for draw in range(self.baseline.count or 1)]
        walk = ConductanceWalk(at, score, entered, layer_output(at, entered, structure), structure, entry, site.end)
        shape = " x ".join(map(str, walk.end[0].shape[1:]))
        facts: tuple[str, ...] = (f"The values are those of layer {layer!r}, {shape}.",)
        if tokens is not None:
            facts += (f"Token ids enter through the output of their embedding {tokens!r}, where the path runs.",)
        notes = list[str]()
        if len(walk.end) > 1:
            notes.append(f"The layer is called {len(walk.end)} times: what passes several of its calls counts in each.")
        for state in path_means(walk, starts, self.rule, self.steps, partial(view.calls, entered)):
            yield Frame(
                state.values,
                of_layer=True,
                progress=state.progress,
                passes=state.passes,
                total=round(state.passes / state.progress),
                change=state.change,
                baseline=site.shown,
                baseline_score=state.start_score,
                path=(state.alphas, state.scores),
                facts=facts,
                notes=tuple(notes),
            )

    def claims(self) -> bool:
        return True
