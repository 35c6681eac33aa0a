"""CAMWidget: where a layer sees a class, from edges to objects, channel by channel."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.methods import METHODS, Frame, GradCAM, Method
from xai_widgets.methods.activation_map import ActivationMap, GradientMap
from xai_widgets.task import Task
from xai_widgets.trees import leaves
from xai_widgets.widgets import depth
from xai_widgets.widgets.base import Explainer, asset
from xai_widgets.widgets.recording import Position
from xai_widgets.widgets.traits import Checked


class CAMWidget(Explainer):
    """A live class activation map: a slider walks through the layers, and each channel can be taken out.

    Attributes:
        channel: The channel of the layer that is looked at instead of the map, None for none; another layer resets it.
        cells: Whether the map is shown as the layer's own cells, and not smoothly scaled.
    """

    _esm = asset("cam.js")
    _css = asset("cam.css")
    METHODS = (GradCAM, *(cls for cls in METHODS if issubclass(cls, ActivationMap) and cls is not GradCAM))
    ASKED: ClassVar[frozenset[str]] = frozenset({"channel", "cells"})

    channel = Checked(None, lambda self, value: depth.a_channel(value, self._layer, self._beside)).tag(sync=True)
    cells = traitlets.Bool(False).tag(sync=True)
    _layer = traitlets.Unicode().tag(sync=True)
    _layers: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _activations: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _beside = traitlets.Dict().tag(sync=True)
    _channel = traitlets.Dict().tag(sync=True)

    # The task whose map is shown, and what the model gave for the sample whose activations are.
    _seen: Task | None = None
    _lit: tuple[str, ...] = ()
    _groups: tuple[tuple[str, ...], ...] = ()
    _pictured: Any = None

    def _check_task(self, task: Task) -> None:
        super()._check_task(task)
        depth.check(task)

    def _told(self, task: Task) -> dict[str, Any]:
        self._menu.layers = self._lit = task.places.layers
        self._groups, self._pictured = task.places.groups(), None
        rows = depth.tree(task.subject.view.layers, task.places)
        nothing_yet: dict[str, Any] = {"_layer": "", "_activations": [], "_beside": {}, "channel": None, "_channel": {}}
        return {**super()._told(task), "_layers": rows, **nothing_yet}

    def _new_task(self, method: Method, target: Any, index: int) -> Task:
        task = super()._new_task(method, target, index)
        self._groups = depth.together(task, (self._owner, index))
        return task

    def close(self) -> None:
        if not sys.is_finalizing():  # at the end of the process nothing can be imported any more
            depth.recalled(None)
        super().close()

    def _kind(self, method: Method, target: Any) -> tuple[Any, ...]:
        """Layers of a group are traced together, and methods that take their gradients share what was traced."""
        methods, function, layer = super()._kind(method, target)
        if not isinstance(method, GradientMap) or not self._groups:
            return methods, function, layer
        path = self._groups[-1][-1] if layer is None else self._subject.view.path_of(layer, "layer")
        return "gradients", function, self._subject.view.alongside(self._groups).at(path).group

    def _maps(self, attribution: Attribution) -> list[np.ndarray]:
        """Pictures at the layer's own size; the page scales them."""
        maps = [one[0] for one in leaves(attribution.values)]
        of_input = attribution.method.per_channel or maps[0].ndim == 1
        return super()._maps(attribution) if of_input else [depth.flat(one) for one in maps]

    def _more(self, task: Task, frame: Frame, attribution: Attribution) -> dict[str, Any]:
        assert isinstance(task.method, ActivationMap)
        layer = task.method.at_layer(task.subject.view, task.score, task.subject.inputs)[0].wrt
        self._seen = task
        other = self._layer not in ("", layer)
        if frame.progress >= 1:
            self._aside("beside", lambda: self._fill(task, str(layer)))
            if self.channel is not None and not other:
                self._look_at_channel()
        more = {"_layer": layer, **({"channel": None} if other else {})}
        if task.places.layers == self._lit:
            return more
        self._lit = task.places.layers  # another score depends on others
        return more | {"_layers": depth.tree(task.subject.view.layers, task.places)}

    def _recording(self, at: Position, *, other_samples: bool) -> dict[str, Any]:
        kept = super()._recording(at, other_samples=other_samples)
        assert self._seen is not None
        kept["drawn"]["_beside"] = depth.beside(self._seen, kept["drawn"]["_layer"])
        return kept

    def _fill(self, task: Task, layer: str) -> Iterator[None]:
        """What stands beside a map: variants and channels of its layer, then, once a sample, what each layer sees."""
        maps, pictures = [], []
        yield from self._when_at_rest()
        for one in depth.variants(task, layer):
            maps.append(one)
            yield from self._when_at_rest()
        self._beside = depth.beside(task, layer, maps)
        given = (task.places.layers, *(np.asarray(one.logits).tobytes() for one in task.subject.outputs.flat))
        if given == self._pictured:
            return
        for picture in depth.activations(task):
            pictures.append(picture)
            yield from self._when_at_rest()
        self._activations, self._pictured = pictures, given

    def _when_at_rest(self) -> Iterator[None]:
        """Let everything go first that was asked for in the meantime."""
        yield
        while self.phase in ("tracing", "computing"):
            yield

    @traitlets.observe("channel")
    def _look_at_channel(self, _: Any = None) -> None:
        task, layer, channel = self._seen, self._layer, self.channel
        if channel is None or task is None:
            self._channel = {}
        if task is not None:
            self._aside("channel", lambda: self._try_without(task, layer, channel))

    def _try_without(self, task: Task, layer: str, channel: int | None) -> Iterator[None]:
        """Show a channel, then what its removal does."""
        from xai_widgets.engine.gradients import gradient

        if channel is None:
            return
        found = gradient(*depth.Asked.by(task).at(layer))
        if channel >= found.site[0].shape[-1]:
            raise ValueError(f"layer {layer!r} has {found.site[0].shape[-1]} channels, got channel {channel}")
        self._channel = shown = depth.channel_shown(task, found, layer, channel)
        yield
        self._channel = {**shown, **depth.channel_removed(task, found, layer, channel)}
