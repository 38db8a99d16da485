"""Force capacity of muscles against OpenSim."""

import numpy as np
import pytest
import torch

from generation.engine.body import MODEL_FILE, load_body
from generation.engine.physics.muscle_curves import MuscleCurves


@pytest.fixture(scope="module")
def generic(tmp_path_factory):
    return load_body(MODEL_FILE, cache=tmp_path_factory.mktemp("cache"))


def test_capacity_is_what_opensims_static_optimisation_uses(generic):
    import opensim

    opensim.Logger.setLevelString("Off")
    model = opensim.Model(str(MODEL_FILE))
    state = model.initSystem()
    coordinates, muscles, random = model.getCoordinateSet(), model.getMuscles(), np.random.default_rng(0)
    lengths, speeds, want = [], [], []
    for _ in range(6):
        for name in generic.coordinates:
            coordinate, source = coordinates.get(name), coordinates.get(name.removesuffix("_beta"))
            if name.endswith("_beta"):
                coordinate.setValue(state, source.getValue(state), False)
                coordinate.setSpeedValue(state, source.getSpeedValue(state))
                continue
            low, high = max(coordinate.getRangeMin(), -1.5), min(coordinate.getRangeMax(), 2.0)
            coordinate.setValue(state, float(random.uniform(low, high)), False)
            coordinate.setSpeedValue(state, float(random.normal() * 2))
        model.realizeVelocity(state)
        each = [muscles.get(i) for i in range(muscles.getSize())]
        lengths.append([muscle.getLength(state) for muscle in each])
        speeds.append([muscle.getLengtheningSpeed(state) for muscle in each])
        want.append([muscle.calcInextensibleTendonActiveFiberForce(state, 1.0) for muscle in each])
    got = MuscleCurves(generic.muscles, torch.float64).capacity(torch.tensor(lengths), torch.tensor(speeds)).numpy()
    error = np.abs(got - np.array(want)) / generic.muscles["maximum_isometric_force"]
    assert error.max() < 1e-5, generic.muscles["muscle_names"][error.max(0).argmax()]
    single = MuscleCurves(generic.muscles).capacity(torch.tensor(lengths).float(), torch.tensor(speeds).float())
    assert (np.abs(single.numpy() - got) / generic.muscles["maximum_isometric_force"]).max() < 1e-4


def test_gradient_and_no_nan_anywhere(generic):
    curves = MuscleCurves(generic.muscles, torch.float64)
    optimal = torch.tensor(generic.muscles["optimal_fiber_length"] + generic.muscles["tendon_slack_length"])
    lengths = (optimal * 1.02)[None].requires_grad_()
    speeds = torch.full_like(lengths, -0.05).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: curves.capacity(a, b)[:, ::9], (lengths, speeds), eps=1e-7, atol=1e-2,
                                    rtol=1e-4)
    for scale in (0.0, 0.3, 1.0, 3.0):
        for speed in (-100.0, 100.0):
            at = (optimal * scale)[None].requires_grad_()
            capacity = curves.capacity(at, torch.full_like(at, speed))
            assert (capacity >= 0).all() and capacity.isfinite().all()
            assert torch.autograd.grad(capacity.sum(), at)[0].isfinite().all()
