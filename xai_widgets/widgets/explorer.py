"""`explore`: one door to every view of a model, with tabs that share what is looked at."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.declare import fields, nearest
from xai_widgets.layout import positions
from xai_widgets.methods import Method, as_method
from xai_widgets.widgets.base import Explainer, asset
from xai_widgets.widgets.cam import CAMWidget
from xai_widgets.widgets.compare import CompareWidget
from xai_widgets.widgets.lime import LIMEWidget
from xai_widgets.widgets.lrp import LRPWidget
from xai_widgets.widgets.saliency import SaliencyWidget
from xai_widgets.widgets.shap import SHAPWidget
from xai_widgets.widgets.taken import Taken

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEWS: tuple[type[Explainer], ...] = (
    SaliencyWidget,
    CAMWidget,
    LIMEWidget,
    SHAPWidget,
    LRPWidget,
    CompareWidget,
)


class Explorer(anywidget.AnyWidget):
    """Tabs of views of one model; see `explore`.

    Attributes:
        tab: Which view is open, by its name: "saliency", "cam", "lime", ...
        view: The open view, a widget of its own.
        views: The views that were opened so far, by their names. Others are made when their tab is first chosen.
    """

    _esm = asset("explore.js")
    _css = asset("explore.css")

    tab = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    _tabs: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _views = traitlets.Dict().tag(sync=True)
    _title = traitlets.Unicode().tag(sync=True)

    def __init__(self, model: Any, inputs: Any, method: Any, *, target: Any, index: int, **options: Any) -> None:
        # Before what may be refused: a widget whose construction was refused is closed like any other.
        self.views: dict[str, Explainer] = {}
        features = options.get("features")
        plain = {name: value for name, value in options.items() if name in ("preprocess", "wrt", "names")}
        taken = Taken(model, inputs, features=features, **plain)
        shape = taken.subject.inputs.arrays[0].shape
        self._offered = {_name(cls): cls for cls in VIEWS if any(method.fits(shape) for method in cls.METHODS)}
        self._model, self._inputs, self._options = model, inputs, options
        self._shared: dict[str, Any] = {"target": target, "index": index, "baseline": None}
        if method is None:
            first = self._open_first(_suited(self._offered, shape))
        else:
            method = as_method(method)
            first = _made_for(method, self._offered, shape)
            self._open(first, method)
        super().__init__(
            tab=first,
            _tabs=[{"name": name, "label": _label(cls)} for name, cls in self._offered.items()],
            _views=self._references(),
            _title=f"Views of {taken.subject.view.name}",
        )
        self.observe(self._show, "tab")

    @traitlets.validate("tab")
    def _check_tab(self, proposal: Any) -> str:
        if proposal.value not in self._offered:
            raise ValueError(f"unknown tab {proposal.value!r}{nearest(proposal.value, self._offered)}")
        return str(proposal.value)

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name.startswith("_") or name == "views" or hasattr(self, name)):
            raise AttributeError(f"Explorer has no {name!r}: set it on its open view, as in w.view.{name} = ...")
        super().__setattr__(name, value)

    @property
    def view(self) -> Explainer:
        """The open view."""
        return self.views[self.tab]

    def result(self, timeout: float | None = None) -> Attribution:
        """The settled attribution of the open view; see `Explainer.result`."""
        return self.view.result(timeout)

    def code(self) -> str:
        """Python source that makes the attribution of the open view; see `Explainer.code`."""
        return self.view.code()

    def plot(self) -> Figure:
        """A static matplotlib figure of the open view's result."""
        return self.view.plot()

    def settle(self, timeout: float | None = None) -> None:
        """Wait until all that the open view shows is there."""
        self.view.settle(timeout)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the views that were opened so far as one HTML file that works offline."""
        from xai_widgets.pages import widget_page

        for view in self.views.values():
            view.settle()
        Path(path).write_text(widget_page(self, title=self._title, parts=tuple(self.views.values())), encoding="utf-8")

    def close(self) -> None:
        """Close every view."""
        for view in self.views.values():
            view.close()
        super().close()

    def _show(self, change: Any) -> None:
        try:
            self._open(change.new)
        except (TypeError, ValueError) as error:
            self.error = str(error)
        else:
            self.error = ""
            self._views = self._references()

    def _references(self) -> dict[str, str]:
        return {name: f"anywidget:{view.model_id}" for name, view in self.views.items()}

    def _open_first(self, names: Sequence[str]) -> str:
        """Open the first of some views that takes the model: a picture's network may have no layer for a map.

        What is wrong with the arguments is said here, in the cell.
        """
        for name in names[:-1]:
            with contextlib.suppress(ValueError):
                self._open(name)
                return name
        self._open(names[-1])
        return names[-1]

    def _open(self, name: str, method: Method | None = None) -> None:
        """Make a view, of a method or of its own first one, or bring it to what the others look at."""
        target, index = self._shared["target"], self._shared["index"]
        view = self.views.get(name)
        if view is None:
            cls = self._offered[name]
            # Where no baseline is shared yet, each view starts from its own.
            if method is None and self._shared["baseline"] is not None:
                method = self._based(cls.first())
            view = cls(self._model, self._inputs, method, target=target, index=index, **self._options)
            view.observe(self._keep, ["target", "index", "method"])
            self.views[name] = view
            return
        with view.hold_sync():
            if view.index != index:
                view.index = index
            if not _same(view.target, target):
                view.target = target
            method = self._based(view.method)
            if method is not None and method != view.method:
                view.method = method

    def _based(self, method: Method | None) -> Method | None:
        """The method from the baseline that the views share, where it has one."""
        shared = self._shared["baseline"]
        if method is None:
            return None
        has_one = any(field.name == "baseline" for field in fields(type(method)))
        return method.replace(baseline=shared) if has_one and shared is not None else method

    def _keep(self, change: Any) -> None:
        if change.owner is not self.views.get(self.tab):
            return
        if change.name == "method":
            self._shared["baseline"] = getattr(change.new, "baseline", self._shared["baseline"])
        else:
            self._shared[change.name] = change.new


def explore(
    model: Any,
    inputs: Any,
    method: Any = None,
    *,
    target: Any = None,
    index: int = 0,
    preprocess: Callable[[Any], Any] | None = None,
    names: Sequence[str] | None = None,
    probability: bool = False,
    features: Sequence[str] | None = None,
) -> Explorer:
    """Open the view that suits a model and its input, or the one that is made for a method, with tabs to the others.

    The views share the sample, the target and the baseline: what one of them is set to, the next that is opened takes
    over.

    Args:
        model, inputs, method, target, index, preprocess, names, probability, features: As in `SaliencyWidget`.

    Raises:
        TypeError, ValueError: As `explain` does, before anything is drawn.
    """
    return Explorer(
        model,
        inputs,
        method,
        target=target,
        index=index,
        preprocess=preprocess,
        names=names,
        probability=probability,
        features=features,
    )


def _suited(offered: dict[str, type[Explainer]], shape: tuple[int, ...]) -> list[str]:
    """The names of the views that say most of inputs of a shape, the best first."""
    wanted = ("cam", "saliency") if len(positions(shape)) > 1 else ("shap", "lime", "saliency")
    return [name for name in wanted if name in offered] or list(offered)


def _made_for(method: Method, offered: dict[str, type[Explainer]], shape: tuple[int, ...]) -> str:
    """The name of the view that shows most of a method: what suits the inputs, else the one with the fewest methods."""
    best = _suited(offered, shape)[0]
    names = [name for name, cls in offered.items() if cls is not CompareWidget and type(method) in cls.METHODS]
    return min(names, key=lambda name: (name != best, len(offered[name].METHODS)), default="saliency")


def _name(cls: type[Explainer]) -> str:
    return cls.__name__.removesuffix("Widget").lower()


def _label(cls: type[Explainer]) -> str:
    return cls.__name__.removesuffix("Widget")


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))
