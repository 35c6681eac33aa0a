"""What a method costs beside the same one of another package: `python benchmarks/peers.py`.

Both are warm, explain the same model at the same sample in one process, and take turns; the ratio of the medians is
what counts. What a peer can make beforehand, its explainer, is made beforehand. Each row has an aim for the ratio, and
the program ends with an error where one is missed. A peer that is not installed is left out, and a line says so.
"""

import argparse
import importlib
import itertools
import logging
import os
import sys
import warnings
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from passes import measure
from quality_masks import BACKGROUND, forward, kernel_explainer, shap_values
from tqdm import tqdm

import xai_widgets as xai
from xai_widgets.task import Subject, Task


def installed(name):
    """The module, or None and a line where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return None


def logits_of(model):
    """A copy that ends in logits: a softmax is left out here anyway, and xplique explains what a model gives."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.layers[-1].activation = keras.activations.linear
    return copy


def beside_xplique():
    """Maps at the size of the picture, from a picture and a class."""
    xplique = installed("xplique.attributions")
    if xplique is None:
        return
    digits = xai.examples.digits()
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype("float32")
    network = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
    for name, model, x, aim in (
        ("MobileNetV2 224x224x3", network, picture, 1.0),
        ("digits 28x28x1", logits_of(digits.model), digits.inputs[:1], 0.4),
    ):
        index = int(np.argmax(model(x)[0]))
        layer = Task(Subject(model, x), xai.GradCAM()).places.layers[-1]
        one_hot = tf.one_hot([index], model.output_shape[-1])
        for method, theirs in (
            (xai.Saliency(), xplique.Saliency(model)),
            (xai.GradCAM(layer), xplique.GradCAM(model, conv_layer=layer)),
        ):
            yield (
                f"{type(method).__name__}: xplique",
                name,
                aim,
                lambda model=model, x=x, method=method, index=index: xai.explain(
                    model, x, method, target=index
                ).heatmap(),
                lambda theirs=theirs, x=x, one_hot=one_hot: theirs.explain(x, one_hot).numpy(),
            )


def beside_shap():
    table = xai.examples.tabular()
    x, background = table.inputs[:1], table.inputs[40 : 40 + BACKGROUND]
    method = xai.KernelSHAP(samples=2048, baseline=xai.Samples(background))
    theirs = kernel_explainer(forward(table.model), x, 0, background, None)
    seeds = itertools.count()  # a draw that was made before is kept, and would come for nothing
    yield (
        "KernelSHAP 2048, 20 background rows: shap, same forward function",
        "table of 30",
        0.4,
        lambda: xai.explain(table.model, x, method.replace(seed=next(seeds)), target=0, probability=True),
        lambda: shap_values(*theirs, 2048, next(seeds)),
    )


def beside_lime():
    lime = installed("lime.lime_image")
    if lime is None:
        return
    digits = xai.examples.digits()
    run, colours = forward(digits.model), np.repeat(digits.inputs[0].astype(float), 3, axis=-1)
    cells = np.arange(784).reshape(28, 28) // 28 // 4 * 7 + np.arange(28) // 4
    method = xai.LIME(samples=300, segments=cells)
    functions = {
        "model.predict": lambda rows: digits.model.predict(rows[..., :1], verbose=0),
        "same forward function": lambda rows: run(tf.constant(rows[..., :1], tf.float32)).numpy(),
    }
    for name, function in functions.items():
        yield (
            f"LIME 300: lime, {name}",
            "digits 28x28x1",
            0.6,
            partial(xai.explain, digits.model, digits.inputs[:1], method, target=0, probability=True),
            partial(
                lime.LimeImageExplainer().explain_instance,
                colours,
                function,
                labels=(0,),
                top_labels=None,
                num_samples=300,
                hide_color=0,
                segmentation_fn=lambda _: cells,
            ),
        )


def main():
    """Print a Markdown table; end with an error where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    logging.getLogger("shap").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="xplique")
    print("| beside | network | explain, ms | peer, ms | ratio | aim |\n|" + " --- |" * 6)
    missed = []
    trials = [*beside_xplique(), *beside_shap(), *beside_lime()]
    for beside, network, aim, ours, theirs in tqdm(trials, file=sys.stderr):
        one, other = measure(ours, theirs, options.rounds)
        ratio = one / other
        print(f"| {beside} | {network} | {one * 1e3:.1f} | {other * 1e3:.1f} | {ratio:.2f} | {aim} |", flush=True)
        if ratio > aim:
            missed.append(f"{beside} on {network}")
    if missed:
        sys.exit(f"over the aim: {', '.join(missed)}")


if __name__ == "__main__":
    main()
