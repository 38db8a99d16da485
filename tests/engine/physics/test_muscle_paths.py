"""Muscle paths of the generic body: what geometry demands of them, and OpenSim's own answers."""

import io

import numpy as np
import pytest
import torch

from generation.engine.body import MODEL_FILE, load_body
from generation.engine.body.muscle_packing import pack_muscles
from generation.engine.physics.muscle_geometry import MuscleGeometry
from generation.engine.physics.muscle_paths import MusclePaths
from generation.engine.physics.muscle_sections import split_sections
from generation.engine.validation.muscles import contradictions, muscle_table, table_lines


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return load_body(MODEL_FILE, tmp_path_factory.mktemp("bodies"))


@pytest.fixture(scope="module")
def paths(body):
    return MusclePaths(body)


def poses(body, count, seed=0, alike=False):
    """Squat-like poses (count, coordinate); alike: both legs the same."""
    random = np.random.default_rng(seed)
    q = np.zeros((count, len(body.coordinates)))
    ranges = {"hip_flexion": (0, 1.9), "hip_adduction": (-0.5, 0.1), "hip_rotation": (-0.3, 0.3),
              "knee_angle": (0, 2.2), "ankle_angle": (-0.1, 0.6), "subtalar_angle": (-0.2, 0.2),
              "mtp_angle": (-0.2, 0.2)}
    for name, bounds in ranges.items():
        values = random.uniform(*bounds, (count, 2))
        for side in (0, 1):
            q[:, body.coordinates.index(f"{name}_{'rl'[side]}")] = values[:, 0 if alike else side]
    return torch.tensor(q)


def test_moving_the_whole_body_changes_no_length(body, paths):
    q = poses(body, 4)
    moved = q.clone()
    moved[:, [body.coordinates.index(f"pelvis_{name}") for name in ("tilt", "list", "rotation", "tx", "tz")]] += 0.7
    assert torch.allclose(paths.lengths(q), paths.lengths(moved), atol=1e-12)
    pelvis = [i for i, name in enumerate(body.coordinates) if name.startswith("pelvis")]
    assert not paths.crosses[:, pelvis].any()
    assert not paths.arms(q)[..., pelvis].any()


def test_legs_in_the_same_pose_have_the_same_muscles(body, paths):
    lengths, arms = paths.lengths_and_arms(poses(body, 8, alike=True))
    for right, name in enumerate(paths.names):
        if not name.endswith("_r"):
            continue
        left = paths.names.index(name[:-1] + "l")
        assert torch.allclose(lengths[:, right], lengths[:, left], atol=1e-5), name
        columns = np.flatnonzero(paths.crosses[right])
        others = [body.coordinates.index(body.coordinates[c][:-1] + "l") for c in columns]
        assert torch.allclose(arms[:, right, columns], arms[:, left, others], atol=1e-4), name


def test_arms_are_minus_the_derivative_of_the_length(body, paths):
    q = poses(body, 6, seed=1)
    arms, step = paths.arms(q), 1e-6
    for name in ("hip_flexion_r", "hip_rotation_l", "knee_angle_r", "knee_angle_l", "ankle_angle_r"):
        column = body.coordinates.index(name)
        ends = []
        for sign in (1, -1):
            moved = q.clone()
            moved[:, column] += sign * step
            ends.append(paths.lengths(moved))
        assert torch.allclose(arms[..., column], -(ends[0] - ends[1]) / (2 * step), atol=2e-5), name


def test_the_gradient_of_a_length_is_minus_its_arms(body, paths):
    q = poses(body, 3, seed=2).requires_grad_()
    pull = torch.randn(80, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((paths.lengths(q) @ pull).sum(), q)
    expected = -(paths.arms(q) * pull[:, None]).sum(1)
    columns = np.flatnonzero(paths.crosses.any(0))
    assert torch.allclose(gradient[:, columns], expected[:, columns], atol=1e-9)


def test_one_pose_is_the_same_in_any_batch(body, paths):
    q = poses(body, 6, seed=3)
    assert torch.allclose(paths.lengths(q)[4], paths.lengths(q[4]), atol=1e-14)
    assert torch.allclose(paths.arms(q.reshape(2, 3, -1))[1, 1], paths.arms(q[4]), atol=1e-14)


def test_sections_add_up_to_their_path(body, paths):
    q = poses(body, 5, seed=4)
    sections = split_sections(body.muscles)
    pieces = MusclePaths(paths.body, sections.muscles)
    whole = torch.zeros(5, 80, dtype=torch.float64).index_add_(1, torch.tensor(sections.owner), pieces.lengths(q))
    assert torch.allclose(whole, paths.lengths(q), atol=1e-12)


def test_every_muscle_agrees_with_opensim(body, paths):
    q = poses(body, 4, seed=5).numpy()
    knees = [body.coordinates.index(f"knee_angle_{side}") for side in "rl"]
    q[0, knees] = 0.05  # near extension, where OpenSim's gastrocnemius contradicts itself
    q[1, knees] = np.radians(131.0)  # beyond the source model's own range
    coarse = MuscleGeometry.fit(paths, samples=512, dtype=torch.float64)
    rows = muscle_table(body, q, coarse)
    assert [row.muscle for row in rows] == list(paths.names)
    for row in rows:
        assert row.paths_length < 0.001, row.muscle  # mm
        assert row.paths_arm < 0.05, row.muscle
        assert row.paths_tension < (0.7 if row.muscle.startswith("gas") else 0.001), row.muscle
    reported = {row.muscle: row.reported_length for row in rows}
    assert reported["gasmed_r"] > 1.0  # the length that OpenSim reports there is short by millimetres
    assert reported["soleus_r"] < 0.001
    jumps = {row.muscle: row.jumps for row in rows}
    assert not any(jumps[name] for name in ("soleus_r", "bfsh_r", "bfsh_l"))
    assert len(table_lines(rows)) == 81
    assert "gasmed_r" in contradictions(rows)


def test_a_packed_model_needs_no_pickle(body):
    buffer = io.BytesIO()
    np.savez(buffer, **body.muscles)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as kept:
        assert set(kept.files) == set(body.muscles)
        assert len(kept["muscle_names"]) == 80


def test_what_cannot_be_packed_is_named():
    import opensim

    opensim.Logger.setLevelString("Off")
    model = opensim.Model(str(MODEL_FILE))
    path = opensim.GeometryPath.safeDownCast(model.updComponent("/forceset/gasmed_r/path"))
    wrap = path.getWrapSet().get(0)
    wrap.setMethod(opensim.PathWrap.axial)
    model.initSystem()
    with pytest.raises(ValueError, match="gasmed_r.*axial"):
        pack_muscles(model)
