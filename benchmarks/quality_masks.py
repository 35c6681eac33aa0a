"""What the mask methods give for a number of evaluations, and what they cost: `python benchmarks/quality_masks.py`.

First table: correlation with the converged map, and squared error as a fraction of its square, for each number of
evaluations of the model, beside the plain estimator (independent masks for RISE; for LIME what lime does, independent
masks and scikit-learn's ridge; for KernelSHAP shap's KernelExplainer on the same model, background and players). Second
table: time over the cheapest loop of the same forward passes, which may cost what `passes.py` says. With `--short` the
ImageNet network is left out.
"""

import argparse
import logging
import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from drawing import draw
from passes import is_over, measure, mobile_net, report
from tqdm import tqdm

import xai_widgets as xai
from xai_widgets.engine.coalitions import kernel
from xai_widgets.engine.model import ModelView

DATA = Path(__file__).parents[2] / "shared" / "data"
# As good as a half, but it is none: masks are then independent.
INDEPENDENT = float(np.nextafter(0.5, 1))
BACKGROUND = 20
FAR = 1000


def networks(short):
    """Name, model, one sample, budgets, evaluations until the map counts as converged, and runs of the largest one."""
    digits, table = xai.examples.digits(), xai.examples.tabular()
    yield "digits 28x28x1", digits.model, digits.inputs[3:4], (64, 128, 256, 512, 1024), 16_384, 12
    yield "table of 30", table.model, table.inputs[:1], (64, 128, 256, 512, 1024, 2048), 65_536, 12
    if not short and (DATA / "darknet_tiny.keras").exists():
        from PIL import Image

        photograph = np.asarray(Image.open(DATA / "cat_and_dog.png").convert("RGB"), "float32")[None] / 255
        model = keras.models.load_model(DATA / "darknet_tiny.keras")
        yield "ImageNet 224x224x3", model, photograph, (64, 128, 256), 2048, 2


def forward(model):
    """(rows) -> outputs, in one tf.function with a free batch axis."""
    spec = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    return tf.function(
        lambda rows: model(rows, training=False), autograph=False, input_signature=[spec]
    ).get_concrete_function()


def compared(maps, truth):
    """Mean correlation with the truth, and mean squared error over the truth's square."""
    truth = truth.ravel()
    correlations = [np.corrcoef(one.ravel(), truth)[0, 1] for one in maps]
    return np.mean(correlations), np.mean([((one.ravel() - truth) ** 2).sum() for one in maps]) / (truth**2).sum()


def told(figure):
    """In three places; an estimate far from the truth is no number to compare."""
    return f"{figure:.3f}" if figure < FAR else f"over {FAR}"


def kernel_explainer(run, x, target, background, labels):
    """shap's KernelExplainer, and what it explains: features, or segments of a picture over zeros."""
    import shap

    def score(rows):
        if labels is not None:
            rows = x * rows[:, labels[0]].reshape(-1, *labels.shape[1:], 1)
        parts = np.array_split(rows.astype("float32"), -(-len(rows) // 4096))
        return np.concatenate([run(tf.constant(part)).numpy()[:, target] for part in parts])

    players = np.ones((1, labels.max() + 1)) if labels is not None else x
    return shap.KernelExplainer(score, background if labels is None else np.zeros_like(players)), players


def shap_values(explainer, players, samples, seed):
    np.random.seed(seed)
    return explainer.shap_values(players, nsamples=samples, silent=True, l1_reg=False)


def ridge(run, x, target, labels, method, samples, seed):
    """LIME's weights from independent masks by scikit-learn's ridge, over zeros, or over means of a table."""
    from sklearn.linear_model import Ridge

    players = x.shape[1] if labels is None else labels.max() + 1
    masks = np.random.default_rng(seed).integers(2, size=(samples, players))
    spread = masks if labels is None else masks[:, labels[0]][..., None]
    parts = np.array_split((x * spread).astype("float32"), -(-samples // 256))
    scores = np.concatenate([run(tf.constant(part)).numpy()[:, target] for part in parts])
    weights = kernel(masks.mean(axis=1), method.kernel_width)
    return Ridge(alpha=method.alpha).fit(masks, scores, sample_weight=weights).coef_


def quality(short):
    """One row a network, method and budget: correlation, ours and plain, and squared error, ours and plain."""
    for name, model, x, budgets, many, rounds in networks(short):
        target = int(np.argmax(model(x)[0]))
        table, run = x.ndim == 2, forward(model)
        background = xai.examples.tabular().inputs[40 : 40 + BACKGROUND] if table else None
        baseline = xai.Samples(background) if table else xai.Constant(0)

        def explain(method, model=model, x=x, target=target):
            return xai.explain(model, x, method, target=target, probability=model.layers[-1].name == "probabilities")

        rise = xai.RISE(baseline=baseline)
        local = xai.LIME()
        game = xai.KernelSHAP(baseline=baseline)
        theirs = kernel_explainer(run, x, target, background, explain(game.replace(samples=2)).segments)
        labels = explain(local.replace(samples=2)).segments
        truths = [explain(method.replace(samples=many, seed=99)).values for method in (rise, local, game)]
        for budget in tqdm(budgets, desc=name, file=sys.stderr):
            seeds = range(rounds * budgets[-1] // budget)  # what has few evaluations varies more
            estimates = {
                "RISE": (
                    [explain(rise.replace(samples=budget, seed=seed)).values for seed in seeds],
                    [explain(rise.replace(samples=budget, seed=seed, keep=INDEPENDENT)).values for seed in seeds],
                ),
                "LIME": (
                    [explain(local.replace(samples=budget, seed=seed)).values for seed in seeds],
                    [ridge(run, x, target, labels, local, budget, seed) for seed in seeds],
                ),
                "KernelSHAP": (
                    [explain(game.replace(samples=budget, seed=seed)).values for seed in seeds],
                    [shap_values(*theirs, budget, seed) for seed in seeds],
                ),
            }
            for truth, (method, (ours, plain)) in zip(truths, estimates.items(), strict=True):
                pairs = zip(compared(ours, truth), compared(plain, truth), strict=True)
                yield name, method, budget, *(figure for pair in pairs for figure in pair)


def cost(short, rounds):
    """One row a network and method: evaluations, seconds of explain and of the bare forward passes."""
    deep = () if short else (mobile_net(),)
    for name, model, x, *_ in (*networks(short), *deep):
        run, chunk = forward(model), ModelView(model).chunk([x], forward=True)
        batch = tf.constant(np.repeat(x, chunk, axis=0))
        count = 64 if chunk < 16 else 1000
        methods = [xai.Occlusion(), *(cls(samples=count) for cls in (xai.RISE, xai.LIME, xai.KernelSHAP))]
        for method in methods:
            passes = xai.explain(model, x, method, target=0).passes

            def bare(passes=passes, run=run, batch=batch, chunk=chunk):
                for start in range(0, passes, chunk):
                    run(batch[: min(chunk, passes - start)]).numpy()

            ours, loop = measure(partial(xai.explain, model, x, method, target=0), bare, rounds)
            yield name, type(method).__name__, passes, ours, loop


def main():
    """Print two Markdown tables; end with an error where a method costs too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="without the ImageNet network")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plot", type=Path, help="a picture of the first table")
    options = parser.parse_args()
    logging.getLogger("shap").setLevel(logging.ERROR)
    print("| network | method | evaluations | correlation | plain | squared error | plain |\n|" + " --- |" * 7)
    panels = {}
    for name, method, budget, *figures in quality(options.short):
        lines = panels.setdefault(f"{method}, {name}", {})
        for label, correlation in zip(("xai_widgets", "plain"), figures, strict=False):
            lines.setdefault(label, []).append((budget, correlation))
        print(f"| {name} | {method} | {budget} | " + " | ".join(map(told, figures)) + " |", flush=True)
    if options.plot:
        draw(panels, options.plot)
    print("\n| network | method | evaluations | explain, ms | forward passes, ms | ratio |\n|" + " --- |" * 6)
    broken = []
    for name, method, passes, ours, loop in cost(options.short, options.rounds):
        print(f"| {name} | {method} | {passes} | {ours * 1e3:.1f} | {loop * 1e3:.1f} | {ours / loop:.2f} |", flush=True)
        if is_over(ours, loop):
            broken.append(f"{method} on {name}")
    report(broken)


if __name__ == "__main__":
    main()
