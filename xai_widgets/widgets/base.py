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

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import BASELINES, Baseline, Samples
from xai_widgets.caption import sentence
from xai_widgets.declare import Surroundings, fields, from_json, parts, positive, schema, to_json
from xai_widgets.methods import Frame, Method, as_method
from xai_widgets.methods.players import are_of_each_sample
from xai_widgets.targets import Region, Target
from xai_widgets.task import Subject, Task
from xai_widgets.trees import input_names
from xai_widgets.widgets import showing
from xai_widgets.widgets.traits import Checked, choice, number
from xai_widgets.wire import color_tables, finite, pack, value_range
from xai_widgets.worker import WORKER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xai_widgets.engine.score import Outputs

STATIC = Path(__file__).parent.parent / "static"
COLORMAPS = ("PuOr_r", "RdBu_r", "coolwarm", "PiYG", "viridis", "magma", "inferno", "gray")
SIGNS = ("both", "positive", "negative", "absolute")
MODES = ("overlay", "side by side", "mask")
FRAMES_PER_SECOND = 15
MOST_DATA = 32

COMPUTED_FROM = frozenset({"method", "target", "index"})
DISPLAY = frozenset({"opacity", "colormap", "sign", "clip", "threshold", "smooth", "mode"})
# What a page may set; everything else is Python's to say.
_FROM_PAGE = COMPUTED_FROM | DISPLAY | {"layout", "tabbable", "tooltip", "_dom_classes", "_view_count"}

# Traitlets are not thread-safe: a cell, the page and the worker set traits one at a time. One lock for all widgets:
# observers run within it and may set traits of another widget, so that two locks could be taken crosswise.
_STATE = threading.RLock()


def asset(name: str) -> str | Path:
    """The text of a built file; its path where anywidget is to watch it for changes.

    Raises:
        FileNotFoundError: The front end was not built.
    """
    path = STATIC / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the front end is built when the package is installed (pip install .)"
        )
    return path if os.environ.get("ANYWIDGET_HMR") == "1" else path.read_text(encoding="utf-8")


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
        target: A class or class name, None for the predicted class, a `Target`, or a callable `outputs -> (N,)`.
        index: Which of the samples is shown.
        frame: The last map, as it travels to the browser; `result()` gives it to Python.
        status: What is happening, in words.
        phase: "tracing", "computing", "settled" or "error".
        error: Empty when all is well, else what went wrong; the last good map stays.
        opacity, colormap, sign, clip, threshold, smooth, mode: How the map is drawn. Changing them in the browser
            asks the kernel for nothing; Python hears of it with the next change that does.

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
        to_json=lambda value, self: value if value is None or isinstance(value, int) else {"label": self._target_label},
        from_json=lambda value, _: value,
    )
    index = Checked(0, lambda self, value: self._check_index(value)).tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    phase = traitlets.Unicode("tracing").tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)

    opacity = number(0.85, 0, 1).tag(sync=True)
    colormap = Checked("PuOr_r", lambda self, value: self._check_colormap(value)).tag(sync=True)
    sign = choice(SIGNS).tag(sync=True)
    clip = number(99, 50, 100).tag(sync=True)
    threshold = number(0, 0, 100).tag(sync=True)
    smooth = number(0, 0, 10).tag(sync=True)
    mode = choice(MODES).tag(sync=True)

    _schema = traitlets.Dict().tag(sync=True)
    _tables = traitlets.Dict().tag(sync=True)
    _pictures: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _baselines: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _thumbnails: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _samples = traitlets.Int().tag(sync=True)
    _names: traitlets.List[str] = traitlets.List().tag(sync=True)
    _predictions = traitlets.Dict().tag(sync=True)
    _code = traitlets.Unicode().tag(sync=True)
    _refused = traitlets.Unicode().tag(sync=True)
    _title = traitlets.Unicode().tag(sync=True)

    # For a widget whose construction was refused: it is closed like any other.
    _owner: object | None = None

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
        self._changed = threading.Condition(_STATE)
        self._job = self._drawn_job = 0
        self._answer: tuple[int, Attribution | BaseException | None] = (0, None)
        self._drawn_at = 0.0
        self._traced: set[Any] = set()
        self._asked: tuple[Any, Outputs | None] = (None, None)
        self._arrays: dict[str, np.ndarray] = {}
        self._target_label = ""
        self._probability = probability
        positive("batch_size", batch_size)
        subject, self._added_axis = _subject(model, inputs, preprocess=preprocess, wrt=wrt, names=names)
        self._subject: Subject = subject
        arrays = subject.inputs.arrays
        self._features = _feature_names(features, arrays)
        self._value_ranges = [value_range(array) for array in arrays]
        # What the baselines that need data start from: some of the samples, evenly chosen.
        places = np.linspace(0, len(arrays[0]) - 1, min(len(arrays[0]), MOST_DATA)).astype(int)
        self._data_names = tuple(f"sample {place + 1}" for place in places)
        self._data_arrays: dict[str, np.ndarray] = {}
        self._data = to_json(Samples(arrays[0][places]), self._data_arrays)["samples"] if len(places) > 1 else None
        self._layers: tuple[str, ...] = ()
        chosen = self._check_method(as_method(self.METHODS[0] if method is None else method, parameters))
        task = Task(self._at(self._check_index(index)), chosen, target=target, probability=probability)
        _ = task.scores  # a target function that fails does so here, in the cell
        self._task = task
        self._owner = object()

        super().__init__(
            method=chosen,
            target=target,
            index=index,
            status="Preparing the model",
            _samples=len(arrays[0]),
            _names=list(subject.names) or task.outputs_name(),
            _tables=color_tables(COLORMAPS),
            _schema=self._schemas(chosen),
            _pictures=self._draw(task.subject, [None] * len(arrays)),
            _thumbnails=showing.thumbnails(arrays[0], self._value_ranges[0]) if len(arrays) == 1 else [],
            _predictions=showing.predictions(task),
            _title=f"{type(self).__name__.removesuffix('Widget')} of {subject.view.name}",
        )
        self.observe(self._restart, list(COMPUTED_FROM))
        self.observe(self._add_table, "colormap")
        self._restart()

    # What Python and the page may set

    def _check_method(self, value: Any) -> Method:
        method = as_method(value)
        if type(method) not in self.METHODS:
            offered = ", ".join(cls.__name__ for cls in self.METHODS)
            raise ValueError(f"{type(self).__name__} offers {offered}, got {method!r}")
        method.check(self._subject.view, self._subject.inputs)
        return method

    def _check_index(self, value: Any) -> int:
        most = len(self._subject.inputs) - 1
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"index must be an integer from 0 to {most}, got {value!r}")
        if not 0 <= value <= most:
            raise ValueError(f"index must be from 0 to {most}, got {value}")
        return int(value)

    def _check_target(self, value: Any) -> Any:
        """None, a class index, or anything else that `explain` takes; one sample's target may come as a list of one."""
        if isinstance(value, list | tuple | np.ndarray) and np.shape(value) == (1,):
            value = value[0]
        if callable(value):
            self._target_label = "the target function"
            return value
        task = Task(self._task.subject, self._task.method, target=value, probability=self._probability)
        self._target_label = task.score.labels[0]
        if value is None or not isinstance(value, int | np.integer | str):
            return value
        return int(task.score.targets[0])

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
        with _STATE:
            allowed = {name: value for name, value in sync_data.items() if name in _FROM_PAGE}
            refused = [name for name in sync_data if name in self.keys and name not in allowed]
            try:
                super().set_state(allowed)
            except (TypeError, ValueError, traitlets.TraitError) as error:
                self._refused = str(error)
                refused += [name for name in allowed if name in self.keys]
            else:
                if allowed.keys() & COMPUTED_FROM:
                    self._refused = ""
            if refused:
                self.send_state(refused)

    def __setattr__(self, name: str, value: Any) -> None:
        if self.has_trait(name):
            with _STATE:
                super().__setattr__(name, value)
        else:
            super().__setattr__(name, value)

    # What the page is told

    def _schemas(self, method: Method) -> dict[str, Any]:
        inputs = self._subject.inputs.arrays[0]
        baseline = next((part for part in parts(method) if isinstance(part, Baseline)), None)
        # Arrays that nothing can name any more are let go.
        self._arrays.clear()
        to_json(method, self._arrays)
        names = self._data_names
        if isinstance(baseline, Samples) and self._arrays.keys() != self._data_arrays.keys():
            names = tuple(f"sample {place + 1}" for place in range(len(baseline.samples)))
        self._arrays.update(self._data_arrays)
        around = Surroundings(
            *self._value_ranges[0],
            channels=3 if inputs.ndim == 4 and inputs.shape[-1] == 3 else 0,
            layers=self._layers,
            arrays=self._data,
            samples=names,
        )
        offered = [cls for cls in BASELINES if self._offers(cls) or cls is type(baseline)]
        methods = [cls for cls in self.METHODS if cls.fits(inputs.shape)]
        before = self._schema or {"methods": [], "baselines": []}
        return {
            "methods": _widened(
                [{**schema(cls, around, method), "family": cls.family} for cls in methods], before["methods"]
            ),
            "baselines": _widened([schema(cls, around, baseline) for cls in offered], before["baselines"]),
        }

    def _offers(self, cls: type[Baseline]) -> bool:
        """Whether a kind of baseline is on the menu: it fits, and its parameters can be set by controls."""
        arrays = self._subject.inputs.arrays
        kinds = {field.metadata["kind"] for field in fields(cls)}
        has_data = len(arrays) == 1 and len(arrays[0]) > 1
        fits = all(cls.fits(array.shape) for array in arrays)
        return fits and "baseline" not in kinds and ("array" not in kinds or has_data)

    def _add_table(self, change: Any) -> None:
        if change.new not in self._tables:
            self._tables = {**self._tables, **color_tables([change.new])}

    def _draw(self, subject: Subject, heats: Sequence[np.ndarray | None]) -> list[Any]:
        """What stands behind each map; maps of several calls of a layer all stand before the first input."""
        arrays = subject.inputs.arrays
        names = input_names(subject.inputs.structure)
        places = range(len(heats)) if len(heats) == len(arrays) else [0] * len(heats)
        return [
            showing.behind(names[place], arrays[place][0], heat, self._value_ranges[place], self._features)
            for place, heat in zip(places, heats, strict=True)
        ]

    # The loop

    def _at(self, index: int) -> Subject:
        """The subject of one sample, with the model as it is now.

        What the model gave for the same sample last time is taken for granted until the first map is out.
        """
        subject = self._subject.rows(slice(index, index + 1)).refreshed()
        known, outputs = self._asked
        return subject.expecting(outputs) if outputs is not None and known == (index, subject.view.build) else subject

    def _restart(self, change: Any = None) -> None:
        with _STATE:
            if self._owner is None:
                return
            self._job += 1
            job, method, target, index = self._job, self.method, self.target, self.index
            with self.hold_sync():
                if change is not None and change.name == "method":
                    self._schema = self._schemas(method)
                if self.phase == "settled":
                    self.phase, self.status = "computing", "Computing"
            WORKER.submit(self._owner, lambda: self._run(job, method, target, index))

    def _run(self, job: int, method: Method, target: Any, index: int) -> Iterator[None]:
        started = time.perf_counter()
        methods = tuple(type(part) for part in parts(method) if isinstance(part, Method))
        kind = methods, callable(target), getattr(method, "layer", None)
        try:
            if kind not in self._traced:
                with _STATE, self.hold_sync():
                    self.phase = "tracing"
                    self.status = f"Preparing {type(method).label} for this model (first time only)"
            task = self._task = Task(self._at(index), method, target=target, probability=self._probability)
            expected, shown = task.subject.asked, False
            for frame, attribution in task.frames():
                if expected is not None and (shown or frame.progress >= 1):
                    if task.subject.asked is expected and not task.subject.still_gives(expected):
                        self._asked = None, None  # the model has new weights: once more, without what it gave before
                        return (yield from self._run(job, method, target, index))
                    expected = None
                self._traced.add(kind)
                self._publish(job, task, frame, attribution, time.perf_counter() - started)
                shown = True
                yield
            self._asked = (index, task.subject.view.build), task.subject.asked
            self._learn_layers(task)
        except Exception as error:  # shown in the view: JupyterLab shows nothing of an error in a thread
            self._fail(job, error)

    def _learn_layers(self, task: Task) -> None:
        """Find the layers that a method may name, once, when there is time for it."""
        if self._layers or not any(field.metadata["kind"] == "layer" for cls in self.METHODS for field in fields(cls)):
            return
        self._layers = task.spatial_layers
        with _STATE:
            self._schema = self._schemas(self.method)

    def _publish(self, job: int, task: Task, frame: Frame, attribution: Attribution, seconds: float) -> None:
        settled = frame.progress >= 1
        now = time.perf_counter()
        # A job that a newer one has overtaken still shows its first frame, so that a drag is seen all the way.
        soon = now - self._drawn_at < 1 / FRAMES_PER_SECOND
        first = job > self._drawn_job and job == self._job
        if job < self._drawn_job or (soon and not settled and not first):
            return
        # What a method made takes the place of the picture, and no map lies over it.
        made = task.method.makes_input
        heats = [] if made else showing.flat_maps(attribution)
        headers, data = pack(heats)
        behind = task.subject.moved(frame.values) if made else task.subject
        drawn = {
            "_pictures": self._draw(behind, [None] * len(frame.values) if made else heats),
            "_baselines": showing.baselines(frame, self._value_ranges),
            "_predictions": showing.predictions(task),
            "frame": {
                "job": job,
                "version": self.frame.get("version", 0) + 1,
                "progress": frame.progress,
                "arrays": finite(headers),
                "data": data,
                "card": showing.card(task, attribution, frame, seconds),
                "path": showing.path(attribution),
                "sentence": sentence(attribution, self._features),
            },
            "error": "",
        }
        passes = f"{frame.passes} of {frame.total} passes" if frame.total > 1 else "1 pass"
        with _STATE:
            if self._owner is None:
                return
            self._drawn_job, self._drawn_at = job, now
            if settled and job == self._job:
                drawn |= {"phase": "settled", "status": f"Settled \u00b7 {passes} \u00b7 {seconds:.2f} s"}
                drawn |= {"_code": self.code()}
            else:
                drawn |= {"phase": "computing", "status": f"Computing \u00b7 {passes}"}
            with self.hold_sync():
                for name, value in drawn.items():
                    setattr(self, name, value)
            if settled:
                self._settle(job, attribution)

    def _fail(self, job: int, error: Exception) -> None:
        with _STATE:
            if self._owner is None:
                return
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
            if WORKER.is_current() and self._answer[0] != self._job:
                raise RuntimeError("result() cannot wait in the thread that computes; read it in a cell")
            if not self._changed.wait_for(lambda: self._answer[0] == self._job or self._owner is None, timeout):
                raise TimeoutError(f"no settled result within {timeout} s; status: {self.status}")
            if self._owner is None:
                raise RuntimeError("the widget is closed")
            _, answer = self._answer
        if isinstance(answer, Attribution):
            return answer
        assert answer is not None
        raise answer

    def plot(self) -> Figure:
        """A static matplotlib figure of the current result."""
        return self.result().plot()

    def code(self) -> str:
        """Python source that makes the same attribution, for the names `xai`, `model` and `inputs`.

        Functions and large arrays stand there under the name of their parameter, class names as `names`.
        """
        options = [f"target={_target_source(self.target)}"]
        if isinstance(self.target, Target) and self._subject.names:
            options.append("names=names")
        subject = self._subject
        if subject.view.wrt is not None:
            options.append(f"wrt={subject.view.wrt!r}")
        if subject.preprocess is not None:
            options.append("preprocess=preprocess")
        if self._probability:
            options.append("probability=True")
        rows = _rows_source(subject.inputs.structure, self._added_axis, self.index)
        return f"xai.explain(model, {rows}, {self._method_source()}, {', '.join(options)})"

    def _method_source(self) -> str:
        """The source of the method; labels of each sample stand there as those of the one that is shown."""
        method, inputs = self.method, self._subject.inputs
        labels = getattr(method, "segments", None)
        if labels is None or not are_of_each_sample(labels, inputs):
            return method.source("xai.")
        source = method.replace(segments=labels[self.index : self.index + 1]).source("xai.")
        return source.replace("segments=segments", f"segments=segments[{self.index}:{self.index + 1}]")

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the settled widget as one HTML file that works offline and still answers its display controls."""
        from xai_widgets.pages import widget_page

        self.result()
        with _STATE:
            page = widget_page(self, title=self._title)
        Path(path).write_text(page, encoding="utf-8")

    def close(self) -> None:
        """Stop the work, take the views away, and let go of the model and the data."""
        if self._owner is None:
            super().close()
            return
        WORKER.cancel(self._owner)
        layout = self.layout
        super().close()
        layout.close()  # made for this widget by ipywidgets, which leaves it open
        with _STATE:
            self._owner = None
            self._answer = (0, None)
            self._changed.notify_all()


def _subject(model: Any, inputs: Any, *, preprocess: Any, **options: Any) -> tuple[Subject, bool]:
    """The subject, and whether a batch axis had to be added: a widget takes one sample without it."""
    expected = getattr(model, "inputs", None)
    one = expected is not None and len(expected) == 1 and not isinstance(inputs, dict | list | tuple)
    missing = bool(one and expected and np.ndim(inputs) == len(expected[0].shape) - 1)
    try:
        if missing and preprocess is None:
            return Subject(model, np.asarray(inputs)[None], **options), True
        return Subject(model, inputs, preprocess=preprocess, **options), False
    except (TypeError, ValueError):
        if not missing or preprocess is None:
            raise
        return Subject(model, np.asarray(inputs)[None], preprocess=preprocess, **options), True


def _target_source(target: Any) -> str:
    if callable(target) or isinstance(target, Region):
        return "target"
    return f"xai.{target!r}" if isinstance(target, Target) else repr(target)


def _feature_names(features: Sequence[str] | None, arrays: Sequence[np.ndarray]) -> tuple[str, ...]:
    if features is None:
        return ()
    if isinstance(features, str):
        raise TypeError(f"features must be a sequence of names, got {features!r}")
    names = tuple(map(str, features))
    width = arrays[0].shape[-1]
    if arrays[0].ndim != 2 or len(names) != width:
        raise ValueError(f"features must name the {width} columns of a table, got {len(names)} names")
    if len(set(names)) != width:
        raise ValueError("features must be different names")
    return names


def _widened(schemas: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sliders that once had to reach further keep doing so: a page may come back to a value that Python set."""
    reached = {(one["name"], field["name"]): field["max"] for one in before for field in one["fields"]}
    for one in schemas:
        for field in one["fields"]:
            further = reached.get((one["name"], field["name"]))
            if further is not None and field["max"] is not None:
                field["max"] = max(field["max"], further)
    return schemas


def _rows_source(structure: Any, added_axis: bool, index: int) -> str:
    if added_axis:
        return "inputs[None]"
    if isinstance(structure, dict):
        return "{" + ", ".join(f"{key!r}: inputs[{key!r}][{index}:{index + 1}]" for key in structure) + "}"
    if isinstance(structure, list | tuple):
        return "[" + ", ".join(f"inputs[{place}][{index}:{index + 1}]" for place in range(len(structure))) + "]"
    return f"inputs[{index}:{index + 1}]"
