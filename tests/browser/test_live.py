"""The live loop on an ImageNet network in a real JupyterLab: the picture follows the hand, and nothing queues."""

import json
import statistics
import time

from browser import lab as jupyter
from browser.lab import Lab, drag
from browser.views import SALIENCY_OF_PHOTOGRAPH, needs_data, settled, slider, status
from playwright.sync_api import Page, expect

pytestmark = needs_data
WATCH = """import json, time
frames, asked = [], []
widget.observe(lambda change: frames.append((time.time(), change.new["job"], change.new["progress"])), "frame")
widget.observe(lambda change: asked.append(time.time()), "method")"""
TELL = "print(json.dumps([frames, asked]))"

# The first frame of a path: the gradients at two points and at the start; after a pause, as between moves of a hand.
PASSES = """import statistics, tensorflow as tf, time
rows = tf.constant(np.repeat(inputs, 3, axis=0))
@tf.function(autograph=False)
def gradient(rows):
    with tf.GradientTape() as tape:
        tape.watch(rows)
        scores = tf.reduce_sum(model(rows, training=False)[:, 0])
    return tape.gradient(scores, rows)
def seconds():
    time.sleep(0.3)
    started = time.perf_counter()
    gradient(rows).numpy()
    return time.perf_counter() - started
seconds()
print(statistics.median(seconds() for _ in range(9)))"""
# From a change of the slider to the next paint of the canvas, in seconds.
FIRST_PAINT = """slider => new Promise(painted => {
  const context = slider.closest(".xai").querySelector("canvas.xai-map").getContext("2d");
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, Number(slider.value) + 1);
  const start = performance.now();
  context.putImageData = function (...pixels) {
    CanvasRenderingContext2D.prototype.putImageData.apply(this, pixels);
    delete context.putImageData;
    painted((performance.now() - start) / 1000);
  };
  slider.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def test_the_first_map_comes_soon(page: Page, lab: Lab):
    """Of 64 steps, the first map is painted within 1.5 times its own passes and 60 ms of the change."""
    jupyter.open_notebook(page, lab, [SALIENCY_OF_PHOTOGRAPH.replace("steps=32", "steps=64")])
    widget = page.locator(".xai")
    settled(widget)
    passes = float(jupyter.run_code(page, PASSES))
    taken = []
    for _ in range(9):
        taken.append(slider(widget, "Sigma").evaluate(FIRST_PAINT))
        settled(widget)
    first = statistics.median(taken)
    print(f"first map {first * 1e3:.0f} ms after the change, its passes {passes * 1e3:.0f} ms")
    assert first < 1.5 * passes + 0.06 + 0.06  # the last: what a busy CI machine may add


def test_a_drag_is_followed_and_never_queues(page: Page, lab: Lab):
    """120 positions in two seconds: far fewer are computed, and the last one's first map comes at once."""
    jupyter.open_notebook(page, lab, [SALIENCY_OF_PHOTOGRAPH, WATCH])
    widget = page.locator(".xai")
    settled(widget)
    sigma = slider(widget, "Sigma")
    sigma.scroll_into_view_if_needed()
    page.evaluate("document.addEventListener('input', () => { window.lastInput = Date.now() / 1000 }, true)")
    box = sigma.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 30, y)
    page.mouse.down()
    for step in range(120):
        page.mouse.move(box["x"] + 30 + step / 120 * (box["width"] - 40), y)
        page.wait_for_timeout(16)
    page.mouse.up()
    last = page.evaluate("window.lastInput")
    settled(widget)
    frames, asked = json.loads(jupyter.run_code(page, TELL))
    jobs = [job for _, job, _ in frames]
    assert jobs == sorted(jobs)
    assert len(asked) < 120
    assert len(set(jobs)) >= 5, "nothing was seen during the drag"
    final = [moment for moment, job, _ in frames if job == jobs[-1]]
    chunk = (final[-1] - final[0]) / max(len(final) - 1, 1)
    print(
        f"drag: {len(asked)} asked, {len(set(jobs))} seen; first map of the last {final[0] - last:.3f} s after the "
        f"last input, one chunk {chunk:.3f} s"
    )
    assert final[0] - last < 0.25 + chunk + 0.15  # the last: what a busy CI machine may add


def test_display_controls_repaint_fifty_times_a_second(page: Page, lab: Lab):
    jupyter.open_notebook(page, lab, [SALIENCY_OF_PHOTOGRAPH])
    widget = page.locator(".xai")
    settled(widget)
    rate = slider(widget, "Opacity").evaluate(
        """async slider => {
          const canvas = document.querySelector("canvas.xai-map").getContext("2d");
          const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
          const seen = new Set();
          const start = performance.now();
          let count = 0;
          while (performance.now() - start < 2000) {
            setter.call(slider, (count % 100) / 100);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            seen.add(count++);
          }
          return 2 * seen.size / ((performance.now() - start) / 1000);
        }"""
    )
    print(f"display: {rate:.0f} animation frames a second while Opacity moves")
    assert rate > 25  # 50 and more on a quiet machine


def test_other_cells_run_and_two_views_agree_while_it_computes(page: Page, lab: Lab):
    jupyter.open_notebook(page, lab, [SALIENCY_OF_PHOTOGRAPH, "widget"])
    views = page.locator(".xai")
    expect(views).to_have_count(2)
    first, second = views.all()
    settled(first)
    drag(slider(first, "Steps"), 1.0)
    expect(slider(second, "Steps")).to_have_value("256")
    expect(status(first)).to_contain_text("Computing")
    started = time.monotonic()
    assert jupyter.run_code(page, "print(6 * 7)").strip() == "42"
    print(f"another cell: {time.monotonic() - started:.2f} s")
    expect(status(first)).to_contain_text("Computing")
    assert time.monotonic() - started < 3
    drag(slider(second, "Steps"), 0.02)
    settled(first)
    assert slider(first, "Steps").input_value() == slider(second, "Steps").input_value()
    assert status(first).inner_text() == status(second).inner_text()
