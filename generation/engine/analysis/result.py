"""What a motion does to a body: one result, whichever route computed it. Units: SI, angles in radians."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.reserves import too_deep, trusted_frames

GRAVITY = 9.80665  # m/s2, standard acceleration of free fall
Route = Literal["fast", "opensim"]


@dataclass(frozen=True, eq=False)
class Analysis:
    """One motion of one body. T moments, C coordinates in the order of `coordinates`, M muscles.

    Moments are the net generalised forces that the motion asks for (OpenSim's signs); those of the pelvis are
    residuals: what motion, body and ground reaction disagree about. Contact forces act on the distal body and are in
    its axes (x forward, y up, z right); `physics/joint_loads.py` explains `*_free_body` and `loads`. `demand` is
    |moment| over what the muscles could make in that pose at that speed in that direction, all agonists fully active.
    """

    route: Route
    solver: Literal["static optimisation", "MocoInverse"]
    model_key: str
    mass_kg: float
    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]
    frame_rate: float  # Hz, of the arrays
    cutoff_hz: float | None
    time: np.ndarray  # (T,) s, the file's own time
    q: np.ndarray  # (T, C) after the low-pass
    u: np.ndarray  # (T, C)
    udot: np.ndarray  # (T, C)
    com: np.ndarray  # (T, 3) m, whole body
    com_velocity: np.ndarray  # (T, 3)
    com_acceleration: np.ndarray  # (T, 3)
    extrapolated_com: np.ndarray  # (T, 2) m, forward and right on the floor
    support: np.ndarray  # (T, point, 3) m, the soles' contact points, whose hull is the base of support
    margin_of_stability: np.ndarray  # (T,) m, positive inside
    ground: GroundReaction  # arrays over the same T
    moments: np.ndarray  # (T, C) Nm, N on translations
    powers: np.ndarray  # (T, C) W
    activations: np.ndarray  # (T, M)
    muscle_forces: np.ndarray  # (T, M) N along the tendon
    reserves: np.ndarray  # (T, C) Nm, N on translations
    reserve_share: Mapping[str, np.ndarray]  # coordinate that has a reserve -> (T,), share of its moment
    contacts: Mapping[str, np.ndarray]  # name -> (T, 3) N
    loads: Mapping[str, np.ndarray]  # name -> (T,) N: patellar tendon, lumbar compression
    demand: Mapping[str, np.ndarray]  # coordinate -> (T,)
    asymmetries: Mapping[str, float]
    smoothness: Mapping[str, float]
    notes: tuple[str, ...]

    @property
    def body_weight(self) -> float:
        """N"""
        return self.mass_kg * GRAVITY

    @property
    def trusted(self) -> np.ndarray:
        """(T,) bool, see `physics.reserves.trusted_frames`."""
        shares = np.array(list(self.reserve_share.values())).reshape(-1, len(self.time))
        return trusted_frames(shares.T, self._knees)

    @property
    def too_deep(self) -> np.ndarray:
        """(T,) bool: a knee is bent so far that the model's quadriceps leave their path."""
        return too_deep(self._knees)

    @property
    def _knees(self) -> np.ndarray:
        return self.q[:, [i for i, name in enumerate(self.coordinates) if name in ("knee_angle_r", "knee_angle_l")]]

    def contact_in_body_weights(self, name: str) -> np.ndarray:
        """(T,) magnitude of a contact force over body weight."""
        return np.linalg.norm(self.contacts[name], axis=-1) / self.body_weight

    def column(self, values: str, coordinate: str) -> np.ndarray:
        """(T,) of one coordinate of `q`, `u`, `moments`, `powers` or `reserves`."""
        return getattr(self, values)[:, self.coordinates.index(coordinate)]
