"""`explore`: the view that suits, tabs to the others, one sample, target and baseline for all."""

import keras
import numpy as np
import pytest

import xai_widgets as xai
from xai_widgets.widgets import explorer

WAIT = 60


class Perturbed(xai.SaliencyWidget):
    """A second view, whose methods have a baseline too."""

    METHODS = (xai.Occlusion, xai.RISE)


@pytest.fixture
def opened(digits, monkeypatch):
    monkeypatch.setattr(explorer, "VIEWS", (xai.SaliencyWidget, Perturbed))
    opened = xai.explore(digits.model, digits.inputs[:4], target=3, index=1)
    yield opened
    opened.close()


def test_one_view_is_made_and_others_when_they_are_chosen(opened):
    assert list(opened.views) == [opened.tab] == ["saliency"]
    assert opened.view.index == 1
    assert opened.result(WAIT).target.tolist() == [3]
    opened.tab = "perturbed"
    assert list(opened.views) == ["saliency", "perturbed"]
    assert isinstance(opened.view, Perturbed)
    state = opened.get_state()
    assert state["_views"] == {name: f"anywidget:{view.model_id}" for name, view in opened.views.items()}


def test_sample_target_and_baseline_are_shared(opened, digits):
    opened.tab = "perturbed"
    opened.view.index, opened.view.target = 2, 5
    opened.view.method = xai.Occlusion(baseline=xai.Constant(0.5))
    opened.tab = "saliency"
    view = opened.view
    assert (view.index, view.target, view.method.baseline) == (2, 5, xai.Constant(0.5))
    again = xai.explain(digits.model, digits.inputs[2:3], view.method, target=5)
    np.testing.assert_allclose(opened.result(WAIT).values, again.values, atol=1e-6)


def test_closing_closes_every_view(opened):
    opened.tab = "perturbed"
    views = list(opened.views.values())
    opened.close()
    for view in views:
        with pytest.raises(RuntimeError, match="closed"):
            view.result(WAIT)


def test_bad_arguments_raise_in_the_cell(digits):
    with pytest.raises(ValueError, match="index"):
        xai.explore(digits.model, digits.inputs[:2], index=7)
    with pytest.raises(TypeError, match="model"):
        xai.explore("a network", digits.inputs[:2])
    opened = xai.explore(digits.model, digits.inputs[:2])
    with pytest.raises(ValueError, match="tab"):
        opened.tab = "nothing"
    opened.close()


def test_one_page_holds_the_views_that_were_opened(opened, tmp_path):
    opened.tab = "perturbed"
    opened.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(view.model_id in text for view in opened.views.values())


def test_the_view_that_suits_is_opened_first(digits, tabular):
    flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    for (model, inputs), tab in (
        ((digits.model, digits.inputs[:2]), "cam"),
        ((tabular.model, tabular.inputs[:2]), "shap"),
        ((flat, np.zeros((2, 8, 8, 1), "float32")), "saliency"),
    ):
        opened = xai.explore(model, inputs)
        assert opened.tab == tab
        assert opened.result(WAIT).score.shape == (1,)
        opened.close()


@pytest.mark.parametrize(
    ("method", "of_a_picture", "of_a_table"),
    [
        ("grad_cam", "cam", "saliency"),  # which says why there is none
        (xai.LIME(samples=64), "lime", "lime"),
        ("kernel_shap", "lime", "shap"),
        (xai.LRP(), "lrp", "lrp"),
        (xai.IntegratedGradients(steps=4, baseline=0.5), "saliency", "saliency"),
    ],
)
def test_a_method_opens_the_view_that_is_made_for_it(digits, tabular, method, of_a_picture, of_a_table):
    for example, tab in ((digits, of_a_picture), (tabular, of_a_table)):
        opened = xai.explore(example.model, example.inputs[:2], method)
        assert opened.tab == tab
        assert opened.view.method == xai.methods.as_method(method)
        opened.close()


def test_what_is_of_a_view_is_set_on_the_view(opened):
    with pytest.raises(AttributeError, match=r"w\.view\.index"):
        opened.index = 3
    assert opened.code() == opened.view.code()
