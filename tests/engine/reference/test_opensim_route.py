"""OpenSim's answers in a child process: they hold together, and agree with OpenSim's own JointReaction tool."""

import numpy as np
import opensim as osim
import pytest
import torch

from generation.engine.body import COORDINATES, MODEL_FILE
from generation.engine.physics import inverse_dynamics, knee_moments
from generation.engine.physics.muscle_paths import MusclePaths
from generation.engine.physics.reserves import LEG_COORDINATES, reserve_forces
from generation.engine.reference import CONTACTS, ReferenceFailed, analyse_with_opensim, inverse_kinematics
from generation.engine.reference.model import add_reserves, add_wrenches, prepare
from tests.engine.reference.squat import RATE, squat

FRAMES = np.array([8, 15])


@pytest.fixture(scope="module")
def solved():
    s = squat()
    told = []
    found = analyse_with_opensim(
        s["body"].osim, COORDINATES, s["time"], s["q"], s["u"], s["udot"], s["wrenches"], reserve_forces(COORDINATES),
        frames=FRAMES, progress=lambda stage, fraction, detail: told.append((stage, fraction)))
    assert told[-1] == ("muscles", 1.0) and [f for _, f in told] == sorted(f for _, f in told)
    return found


def test_moments_are_those_of_newton_and_euler(solved):
    s = squat()
    arrays = (torch.as_tensor(s[name]) for name in ("q", "u", "udot"))
    wrenches = [(name, torch.as_tensor(force), torch.as_tensor(moment)) for name, force, moment in s["wrenches"]]
    ours = inverse_dynamics(s["torch_body"], *arrays, wrenches).numpy()
    np.testing.assert_allclose(solved.moments, ours, atol=0.5)  # N, Nm; they differ at the moving knee axis
    pelvis = [i for i, name in enumerate(COORDINATES) if name.startswith("pelvis")]
    assert np.abs(solved.moments[:, pelvis]).max() < 0.5      # the estimated ground carries the whole motion
    com = s["torch_body"](torch.as_tensor(s["q"])).com.numpy()
    np.testing.assert_allclose(solved.com, com, atol=1e-5)


def test_muscles_and_reserves_make_the_moments(solved):
    s = squat()
    arms = MusclePaths(s["body"]).tension_arms(torch.as_tensor(s["q"][FRAMES])).numpy()
    order = [list(solved.muscles).index(str(name)) for name in s["body"].muscles["muscle_names"]]
    made = (arms * solved.muscle_forces[:, order, None]).sum(1) + solved.reserves
    needed = knee_moments(s["torch_body"], torch.as_tensor(solved.moments[FRAMES])).numpy()
    legs = [i for i, name in enumerate(COORDINATES) if name[:-2] in LEG_COORDINATES]
    np.testing.assert_allclose(made[:, legs], needed[:, legs], atol=1.0)
    assert (solved.activations >= 0.0099).all() and (solved.activations <= 1.0001).all()
    assert solved.activations[1].max() > 0.1
    assert not solved.reserves[:, COORDINATES.index("knee_angle_r_beta")].any()


def test_capacity_is_what_all_agonists_can_make(solved):
    negative, positive = solved.capacity["knee_angle_r"][1]
    assert -400 < negative < -80 and 40 < positive < 400      # extension is negative


def test_reactions_are_those_of_the_joint_reaction_tool(solved, tmp_path):
    s = squat()
    path = tmp_path / "model.osim"
    path.write_bytes(MODEL_FILE.read_bytes())
    full = prepare(path, COORDINATES, with_muscles=True)
    driven = add_reserves(full, reserve_forces(COORDINATES))
    add_wrenches(full, tmp_path, s["time"], s["wrenches"])
    frame, row = FRAMES[1], 1
    labels = [*full.muscles, *(f"reserve_{name}" for name in driven)]
    values = np.concatenate([solved.muscle_forces[row],
                             solved.reserves[row, [COORDINATES.index(name) for name in driven]]])
    table = "\n".join("\t".join(["%.6f" % t, *(f"{value:.12g}" for value in values)])  # noqa: UP031
                      for t in (0.0, 1.0))
    (tmp_path / "forces.sto").write_text("\n".join([
        "forces", "version=1", "nRows=2", f"nColumns={len(labels) + 1}", "inDegrees=no", "endheader",
        "\t".join(["time", *labels]), table]) + "\n")
    tool = osim.JointReaction(full.model)
    tool.setForcesFileName(str(tmp_path / "forces.sto"))
    for setter, value in ((tool.setJointNames, "all"), (tool.setOnBody, "child"), (tool.setInFrame, "child")):
        names = osim.ArrayStr()
        names.append(value)
        setter(names)
    full.model.addAnalysis(tool)
    full.initialise()
    full.place(s["time"][frame], s["q"][frame], s["u"][frame])
    full.model.realizeAcceleration(full.state)
    tool.begin(full.state)
    tool.printResults("r", str(tmp_path))
    lines = next(tmp_path.glob("*ReactionLoads*")).read_text().splitlines()
    start = lines.index("endheader")
    columns, first = lines[start + 1].split(), np.array(lines[start + 2].split(), float)
    assert set(solved.contacts) == set(CONTACTS)
    for name, child in CONTACTS.items():
        wanted = [next(i for i, label in enumerate(columns) if label.endswith(f"_on_{child}_in_{child}_f{axis}"))
                  for axis in "xyz"]
        np.testing.assert_allclose(solved.contacts[name][row], first[wanted], atol=0.5)


def test_a_model_that_does_not_fit_is_refused_in_a_sentence():
    s = squat()
    with pytest.raises(ReferenceFailed, match="differ in the coordinates pelvis_tilt"):
        analyse_with_opensim(s["body"].osim, COORDINATES[1:], s["time"], s["q"][:, 1:], s["u"][:, 1:],
                             s["udot"][:, 1:], [], {})


def test_inverse_kinematics_finds_the_pose_again():
    s = squat()
    placed = s["torch_body"](torch.as_tensor(s["q"][:4]))
    rng = np.random.default_rng(0)
    markers, positions = {}, []
    for body in s["torch_body"].bodies:
        if body.startswith("patella"):
            continue
        for number in range(3):
            offset = rng.uniform(-0.1, 0.1, 3)
            markers[f"{body}_{number}"] = (body, tuple(offset))
            positions.append(s["torch_body"].points(placed, body, offset[None])[:, 0].numpy())
    positions = np.stack(positions, 1)
    positions[2, 5] = np.nan
    coordinates, values, errors = inverse_kinematics(
        s["body"].osim, markers, dict.fromkeys(markers, 1.0), positions, RATE)
    kept = [i for i, name in enumerate(coordinates) if not name.startswith(("mtp", "wrist", "pro_sup"))]
    order = [COORDINATES.index(coordinates[i]) for i in kept]
    np.testing.assert_allclose(values[:, kept], s["q"][:4][:, order], atol=5e-3)
    assert np.isnan(errors[2, 5]) and np.nanmax(errors) < 1e-3
