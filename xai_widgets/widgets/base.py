"""Explainer: the state that every widget shares, and the loop between it and the worker."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from xai_widgets.attribution import Attribution, Subject, Task
from xai_widgets.baselines import BASELINES
from xai_widgets.caption import sentence
from xai_widgets.declare import from_json, schema, to_json
from xai_widgets.methods import Frame, Method, as_method
from xai_widgets.wire import color_tables, finite, pack, picture, value_range
from xai_widgets.worker import WORKER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATIC = Path(__file__).parent.parent / "static"
COLORMAPS = ("PuOr_r", "RdBu_r", "coolwarm", "PiYG", "viridis", "magma", "inferno", "gray")
SIGNS = ("both", "positive", "negative", "absolute")
FRAMES_PER_SECOND = 15
MOST_PREDICTIONS = 20

# What a page may set; everything else is Python's to say.
_FROM_PAGE = frozenset(
    "method target index opacity colormap sign clip layout tabbable tooltip _dom_classes _view_count".split()
)


class Checked(traitlets.TraitType[Any, Any]):
    """A trait whose check may ask the widget, and raises ValueError or TypeError where the value was set."""

    def __init__(self, default: Any, check: Callable[[Any, Any], Any]) -> None:
        super().__init__(default)
        self._check = check

    def validate(self, obj: Any, value: Any) -> Any:
        return self._check(obj, value)


def _number(name: str, low: float, high: float) -> Checked:
    def check(_: Any, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{name} must be a number from {low} to {high}, got {value!r}")
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low} to {high}, got {value!r}")
        return float(value)

    return Checked(high, check)


def _check_sign(_: Any, value: Any) -> str:
    if value not in SIGNS:
        raise ValueError(f"sign must be one of {', '.join(map(repr, SIGNS))}, got {value!r}")
    return str(value)


class Explainer(anywidget.AnyWidget):
    """A view of one model at one sample, recomputed in the background when `method`, `target` or `index` change.

    Subclasses say which methods they offer and which bundle draws them.

    Args:
        model, method, target, preprocess, wrt, names, probability, **parameters: As in `xai_widgets.explain`.
        inputs: Samples with a batch axis, or one without it.
        index: Which sample is shown first.
        batch_size: Taken because `explain` has it; a view explains one sample at a time.
        features: Names of the columns of a table.

    Attributes:
        method: A method, or its name.
        target: A class or class name, None for the predicted class, or a callable `outputs -> (N,)`.
        index: Which of the samples is shown.
        frame: The last map, as it travels to the browser; `result()` gives it to Python.
        status: What is happening, in words.
        phase: "tracing", "computing", "settled" or "error".
        error: Empty when all is well, else what went wrong; the last good map stays.
        opacity, colormap, sign, clip: How the map is drawn. Changes made in the browser stay there.

    Raises:
        TypeError, ValueError: As `explain` does, before anything is drawn.
    """

    METHODS: tuple[type[Method], ...]

    method = Checked(None, lambda self, value: self._check_method(value)).tag(
        sync=True,
        to_json=lambda value, self: to_json(value, self._arrays),
        from_json=lambda value, self: from_json(value, self.METHODS, BASELINES, self._arrays, self._limits()),
    )
    target = Checked(None, lambda self, value: self._check_target(value)).tag(
        sync=True,
        to_json=lambda value, _: value if isinstance(value, int) else None,
        from_json=lambda value, _: value,
    )
    index = Checked(0, lambda self, value: self._check_index(value)).tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    phase = traitlets.Unicode("tracing").tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)

    opacity = _number("opacity", 0, 1).tag(sync=True)
    colormap = Checked("PuOr_r", lambda self, value: self._check_colormap(value)).tag(sync=True)
    sign = Checked("both", _check_sign).tag(sync=True)
    clip = _number("clip", 50, 100).tag(sync=True)

    _schema = traitlets.Dict().tag(sync=True)
    _tables = traitlets.Dict().tag(sync=True)
    _picture = traitlets.Dict().tag(sync=True)
    _samples = traitlets.Int().tag(sync=True)
    _names: traitlets.List[str] = traitlets.List().tag(sync=True)
    _predictions = traitlets.Dict().tag(sync=True)
    _refused = traitlets.Unicode().tag(sync=True)
    _title = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        model: Any,
        inputs: Any,
        method: Method | str | type[Method] | None = None,
        *,
        target: Any = None,
        index: int = 0,
        preprocess: Callable[[Any], Any] | None = None,
        wrt: str | None = None,
        batch_size: int | None = None,
        names: Sequence[str] | None = None,
        probability: bool = False,
        features: Sequence[str] | None = None,
        **parameters: Any,
    ) -> None:
        # Before super(): traits are checked against these, and may be set from another thread at any time after it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._owner = object()
        self._job = self._drawn_job = 0
        self._answer: tuple[int, Attribution | BaseException | None] = (0, None)
        self._drawn_at = 0.0
        self._traced: set[Any] = set()
        self._arrays: dict[str, np.ndarray] = {}
        self._features = tuple(features or ())
        self._probability = probability
        self._subject = Subject(model, _with_batch_axis(model, inputs), preprocess=preprocess, wrt=wrt, names=names)
        arrays = self._subject.inputs.arrays
        if len(arrays) != 1:
            raise ValueError(
                f"{type(self).__name__} shows models with one input, this one has {len(arrays)}; "
                "xai.explain takes any number"
            )
        self._sample = self._subject.rows(slice(0, 0))
        self._sample_index = -1
        self._values = value_range(arrays[0])
        chosen = self._check_method(as_method(self.METHODS[0] if method is None else method, parameters))
        task = Task(self._at(self._check_index(index)), chosen, target=target, probability=probability)

        super().__init__(
            method=chosen,
            target=target,
            index=index,
            opacity=0.85,
            clip=99.0,
            status="Preparing the model",
            _samples=len(arrays[0]),
            _names=list(self._subject.names),
            _tables=color_tables(COLORMAPS),
            _schema=self._schemas(chosen),
            _picture=self._draw_sample(task.subject, None),
            _predictions=_predictions(task),
            _title=f"{type(self).__name__.removesuffix('Widget')} of {self._subject.view.name}",
        )
        self.observe(self._restart, ["method", "target", "index"])
        self.observe(self._add_table, "colormap")
        self._restart()

    # What Python and the page may set

    def _check_method(self, value: Any) -> Method:
        method = as_method(value)
        if type(method) not in self.METHODS:
            offered = ", ".join(cls.__name__ for cls in self.METHODS)
            raise ValueError(f"{type(self).__name__} offers {offered}, got {method!r}")
        return method

    def _check_index(self, value: Any) -> int:
        most = len(self._subject.inputs) - 1
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"index must be an integer from 0 to {most}, got {value!r}")
        if not 0 <= value <= most:
            raise ValueError(f"index must be from 0 to {most}, got {value}")
        return int(value)

    def _check_target(self, value: Any) -> Any:
        """A class index, None or a callable; one sample's target may come as a list of one."""
        if value is None or callable(value):
            return value
        if isinstance(value, list | tuple | np.ndarray) and len(value) == 1:
            value = value[0]
        task = Task(self._sample, self.METHODS[0](), target=value, probability=self._probability)
        return int(task.score.targets[0]) if isinstance(value, int | np.integer | str) else value

    def _check_colormap(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"colormap must be one of matplotlib's names, got {value!r}")
        if value not in self._tables:
            color_tables([value])
        return value

    def _limits(self) -> dict[tuple[str, str], float]:
        """Where the sliders of the page end: what comes from it may not go further."""
        offered = [*self._schema.get("methods", ()), *self._schema.get("baselines", ())]
        return {
            (one["name"], field["name"]): field["max"]
            for one in offered
            for field in one["fields"]
            if field["max"] is not None
        }

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take state from the page: what is refused is said there, and answered with the value that holds."""
        with self._lock:
            allowed = {name: value for name, value in sync_data.items() if name in _FROM_PAGE}
            try:
                super().set_state(allowed)
            except (TypeError, ValueError, traitlets.TraitError) as error:
                self._refused = str(error)
                self.send_state([name for name in sync_data if name in self.keys])
            else:
                if allowed.keys() & {"method", "target", "index"}:
                    self._refused = ""
                if refused := [name for name in sync_data if name in self.keys and name not in allowed]:
                    self.send_state(refused)

    def __setattr__(self, name: str, value: Any) -> None:
        # Traitlets are not thread-safe: a cell, the page and the worker set traits, one at a time.
        if self.has_trait(name):
            with self._lock:
                super().__setattr__(name, value)
        else:
            super().__setattr__(name, value)

    # What the page is told

    def _schemas(self, method: Method) -> dict[str, Any]:
        shape = self._subject.inputs.arrays[0].shape
        baseline = getattr(method, "baseline", None)
        return {
            "methods": [schema(cls, self._values, method) for cls in self.METHODS],
            "baselines": [schema(cls, self._values, baseline) for cls in BASELINES if cls.fits(shape)],
        }

    def _add_table(self, change: Any) -> None:
        if change.new not in self._tables:
            self._tables = {**self._tables, **color_tables([change.new])}

    def _draw_sample(self, subject: Subject, heat: np.ndarray | None) -> dict[str, Any]:
        """What stands behind a map: the picture, or names and values where the map is a row of numbers."""
        sample = subject.inputs.arrays[0][0]
        row = heat.ndim == 1 if heat is not None else sample.ndim == 1
        if not row:
            drawn = sample.mean(axis=tuple(range(sample.ndim - 3))) if sample.ndim > 3 else sample
            return picture(drawn, self._values) or {}
        if heat is None or sample.shape == heat.shape:
            labels = [self._features[i] if i < len(self._features) else f"feature {i}" for i in range(len(sample))]
            return {"shape": [len(sample)], "labels": labels, "texts": [f"{value:.4g}" for value in sample]}
        return {
            "shape": [len(heat)],
            "labels": [f"position {place}" for place in range(len(heat))],
            "texts": [""] * len(heat),
        }

    # The loop

    def _at(self, index: int) -> Subject:
        """The subject of one sample, with what the model gives for it computed once."""
        if index != self._sample_index:
            self._sample, self._sample_index = self._subject.rows(slice(index, index + 1)), index
        return self._sample

    def _restart(self, change: Any = None) -> None:
        with self._lock:
            self._job += 1
            job, method, target, index = self._job, self.method, self.target, self.index
            if change is not None and change.name == "method":
                self._schema = self._schemas(method)
        WORKER.submit(self._owner, lambda: self._run(job, method, target, index))

    def _run(self, job: int, method: Method, target: Any, index: int) -> Iterator[None]:
        started = time.perf_counter()
        try:
            if (type(method), callable(target)) not in self._traced:
                self._say("tracing", f"Preparing {type(method).label} for this model (first time only)")
            task = Task(self._at(index), method, target=target, probability=self._probability)
            for frame, attribution in task.frames():
                self._traced.add((type(method), callable(target)))
                self._publish(job, task, frame, attribution, time.perf_counter() - started)
                yield
        except Exception as error:  # shown in the view: JupyterLab shows nothing of an error in a thread
            self._fail(job, error)

    def _say(self, phase: str, status: str) -> None:
        with self._lock, self.hold_sync():
            self.phase, self.status = phase, status

    def _publish(self, job: int, task: Task, frame: Frame, attribution: Attribution, seconds: float) -> None:
        settled = frame.progress >= 1
        now = time.perf_counter()
        with self._lock:
            # A job that a newer one has overtaken still shows its first frame, so that a drag is seen all the way.
            first = job > self._drawn_job
            soon = now - self._drawn_at < 1 / FRAMES_PER_SECOND
            if job < self._drawn_job or (soon and not settled and not (first and job == self._job)):
                return
            self._drawn_job, self._drawn_at = job, now
            heat = _flat_map(attribution.heatmap())
            headers, data = pack([heat])
            with self.hold_sync():
                self._picture = self._draw_sample(task.subject, heat)
                self._predictions = _predictions(task)
                self.frame = {
                    "job": job,
                    "version": self.frame.get("version", 0) + 1,
                    "progress": frame.progress,
                    "arrays": headers,
                    "data": data,
                    "card": _card(attribution, frame, seconds),
                    "sentence": sentence(attribution, self._features),
                }
                self.error = ""
                passes = f"{frame.passes} of {frame.total} passes" if frame.total > 1 else "1 pass"
                if settled and job == self._job:
                    self.phase, self.status = "settled", f"Settled \u00b7 {passes} \u00b7 {seconds:.2f} s"
                else:
                    self.phase, self.status = "computing", f"Computing \u00b7 {passes}"
            if settled:
                self._settle(job, attribution)

    def _fail(self, job: int, error: Exception) -> None:
        with self._lock:
            if job == self._job:
                with self.hold_sync():
                    self.error = str(error) or type(error).__name__
                    self.phase, self.status = "error", "Stopped by an error; the last good map stays"
            self._settle(job, error)

    def _settle(self, job: int, answer: Attribution | BaseException) -> None:
        self._answer = (job, answer)
        self._changed.notify_all()

    # For Python

    def result(self, timeout: float | None = None) -> Attribution:
        """Wait until the current state is computed.

        Args:
            timeout: Seconds to wait at most; None for as long as it takes.

        Returns:
            The attribution of the current `method`, `target` and `index`, with a batch axis of 1.

        Raises:
            TimeoutError: It took longer.
            RuntimeError: The widget is closed, or this is called from the thread that would have to compute it.
            Exception: Whatever went wrong while computing.
        """
        with self._changed:
            # Nothing can settle the current job while the worker itself waits here.
            if WORKER.is_current() and self._answer[0] != self._job:
                raise RuntimeError("result() cannot wait in the thread that computes; read it in a cell")
            if not self._changed.wait_for(lambda: self._answer[0] == self._job or self.comm is None, timeout):
                raise TimeoutError(f"no settled result within {timeout} s; status: {self.status}")
            job, answer = self._answer
        if job != self._job or answer is None:
            raise RuntimeError("the widget is closed")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def plot(self) -> Figure:
        """A static matplotlib figure of the current result."""
        return self.result().plot()

    def code(self) -> str:
        """Python source that makes the same attribution, for the names `xai`, `model` and `inputs`.

        Functions and large arrays stand there under the name of their parameter.
        """
        plain = self.target is None or isinstance(self.target, int)
        options = [f"target={self.target!r}" if plain else "target=target"]
        view = self._subject.view
        if view.wrt is not None:
            options.append(f"wrt={view.wrt!r}")
        if self._subject.preprocess is not None:
            options.append("preprocess=preprocess")
        if self._probability:
            options.append("probability=True")
        inputs = f"inputs[{self.index}:{self.index + 1}]"
        return f"xai.explain(model, {inputs}, {self.method.source('xai.')}, {', '.join(options)})"

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the settled widget as one HTML file that works offline and still answers its display controls."""
        from xai_widgets.pages import widget_page

        self.result()
        with self._lock:
            page = widget_page(self, title=self._title)
        Path(path).write_text(page, encoding="utf-8")

    def close(self) -> None:
        """Stop the work and take the views away."""
        WORKER.cancel(self._owner)
        super().close()
        with self._changed:
            self._changed.notify_all()


def _with_batch_axis(model: Any, inputs: Any) -> Any:
    """`inputs` with a batch axis, where the model tells how many axes a sample has and one is missing."""
    expected = getattr(model, "inputs", None)
    if expected is not None and len(expected) == 1 and not isinstance(inputs, dict):
        array = np.asarray(inputs)
        if array.ndim == len(expected[0].shape) - 1:
            return array[None]
    return inputs


def _flat_map(heat: np.ndarray | list[np.ndarray]) -> np.ndarray:
    """The map of the one sample as (H, W) or (d,); of a volume, the sum over its depth."""
    one = (heat[0] if isinstance(heat, list) else heat)[0]
    return one.sum(axis=tuple(range(one.ndim - 2))) if one.ndim > 2 else one


def _predictions(task: Task) -> dict[str, Any]:
    """The best classes of the sample, best first, with their probabilities or scores."""
    outputs = task.subject.outputs
    head = outputs.heads[0]
    if len(outputs.heads) > 1 or head.positions:
        return {"kind": "score", "classes": [], "values": [], "count": 0}
    values = head.precise(outputs.flat[0], probability=True).numpy()[0]
    best = np.argsort(-values, kind="stable")[:MOST_PREDICTIONS]
    kind = "score" if head.activation is None else "probability"
    return finite({"kind": kind, "classes": best.tolist(), "values": values[best].tolist(), "count": head.classes})


def _card(attribution: Attribution, frame: Frame, seconds: float) -> dict[str, Any]:
    """The numbers that tell what the map is and how far to trust it."""
    claims = bool(np.isfinite(attribution.residual[0]))
    difference = attribution.score[0] - attribution.baseline_score[0]
    assert attribution.change is not None
    return finite(
        {
            "score_name": attribution.score_name,
            "target": int(attribution.target[0]),
            "target_name": attribution.targets[0],
            "score": attribution.score[0],
            "baseline_score": attribution.baseline_score[0],
            "sum": difference + attribution.residual[0] if claims else None,
            "residual": attribution.residual[0],
            "change": attribution.change[0],
            "passes": frame.passes,
            "total": frame.total,
            "seconds": seconds,
            "notes": list(attribution.notes),
            "baseline_name": _baseline_label(attribution.method),
        }
    )


def _baseline_label(method: Method) -> str:
    baseline = getattr(method, "baseline", None)
    return "" if baseline is None else type(baseline).label
