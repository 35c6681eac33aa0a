"""What the canvas of a SaliencyWidget must show, computed a second time: js/src/paint.ts in NumPy."""

import numpy as np

from xai_widgets.wire import color_tables, pack, picture, value_range

REACH = 0.7


def painted(
    heat, sample, limits=None, *, colormap="PuOr_r", sign="both", opacity=0.85, clip=99.0, end=None
) -> np.ndarray:
    """(H, W, 4) uint8 of a signed map (H, W) over a sample (H, W, C); `end` is where colours end, else a percentile."""
    (header,), data = pack([heat])
    values = np.frombuffer(data, "<f2").reshape(heat.shape).astype(float) * header["scale"]
    scale = end or np.percentile(np.abs(values), clip) or np.abs(values).max() or 1
    t = np.clip(values / scale, -1, 1)
    t = {"both": t, "positive": np.maximum(t, 0), "negative": np.minimum(t, 0), "absolute": np.abs(t)}[sign]
    table = color_tables([colormap])[colormap]
    colours = np.frombuffer(table["data"], np.uint8).reshape(256, 3).astype(float)
    if table["diverging"]:
        at = (REACH * t + 1) / 2
    else:
        at = (t + 1) / 2 if sign == "both" else np.abs(t)
    behind = picture(sample, limits or value_range(sample))
    pixels = np.frombuffer(behind["data"], np.uint8).reshape(behind["shape"]).astype(float)
    grey = pixels @ [0.299, 0.587, 0.114] if pixels.shape[-1] == 3 else pixels[..., 0]
    alpha = (opacity * np.abs(t) ** 0.75)[..., None]
    mixed = grey[..., None] * (1 - alpha) + colours[np.floor(at * 255 + 0.5).astype(int)] * alpha
    return np.concatenate([np.floor(mixed + 0.5), np.full((*heat.shape, 1), 255)], axis=-1).astype(np.uint8)


def differ(shown: np.ndarray, expected: np.ndarray) -> float:
    """The 99.9th percentile of the differences of two pictures, in levels of 255."""
    if shown.shape != expected.shape:
        return np.inf
    return float(np.percentile(np.abs(shown.astype(int) - expected), 99.9))
