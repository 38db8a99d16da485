"""Fits the body model to one person: segment scales and marker places, from frames spread over all trials.

There is no static trial, height or mass in the recordings, so scaling by pairs of markers carries every placement
error into the bones. Instead one least-squares problem has the pose of every frame, one value for each scale parameter
and every marker's place as unknowns, with these terms besides the markers:

- a marker sits near its anatomical place on the scaled bone (`Place.spread`: tight on bony places, so that placement
  cannot absorb anatomy);
- segment scales stay near the person's overall size;
- hip centres lie where Harrington et al. 2007 (J Biomech 40:595-602) put them from pelvic width and depth;
- soles of planted feet lie flat on the floor.

Solved by Levenberg-Marquardt; kinematics are OpenSim's.
"""

from dataclasses import asdict, dataclass

import numpy as np
import opensim as osim

from generation.engine.motion_data.first_guess import first_guess
from generation.engine.motion_data.markers import MARKER_SETS, PLACES, reported
from generation.engine.motion_data.skeleton import SCALE_GROUPS, SCALE_NAMES, Skeleton

ITERATIONS = 40
INDEPENDENT_FRAMES = 6.0  # skin motion repeats from frame to frame: this many frames' worth of evidence; ours (E)
SIZE_SPREAD = 0.12  # overall size against the generic model; ours (E)
PROPORTION_SPREAD = {
    "pelvis": 0.08,
    "femur_length": 0.05,
    "tibia_length": 0.05,
    "foot_length": 0.05,
    "girth": 0.03,
    "torso": 0.12,
    "arm": 0.08,
}  # of a segment against the size; ours (E)
SCALE_KINDS = tuple(next(kind for kind in PROPORTION_SPREAD if kind in name) for name in SCALE_NAMES)
SOLE_SPREAD = 0.004  # metres, height of a planted sole point; ours (E)
HIP_CENTRE_SPREAD = 0.008  # metres; ours (E), of the order of the regression's published error
PLANTED_RISE = 0.012  # metres a heel or toe marker may be above its quiet height on a planted foot; ours (E)
PELVIC_WIDTH_RANGE = (0.19, 0.32)  # metres between ASIS markers where pelvis markers are believed; ours (E)
UNBELIEVED_SPREAD, UNBELIEVED_PROPORTION = 0.06, 0.02  # metres; against the size; where they are not; ours (E)
# Mean and spread of coordinates that markers determine weakly, degrees; ours (E).
POSE_PRIOR_DEG = {
    "hip_rotation": (0, 30),
    "subtalar_angle": (0, 10),
    "lumbar_rotation": (0, 20),
    "lumbar_bending": (0, 20),
    "arm_rot": (0, 60),
    "arm_add": (0, 60),
    "pro_sup": (70, 40),
    "elbow_flex": (25, 60),
}
LOCKED = ("mtp_angle_r", "mtp_angle_l", "wrist_flex_r", "wrist_flex_l", "wrist_dev_r", "wrist_dev_l")


@dataclass
class Person:
    """One fitted person.

    parameters: {scale name: factor}; offsets: {marker: [x, y, z] metres in its body's frame, on the scaled body};
    pose: {coordinate: value} of the most upright frame; rms_mm: marker error of the fit on legs, pelvis and trunk.
    """

    subject: str
    marker_set: str
    parameters: dict[str, float]
    offsets: dict[str, list[float]]
    pose: dict[str, float]
    rms_mm: float
    hip_regression: bool

    def to_dict(self) -> dict:
        return asdict(self)


def sole_points(path) -> dict[str, np.ndarray]:
    """{calcn body: (point, 3)} contact points of the soles in the generic model's `.osim`, metres."""
    model = osim.Model(str(path))
    markers = model.getMarkerSet()
    points: dict[str, list] = {"calcn_r": [], "calcn_l": []}
    for i in range(markers.getSize()):
        marker = markers.get(i)
        body = marker.getParentFrameName().split("/")[-1]
        if marker.getName().startswith("contact_") and body in points:
            points[body].append(marker.get_location().to_numpy())
    return {body: np.array(p) for body, p in points.items()}


def harrington_hip_centre(width: float, depth: float) -> np.ndarray:
    """Right hip centre from the middle of the ASIS: (forward, up, right) metres, for pelvic width and depth in metres.

    Harrington et al. 2007, J Biomech 40:595-602, equations for adults and children together (R).
    """
    return np.array([-0.24 * depth - 0.0099, -0.30 * width - 0.0109, 0.33 * width + 0.0073])


class _Problem:
    """Residuals of one person. The unknowns are one vector: poses (frame, free coordinate), scales, size, marker
    places.
    """

    def __init__(self, generic: Skeleton, soles, marker_set: str, labels, positions, planted, known_scales=None):
        self.known_scales = known_scales
        self.generic, self.soles, self.planted = generic, soles, planted
        self.basis = [
            Skeleton(generic.model, {n: 1.2 if n == name else 1.0 for n in SCALE_NAMES}) for name in SCALE_NAMES
        ]
        places = MARKER_SETS[marker_set]
        self.labels = [label for label in places if label in labels]
        self.places = [places[label] for label in self.labels]
        self.data = positions[:, [labels.index(label) for label in self.labels]]  # (frame, marker, 3)
        self.body = np.array([generic.bodies.index(place.body) for place in self.places])
        self.nominal = np.array([place.location for place in self.places])
        self.spread = np.array([place.spread for place in self.places])
        self.noise = np.array([place.noise for place in self.places])
        self.free = [i for i, name in enumerate(generic.coordinates) if name not in LOCKED]
        self.frames, self.markers = self.data.shape[:2]
        self.repeat = np.sqrt(max(self.frames / INDEPENDENT_FRAMES, 1.0))  # how much one frame's evidence is widened
        self.acting = np.full((len(generic.bodies), 3), -1)  # the scale parameter on each axis of each body
        for index, name in enumerate(SCALE_NAMES):
            for body in set(SCALE_GROUPS[name][0]) & set(generic.bodies):
                self.acting[generic.bodies.index(body), list(SCALE_GROUPS[name][1])] = index
        self.proportion = np.array([PROPORTION_SPREAD[kind] for kind in SCALE_KINDS])
        sizes = (self.frames * len(self.free), len(SCALE_NAMES), 1, 3 * self.markers)
        self.scale_start, self.size_start, self.place_start, self.unknowns = np.cumsum(sizes)
        self.hip = self._hip_regression()
        if self.hip is None:  # pelvis markers that sit on no bone say nothing about the bone's size
            pelvic = np.array([place.body == "pelvis" for place in self.places])
            self.spread[pelvic] = UNBELIEVED_SPREAD
            self.proportion[[kind == "pelvis" for kind in SCALE_KINDS]] = UNBELIEVED_PROPORTION

    def _hip_regression(self):
        """Indices of the pelvic markers and the regression's hip centre, or None where the pelvis markers forbid it."""
        indices = {}
        for name in ("asis", "psis"):
            places = (PLACES[name], PLACES[name].mirrored())
            indices[name] = [self.places.index(place) for place in places if place in self.places]
        right, left = (self.data[:, i] for i in indices["asis"])
        back = self.data[:, indices["psis"]].mean(axis=1)
        width = np.nanmedian(np.linalg.norm(right - left, axis=-1))
        depth = np.nanmedian(np.linalg.norm((right + left) / 2 - back, axis=-1))
        if not PELVIC_WIDTH_RANGE[0] <= width <= PELVIC_WIDTH_RANGE[1]:
            return None
        return indices["asis"], indices["psis"], harrington_hip_centre(width, depth)

    def split(self, x):
        """Poses (frame, coordinate), scales, size and marker places (marker, 3) out of the vector."""
        values = np.zeros((self.frames, len(self.generic.coordinates)))
        values[:, self.free] = x[: self.scale_start].reshape(self.frames, -1)
        return values, x[self.scale_start : self.size_start], x[self.size_start], x[self.place_start :].reshape(-1, 3)

    def residuals(self, x) -> tuple[np.ndarray, np.ndarray]:
        """Weighted residuals (row,) and their Jacobian (row, unknown)."""
        self.geometry(x)
        terms = [
            self._marker_rows(x),
            *self._sole_rows(x),
            self._place_rows(x),
            self._proportion_rows(x),
            self._pose_rows(x),
        ]
        if self.hip is not None:
            terms += self._hip_rows(x)
        residual, J = np.concatenate([r for r, _ in terms]), np.concatenate([j for _, j in terms])
        if self.known_scales is not None:
            J[:, self.scale_start : self.place_start] = 0.0
        return residual, J

    def geometry(self, x, step=1e-5):
        """Body transforms and their derivatives: by differences for poses, exactly for scales (positions are linear in
        them).
        """
        values, scales, _, _ = self.split(x)
        person = Skeleton(self.generic.model, dict(zip(SCALE_NAMES, scales, strict=True)))
        self.p, self.R = person.transforms(values)
        self.dp, self.dR = [], []
        for coordinate in self.free:
            moved = values.copy()
            moved[:, coordinate] += step
            p, R = person.transforms(moved)
            self.dp.append((p - self.p) / step)
            self.dR.append((R - self.R) / step)
        base, _ = self.generic.transforms(values)
        self.dp_scale = [(scaled.transforms(values)[0] - base) / 0.2 for scaled in self.basis]

    def points(self, body, local):
        """Ground positions (frame, n, 3) of points fixed on bodies and their Jacobian (frame, n, 3, unknown), `local`
        fixed.
        """
        J = np.zeros((self.frames, len(body), 3, self.unknowns))
        every = np.arange(self.frames)
        for k in range(len(self.free)):
            J[every, :, :, every * len(self.free) + k] = self.dp[k][:, body] + np.einsum(
                "fmij,mj->fmi", self.dR[k][:, body], local
            )
        for i, dp in enumerate(self.dp_scale):
            J[..., self.scale_start + i] = dp[:, body]
        return self.p[:, body] + np.einsum("fmij,mj->fmi", self.R[:, body], local), J

    def _marker_rows(self, x):
        model, J = self.points(self.body, self.split(x)[3])
        for m in range(self.markers):
            start = self.place_start + 3 * m
            J[:, m, :, start : start + 3] += self.R[:, self.body[m]]
        known = np.isfinite(self.data)
        residual = np.where(known, model - np.nan_to_num(self.data), 0.0) / self.noise[:, None]
        robust = 1 / np.sqrt(1 + (np.linalg.norm(residual, axis=-1, keepdims=True) / 3.0) ** 2)
        weight = known * robust / self.repeat
        return (residual * weight).ravel(), (J * (weight / self.noise[:, None])[..., None]).reshape(-1, self.unknowns)

    def _sole_rows(self, x):
        scales = self.split(x)[1]
        for foot, (name, places) in enumerate(self.soles.items()):
            b = self.generic.bodies.index(name)
            acting = self.acting[b]
            model, J = self.points(np.full(len(places), b), places * scales[acting])
            for axis in range(3):
                J[..., self.scale_start + acting[axis]] += np.einsum(
                    "fi,n->fni", self.R[:, b, :, axis], places[:, axis]
                )
            weight = self.planted[:, foot, None] / SOLE_SPREAD / self.repeat
            yield (model[..., 1] * weight).ravel(), (J[:, :, 1] * weight[..., None]).reshape(-1, self.unknowns)

    def _place_rows(self, x):
        _, scales, _, places = self.split(x)
        acting = self.acting[self.body]  # (marker, axis)
        off = (places - scales[acting] * self.nominal) / self.spread
        heavy = 1 / np.sqrt(
            1 + (off / 4.0) ** 2
        )  # a marker that sits somewhere else altogether does not bend the bones
        J = np.zeros((off.size, self.unknowns))
        row = np.arange(off.size)
        J[row, self.place_start + row] = (heavy / self.spread).ravel()
        J[row, self.scale_start + acting.ravel()] = (-self.nominal / self.spread * heavy).ravel()
        return (off * heavy).ravel(), J

    def _proportion_rows(self, x):
        _, scales, size, _ = self.split(x)
        J = np.zeros((len(scales) + 1, self.unknowns))
        row = np.arange(len(scales))
        J[row, self.scale_start + row] = 1 / self.proportion
        J[row, self.size_start] = -1 / self.proportion
        J[-1, self.size_start] = 1 / SIZE_SPREAD
        return np.append((scales - size) / self.proportion, (size - 1.0) / SIZE_SPREAD), J

    def _pose_rows(self, x):
        values = self.split(x)[0]
        residuals, blocks = [], []
        for k, coordinate in enumerate(self.free):
            name = self.generic.coordinates[coordinate]
            for prefix, (mean_deg, spread_deg) in POSE_PRIOR_DEG.items():
                if name.startswith(prefix):
                    spread = np.deg2rad(spread_deg) * self.repeat
                    block = np.zeros((self.frames, self.unknowns))
                    block[np.arange(self.frames), np.arange(self.frames) * len(self.free) + k] = 1 / spread
                    residuals.append((values[:, coordinate] - np.deg2rad(mean_deg)) / spread)
                    blocks.append(block)
        return np.concatenate(residuals), np.concatenate(blocks)

    def _hip_rows(self, x):
        _, scales, _, places = self.split(x)
        asis, psis, target = self.hip
        forward = places[asis].mean(axis=0) - places[psis].mean(axis=0)
        forward /= np.hypot(forward[0], forward[1])
        axes = np.array([[forward[0], forward[1], 0], [-forward[1], forward[0], 0], [0, 0, 1.0]])  # forward, up, right
        pelvis = self.acting[self.generic.bodies.index("pelvis")]
        for side, sign in (("femur_r", 1.0), ("femur_l", -1.0)):
            joint = self.generic.hip_centre(side)
            off = axes @ (scales[pelvis] * joint - places[asis].mean(axis=0)) - target * [1, 1, sign]
            J = np.zeros((3, self.unknowns))
            J[:, self.scale_start + pelvis] = axes * joint
            for marker in asis:
                start = self.place_start + 3 * marker
                J[:, start : start + 3] = -axes / len(asis)
            yield off / HIP_CENTRE_SPREAD, J / HIP_CENTRE_SPREAD


def fit_person(
    subject: str, generic: Skeleton, soles, marker_set: str, labels, positions, known_scales: dict | None = None
) -> Person:
    """Fit one person to markers (frame, marker, 3) in metres, frames spread over trials and depths. Takes about a
    minute.

    known_scales: {scale name: factor} of a body that is known already; then only poses and marker places are sought.
    """
    planted = _planted(marker_set, labels, positions)
    problem = _Problem(generic, soles, marker_set, labels, positions, planted, known_scales)
    guess = first_guess(generic, marker_set, labels, positions)
    knee, ankle = (positions[:, labels.index(_label(marker_set, name))] for name in ("knee_lateral", "ankle_lateral"))
    size = np.nanmedian(np.linalg.norm(knee - ankle, axis=-1)) / 0.40  # the generic model's distance of these places
    x = np.concatenate(
        [guess[:, problem.free].ravel(), np.full(len(SCALE_NAMES) + 1, size), (problem.nominal * size).ravel()]
    )
    if known_scales is not None:
        x[problem.scale_start : problem.size_start] = [known_scales[name] for name in SCALE_NAMES]
    lower = np.concatenate(
        [
            np.tile(generic.lower[problem.free], problem.frames),
            np.full(len(SCALE_NAMES) + 1, 0.6),
            np.full(problem.nominal.size, -2.0),
        ]
    )
    upper = np.concatenate(
        [
            np.tile(generic.upper[problem.free], problem.frames),
            np.full(len(SCALE_NAMES) + 1, 1.6),
            np.full(problem.nominal.size, 2.0),
        ]
    )

    damping = 1e-2
    r, J = problem.residuals(x)
    for _ in range(ITERATIONS):
        H = J.T @ J
        step = np.linalg.solve(H + damping * np.diag(np.diag(H) + 1e-6), -J.T @ r)
        candidate = np.clip(x + step, lower, upper)
        r_new, J_new = problem.residuals(candidate)
        if r_new @ r_new < r @ r:
            gain = 1 - (r_new @ r_new) / (r @ r)
            x, r, J, damping = candidate, r_new, J_new, damping / 5
            if gain < 1e-4:
                break
        else:
            damping *= 8
    values, scales, _, places = problem.split(x)
    problem.geometry(x)
    model, _ = problem.points(problem.body, places)
    tracked = [problem.labels.index(label) for label in reported(marker_set) if label in problem.labels]
    error = np.linalg.norm((model - problem.data)[:, tracked], axis=-1)
    upright = int(np.argmax(values[:, generic.coordinates.index("pelvis_ty")]))
    return Person(
        subject,
        marker_set,
        dict(zip(SCALE_NAMES, map(float, scales), strict=True)),
        {label: [float(v) for v in place] for label, place in zip(problem.labels, places, strict=True)},
        dict(zip(generic.coordinates, map(float, values[upright]), strict=True)),
        float(1000 * np.median(np.sqrt(np.nanmean(error**2, axis=1)))),
        problem.hip is not None,
    )


def _label(marker_set: str, name: str) -> str:
    return next(label for label, place in MARKER_SETS[marker_set].items() if place == PLACES[name])


def _planted(marker_set, labels, positions) -> np.ndarray:
    """(frame, foot [right, left]) 1 where neither heel nor toe marker is above its lowest quiet height."""
    planted = np.ones((len(positions), 2))
    for label, place in MARKER_SETS[marker_set].items():
        if place.body in ("calcn_r", "calcn_l") and label in labels:
            height = positions[:, labels.index(label), 1]
            raised = height > np.nanpercentile(height, 10) + PLANTED_RISE
            planted[raised, 0 if place.side == "r" else 1] = 0.0
    return planted
