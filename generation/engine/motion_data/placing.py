"""Puts a solved recording where every motion of the project starts: facing +X, soles on the floor, feet around the
origin.
"""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from generation.engine.body import BODIES, COORDINATES, BodyScale, TorchBody, generic_scale
from generation.engine.body.scaling import standing_height

TILT, LIST, ROTATION, TX, TY, TZ = range(6)
PELVIS = tuple(COORDINATES.index(f"pelvis_{name}") for name in ("tilt", "list", "rotation", "tx", "ty", "tz"))


def body_scale(factors: dict[str, tuple[float, float, float]]) -> BodyScale:
    """A scaled body of unknown mass: the generic mass stands in, and height is the scaled model's."""
    whole = {body: tuple(factors.get(body, (1.0, 1.0, 1.0))) for body in BODIES}
    return BodyScale(whole, generic_scale().mass_kg, standing_height(whole), "fitted to markers; mass unknown")


def torch_body(factors) -> TorchBody:
    return TorchBody(body_scale(factors), dtype=torch.float64)


def leg_length(body: TorchBody) -> float:
    """Height of the hip centres over the soles in the neutral pose, metres."""
    with torch.no_grad():
        return float(body.joint_centres(body(body.neutral()))["hip_r"][1])


def soles(body: TorchBody, values: np.ndarray) -> np.ndarray:
    """Contact points of the soles (frame, foot [right, left], point, 3), metres."""
    with torch.no_grad():
        return body.foot_contacts(body(torch.as_tensor(values, dtype=torch.float64))).numpy()


def model_order(values: np.ndarray, coordinates: tuple[str, ...]) -> np.ndarray:
    """Reorder (frame, coordinate) to COORDINATES; the patella copies the knee, what is not there is 0."""
    result = np.zeros((len(values), len(COORDINATES)))
    for i, name in enumerate(COORDINATES):
        source = name.removesuffix("_beta")
        if source in coordinates:
            result[:, i] = values[:, coordinates.index(source)]
    return result


def fit_size(values: np.ndarray) -> float:
    """One scale for a body whose markers are not public, from angles and pelvis path: the one at which the soles move
    least.

    Bodies of one scale s have soles at pelvis + s * reach(angles), so this is a linear least squares for s.
    """
    generic = torch_body({})
    still = values.copy()
    still[:, PELVIS[TX:]] = 0.0
    reach = soles(generic, still)[:, :, :4].mean(axis=2)  # (frame, foot, 3)
    reach = reach - reach.mean(axis=0)
    path = values[:, PELVIS[TX:]] - values[:, PELVIS[TX:]].mean(axis=0)
    return float(-(reach * path[:, None]).sum() / (reach**2).sum())


def face_forward(values: np.ndarray) -> np.ndarray:
    """Turn about the vertical so that the pelvis faces +X on average. Exact: the pelvis turns in the order tilt, list,
    rotation.
    """
    turned = values.copy()
    pelvis = Rotation.from_euler("ZXY", values[:, PELVIS[:3]])
    forward = pelvis.apply([1.0, 0.0, 0.0])
    heading = np.arctan2(-forward[:, 2].mean(), forward[:, 0].mean())
    back = Rotation.from_euler("y", -heading)
    turned[:, PELVIS[:3]] = (back * pelvis).as_euler("ZXY")
    turned[:, PELVIS[TX:]] = back.apply(values[:, PELVIS[TX:]])
    return turned


def centre(values: np.ndarray, body: TorchBody, flat: tuple[int, ...] = (0, 1)) -> np.ndarray:
    """Shift so that the middle between the feet is over the origin and planted soles are on y = 0.

    The floor is the median over time of the soles' mean height, so a lifted heel does not sink the other frames; flat:
    the feet (0 right, 1 left) that stand on it.
    """
    points = soles(body, values)[:, :, :4]
    shifted = values.copy()
    middle = np.median(points.mean(axis=(1, 2)), axis=0)
    shifted[:, PELVIS[TX]] -= middle[0]
    shifted[:, PELVIS[TY]] -= np.median(points[:, list(flat)][..., 1].mean(axis=(1, 2)))
    shifted[:, PELVIS[TZ]] -= middle[2]
    return shifted
