"""Models that many tests share, and the promise that none of them is ever changed."""

import os
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import models
import numpy as np
import pytest


@pytest.fixture(scope="session")
def digits():
    """The embedded digits: an `Example`."""
    from xai_widgets import examples

    return examples.digits()


@pytest.fixture(scope="session")
def tabular():
    """The embedded table: an `Example`."""
    from xai_widgets import examples

    return examples.tabular()


@pytest.fixture(scope="session")
def zoo() -> dict[str, tuple[object, np.ndarray]]:
    """Small models of every kind of build, each with three samples."""
    built = {name: build() for name, build in models.ZOO.items()}
    for model, inputs in built.values():
        model(inputs)  # some Keras layers make attributes of their own in their first call
    return built


@pytest.fixture(params=sorted(models.ZOO))
def any_model(request: pytest.FixtureRequest, zoo) -> Iterator[tuple[object, np.ndarray]]:
    """Each model in turn with its samples; afterwards it must be what it was."""
    model, inputs = zoo[request.param]
    with models.unchanged(model):
        yield model, inputs
