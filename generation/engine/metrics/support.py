"""The base of support: how far a point on the floor lies inside the convex outline of the soles."""
from __future__ import annotations

from functools import cache
from itertools import permutations

import torch
from torch import Tensor

_OUTWARD_TOLERANCE = 1e-7      # m; points this little outside an edge still count as lying on it


@cache
def _pairs(count: int) -> tuple[Tensor, Tensor]:
    first, second = zip(*permutations(range(count), 2), strict=True)
    return torch.tensor(first), torch.tensor(second)


def support_margin(outline: Tensor, points: Tensor) -> Tensor:
    """Signed distance (..., k) in metres of ``points`` (..., k, 2) to the edge of the convex hull of ``outline``
    (..., n, 2); positive inside. Outside it is minus the distance to the most violated edge's line.

    Every ordered pair of points is tried as an edge; it is one if no point lies outside it. n is small (12), so this
    is exact, batched and differentiable in ``points`` without a hull algorithm.
    """
    first, second = (index.to(outline.device) for index in _pairs(outline.shape[-2]))
    start = outline[..., first, :]
    along = outline[..., second, :] - start                                        # (..., pair, 2)
    length = along.square().sum(-1, keepdim=True).clamp_min(1e-18).sqrt()
    normal = torch.stack([along[..., 1], -along[..., 0]], dim=-1) / length         # outward for one of both orders
    offset = (normal * start).sum(-1)                                              # (..., pair)
    reach = (normal @ outline.transpose(-1, -2)).amax(-1)
    is_edge = (reach <= offset + _OUTWARD_TOLERANCE) & (length[..., 0] > 1e-6)
    slack = offset.unsqueeze(-1) - normal @ points.transpose(-1, -2)
    return slack.masked_fill(~is_edge.unsqueeze(-1), torch.inf).amin(-2)
