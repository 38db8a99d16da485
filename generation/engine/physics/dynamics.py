"""Inverse dynamics: the generalised forces that a motion asks for, equal to OpenSim's InverseDynamicsTool.

Newton and Euler for every body in ground, projected onto the joint axes (`chain.py`). The gradient comes from autograd
over a few large elementwise steps, and from the tree's own gradient for where the bodies are; it is of first order.

The patella: OpenSim's tool ignores constraints, so it reports what moves the patella as the force of its own
coordinate, `knee_angle_*_beta`. So does this. The patella being coupled to the knee, the moment that muscles and
ligaments owe the knee is the sum of the two; `knee_moments` adds them.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from generation.engine.physics.chain import Constants, apply, apply_transposed, constants, cross, dot, screws


def inverse_dynamics(body, q: Tensor, u: Tensor, udot: Tensor,
                     wrenches: Iterable[tuple[str, Tensor, Tensor]] = ()) -> Tensor:
    """Generalised forces that make `body` move so under gravity and the given wrenches.

    body: `TorchBody` of a `BodyModel`. q, u, udot: (..., time, coordinate) radians and metres, per s, per s2, in the
    order of `body.coordinates`; the patella's columns are ignored, it follows the knee. wrenches: (body name, force
    (..., time, 3) N, moment about the ground origin (..., time, 3) Nm), in ground, acting on the body.
    Returns (..., time, coordinate) Nm or N. Raises ValueError for an unknown body or wrong shapes.
    """
    count = len(body.coordinates)
    if q.shape[-1] != count or u.shape != q.shape or udot.shape != q.shape:
        raise ValueError(f"q, u and udot must have one shape that ends with the body's {count} coordinates, got "
                         f"{tuple(q.shape)}, {tuple(u.shape)}, {tuple(udot.shape)}")
    c = constants(body)
    flat, rate, change = (x.reshape(-1, count).T.contiguous() for x in (q, u, udot))
    position, rotation, _ = body.tree(flat)
    force, moment, slots = body_forces(c, flat, rate, change, position, rotation)
    force, moment = outer_forces(body, q.shape[:-1], wrenches, force, moment)
    angular, linear, slope = slots
    joint = (dot(angular, torch.matmul(c.carries.T, moment)) + dot(linear, torch.matmul(c.carries.T, force))) * slope
    tau = torch.zeros_like(flat).index_add(0, c.coordinate, joint)
    return tau.T.reshape(q.shape)


def knee_moments(body, tau: Tensor) -> Tensor:
    """tau (..., coordinate) with the patella's forces moved to the knees that drive them: what muscles have to give."""
    names = list(body.coordinates)
    moved = tau.clone()
    for name in names:
        if name.endswith("_beta"):
            moved[..., names.index(name.removesuffix("_beta"))] += tau[..., names.index(name)]
            moved[..., names.index(name)] = 0
    return moved


def outer_forces(body, lead, wrenches, force: Tensor, moment: Tensor) -> tuple[Tensor, Tensor]:
    """Take what `wrenches` (..., time, 3) give off what each body is asked for (3, B, frame); lead: (..., time)."""
    for name, push, twist in wrenches:
        if name not in body.bodies:
            raise ValueError(f"a force acts on {name!r}, which is no body of this model")
        at = torch.tensor([list(body.bodies).index(name)], device=force.device)
        push, twist = (x.to(force).expand(*lead, 3).reshape(-1, 3).T[:, None] for x in (push, twist))
        force, moment = force.index_add(1, at, push, alpha=-1), moment.index_add(1, at, twist, alpha=-1)
    return force, moment


def body_forces(c: Constants, flat, rate, change, position, rotation):
    """Force (3, B, frame) and moment about the ground origin (3, B, frame) that each body's motion and weight ask for,
    and the slots' screws."""
    angular, linear, slope, curvature = screws(c, flat, position, rotation)
    u = rate.index_select(0, c.source)
    speed = slope * u
    acceleration = slope * change.index_select(0, c.source) + curvature * u * u
    turn, slide = angular * speed, linear * speed
    spin, drift = torch.matmul(c.before, turn), torch.matmul(c.before, slide)  # of what comes before each slot
    turn_change = angular * acceleration + cross(spin, turn)
    slide_change = linear * acceleration + cross(spin, slide) + cross(drift, turn)
    omega, velocity = torch.matmul(c.carries, turn), torch.matmul(c.carries, slide)
    alpha, drift_change = torch.matmul(c.carries, turn_change), torch.matmul(c.carries, slide_change)

    centre = position + apply(rotation, c.mass_centre)
    pull = drift_change + cross(alpha, centre) + cross(omega, velocity + cross(omega, centre))
    force = c.mass * (pull - c.gravity)
    own = apply_transposed(rotation, omega)
    euler = apply(c.inertia, apply_transposed(rotation, alpha)) + cross(own, apply(c.inertia, own))
    moment = apply(rotation, euler) + cross(centre, force)
    return force, moment, (angular, linear, slope)
