"""How much force a muscle can give: the Millard 2012 muscle with a rigid tendon, as OpenSim's static optimisation
uses it.

Force at full activation = maximum isometric force x active force-length x force-velocity, the fibre's length and speed
following from the path's by a rigid tendon at its slack length: `calcInextensibleTendonActiveFiberForce`, which is what
OpenSim's static optimisation pulls the path with. Two traits are OpenSim's and kept for the sake of agreement. The
cosine of the pennation angle has next to no effect there: OpenSim 4.6 takes the angle at the fibre length in optimal
lengths where metres are meant, which gives a cosine above 0.995 (found by comparing numbers; the tests hold it). So a
soleus at 30 degrees is 13 % too strong and its activation as much too low. And passive fibre force and fibre damping
are left out. The two curves are quintic Bezier splines made of the model's own constants (Millard et al. 2013, J
Biomech Eng 135:021005, V: checked against OpenSim in the tests), tabulated as cubic pieces.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

POINTS = 401  # of a table; the cubic pieces between them are within 1e-5 of the curve
PLATEAU = 0.05  # half the width of the force-length plateau, optimal fibre lengths (OpenSim's curve)
NEAR_VMAX = 0.9  # where the force-velocity curve's slopes "near" the maximum velocity hold (OpenSim's curve)


class MuscleCurves(torch.nn.Module):
    """Force capacity of the packed `muscles` (`pack_muscles`): M muscles."""

    def __init__(self, muscles: Mapping[str, np.ndarray], dtype=torch.float32, device=None):
        super().__init__()

        def keep(name, array, kind=dtype):
            self.register_buffer(name, torch.tensor(np.asarray(array), dtype=kind, device=device), persistent=False)

        optimal = muscles["optimal_fiber_length"]
        keep("_force", muscles["maximum_isometric_force"])
        keep("_optimal", optimal)
        keep("_slack", muscles["tendon_slack_length"])
        keep("_height", optimal * np.sin(muscles["pennation_at_optimal"]))
        keep("_fastest", optimal * muscles["maximum_contraction_velocity"])
        keep("_shortest", muscles["minimum_fiber_length"])
        for name, sections in (("length", _length_sections), ("velocity", _velocity_sections)):
            start, step, table, which = _tables(muscles, sections)
            keep(f"_{name}_start", start)
            keep(f"_{name}_step", step)
            keep(f"_{name}_table", table.reshape(-1, 4).T)
            keep(f"_{name}_row", which * table.shape[1] + 1, torch.long)  # of a muscle's piece 0
            setattr(self, f"_{name}_last", table.shape[1] - 2)

    def capacity(self, lengths: Tensor, velocities: Tensor) -> Tensor:
        """Force on the path at activation 1 (..., M) N, from path lengths (..., M) m and lengthening speeds m/s."""
        along = lengths - self._slack
        fibre = torch.sqrt(along * along + self._height * self._height)
        usable = (along > 0) & (fibre > self._shortest)
        fibre = torch.where(usable, fibre, self._optimal)  # keeps the unused branch finite, so its gradient is 0
        cosine = torch.where(usable, along, self._optimal) / fibre
        stretch = fibre / self._optimal
        opensims_cosine = torch.sqrt(1 - (self._height / stretch) ** 2)  # see the module
        force = self._force * self._curve("length", stretch) * opensims_cosine \
            * self._curve("velocity", velocities * cosine / self._fastest)
        return torch.where(usable, force.clamp(min=0.0), torch.zeros_like(force))

    def _curve(self, name: str, x: Tensor) -> Tensor:
        """Values of each muscle's own curve; straight on beyond its ends."""
        start, step, table, row = (getattr(self, f"_{name}_{part}") for part in ("start", "step", "table", "row"))
        at = (x - start) / step
        piece = at.detach().floor().clamp(-1, getattr(self, f"_{name}_last"))
        t, index = at - piece, (row + piece.long()).flatten()
        c0, c1, c2, c3 = (power.index_select(0, index).reshape(x.shape) for power in table)
        return ((c3 * t + c2) * t + c1) * t + c0


def _tables(muscles, sections) -> tuple[np.ndarray, ...]:
    """Tables of the different curves among the muscles: start (M,), step (M,), coefficients (curve, pieces, 4), and
    each muscle's curve (M,). The first and the last piece are the straight ends."""
    rows = np.column_stack(sections(muscles, None))
    unique, which = np.unique(rows, axis=0, return_inverse=True)
    tables = []
    for row in unique:
        corners = sections(None, row)
        parts = [_bezier(*corner) for corner in corners]
        x, y, slope = (np.concatenate([part[k] for part in parts]) for k in range(3))
        grid = np.linspace(corners[0][0], corners[-1][3], POINTS)
        step = grid[1] - grid[0]
        value, rise = np.interp(grid, x, y), np.interp(grid, x, slope) * step
        gain = np.diff(value)
        left, right = rise[:-1], rise[1:]
        inner = np.stack([value[:-1], left, 3 * gain - 2 * left - right, left + right - 2 * gain], 1)
        # a piece counts from its left end; the straight one before the start from one step before it
        ends = [[value[0] - rise[0], rise[0], 0, 0]], [[value[-1], rise[-1], 0, 0]]
        tables.append((grid[0], step, np.concatenate([ends[0], inner, ends[1]])))
    start, step = (np.array([table[k] for table in tables])[which.ravel()] for k in (0, 1))
    return start, step, np.stack([table[2] for table in tables]), which.ravel()


def _length_sections(muscles, row):
    """Constants of the active force-length curve, one column each; or the curve's corners for a row of them."""
    if row is None:
        return [muscles[f"active_{name}"] for name in (
            "minimum_length", "transition_length", "maximum_length", "shallow_slope", "minimum_value")]
    shortest, transition, longest, shallow, low = row
    bend = 0.9  # OpenSim's scaled curviness 0.1 + 0.8 c with c = 1
    shoulder = 1 - shallow * (1 - PLATEAU - transition)
    steep = ((shortest + transition) / 2, shoulder / 2, 1.25 * shoulder / (transition - shortest))
    gentle = ((transition + 1 - PLATEAU) / 2, (shoulder + 1) / 2, shallow)
    down = ((1 + PLATEAU + longest) / 2, 0.5, -1 / (longest - 1 - 2 * PLATEAU))
    knots = [(shortest, low, 0.0), steep, gentle, (1.0, 1.0, 0.0), down, (longest, low, 0.0)]
    return [(*a, *b, bend) for a, b in zip(knots[:-1], knots[1:], strict=True)]


def _velocity_sections(muscles, row):
    """The same for the force-velocity curve."""
    if row is None:
        return [muscles[f"velocity_{name}"] for name in (
            "concentric_slope_at_vmax", "concentric_slope_near_vmax", "isometric_slope", "eccentric_slope_at_vmax",
            "eccentric_slope_near_vmax", "maximum_eccentric_force", "concentric_curviness", "eccentric_curviness")]
    at_c, near_c, isometric, at_e, near_e, most, bend_c, bend_e = row
    rest = 1 - NEAR_VMAX
    bend_c, bend_e = 0.1 + 0.8 * bend_c, 0.1 + 0.8 * bend_e
    short = [(-1.0, 0.0, at_c), (-NEAR_VMAX, rest * (near_c + at_c) / 2, near_c), (0.0, 1.0, isometric)]
    long = [(0.0, 1.0, isometric), (NEAR_VMAX, most - rest * (near_e + at_e) / 2, near_e), (1.0, most, at_e)]
    return [(*a, *b, bend) for knots, bend in ((short, bend_c), (long, bend_e))
            for a, b in zip(knots[:-1], knots[1:], strict=True)]


def _bezier(x0, y0, slope0, x1, y1, slope1, bend) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A quintic Bezier corner between two points with given slopes: x, y and dy/dx along it.

    The inner control points lie in pairs on the two tangents, `bend` of the way to where they cross.
    """
    if abs(slope0 - slope1) > 1e-12:
        cross = (y1 - y0 - x1 * slope1 + x0 * slope0) / (slope0 - slope1)
    else:
        cross = (x0 + x1) / 2
    height = y1 + (cross - x1) * slope1
    u = np.linspace(0, 1, 2001)
    weights = np.stack([(1 - u) ** 5, 5 * u * (1 - u) ** 4, 10 * u**2 * (1 - u) ** 3, 10 * u**3 * (1 - u) ** 2,
                        5 * u**4 * (1 - u), u**5])
    rates = 5 * np.stack([(1 - u) ** 4, 4 * u * (1 - u) ** 3, 6 * u**2 * (1 - u) ** 2, 4 * u**3 * (1 - u), u**4])

    def control(start, middle, end):
        near, far = start + bend * (middle - start), end + bend * (middle - end)
        return np.array([start, near, near, far, far, end])

    x, y = control(x0, cross, x1), control(y0, height, y1)
    return x @ weights, y @ weights, (np.diff(y) @ rates) / (np.diff(x) @ rates)
