"""Every metric on every kind of model."""

import numpy as np
import pytest

import xai_widgets as xai

METRICS = {
    xai.insertion: {"steps": 4},
    xai.deletion: {"steps": 4},
    xai.infidelity: {"samples": 8},
    xai.mu_fidelity: {"samples": 8},
    xai.completeness: {},
    xai.sensitivity: {"samples": 2},
    xai.randomization: {},
}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_a_finite_number_for_each_sample_and_the_model_stays_whole(metric, any_model):
    specimen = any_model
    a = xai.explain(specimen.model, specimen.inputs, xai.IntegratedGradients(steps=4), **specimen.keywords)
    target = {name: value for name, value in specimen.keywords.items() if name == "target"}
    refused = {
        xai.sensitivity: "token ids" if specimen.site else "",
        xai.randomization: "weights cannot be replaced" if getattr(specimen.model, "loops", False) else "",
    }.get(metric)
    if refused:
        with pytest.raises(ValueError, match=refused):
            metric(specimen.model, specimen.inputs, a, **target)
        return
    found = metric(specimen.model, specimen.inputs, a, **METRICS[metric], **target)
    if isinstance(found, xai.Curve):
        assert found.scores.shape == (3, len(found.fractions))
        np.testing.assert_allclose(found.scores[:, -1 if metric is xai.insertion else 0], a.score, rtol=1e-2, atol=1e-2)
        found = found.area
    if isinstance(found, xai.Cascade):
        assert found.samples.shape == (3, len(found.layers))
        assert (np.abs(found.samples) <= 1 + 1e-9).all()
        assert found.samples[:, -1].mean() < 0.9  # with every layer random the map is another
        found = found.samples[:, -1]
    assert found.shape == (3,)
    if metric is xai.mu_fidelity:
        assert (np.abs(found[np.isfinite(found)]) <= 1 + 1e-9).all()
    else:
        assert np.isfinite(found).all()
