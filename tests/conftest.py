"""Models that many tests share, and the promise that none of them is ever changed."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import models
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
def zoo() -> models.Zoo:
    """Small models of every kind of build, each with three samples."""
    return models.Zoo()


def _specimens(names: Iterable[str]) -> list[Any]:
    """What is representative in the fast tests, all of them in the slow ones."""
    return [
        pytest.param(name, marks=() if name in models.REPRESENTATIVE else pytest.mark.slow) for name in sorted(names)
    ]


@pytest.fixture(params=_specimens((*models.REPRESENTATIVE, *models.MEETING)))
def batched_model(request: pytest.FixtureRequest, zoo: models.Zoo) -> models.Specimen:
    """Each model in turn whose samples could meet in a batch."""
    return zoo[request.param]


@pytest.fixture(params=_specimens(models.ZOO))
def any_model(request: pytest.FixtureRequest, zoo: models.Zoo) -> Iterator[models.Specimen]:
    """Each model in turn with its samples; afterwards it must be what it was."""
    specimen = zoo[request.param]
    with models.unchanged(specimen.model):
        yield specimen
