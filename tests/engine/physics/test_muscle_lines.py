"""The lines that the player draws against the paths that the physics uses."""

import numpy as np
import pytest
import torch

from generation.engine.body import COORDINATES, MODEL_FILE, load_body
from generation.engine.physics.muscle_lines import ON_CYLINDER, muscle_lines
from generation.engine.physics.muscle_paths import MusclePaths


@pytest.fixture(scope="module")
def paths():
    return MusclePaths(load_body(MODEL_FILE))


def squat(frames=24) -> np.ndarray:
    """Coordinates from standing into a deep squat and on into toe-off-like extension: wraps come and go."""
    down = np.linspace(0, 1, frames)
    q = np.zeros((frames, len(COORDINATES)))
    for name, degrees in (("hip_flexion", 110), ("knee_angle", 120), ("ankle_angle", 30)):
        for side in "rl":
            q[:, COORDINATES.index(f"{name}_{side}")] = np.radians(degrees) * (1.1 * down - 0.1)
    return q


def test_a_line_is_as_long_as_its_path(paths):
    q = torch.tensor(squat())
    placed, lengths = paths.body(q), paths.lengths(q).detach().numpy()
    wrapped = paths.wraps(q)
    assert (wrapped.any(0) & ~wrapped.all(0)).any()             # else coming on and off would not be tried
    for m, line in enumerate(muscle_lines(paths, q)):
        points = []
        for body, own in line.parts:
            own = np.broadcast_to(own, (len(q), 1, 3)) if own.ndim == 1 else own
            turned = np.einsum("tij,tnj->tni", placed.rotations[:, body].numpy(), own)
            points.append(turned + placed.translations[:, body, None].numpy())
        drawn = np.linalg.norm(np.diff(np.concatenate(points, 1), axis=1), axis=-1).sum(1)
        # a few straight pieces instead of the curve over a cylinder: a little shorter, never longer
        np.testing.assert_allclose(drawn, lengths[:, m], atol=0.0025, err_msg=line.name)
        assert line.name == paths.names[m] and all(own.shape[-2:] == (ON_CYLINDER, 3) for _, own in line.parts
                                                   if own.ndim == 3)

