"""Measured ground forces brought to the moments of a motion and to its feet."""

import numpy as np
import torch

from generation.engine.formats import ExternalLoads, FormatError, PlateForce
from generation.engine.physics import differentiate
from generation.engine.physics.ground_reaction import GroundReaction

FEET = ("right", "left")
LOADED_N = 20.0  # E: below it a plate's centre of pressure is noise
NEAR_FOOT_M = 0.25  # E: a foot's centre of pressure lies under the foot, up to plate and marker errors
TOLERANCE_S = 0.02  # E: how far the motion may reach beyond the forces, which then keep their last value


def ground_from_plates(loads: ExternalLoads, times: np.ndarray, body, q: np.ndarray,
                       cutoff_hz: float | None) -> tuple[GroundReaction, tuple[str, ...]]:
    """Forces of `loads` under the feet of `body` (TorchBody) at `times` (T,), the file's own time; q (T, coordinate).

    They pass the same low-pass as the motion, as forces and moments, so that both keep belonging together. A force that
    acts under the other foot than its set-up says is given to the foot that it acts under, and one that acts at no foot
    is the seat's; both are told in the notes, returned beside. Raises FormatError where the times do not meet.
    """
    first, last = loads.times[0], loads.times[-1]
    if times[0] < first - TOLERANCE_S or times[-1] > last + TOLERANCE_S:
        raise FormatError(f"The forces last from {first:g} s to {last:g} s, the motion from {times[0]:g} s to "
                          f"{times[-1]:g} s: they are not of one recording, or their times differ.")
    feet = _feet(body, q)
    notes = list(loads.notes)
    wrench = np.zeros((3, len(times), 6))  # right, left, seat: force and moment about the ground origin
    height = np.zeros(3)
    for force in loads.forces:
        if np.abs(force.force).max() < LOADED_N:
            continue
        where = _whose(force, loads.times, times, feet, notes)
        wrench[where] += _resampled(force, loads.times, times, cutoff_hz)
        height[where] = float(np.median(force.point[_loaded(force), 1]))
    if np.abs(wrench[:2, :, 1]).max() < LOADED_N:
        raise FormatError("No force of the table acts under a foot of the motion.")
    force, point, moment = (np.stack(part, axis=1) for part in zip(
        *(_about_pressure(wrench[foot], height[foot], feet[:, foot]) for foot in (0, 1)), strict=True))
    seat = None
    if np.abs(wrench[2]).max() > 0:
        pelvis = q[:, [body.coordinates.index(f"pelvis_t{axis}") for axis in "xyz"]]
        seat = GroundReaction.seat_of(*_about_pressure(wrench[2], height[2], pelvis))
    return GroundReaction(force=force, point=point, moment=moment, source="plates", seat=seat), tuple(notes)


def _feet(body, q: np.ndarray) -> np.ndarray:
    """(T, 2, 3) the middle of each sole."""
    with torch.no_grad():
        return body.foot_contacts(body(torch.as_tensor(q, dtype=body.lower.dtype))).mean(dim=-2).double().numpy()


def _loaded(force: PlateForce) -> np.ndarray:
    return np.abs(force.force[:, 1]) >= LOADED_N


def _whose(force: PlateForce, own: np.ndarray, times: np.ndarray, feet: np.ndarray, notes: list[str]) -> int:
    """0 right, 1 left, 2 the seat."""
    loaded = _loaded(force) & (own >= times[0]) & (own <= times[-1])
    named = {"r": 0, "l": 1}.get(force.body[-1:]) if force.body[-2:-1] == "_" else None
    if not loaded.any():
        return 2 if named is None else named
    nearest = np.searchsorted(times, own[loaded]).clip(max=len(times) - 1)
    away = np.linalg.norm((force.point[loaded, None] - feet[nearest])[..., (0, 2)], axis=-1)
    distance = np.median(away, axis=0)
    closest = int(distance.argmin())
    if distance[closest] > NEAR_FOOT_M:
        if named is not None:
            notes.append(f"{force.name} is set up for {force.body}, but acts {100 * distance[named]:.0f} cm from that "
                         "foot: it is taken for the seat.")
        return 2
    if named is not None and named != closest:
        notes.append(f"{force.name} is set up for {force.body}, but acts under the {FEET[closest]} foot: it is given "
                     "to that foot.")
    return closest


def _resampled(force: PlateForce, own: np.ndarray, times: np.ndarray, cutoff_hz: float | None) -> np.ndarray:
    """(T, 6) force and moment about the ground origin, low-passed at their own rate."""
    moment = force.torque + np.cross(force.point, force.force)
    both = np.concatenate([force.force, moment], axis=1)
    rate = (len(own) - 1) / (own[-1] - own[0])
    even = own[0] + np.arange(len(own)) / rate
    both = np.column_stack([np.interp(even, own, column) for column in both.T])
    smooth = differentiate(torch.as_tensor(both), rate, cutoff_hz)[0].numpy() if len(both) > 6 else both
    return np.column_stack([np.interp(times, even, column) for column in smooth.T])


def _about_pressure(wrench: np.ndarray, height: float, rest: np.ndarray):
    """Force, centre of pressure at `height` and the moment about it. Where nothing presses the point is `rest`."""
    force, moment = wrench[:, :3], wrench[:, 3:]
    pressed = np.abs(force[:, 1]) >= LOADED_N
    vertical = np.where(pressed, force[:, 1], 1.0)
    x = (moment[:, 2] + height * force[:, 0]) / vertical
    z = (height * force[:, 2] - moment[:, 0]) / vertical
    point = np.column_stack([x, np.full(len(x), height), z])
    point = np.where(pressed[:, None], point, np.column_stack([rest[:, 0], np.full(len(x), height), rest[:, 2]]))
    return force, point, moment - np.cross(point, force)
