"""How good a map is after so many model evaluations: `python benchmarks/quality_gradients.py`.

What a running explanation shows is compared with the map that it converges to, at every frame, beside the naive
estimator after as many gradients: integrated gradients walked from left to right, and SmoothGrad from independent noise.
Pearson's correlation over all values, and the L1 distance as a share of the converged map's L1 norm, means over the
seeds. The converged maps take many more evaluations, and other noise.
"""

import argparse
import statistics
import sys

import numpy as np
import tensorflow as tf
from passes import networks, raw_gradient
from tqdm import tqdm

import xai_widgets as xai
from xai_widgets.task import Subject, Task

NOISE = 0.15
EVALUATIONS = (4, 8, 16, 32, 64)


def distance(values, limit):
    """Correlation, and L1 distance over the L1 norm."""
    return np.corrcoef(values.ravel(), limit.ravel())[0, 1], np.abs(values - limit).sum() / np.abs(limit).sum()


def frames(model, x, method, target):
    """Passes and values at every frame of a running explanation."""
    for frame, _ in Task(Subject(model, x), method, target=target).frames():
        yield frame.passes, frame.values[0]


def at(evaluations, series):
    """The last map of a series that took no more than so many evaluations, None where even the first took more."""
    shown = [values for passes, values in series if passes <= evaluations]
    return shown[-1] if shown else None


def left_to_right(gradient, x, index, steps):
    """Integrated gradients from zero by the left rule: after each gradient, the mean so far times x."""
    total = 0
    for step in range(steps):
        total = total + gradient(tf.constant(x * (step / steps)), index).numpy()
        yield step + 1, x * total / (step + 1)


def independent(gradient, x, index, samples, seed):
    """SmoothGrad: after each noisy copy, the mean gradient so far."""
    random, total = np.random.default_rng(seed), 0
    for sample in range(samples):
        noise = random.normal(0, NOISE * np.ptp(x), x.shape).astype(x.dtype)
        total = total + gradient(tf.constant(x + noise), index).numpy()
        yield sample + 1, total[None] / (sample + 1)


def trials(model, x, index, seeds, many):
    """Estimator and name, limit, and a run of frames for each seed."""
    gradient, most, target = raw_gradient(model), max(EVALUATIONS), int(index)
    limit = xai.explain(model, x, xai.IntegratedGradients(steps=many), target=target).values
    yield "IG", "xai_widgets", limit, [list(frames(model, x, xai.IntegratedGradients(steps=most), target))]
    yield "IG", "left to right", limit, [list(left_to_right(gradient, x, index, most))]
    limit = xai.explain(model, x, xai.SmoothGrad(samples=many, noise=NOISE, seed=10_000), target=target).values
    ours = [xai.SmoothGrad(samples=most, noise=NOISE, seed=seed) for seed in range(seeds)]
    yield "SmoothGrad", "xai_widgets", limit, [list(frames(model, x, method, target)) for method in ours]
    runs = [list(independent(gradient, x, index, most, seed)) for seed in range(seeds)]
    yield "SmoothGrad", "independent noise", limit, runs


def main():
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--many", type=int, default=1024, help="evaluations behind a converged map")
    options = parser.parse_args()
    print("| network | method | estimator |" + "".join(f" {count} |" for count in EVALUATIONS))
    print("| --- | --- | --- |" + " --- |" * len(EVALUATIONS))
    for name, model, x in networks():
        index = tf.constant(int(np.argmax(model(x)[0])))
        found = trials(model, x, index, options.seeds, options.many)
        for method, estimator, limit, runs in tqdm(found, desc=name, total=4, file=sys.stderr):
            cells = []
            for evaluations in EVALUATIONS:
                shown = [values for values in (at(evaluations, run) for run in runs) if values is not None]
                measured = [distance(values, limit) for values in shown]
                means = [statistics.fmean(part) for part in zip(*measured, strict=True)]
                cells.append(f" {means[0]:.3f} / {means[1]:.2f} |" if means else " |")
            print(f"| {name} | {method} | {estimator} |{''.join(cells)}")


if __name__ == "__main__":
    main()
