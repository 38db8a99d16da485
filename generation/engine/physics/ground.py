"""Ground reaction without force plates: what floor and seat must do so that a body can move as it does.

The sum of all forces on the body is known: it makes the body's momentum change as the motion says (Newton, Euler). Of
its point of attack and of the two feet's parts, only what physics leaves open is assumed: see `ground_split.py` for the
feet, `_sit` for the seat. The mass distribution decides where the sum acts; `calibration.py` says how to improve it.
"""

from dataclasses import replace

import torch
from torch import Tensor

from generation.engine.physics.chain import constants, dot
from generation.engine.physics.dynamics import body_forces
from generation.engine.physics.ground_reaction import FOOT_BODIES, Contact, GroundReaction
from generation.engine.physics.ground_split import Feet, Habits, capacities, leg_joints, split
from generation.engine.physics.ground_uncertainty import ground_uncertainty, mass_level

STANDARD_GRAVITY = 9.80665
# E: a sole whose lowest point is less than the first above the other's carries freely, above the second not at all;
# the same foot of one recording was found up to 2.7 cm over the floor with its plate loaded
LIFTED_M = (0.03, 0.05)
# The sit bones in the pelvis, from the middle of the hip joints, m: some centimetres below and behind them (E; not
# scaled, because a centimetre hardly moves a lever of 30).
SIT_BONES = (-0.03, -0.07, 0.0)
SEAT_REACH_M = (0.10, 0.15)  # E: the sit bones carry only when this far behind the heels: not yet, fully


def estimate_ground(body, q: Tensor, u: Tensor, udot: Tensor, calibration=None, *,
                    seat: bool = False) -> GroundReaction:
    """The ground reaction of a motion, from kinematics alone.

    body: `TorchBody` of the person's `BodyModel`; give `calibration.apply(model)` where there is a calibration. q, u,
    udot: (..., time, coordinate) as for `inverse_dynamics`, the floor at y = 0. calibration: its `habits` and
    `uncertainty` are used, None takes the defaults. seat: a seat may carry too, where the feet cannot do it alone; only
    for sit-to-stand, because a person who falls backward looks the same.
    The feet's and the seat's wrenches add up exactly to what the motion asks for; soles and friction cones are kept
    where that is possible, else `margin` is negative there. Differentiable in q, u, udot.
    """
    count = len(body.coordinates)
    if q.shape[-1] != count or u.shape != q.shape or udot.shape != q.shape:
        raise ValueError(f"q, u and udot must have one shape that ends with the body's {count} coordinates, got "
                         f"{tuple(q.shape)}, {tuple(u.shape)}, {tuple(udot.shape)}")
    habits = calibration.habits if calibration is not None else Habits()
    lead = q.shape[:-1]
    feet, weight, origin, pelvis = measure(body, *(x.reshape(-1, count) for x in (q, u, udot)))
    seated = None
    if seat:
        seated = _sit(feet, pelvis)
        feet = replace(feet, force=feet.force - seated.force, moment=feet.moment - seated.about_origin())
    force, moment, margin = split(feet, habits, capacities(body, habits))
    point, free = _pressure(force, moment, feet.heel)

    def back(part, scale=1.0, moved=False):
        part = part * scale
        if moved:
            part = part + (origin if part.dim() == 2 else origin[:, None])
        return part.reshape(*lead, *part.shape[1:]).to(q.dtype)

    contact = None
    if seated is not None:
        contact = Contact(back(seated.force, weight), back(seated.point, moved=True), back(seated.moment, weight))
    known = calibration.uncertainty if calibration is not None else ground_uncertainty(mass_level(body.packed))
    return GroundReaction(back(force, weight), back(point, moved=True), back(free, weight), "estimated", contact,
                          back(margin), dict(known))


def total_wrench(body, q: Tensor, u: Tensor, udot: Tensor) -> tuple[Tensor, Tensor]:
    """All external force (..., 3) N that the motion asks for and its moment about the ground origin (..., 3) Nm."""
    count = len(body.coordinates)
    flat, rate, change = (x.reshape(-1, count).T.contiguous() for x in (q, u, udot))
    position, rotation, _ = body.tree(flat)
    force, moment, _ = body_forces(constants(body), flat, rate, change, position, rotation)
    return force.sum(1).T.reshape(*q.shape[:-1], 3), moment.sum(1).T.reshape(*q.shape[:-1], 3)


def measure(body, q: Tensor, u: Tensor, udot: Tensor) -> tuple[Feet, float, Tensor, tuple[Tensor, Tensor]]:
    """What N frames (N, coordinate) ask for: `Feet`, body weight N, origin (N, 3) m on the floor between the feet, and
    the pelvis: middle of the hip joints about origin (N, 3) m, rotation (N, 3, 3)."""
    c = constants(body)
    flat, rate, change = (x.T.contiguous() for x in (q, u, udot))
    kinematics = body(q)
    position, rotation = kinematics.translations.permute(2, 1, 0), kinematics.rotations.permute(2, 3, 1, 0)
    force, moment, (angular, linear, slope) = body_forces(c, flat, rate, change, position, rotation)
    bodies, coordinates = list(body.bodies), list(body.coordinates)
    joint = (dot(angular, torch.matmul(c.carries.T, moment)) + dot(linear, torch.matmul(c.carries.T, force))) * slope
    needed = torch.zeros_like(flat).index_add(0, c.coordinate, joint)

    soles = body.foot_contacts(kinematics).double()  # (N, 2, n, 3)
    origin = soles.mean((1, 2)) * soles.new_tensor([1.0, 0.0, 1.0])
    weight = float(c.mass.sum()) * STANDARD_GRAVITY
    turns, slides, unloaded = [], [], []
    for side, foot in zip("rl", FOOT_BODIES, strict=True):
        moves = c.carries[bodies.index(foot)]
        for name in leg_joints(body):
            index = coordinates.index(f"{name}_{side}")
            slots = torch.nonzero((c.coordinate == index) & (moves > 0))[:, 0]
            rates = slope.index_select(0, slots)
            turns.append((angular.index_select(1, slots) * rates).sum(1).T)
            slides.append((linear.index_select(1, slots) * rates).sum(1).T)
            unloaded.append(needed[index])
    shape = (len(q), 2, len(turns) // 2)
    turns, slides = (torch.stack(x, 1).reshape(*shape, 3).double() for x in (turns, slides))
    slides = slides + torch.linalg.cross(turns, origin[:, None, None].expand_as(turns), dim=-1)  # about origin
    sum_force, sum_moment = force.sum(1).T.double() / weight, moment.sum(1).T.double() / weight
    sum_moment = sum_moment - torch.linalg.cross(origin, sum_force, dim=-1)

    rotations, translations = kinematics.rotations.double(), kinematics.translations.double()
    foot = [bodies.index(name) for name in FOOT_BODIES]
    axis = rotations[:, foot, :, 0] * rotations.new_tensor([1.0, 0.0, 1.0])
    axis = axis / axis.square().sum(-1, keepdim=True).clamp_min(1e-8).sqrt()
    centres = body.joint_centres(kinematics)
    hip = (centres["hip_r"] + centres["hip_l"]).double() / 2
    sole = soles - origin[:, None, None]
    low, high = LIFTED_M
    lowest = soles[..., 1].amin(-1)  # (N, 2)
    lift = ((lowest - lowest.amin(-1, keepdim=True) - low) / (high - low)).clamp(0.0, 1.0)
    feet = Feet(
        force=sum_force, moment=sum_moment, angular=turns, linear=slides,
        unloaded=torch.stack(unloaded, 1).reshape(shape).double() / weight,
        axis=axis, heel=(translations[:, foot] - origin[:, None]) * origin.new_tensor([1.0, 0.0, 1.0]),
        soles=sole, lift=lift, hips=hip[:, 1] / standing_hips(body),
    )
    return feet, weight, origin, (hip - origin, rotations[:, bodies.index("pelvis")])


def standing_hips(body) -> float:
    """Height of the hip joints over the floor in the neutral pose, m."""
    with torch.no_grad():
        centres = body.joint_centres(body(body.neutral()))
        return float((centres["hip_r"][1] + centres["hip_l"][1]) / 2)


def _sit(feet: Feet, pelvis) -> Contact:
    """What a seat carries (dimensionless, about origin), where `feet` has the sum of all forces.

    A lever between the sit bones and the heels: where the total would act behind the heels, the floor alone cannot
    give it, and the seat takes the least that brings the feet's part back to the heels. Of push and twist it takes the
    same share as of the weight. Where nothing has to be carried, nothing is.
    """
    (hip, rotation), force, moment = pelvis, feet.force, feet.moment
    sit = hip + rotation @ hip.new_tensor(SIT_BONES)
    heel = feet.heel.mean(1)[:, 0]
    vertical = force[:, 1].clamp_min(0.05)
    place = torch.stack([moment[:, 2], -moment[:, 0]], -1) / vertical[:, None]  # x, z on the floor
    behind = heel - sit[:, 0]
    near, far = SEAT_REACH_M
    can = ((behind - near) / (far - near)).clamp(0.0, 1.0)
    share = ((heel - place[:, 0]) / behind.clamp_min(near)).clamp(0.0, 1.0) * can
    seat_force = share[:, None] * force
    point = torch.stack([sit[:, 0], sit[:, 1], place[:, 1]], -1)
    # about origin the seat gives its share of the total's moment, moved back from where the total acts to the seat
    shift = torch.stack([sit[:, 0] - place[:, 0], torch.zeros_like(share), torch.zeros_like(share)], -1)
    about = share[:, None] * moment + torch.linalg.cross(shift, seat_force, dim=-1)
    return Contact(seat_force, point, about - torch.linalg.cross(point, seat_force, dim=-1))


def _pressure(force: Tensor, moment: Tensor, heel: Tensor) -> tuple[Tensor, Tensor]:
    """Centres of pressure (N, 2, 3) on the floor and the moments about them; an idle foot's lies near its heel axis."""
    vertical = force[..., 1]
    scale = vertical / (vertical.square() + 1e-6)  # 1 / Fy, and 0 for an idle foot (a thousandth of body weight)
    x = heel[..., 0] + (moment[..., 2] - heel[..., 0] * vertical) * scale
    z = heel[..., 2] + (-moment[..., 0] - heel[..., 2] * vertical) * scale
    point = torch.stack([x, torch.zeros_like(x), z], -1)
    return point, moment - torch.linalg.cross(point, force, dim=-1)
