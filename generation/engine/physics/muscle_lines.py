"""Where the muscles run, for pictures: the paths of `MusclePaths` as lines of points.

A path keeps its number of points over a whole motion, so that a picture may interpolate between moments. Points fixed
in a body stay fixed there. Over a cylinder lie `ON_CYLINDER` points from where the path comes on to where it leaves;
while it does not touch the cylinder they lie on the straight piece. They are given in the frame of the cylinder's body,
in which they hardly move.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generation.engine.physics.chain import apply, apply_transposed
from generation.engine.physics.muscle_paths import MusclePaths

ON_CYLINDER = 5


@dataclass(frozen=True, eq=False)
class MuscleLine:
    """One muscle's path. parts: from origin to insertion, (body index, offset (3,) m) for a fixed point and
    (body index, points (time, ON_CYLINDER, 3) m) for a piece over a cylinder, in that body's frame."""

    name: str
    parts: tuple[tuple[int, np.ndarray], ...]


@torch.no_grad()
def muscle_lines(paths: MusclePaths, q: Tensor) -> list[MuscleLine]:
    """The lines of all muscles of `paths` for q (time, coordinate) rad, m."""
    points, middle, frame, position, rotation = paths._geometry(q)
    wrapped = {**_singles(paths, points, middle, frame), **_doubles(paths, points, middle, frame)}
    start, lines = paths.muscles["point_start"], []
    body_of_point, offsets = paths._point_body.tolist(), paths._point_offset[..., 0].T.cpu().numpy()
    for m, name in enumerate(paths.names):
        parts = []
        for row in range(start[m], start[m + 1]):
            parts.append((body_of_point[row], offsets[row]))
            for use, line in wrapped.get(row, ()):
                body = int(paths._use_body[use])
                own = apply_transposed(rotation[:, :, body][:, :, None], line - position[:, body][:, None])
                parts.append((body, own.permute(2, 1, 0).cpu().numpy()))
        lines.append(MuscleLine(name, tuple(parts)))
    return lines


def _singles(paths: MusclePaths, points, middle, frame) -> dict[int, list[tuple[int, Tensor]]]:
    """Point row that a wrapped piece begins at -> [(use, its points in ground (3, ON_CYLINDER, time))]."""
    found = {}
    if not len(paths._single):
        return found
    middle, frame = middle.index_select(1, paths._single), frame.index_select(2, paths._single)
    touched, best, trials = paths._chosen_singles(points, middle, frame)
    for rank, (row, result) in enumerate(trials):
        here = touched & (best == rank)
        for use in torch.nonzero(here.any(-1)).flatten().tolist():
            start, end = points[:, row[use]], points[:, row[use] + 1]
            arc = _arc(result.first[:, use], result.second[:, use], result.surface[use],
                       paths._use_radius[paths._single[use]])
            arc = apply(frame[:, :, use][:, :, None], arc) + middle[:, use][:, None]
            line = torch.where(here[use], arc, _straight(start, end))
            found.setdefault(int(row[use]), []).append((int(paths._single[use]), line))
    return found


def _doubles(paths: MusclePaths, points, middle, frame) -> dict[int, list[tuple[int, Tensor]]]:
    found = {}
    if not paths._double.shape[1]:
        return found
    ends, middles, frames, loops = paths._loops(points, middle, frame)
    for path in range(paths._double.shape[1]):
        start, end = (one[:, path] for one in ends)
        both = loops[0].on[path] & loops[1].on[path]  # else there is no order
        firsts = loops[0].leads[path][both].float().mean() >= 0.5 if both.any() else True
        order = (0, 1) if firsts else (1, 0)
        arcs = []
        for i in order:
            loop, m, f = loops[i], middles[i][:, path], frames[i][:, :, path]
            inner = [apply_transposed(f, p[:, path] - m) for p in (loop.first, loop.second)]
            arc = _arc(*inner, loop.surface[path], paths._use_radius[paths._double[i, path]])
            arcs.append((loop.on[path], apply(f[:, :, None], arc) + m[:, None]))
        (on_a, a), (on_b, b) = arcs
        after_a = torch.where(on_b, b[:, 0], end)  # where a straight piece in place of the first arc ends
        before_b = torch.where(on_a, a[:, -1], start)
        lines = (torch.where(on_a, a, _straight(start, after_a)), torch.where(on_b, b, _straight(before_b, end)))
        row = int(paths._double_ends[0, path])
        found[row] = [(int(paths._double[i, path]), line) for i, line in zip(order, lines, strict=True)]
    return found


def _arc(first: Tensor, second: Tensor, surface: Tensor, radius: Tensor) -> Tensor:
    """Points on the cylinder, in its frame: (3, time), (3, time) -> (3, ON_CYLINDER, time)."""
    angle = torch.atan2(first[0] * second[1] - first[1] * second[0], (first[:2] * second[:2]).sum(0))
    around = torch.sqrt((surface**2 - (second[2] - first[2]) ** 2).clamp_min(0)) / radius
    angle = torch.where(around > math.pi + 1e-6, angle - torch.sign(angle) * 2 * math.pi, angle)  # the long way round
    share = torch.linspace(0, 1, ON_CYLINDER).to(first)[:, None]
    at = torch.atan2(first[1], first[0]) + share * angle
    return torch.stack([radius * torch.cos(at), radius * torch.sin(at), first[2] + share * (second[2] - first[2])])


def _straight(start: Tensor, end: Tensor) -> Tensor:
    share = torch.linspace(0.3, 0.7, ON_CYLINDER).to(start)[:, None]
    return start[:, None] + share * (end - start)[:, None]
