"""Reader for the binary PLY bone meshes: polygons of any size, which common readers refuse."""

from pathlib import Path

import numpy as np


def read_ply(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a binary little-endian PLY of float x, y, z and `uchar int` polygons.

    Returns vertices (vertex, 3) float64 in the file's unit and triangles (triangle, 3) int64; a polygon becomes a fan.
    Raises ValueError when the file is of another kind or is truncated.
    """
    raw = Path(path).read_bytes()
    end = raw.find(b"end_header\n")
    if not raw.startswith(b"ply\n") or end < 0:
        raise ValueError(f"{path} is not a PLY file")
    header = raw[:end].decode("ascii").splitlines()
    counts = {line.split()[1]: int(line.split()[2]) for line in header if line.startswith("element")}
    properties = [line for line in header if line.startswith("property")]
    expected = [f"property float {axis}" for axis in "xyz"] + ["property list uchar int vertex_indices"]
    if "format binary_little_endian 1.0" not in header or properties != expected:
        raise ValueError(f"{path}: only binary little-endian PLY with x, y, z and vertex_indices is supported")

    position = end + len(b"end_header\n")
    vertices = np.frombuffer(raw, "<f4", counts["vertex"] * 3, position).reshape(-1, 3).astype(float)
    position += vertices.size * 4
    triangles = []
    for _ in range(counts["face"]):
        size = raw[position]
        polygon = np.frombuffer(raw, "<i4", size, position + 1)
        position += 1 + 4 * size
        triangles += [(polygon[0], polygon[i], polygon[i + 1]) for i in range(1, size - 1)]
    return vertices, np.array(triangles, dtype=np.int64)
