"""How good a map is after so many model evaluations: `python benchmarks/quality_gradients.py`.

Maps are compared with the one that they converge to: Pearson's correlation over all values, and the L1 distance as a
share of the converged map's L1 norm. Beside each estimator stand others with as many gradients: for integrated
gradients the rules of two peers, means over several samples; for SmoothGrad independent noise, means over the seeds:
the more, the fewer evaluations they have. "Stopped" is what the frames of a run of the most evaluations show on the
way, beside the same path walked from left to right. The converged maps take many more evaluations, and other noise.
"""

import argparse
import itertools
import statistics
import sys
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from drawing import draw
from passes import DATA, networks, raw_gradient
from tqdm import tqdm

import xai_widgets as xai
from xai_widgets.task import Subject, Task

NOISE = 0.15
EVALUATIONS = (4, 8, 16, 32, 64)
SAMPLES = 40
RULES = {"xai_widgets": "midpoint", "Gauss-Legendre (Captum)": "gauss_legendre", "trapezoids (xplique)": "trapezoid"}


def distance(values, limit):
    """Correlation, and L1 distance over the L1 norm."""
    return np.corrcoef(values.ravel(), limit.ravel())[0, 1], np.abs(values - limit).sum() / np.abs(limit).sum()


def stopped(model, x, method, target):
    """Evaluations and map at every frame of a running explanation."""
    frames = Task(Subject(model, x), method, target=target).frames()
    return {frame.passes: frame.values[0] for frame, _ in frames}


def left_to_right(gradient, x, index, steps):
    """Integrated gradients from zero by the left rule: evaluations, and the mean so far times x."""
    total, maps = 0, {}
    for step in range(steps):
        total = total + gradient(tf.constant(x * (step / steps)), index).numpy()
        maps[step + 1] = x * total / (step + 1)
    return maps


def counts(seed, seeds):
    """Which numbers of evaluations a seed is for: twice as few have twice as many seeds, as they vary more."""
    return [count for count in EVALUATIONS if seed < seeds * max(EVALUATIONS) // count]


def independent(gradient, x, index, kept, seed):
    """SmoothGrad from independent noise: the mean gradient after some numbers of evaluations."""
    random, total, maps = np.random.default_rng(seed), 0, {}
    for sample in range(max(kept)):
        noise = random.normal(0, NOISE * np.ptp(x), x.shape).astype(x.dtype)
        total = total + gradient(tf.constant(x + noise), index).numpy()
        if sample + 1 in kept:
            maps[sample + 1] = total[None] / (sample + 1)
    return maps


def samples(name, x):
    """What integrated gradients are tried on, for a network of `passes.networks`."""
    if name.startswith("ImageNet"):
        return np.concatenate([crops(path) for path in sorted([*DATA.glob("*.png"), *DATA.glob("*.jpg")])])
    embedded = xai.examples.digits() if x.ndim == 4 else xai.examples.tabular()
    return embedded.inputs[:SAMPLES]


def crops(path, side=224):
    """A photograph's corners and its middle, each four fifths of its shorter side."""
    from PIL import Image

    photograph = Image.open(path).convert("RGB")
    cut = int(0.8 * min(photograph.size))
    right, low = (length - cut for length in photograph.size)
    corners = [(0, 0), (right, 0), (0, low), (right, low), (right // 2, low // 2)]
    parts = [photograph.crop((left, top, left + cut, top + cut)).resize((side, side)) for left, top in corners]
    return np.stack([np.asarray(part, "float32") / 255 for part in parts])


def integrated(model, inputs, many):
    """Estimator, and for each input the converged map and the maps by their evaluations."""
    found = {label: [] for label in RULES}
    for place in range(len(inputs)):
        explained = partial(xai.explain, model, inputs[place : place + 1])
        limit = explained(xai.IntegratedGradients(steps=many)).values
        for label, rule in RULES.items():
            maps = {count: explained(xai.IntegratedGradients(steps=count, rule=rule)).values for count in EVALUATIONS}
            found[label].append((limit, maps))
    yield from found.items()


def trials(name, model, x, index, seeds, many):
    """Method, estimator, and for each run the converged map and the maps by their evaluations."""
    gradient, most, target = raw_gradient(model), max(EVALUATIONS), int(index)
    for label, runs in integrated(model, samples(name, x), min(many, 512)):
        yield "IG", label, runs
    limit = xai.explain(model, x, xai.IntegratedGradients(steps=many), target=target).values
    ours = stopped(model, x, xai.IntegratedGradients(steps=most), target)
    yield "IG stopped", "xai_widgets", [(limit, ours)]
    yield "IG stopped", "left to right", [(limit, left_to_right(gradient, x, index, most))]

    def smooth(count, seed):
        return xai.explain(model, x, xai.SmoothGrad(samples=count, noise=NOISE, seed=seed), target=target).values

    limit = smooth(many, 10_000)
    each = range(seeds * most // min(EVALUATIONS))
    yield "SmoothGrad", "xai_widgets", ((limit, {n: smooth(n, seed) for n in counts(seed, seeds)}) for seed in each)
    naive = ((limit, independent(gradient, x, index, counts(seed, seeds), seed)) for seed in each)
    yield "SmoothGrad", "independent noise", naive


def nearest(evaluations, maps):
    """The map with the most evaluations up to so many, where those are not far fewer."""
    count = max((one for one in maps if 0.75 * evaluations <= one <= evaluations), default=None)
    return None if count is None else maps[count]


def main():
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4, help="of the most evaluations")
    parser.add_argument("--plot", type=Path, help="a picture of the same")
    parser.add_argument("--many", type=int, default=1024, help="evaluations behind a converged map")
    options = parser.parse_args()
    print("| network | method | estimator |" + "".join(f" {count} |" for count in EVALUATIONS))
    print("| --- | --- | --- |" + " --- |" * len(EVALUATIONS))
    panels = {}
    for name, model, x in networks():
        index = tf.constant(int(np.argmax(model(x)[0])))
        found = trials(name, model, x, index, options.seeds, options.many)
        for method, estimator, runs in tqdm(found, desc=name, total=len(RULES) + 4, file=sys.stderr):
            measured = {evaluations: [] for evaluations in EVALUATIONS}
            for (limit, maps), evaluations in itertools.product(runs, EVALUATIONS):
                values = nearest(evaluations, maps)
                if values is not None:
                    measured[evaluations].append(distance(values, limit))
            cells = []
            for evaluations, figures in measured.items():
                means = [statistics.fmean(part) for part in zip(*figures, strict=True)]
                if means:
                    lines = panels.setdefault(f"{method}, {name}", {})
                    lines.setdefault(estimator, []).append((evaluations, means[0]))
                cells.append(f" {means[0]:.3f} / {means[1]:.2f} |" if means else " |")
            print(f"| {name} | {method} | {estimator} |{''.join(cells)}")
    if options.plot:
        draw(panels, options.plot)


if __name__ == "__main__":
    main()
