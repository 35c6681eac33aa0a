"""Explainer: the state that every widget shares, and the loop between it and the worker."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import BASELINES
from xai_widgets.caption import sentence
from xai_widgets.declare import fields, from_json, parts, positive, to_json
from xai_widgets.methods import Frame, Method, as_method
from xai_widgets.task import Subject, Task
from xai_widgets.trees import input_names
from xai_widgets.widgets import recording, showing
from xai_widgets.widgets.menu import Menu, limits
from xai_widgets.widgets.region import Painted
from xai_widgets.widgets.shared import COMPUTED_FROM, STATE
from xai_widgets.widgets.source import explain_source
from xai_widgets.widgets.taken import Taken
from xai_widgets.widgets.traits import Checked, choice, number
from xai_widgets.wire import color_tables, finite
from xai_widgets.worker import WORKER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xai_widgets.engine.outputs import Outputs

STATIC = Path(__file__).parent.parent / "static"
COLORMAPS = ("PuOr_r", "RdBu_r", "coolwarm", "PiYG", "viridis", "magma", "inferno", "gray")
SIGNS = ("both", "positive", "negative", "absolute")
# Seconds that the display of a widget waits for its static picture: for a settled one, and for any.
_UNTIL_SETTLED, _UNTIL_SHOWN = 0.5, 3.0
MODES = ("overlay", "side by side", "mask")
FRAMES_PER_SECOND = 15


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


def _left(progress: float, seconds: float) -> str:
    """How long it will still take, where that is long enough to tell."""
    left = seconds * (1 - progress) / progress if progress else 0.0
    return f" \u00b7 about {left:.0f} s left" if left >= 2 else ""


class Explainer(Painted):
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
        to_json=lambda value, self: to_json(value, self._menu.arrays),
        from_json=lambda value, self: from_json(
            value, self.METHODS, BASELINES, self._menu.arrays, limits(self._schema)
        ),
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
    _title = traitlets.Unicode().tag(sync=True)
    _recorded: traitlets.List[Any] = traitlets.List().tag(sync=True)

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
        self._changed = threading.Condition(STATE)
        self._job = self._drawn_job = 0
        self._answer: tuple[int, Attribution | BaseException | None] = (0, None)
        self._drawn_at = 0.0
        self._latest: Attribution | None = None
        self._traced: set[Any] = set()
        self._asked: tuple[Any, Outputs | None] = (None, None)
        self._drawn_for: tuple[int, Any, Task, Frame] | None = None
        self._target_label = ""
        self._probability = probability
        positive("batch_size", batch_size)
        self._asides: dict[str, object] = {}
        self._options = {"preprocess": preprocess, "wrt": wrt, "names": names}
        self._features = features
        self._take(self._taken_from(model, inputs))
        chosen = self._check_method(self._default(parameters) if method is None else as_method(method, parameters))
        task = self._task_of(chosen, target, self._check_index(index))
        self._check_task(task)
        self._task = task
        self._owner = object()

        super().__init__(
            method=chosen,
            target=target,
            index=index,
            status="Preparing the model",
            _tables=color_tables(COLORMAPS),
            **self._told(task),
        )
        self.observe(self._restart, list(COMPUTED_FROM))
        self.observe(self._add_table, "colormap")
        self._restart()

    @classmethod
    def first(cls) -> Method | None:
        """The method that is shown where nobody says which; None where the view has more than one."""
        return cls.METHODS[0]()

    # The model and the samples

    def _taken_from(self, model: Any, inputs: Any) -> Taken:
        return Taken(model, inputs, features=self._features, **self._options)

    def _task_of(self, method: Method, target: Any, index: int) -> Task:
        return Task(self._at(index), method, target=target, probability=self._probability)

    def _default(self, parameters: dict[str, Any]) -> Method:
        """The method where none is named."""
        return as_method(self.METHODS[0], parameters)

    def _take(self, given: Taken) -> None:
        self._taken = given
        self._subject = given.subject
        self._menu = Menu(self.METHODS, given.subject.inputs, given.value_ranges[0])

    def _told(self, task: Task) -> dict[str, Any]:
        """What the page is told of the model and the samples, of which a task explains one."""
        taken, arrays = self._taken, self._subject.inputs.arrays
        return {
            "region": {},
            "_samples": len(arrays[0]),
            "_names": list(self._subject.names) or task.outputs_name(),
            "_schema": self._menu.schemas(task.method, {}),
            "_pictures": self._draw(task.subject, [None] * len(arrays)),
            "_thumbnails": showing.thumbnails(arrays[0], taken.value_ranges[0]) if len(arrays) == 1 else [],
            "_predictions": showing.predictions(task.subject.outputs),
            "_title": f"{type(self).__name__.removesuffix('Widget')} of {self._subject.view.name}",
        }

    @property
    def model(self) -> Any:
        """The model. Another one may be set: it is explained at once, and the view follows."""
        return self._subject.model

    @model.setter
    def model(self, model: Any) -> None:
        self._renew(model, self._taken.inputs)

    @property
    def inputs(self) -> Any:
        """The samples as they were given. Others may be set: the first of them is explained at once."""
        return self._taken.inputs

    @inputs.setter
    def inputs(self, inputs: Any) -> None:
        self._renew(self.model, inputs)

    def _renew(self, model: Any, inputs: Any) -> None:
        """Take another model or other samples; what does not fit them is refused, and then nothing has changed."""
        given = Taken(model, inputs, features=self._features, **self._options)
        with STATE:
            same = given.subject.inputs.total == self._taken.subject.inputs.total
            index = self.index if same else 0
            self.method.check(given.subject.view, given.subject.inputs)
            rows = given.subject.rows(slice(index, index + 1))
            task = Task(rows, self.method, target=self.target, probability=self._probability)
            self._check_task(task)
            self._take(given)
            self._target_label = task.score.labels[0]
            self._task, self._asked, self._recorded = task, (None, None), []
            self._drawn_for = None
            self._traced.clear()
            with self.hold_sync():
                for name, value in {**self._told(task), "index": index, "error": ""}.items():
                    setattr(self, name, value)
                self._restart()

    # What Python and the page may set

    def _check_task(self, task: Task) -> None:
        """Refuse in the cell what would only fail later, such as a target function."""
        _ = task.scores

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

    # What the page is told

    def _add_table(self, change: Any) -> None:
        if change.new not in self._tables:
            self._tables = {**self._tables, **color_tables([change.new])}

    def _draw(self, subject: Subject, heats: Sequence[np.ndarray | None]) -> list[Any]:
        """What stands behind each map; maps of several calls of a layer all stand before the first input."""
        arrays, taken = subject.inputs.arrays, self._taken
        names = input_names(subject.inputs.structure)
        places = range(len(heats)) if len(heats) == len(arrays) else [0] * len(heats)
        return [
            showing.behind(names[place], arrays[place][0], heat, taken.value_ranges[place], taken.features)
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
        with STATE:
            if self._owner is None:
                return
            self._job += 1
            job, method, target, index = self._job, self.method, self.target, self.index
            with self.hold_sync():
                if change is not None and change.name == "method":
                    self._schema = self._menu.schemas(method, self._schema)
                if self.phase == "settled":
                    self.phase, self.status = "computing", "Computing"
            WORKER.submit(self._owner, lambda: self._run(job, method, target, index))

    def _run(self, job: int, method: Method, target: Any, index: int) -> Iterator[None]:
        started = time.perf_counter()
        kind = self._kind(method, target)
        try:
            if (resumed := self._resumed(method, target, index)) is not None:
                task, frames = resumed
                expected = None
            else:
                if kind not in self._traced:
                    with STATE, self.hold_sync():
                        self.phase = "tracing"
                        self.status = f"Preparing {type(method).label} for this model (first time only)"
                task = self._new_task(method, target, index)
                frames, expected = task.frames(), task.subject.asked
            self._task, shown = task, False
            for frame, attribution in frames:
                if expected is not None and (shown or frame.progress >= 1):
                    if task.subject.asked is expected and not task.subject.still_gives(expected):
                        self._asked = None, None  # the model has new weights: once more, without what it gave before
                        return (yield from self._run(job, method, target, index))
                    expected = None
                self._traced.add(kind)
                self._drawn_for = (index, target, task, frame) if frame.surrogate is not None else None
                self._publish(job, task, frame, attribution, time.perf_counter() - started)
                shown = True
                yield
            self._asked = (index, task.subject.view.build), task.subject.asked
            self._learn_layers(task)
        except Exception as error:  # shown in the view: JupyterLab shows nothing of an error in a thread
            self._fail(job, error)

    def _new_task(self, method: Method, target: Any, index: int) -> Task:
        """The task of a job; see `_task_of`, which makes the first."""
        return self._task_of(method, target, index)

    def _kind(self, method: Method, target: Any) -> tuple[Any, ...]:
        """What, when it is new, has to be traced first."""
        methods = tuple(type(part) for part in parts(method) if isinstance(part, Method))
        return methods, callable(target), getattr(method, "layer", None)

    def _resumed(self, method: Method, target: Any, index: int) -> Any:
        """The task and its frames where a method only refits what was drawn for the last one; else None.

        Nothing is predicted again: the scores are those that the model gave then.
        """
        if self._drawn_for is None:
            return None
        at, of, task, frame = self._drawn_for
        same = (at, of) == (index, target) and method.only_refits(task.method)
        if not same or frame.surrogate is None or task.subject.view.refreshed().build != task.subject.view.build:
            return None
        return task.resumed(frame, method)

    def _learn_layers(self, task: Task) -> None:
        """Find the layers that a method may name, once, when there is time for it."""
        if self._menu.layers or not any(
            field.metadata["kind"] == "layer" for cls in self.METHODS for field in fields(cls)
        ):
            return
        self._menu.layers = task.places.layers
        with STATE:
            self._schema = self._menu.schemas(self.method, self._schema)

    def _publish(self, job: int, task: Task, frame: Frame, attribution: Attribution, seconds: float) -> None:
        attribution = replace(attribution, features=self._taken.features)
        settled = frame.progress >= 1
        now = time.perf_counter()
        # A job that a newer one has overtaken still shows its first frame, so that a drag is seen all the way.
        soon = now - self._drawn_at < 1 / FRAMES_PER_SECOND
        first = job > self._drawn_job and job == self._job
        if job < self._drawn_job or (soon and not settled and not first):
            return
        drawn = self._shown(task, frame, attribution, seconds)
        drawn["frame"] |= {"job": job, "version": self.frame.get("version", 0) + 1}
        drawn["error"] = ""
        passes = f"{frame.passes} of {frame.total} passes" if frame.total > 1 else "1 pass"
        with STATE:
            if self._owner is None:
                return
            self._drawn_job, self._drawn_at, self._latest = job, now, attribution
            self._changed.notify_all()
            if settled and job == self._job:
                drawn |= {"phase": "settled", "status": f"Settled \u00b7 {passes} \u00b7 {seconds:.2f} s"}
                drawn |= {"_code": self.code()}
            else:
                drawn |= {"phase": "computing", "status": f"Computing \u00b7 {passes}{_left(frame.progress, seconds)}"}
            with self.hold_sync():
                for name, value in drawn.items():
                    setattr(self, name, value)
            if settled:
                self._settle(job, attribution)

    def _maps(self, attribution: Attribution) -> list[np.ndarray]:
        """The maps of a sample as they travel, (H, W) or (d,) each."""
        return showing.flat_maps(attribution)

    def _packed(self, attribution: Attribution, heats: Sequence[np.ndarray]) -> tuple[list[dict[str, Any]], bytes]:
        """What travels as the map, with its headers."""
        return showing.packed(attribution, heats)

    def _shown(self, task: Task, frame: Frame, attribution: Attribution, seconds: float) -> dict[str, Any]:
        """The traits that show a map."""
        # What a method made takes the place of the picture, and no map lies over it.
        made = task.method.makes_input
        heats = [] if made else self._maps(attribution)
        headers, data = self._packed(attribution, heats)
        behind = task.subject.moved(frame.values) if made else task.subject
        return {
            "_pictures": self._draw(behind, [None] * len(frame.values) if made else heats),
            "_baselines": showing.baselines(frame, self._taken.value_ranges),
            "_predictions": showing.predictions(task.subject.outputs),
            "frame": {
                "job": 0,
                "version": 0,
                "progress": frame.progress,
                "arrays": finite(headers),
                "data": data,
                "card": showing.card(task, attribution, frame, seconds),
                "path": showing.path(attribution),
                "sentence": sentence(attribution, self._taken.features),
            },
            **self._more(task, frame, attribution),
        }

    def _more(self, task: Task, frame: Frame, attribution: Attribution) -> dict[str, Any]:
        """Traits of a subclass that go with a map."""
        return {}

    def _fail(self, job: int, error: Exception) -> None:
        with STATE:
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

    def settle(self, timeout: float | None = None) -> None:
        """Wait until nothing is left to do: neither the map nor what is shown beside it.

        Raises:
            As `result` does.
        """
        started = time.monotonic()
        self.result(timeout)
        left = None if timeout is None else max(0.0, timeout - (time.monotonic() - started))
        if not WORKER.wait_done(self._asides.values(), left):
            raise TimeoutError(f"there is still work to do after {timeout} s; status: {self.status}")

    def plot(self) -> Figure:
        """A static matplotlib figure of the current result."""
        return self.result().plot()

    def code(self) -> str:
        """Python source that makes the same attribution, for the names `xai`, `model` and `inputs`.

        Functions and large arrays stand there under the name of their parameter, class names as `names`.
        """
        return explain_source(
            self._subject, self.method, self.target, self.index, self._probability, added_axis=self._taken.added_axis
        )

    def record(self, **positions: Sequence[Any]) -> None:
        """Keep the maps of some positions of the controls: without a kernel they move there.

            w.record(steps=[8, 32, 128], baseline=[xai.Constant(0), xai.Blur(8)])

        In a saved notebook and in an exported page a control that was moved goes to the nearest position that was
        recorded. Each combination is computed now, and adds its map to what a notebook saves (as float16).

        Args:
            **positions: Values of fields of the current method, of `target` and `index`; every combination of them.

        Raises:
            TypeError, ValueError: A name is unknown, a value is out of its bounds, or there are over 256 combinations.
        """
        wanted = recording.positions(recording.Position(self.method, self.target, self.index), positions)
        kept: list[dict[str, Any]] = []
        self._asked = None, None  # nothing is taken for granted
        for at in wanted:
            self.status = f"Recording {len(kept) + 1} of {len(wanted)}"
            kept.append(self._recording(at, other_samples=any(one.index != self.index for one in wanted)))
        self._recorded = kept
        self._restart()

    def _recording(self, at: recording.Position, *, other_samples: bool) -> dict[str, Any]:
        started = time.perf_counter()
        method, index = self._check_method(at.method), self._check_index(at.index)
        task = self._new_task(method, at.target, index)
        for frame, attribution in task.frames():  # noqa: B007
            pass  # the last one counts
        drawn = self._shown(task, frame, attribution, time.perf_counter() - started)
        if not other_samples and not method.makes_input:
            del drawn["_pictures"]  # those that are there stay
        if self.region and index == self.index:
            drawn["_effect"] = self._effect_in(task)
        target = at.target if at.target is None or isinstance(at.target, int) else {"label": task.score.labels[0]}
        return {"method": to_json(method, self._menu.arrays), "target": target, "index": index, "drawn": drawn}

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live view; and for viewers that run no JavaScript a picture and its sentence.

        A view has nothing to show before the first map, so that little is lost by waiting for it.
        """
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        with self._changed:
            self._changed.wait_for(lambda: self._answer[0] == self._job or self._owner is None, _UNTIL_SETTLED)
            self._changed.wait_for(lambda: self._latest is not None or self.error or self._owner is None, _UNTIL_SHOWN)
            latest = self._latest
        if latest is not None:
            data = {**data, "text/plain": sentence(latest, self._taken.features), "image/png": latest._repr_png_()}
        return data, metadata

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the settled widget as one HTML file that works offline and still answers its display controls."""
        from xai_widgets.pages import widget_page

        self.settle()
        with STATE:
            page = widget_page(self, title=self._title)
        Path(path).write_text(page, encoding="utf-8")

    def close(self) -> None:
        """Stop the work, take the views away, and let go of the model and the data."""
        if self._owner is None:
            super().close()
            return
        for owner in (self._owner, *self._asides.values()):
            WORKER.cancel(owner)
        layout = self.layout
        super().close()
        layout.close()  # made for this widget by ipywidgets, which leaves it open
        with STATE:
            self._owner = None
            self._answer = (0, None)
            self._changed.notify_all()
