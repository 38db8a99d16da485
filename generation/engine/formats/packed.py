"""Arrays over time as few bytes: whole multiples of a step, differences in time, base64. Pages unpack them in the
browser (`static/src/motion-player/packed.js`).

An entry is `{"shape": [time, ...], "step": [one number, or one for each column], "data": base64}`. Column c (of the
shape after time, flattened) is `step[c] * n` with 16-bit integers n. What is stored are the second differences of n in
time (wrapping at 16 bits; before the first, n is 0), column by column, first all low bytes and then all high bytes: for
a motion these are small numbers that compress well.
"""

import base64
from collections.abc import Mapping

import numpy as np

_MOST = 32767  # of a 16-bit integer


def pack(array, step) -> dict:
    """The entry of `array` (time, ...). step: one number, or one for each column. Values come back within half a step,
    or within 1/65534 of the column's greatest size where that is more than 32767 steps."""
    array = np.asarray(array, dtype=float)
    columns = array.reshape(len(array), -1)
    steps = np.maximum(step, np.abs(columns).max(axis=0, initial=0) / _MOST)
    steps = np.array([float(f"{one:.8g}") for one in steps * (1 + 1e-7)])  # short in JSON, never too small
    whole = np.rint(columns / steps).astype(np.int64)
    twice = np.diff(whole, n=2, axis=0, prepend=np.zeros((2, columns.shape[1]), dtype=np.int64))
    raw = twice.astype(np.int16).T.astype("<u2")
    planes = np.concatenate([(raw & 255).ravel(), (raw >> 8).ravel()]).astype(np.uint8)
    one = len(set(steps.tolist())) == 1
    return {"shape": list(array.shape), "step": steps[:1].tolist() if one else steps.tolist(),
            "data": base64.b64encode(planes.tobytes()).decode("ascii")}


def unpack(entry: Mapping) -> np.ndarray:
    """The array of an entry, float32."""
    shape = entry["shape"]
    planes = np.frombuffer(base64.b64decode(entry["data"]), np.uint8).reshape(2, -1).astype(np.uint16)
    twice = (planes[0] | (planes[1] << 8)).astype(np.int16).reshape(-1, shape[0]).T
    whole = np.cumsum(np.cumsum(twice, axis=0, dtype=np.int16), axis=0, dtype=np.int16)
    return (whole * np.asarray(entry["step"])).astype(np.float32).reshape(shape)
