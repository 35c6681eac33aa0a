"""What a method costs over the cheapest loop of the passes that it needs: `python benchmarks/passes.py`.

For each network and method two things are timed in turn, in one process: xai_widgets.explain, and the same number of
passes in raw TensorFlow, one tf.function, chunks of the same size, running sums. Passes are forward and backward where
the method needs gradients, else forward. Of Ablation-CAM they are what follows the layer, after one pass up to it;
before Score-CAM's there is one that gives its masks; of DeepLIFT they are those of input and baseline and one more,
which is what its multipliers may cost. The ratio of the medians is what counts; absolute times belong to the machine.
The limit is 1.2, or 3 ms more than a loop of under 10 ms: so much is what Python does around a small network's passes.
"""

import argparse
import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

import xai_widgets as xai
from xai_widgets.engine.model import ModelView
from xai_widgets.task import Subject, Task

DATA = Path(__file__).parents[2] / "shared" / "data"
LIMIT, SLACK, SHORT = 1.2, 3e-3, 10e-3


def networks():
    """Name, model, one sample: the embedded examples, and an ImageNet network where it is at hand."""
    digits, table = xai.examples.digits(), xai.examples.tabular()
    yield "digits 28x28x1", digits.model, digits.inputs[:1]
    yield "table of 30", table.model, table.inputs[:1]
    if (DATA / "darknet_tiny.keras").exists():
        from PIL import Image

        photograph = np.asarray(Image.open(DATA / "cat_and_dog.png").convert("RGB"), "float32")[None] / 255
        yield "ImageNet 224x224x3", keras.models.load_model(DATA / "darknet_tiny.keras"), photograph


def mobile_net():
    """Name, model and sample of a deep network of the usual kind: what a pass costs does not depend on its weights."""
    keras.utils.set_random_seed(0)
    photograph = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype("float32")
    return "MobileNetV2 224x224x3", keras.applications.MobileNetV2(weights=None), photograph


def head_of(model):
    """What enters the last layer, and from there the scores: the logits where it is a dense softmax."""
    last = model.layers[-1]
    if getattr(last, "activation", None) is keras.activations.softmax:
        return last.input, lambda y: tf.matmul(y, last.kernel) + last.bias
    return model.output, lambda y: y


def raw_gradient(model):
    """(points, class) -> the sum of the gradients over the points, in one tf.function with a free batch axis."""
    before, head = head_of(model)
    inner = keras.Model(model.input, before)

    @tf.function(autograph=False, reduce_retracing=True)
    def summed(points, index):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(points)
            score = tf.reduce_sum(tf.gather(head(inner(points, training=False)), index, axis=1))
        return tf.reduce_sum(tape.gradient(score, points), axis=0)

    return summed


def raw_grad_cam(model, layer):
    """(points, class) -> the Grad-CAM of a layer, which splits the model in two."""
    before, head = head_of(model)
    front, back = keras.Model(model.input, layer.output), keras.Model(layer.output, before)

    @tf.function(autograph=False, reduce_retracing=True)
    def cam(points, index):
        activations = front(points, training=False)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(activations)
            score = tf.reduce_sum(tf.gather(head(back(activations, training=False)), index, axis=1))
        weights = tf.reduce_mean(tape.gradient(score, activations), axis=(1, 2), keepdims=True)
        return tf.reduce_sum(activations * weights, axis=-1)

    return cam


def raw_score(model):
    """(points, class) -> the sum of the scores of the points, without a gradient."""
    before, head = head_of(model)
    inner = keras.Model(model.input, before)

    @tf.function(autograph=False, reduce_retracing=True)
    def summed(points, index):
        return tf.reduce_sum(tf.gather(head(inner(points, training=False)), index, axis=1))

    return summed


def seen_through(model, layer, x, index):
    """(passes, chunk) -> the cheapest loop of masked inputs: one pass that gives the masks, then those of the score."""
    front, summed = keras.Model(model.input, layer.output), raw_score(model)

    @tf.function(autograph=False, reduce_retracing=True)
    def activations(points):
        return front(points, training=False)

    def run(passes, chunk):
        activations(tf.constant(x)).numpy()
        return loop(summed, x, index, passes, chunk)

    return run


def ablations(model, layer, x, index):
    """The cheapest loop of an ablation of every channel of a layer: one pass up to it, then those that follow it."""
    before, head = head_of(model)
    front, back = keras.Model(model.input, layer.output), keras.Model(layer.output, before)
    channels = layer.output.shape[-1]

    @tf.function(autograph=False, reduce_retracing=True)
    def activations(points):
        return front(points, training=False)

    @tf.function(autograph=False, reduce_retracing=True)
    def scores(values, kept):
        return tf.gather(head(back(values * kept[:, None, None], training=False)), index, axis=1)

    def run():
        values = activations(tf.constant(x))
        chunk = ModelView(model).chunk([values])
        kept = 1 - np.eye(channels, dtype=x.dtype)
        return [scores(values, tf.constant(kept[at : at + chunk])).numpy() for at in range(0, channels, chunk)]

    return channels, run


def loop(function, x, index, passes, chunk):
    """The cheapest loop: `passes` points between zero and x, a chunk at a time."""
    total = 0
    alphas = ((np.arange(passes) + 0.5) / passes).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    for start in range(0, passes, chunk):
        total = total + function(tf.constant(alphas[start : start + chunk] * x), index).numpy()
    return total


def measure(one, other, rounds):
    """Median seconds of two calls that take turns."""
    times = ([], [])
    for place in range(2 * rounds + 2):
        started = time.perf_counter()
        (one, other)[place % 2]()
        if place >= 2:
            times[place % 2].append(time.perf_counter() - started)
    return tuple(statistics.median(part) for part in times)


def is_over(ours, raw):
    """Whether a method costs more than it may beside its loop, both in seconds."""
    return ours > LIMIT * raw and not (raw < SHORT and ours <= raw + SLACK)


def report(broken):
    """End with an error where a limit is broken."""
    if broken:
        short = f"or {SLACK * 1e3:.0f} ms more where that is under {SHORT * 1e3:.0f} ms"
        sys.exit(f"over {LIMIT} x the loop, {short}: {', '.join(broken)}")


def rows(rounds):
    """One result a network and method: name, method, passes, seconds of explain and of the loop."""
    for name, model, x in (*networks(), mobile_net()):
        chunk, index = ModelView(model).chunk([x]), tf.constant(int(np.argmax(model(x)[0])))
        gradient = raw_gradient(model)
        passes = partial(loop, x=x, index=index, chunk=chunk)
        trials = [
            (xai.Saliency(), 1, partial(passes, gradient, passes=1)),
            (xai.IntegratedGradients(steps=64), 64, partial(passes, gradient, passes=64)),
            (xai.SmoothGrad(samples=64), 64, partial(passes, gradient, passes=64)),
            (xai.GuidedBackprop(), 1, partial(passes, gradient, passes=1)),
            (xai.DeepLift(), 3, partial(passes, gradient, passes=3)),
        ]
        if x.ndim == 4:
            layer = model.get_layer(Task(Subject(model, x), xai.GradCAM()).places.layers[-1])
            count = min(layer.output.shape[-1], 64)
            seen = seen_through(model, layer, x, index)
            channels, ablated = ablations(model, layer, x, index)
            trials += [
                (xai.GradCAM(layer.name), 1, partial(passes, raw_grad_cam(model, layer), passes=1)),
                (xai.ScoreCAM(layer.name, channels=count), count, partial(seen, count, chunk)),
                (xai.AblationCAM(layer.name), channels, ablated),
            ]
        for method, count, cheapest in tqdm(trials, desc=name, file=sys.stderr):
            ours, raw = measure(partial(xai.explain, model, x, method, target=int(index)), cheapest, rounds)
            yield name, type(method).__name__, count, ours, raw


def main():
    """Print a Markdown table; end with an error where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print("| network | method | passes | explain, ms | loop, ms | ratio |\n| --- | --- | --- | --- | --- | --- |")
    broken = []
    for name, method, passes, ours, raw in rows(options.rounds):
        print(f"| {name} | {method} | {passes} | {ours * 1e3:.1f} | {raw * 1e3:.1f} | {ours / raw:.2f} |")
        if is_over(ours, raw):
            broken.append(f"{method} on {name}")
    report(broken)


if __name__ == "__main__":
    main()
