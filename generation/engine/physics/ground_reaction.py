"""What the floor, and where there is one the seat, does to a body."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

FOOT_BODIES = ("calcn_r", "calcn_l")  # the bodies the forces act on, in the order of the foot axis
SEAT_BODY = "pelvis"


@dataclass(frozen=True)
class Contact:
    """A force on the body, where it acts, and what moment is left about that point; any leading axes (...)."""

    force: Tensor  # (..., 3) N, in ground
    point: Tensor  # (..., 3) m
    moment: Tensor  # (..., 3) Nm about `point`

    def __post_init__(self):
        for name in ("force", "point", "moment"):
            object.__setattr__(self, name, torch.as_tensor(getattr(self, name)))

    def about_origin(self) -> Tensor:
        """(..., 3) Nm, the moment of force and moment together about the ground origin."""
        return torch.linalg.cross(self.point, self.force, dim=-1) + self.moment


@dataclass(frozen=True)
class GroundReaction:
    """The floor's force on each foot, [right, left]; `source` says whether it was measured or computed.

    Arrays are taken too and kept as tensors. Raises ValueError for shapes that do not fit.
    """

    force: Tensor  # (..., time, 2, 3) N on the foot, in ground
    point: Tensor  # (..., time, 2, 3) m, centre of pressure on the floor
    moment: Tensor  # (..., time, 2, 3) Nm about `point`: about the vertical
    source: str  # "plates" or "estimated"
    seat: Contact | None = None  # (..., time, 3): a seat's force on the pelvis
    margin: Tensor | None = None  # (..., time, 2) m, how far inside its sole; negative: outside (`estimate_ground`)
    uncertainty: dict = field(default_factory=dict)  # the error, see `ground_uncertainty.py`

    def __post_init__(self):
        if self.source not in ("plates", "estimated"):
            raise ValueError(f"source must be 'plates' or 'estimated', got {self.source!r}")
        for name in ("force", "point", "moment"):
            object.__setattr__(self, name, torch.as_tensor(getattr(self, name)))
        shapes = {tuple(part.shape) for part in (self.force, self.point, self.moment)}
        if len(shapes) != 1 or next(iter(shapes))[-2:] != (2, 3):
            raise ValueError(f"force, point and moment must all be (..., time, 2 feet, 3), got {sorted(shapes)}")

    @property
    def feet(self) -> Contact:
        return Contact(self.force, self.point, self.moment)

    @staticmethod
    def seat_of(force, point, moment) -> Contact:
        return Contact(force, point, moment)

    def at(self, frames) -> "GroundReaction":
        """The same at chosen frames (indices or a slice of the time axis)."""
        seat = self.seat
        if seat is not None:
            seat = Contact(*(part[..., frames, :] for part in (seat.force, seat.point, seat.moment)))
        margin = self.margin[..., frames, :] if self.margin is not None else None
        return replace(self, force=self.force[..., frames, :, :], point=self.point[..., frames, :, :],
                       moment=self.moment[..., frames, :, :], seat=seat, margin=margin)

    def total(self) -> tuple[Tensor, Tensor]:
        """Force (..., time, 3) N and moment about the ground origin (..., time, 3) Nm of feet and seat together."""
        force, moment = self.force.sum(-2), self.feet.about_origin().sum(-2)
        if self.seat is not None:
            force, moment = force + self.seat.force, moment + self.seat.about_origin()
        return force, moment

    def share(self) -> Tensor:
        """(..., time) the right foot's part of the feet's vertical force, 0 to 1; 0.5 where nothing is carried."""
        vertical = self.force[..., 1].clamp_min(0.0)
        total = vertical.sum(-1)
        carried = total > 1.0
        return torch.where(carried, vertical[..., 0] / torch.where(carried, total, 1.0), 0.5)

    def wrenches(self) -> list[tuple[str, Tensor, Tensor]]:
        """What `inverse_dynamics` takes: (body, force (..., time, 3) N, moment about the ground origin Nm)."""
        moment = self.feet.about_origin()
        found = [(body, self.force[..., side, :], moment[..., side, :]) for side, body in enumerate(FOOT_BODIES)]
        if self.seat is not None:
            found.append((SEAT_BODY, self.seat.force, self.seat.about_origin()))
        return found
