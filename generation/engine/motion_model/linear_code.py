"""A repetition in few numbers, nothing lost that matters: 12 cosines of each channel, left and right taken apart.

Every channel over the 128 frames is a sum of its 12 slowest cosines: 0.26 degrees off (`CODINGS.md`), for people never
seen as well, because nothing about them was learned. Left and right are turned into their mean and their difference, so
that mirroring changes nothing but the sign of the second half of the numbers. Both steps are orthonormal: a length in
coefficients is a length in the motion (radians; pelvis in leg lengths), and decoding is one matrix product.
"""

import torch
from torch import Tensor

from generation.engine.motion_model.channels import FRAMES, LEARNED_COORDINATES, mirror_channels

COSINES = 12  # of each channel
_CENTRAL_EVEN = ("pelvis_tilt", "pelvis_tx", "pelvis_ty", "lumbar_extension")  # the same in the mirror


def cosines(count: int) -> Tensor:
    """(count, FRAMES) the slowest cosines over a repetition, orthonormal (DCT-II)."""
    times = (torch.arange(FRAMES) + 0.5) / FRAMES
    rows = torch.cos(torch.pi * torch.arange(count)[:, None] * times)
    return rows / rows.norm(dim=1, keepdim=True)


def _sides() -> tuple[Tensor, Tensor]:
    """Orthonormal (even, channel) and (odd, channel): what mirroring keeps and what it turns round."""
    both = torch.eye(len(LEARNED_COORDINATES))
    mirrored = mirror_channels(both)
    even, odd = [], []
    for i, name in enumerate(LEARNED_COORDINATES):
        if name.endswith("_l"):
            continue
        if name.endswith("_r") or name in _CENTRAL_EVEN:
            even.append((both + mirrored)[i])
        if name.endswith("_r") or name not in _CENTRAL_EVEN:
            odd.append((both - mirrored)[i])
    return tuple(torch.stack([row / row.norm() for row in rows]) for rows in (even, odd))


EVEN_CHANNELS, ODD_CHANNELS = (len(rows) for rows in _sides())
EVEN, ODD = COSINES * EVEN_CHANNELS, COSINES * ODD_CHANNELS
SIZE = EVEN + ODD  # coefficients of a repetition: first the even ones, then the odd ones, each cosine by cosine


def basis() -> Tensor:
    """(SIZE, FRAMES, channel), orthonormal rows."""
    slow = cosines(COSINES)
    return torch.cat([torch.einsum("kt,ac->katc", slow, rows).flatten(0, 1) for rows in _sides()])


def coefficients(x: Tensor) -> Tensor:
    """Channels (..., FRAMES, channel) to (..., SIZE)."""
    return torch.einsum("stc,...tc->...s", basis().to(x), x)


def mirror_coefficients(c: Tensor) -> Tensor:
    """Coefficients (..., SIZE) of the mirrored motions."""
    return torch.cat([c[..., :EVEN], -c[..., EVEN:]], -1)
