"""How a straight piece of muscle path wraps over a cylinder, as OpenSim's `WrapCylinder` decides it.

Everything is in the cylinder's own frame: its axis is z, its middle is the origin. Points are (3, ...) tensors, so
that elementwise work runs over long rows; the rest broadcasts against the trailing axes. Gradients are those of the
formulas; at a change of branch (on and off the surface, one side or the other) there is none and none is made up.

Two tangent constructions exist, because OpenSim has two. Over a path's only cylinder it slides the tangent points along
the cylinder to where a plane through both ends and an "apex" on the surface cuts their generators ("plane"), and leaves
them there: near the shortest path, but not quite it. Over a path with several cylinders it then moves them until the
straight pieces meet the spiral without a kink (to 0.1 degrees); that is the geodesic, and it has a closed form.

Source: the behaviour of OpenSim 4.6, `OpenSim/Simulation/Wrap/WrapCylinder.cpp` (V).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

# What becomes of a piece. The order is that of `WrapResult.action`.
MISSES, INSIDE, MAY, MUST = 0, 1, 2, 3


@dataclass(frozen=True)
class WrapResult:
    """What wrapping one piece gives; shapes are the broadcast trailing axes of the points."""

    action: Tensor  # long: MISSES and INSIDE leave the piece straight, MAY wraps if no other piece must, MUST wraps
    first: Tensor  # (3, ...) m, where the path meets the cylinder; meaningless where it does not wrap
    second: Tensor  # (3, ...) m, where it leaves it
    surface: Tensor  # m, length of the path on the surface


def wrap_cylinder(start: Tensor, end: Tensor, radius: Tensor, length: Tensor, axis: Tensor, sign: Tensor, *,
                  geodesic: bool) -> WrapResult:
    """Wrap the straight piece from `start` to `end` (3, ...) m over a cylinder of `radius` and `length` (m).

    `sign` is 0 for a cylinder that may be wrapped on any side, else -1 or +1 for the side of `axis` (0 for x, 1 for y)
    that the path has to keep to. `geodesic` picks the tangent construction, see the module.
    """
    sided = sign != 0
    flat_start, flat_end = start[:2].square().sum(0), end[:2].square().sum(0)  # squared distances from the axis
    inside = (flat_start < radius**2) | (flat_end < radius**2)
    across = end[:2] - start[:2]
    fraction = -(start[:2] * across).sum(0) / across.square().sum(0)
    nearest = start[:2] + fraction * across
    hits = (nearest.square().sum(0) < radius**2) & (fraction > 0) & (fraction < 1)

    def on_side(points):
        return torch.where(torch.where(axis == 0, points[0], points[1]) >= 0, 1, -1) == sign

    start_on, end_on = on_side(start), on_side(end)
    passes = (start_on != end_on) & ~on_side(nearest)
    # with both ends off its side a sided cylinder is always wrapped
    action = torch.where(hits & (~sided | start_on | end_on), MUST, MISSES)
    action = torch.where(~hits & sided & passes, MAY, action)
    action = torch.where(sided & ~start_on & ~end_on, MAY, action)
    action = torch.where(inside, INSIDE, action)

    first, second, far, long = _tangents(start, end, radius, on_side, sided)
    angle = torch.atan2((first[0] * second[1] - first[1] * second[0]).abs(), (first * second).sum(0))
    around = radius * torch.where(long, 2 * math.pi - angle, angle)
    if geodesic:
        heights = _geodesic(start, end, first, second, around)
    else:
        heights = _plane(start, end, first, second, radius, far)
    off = (heights[0].abs() > length / 2) & (heights[1].abs() > length / 2)
    action = torch.where(off & (action >= MAY), MISSES, action)
    surface = torch.sqrt(around**2 + (heights[1] - heights[0]) ** 2 + 1e-24)
    return WrapResult(action, torch.cat([first, heights[0][None]]), torch.cat([second, heights[1][None]]), surface)


def _tangents(start: Tensor, end: Tensor, radius: Tensor, on_side, sided: Tensor):
    """Seen along the axis: the two tangent points (2, ...), and whether the wrap is on the far side and longer than
    half a turn. Of the two tangents of each end, a path that keeps its sense of rotation takes the left one of one end
    with the right one of the other."""
    (start_left, start_right), (end_left, end_right) = _tangent_pair(start, radius), _tangent_pair(end, radius)
    left, right = (start_left * end_right).sum(0), (start_right * end_left).sum(0)  # cosines, times radius**2
    wider = left < right  # the left way round spans more than the right one
    only_left = on_side(start_left) & ~on_side(start_right)
    only_right = on_side(start_right) & ~on_side(start_left)
    both = on_side(start_left) & on_side(start_right)
    neither = ~on_side(start_left) & ~on_side(start_right)
    nowhere = neither & ~on_side(end_left) & ~on_side(end_right)
    take_left = only_left | (both & ~on_side(end_left)) | (neither & ~on_side(end_left) & on_side(end_right))
    take_left = torch.where(nowhere, wider, take_left & ~only_right)
    far = torch.where(take_left, wider, ~wider) | nowhere
    take_left = torch.where(sided, take_left, ~wider)
    first = torch.where(take_left, start_left, start_right)
    second = torch.where(take_left, end_right, end_left)
    outward = ((first + second) * (first - start[:2] + second - end[:2])).sum(0)
    return first, second, far & sided, sided & (outward < 0)


def _tangent_pair(point: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """The two points (2, ...) where tangents from `point` (3, ...) touch the circle: left, then right of it."""
    x, y = point[0], point[1]
    distance = torch.sqrt((x**2 + y**2).clamp_min(1e-12))
    share = (radius / distance).clamp(max=1 - 4 * torch.finfo(point.dtype).eps)  # inside, nothing of this is used
    along, aside = radius * share / distance, radius * torch.sqrt(1 - share**2) / distance
    left = torch.stack([along * x - aside * y, along * y + aside * x])
    right = torch.stack([along * x + aside * y, along * y - aside * x])
    return left, right


def _geodesic(start: Tensor, end: Tensor, first: Tensor, second: Tensor, around: Tensor) -> tuple[Tensor, Tensor]:
    """Heights of the tangent points on the shortest path: unrolled, it is one straight line."""
    before, after = _distance(start[:2], first), _distance(end[:2], second)
    rise = (end[2] - start[2]) / (before + around + after)
    return start[2] + rise * before, end[2] - rise * after


def _plane(start: Tensor, end: Tensor, first: Tensor, second: Tensor, radius: Tensor, far: Tensor):
    """Heights of the tangent points in the plane through both ends and the apex."""
    reach_start, reach_end = (torch.sqrt(p[:2].square().sum(0).clamp_min(1e-12)) for p in (start, end))
    middle = start + reach_start / (reach_start + reach_end) * (end - start)
    level = torch.stack([torch.zeros_like(middle[2]), torch.zeros_like(middle[2]), middle[2]])
    normal = _unit(torch.linalg.cross(start - level, end - level, dim=0))
    upright = torch.stack([-normal[1], normal[0]])
    upright = upright / torch.sqrt(upright.square().sum(0).clamp_min(1e-24))
    towards = torch.where((upright * middle[:2]).sum(0) >= 0, 1.0, -1.0).to(upright.dtype)
    towards = torch.where(far, -towards, towards)
    apex = torch.cat([radius * towards * upright, middle[2][None]])
    plane = _unit(torch.linalg.cross(start - apex, end - apex, dim=0))
    cuts = plane[2].abs() > 0.5e-6
    slope = plane[:2] / torch.where(cuts, plane[2], 1.0)
    span = (end[2] - start[2]).abs()
    heights = []
    for point, flat, other in ((start, first, end), (end, second, start)):
        height = point[2] - (slope * (flat - point[:2])).sum(0)
        near = cuts & ((height - other[2]).abs() < span)
        heights.append(torch.where(near, height, point[2]))
    return heights[0], heights[1]


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return torch.sqrt((a - b).square().sum(0).clamp_min(1e-24))


def _unit(vector: Tensor) -> Tensor:
    return vector / torch.sqrt(vector.square().sum(0).clamp_min(1e-30))
