"""Muscle lengths and moment arms from the path geometry itself: points fixed in bones, and cylinders to wrap over.

This is what OpenSim computes, piece by piece, for a whole batch of poses at once. It is the truth to which
`muscle_geometry.py` fits its smooth functions, and what checks them; it is not itself smooth, because a path that comes
to lie on a cylinder bends at once, and may even jump.

**Which moment arm.** OpenSim gives two answers: the moment of a unit tension on the bodies (`computeMomentArm`, which
is also how its static optimisation sees a muscle), and minus the derivative of the path length. On a shortest path they
are the same. Two things make them differ, both found by comparing with OpenSim 4.6:

- A path over *two* cylinders (the gastrocnemii) is found in rounds, one cylinder after the other. OpenSim keeps the
  place in ground of a wrapping point from the first round after the point has moved in a later one; it then adds the
  straight pieces to the old place and the surface of the new one. Near a straight knee its length is up to 6 mm short
  and the derivative of that is nonsense (0 to 7 mm at the knee for the medial head where the path says 17 to 20), while
  its moment of a unit tension is off by less than 1 mm. Here the points are where the last round has put them, so
  length, derivative and moment agree.
- Over a *single* cylinder OpenSim's path is not quite the shortest one (see `wrapping.py`). The moment of a unit
  tension misses that the path changes by sliding along the cylinder.

`arms` is minus the derivative of the length, by virtual work exact to rounding: then a muscle's power is its tension
times its shortening, which an equilibrium of moments presumes. `tension_arms` is OpenSim's other answer, for
comparison. Arms about `knee_angle` include that the patella moves along, as everything coupled to a coordinate does.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import BodyModel, TorchBody
from generation.engine.physics.chain import apply, apply_transposed, constants, cross, screws
from generation.engine.physics.wrapping import MAY, MISSES, MUST, WrapResult, wrap_cylinder

_CHUNK = 512  # frames at a time, which keeps what a chunk touches in tens of MB
_ROUNDS, _SETTLED = 8, 0.0005  # OpenSim's limits of alternating between two cylinders: rounds, change of length in m


class MusclePaths(torch.nn.Module):
    """Muscle paths of a `BodyModel`, or those of `muscles` (arrays of `pack_muscles`) over the bones of a TorchBody.

    names: the M muscles; use_names: for each of the V uses of a cylinder by a path, (muscle, cylinder); crosses (M,
    coordinate) bool: which coordinates move the parts of a path against one another. Raises ValueError for a path over
    three cylinders, or over two with points between: no model of the supported families has one.
    """

    def __init__(self, body: BodyModel | TorchBody, muscles: Mapping[str, np.ndarray] | None = None, *,
                 dtype=torch.float64, device=None):
        super().__init__()
        if isinstance(body, BodyModel):
            body, muscles = TorchBody(body, dtype, device), body.muscles
        self.body, self.muscles = body, muscles
        self.names = tuple(muscles["muscle_names"].tolist())
        owner, wrap = muscles["use_muscle"], muscles["use_wrap"]
        self.use_names = tuple((self.names[m], str(muscles["wrap_names"][w])) for m, w in zip(owner, wrap, strict=True))
        bodies = list(body.bodies)
        place = np.array([bodies.index(name) if name in bodies else -1 for name in muscles["path_bodies"]])
        if (place[muscles["point_body"]] < 0).any() or (place[muscles["wrap_body"]] < 0).any():
            raise ValueError("a muscle is fixed to ground or to a body that the model does not have")
        self._keep_points(muscles, place)
        self._keep_singles(muscles)
        self._keep_doubles(muscles)
        self._keep_levers(muscles, place)

    def _keep(self, name, array, kind=None):
        kind = self.body.lower.dtype if kind is None else kind
        tensor = torch.tensor(np.asarray(array), dtype=kind, device=self.body.lower.device)
        self.register_buffer(name, tensor, persistent=False)

    def _keep_points(self, muscles, place):
        owner = np.repeat(np.arange(len(self.names)), np.diff(muscles["point_start"]))
        piece = np.flatnonzero(owner[1:] == owner[:-1])  # a straight piece goes from a point to the next
        self._keep("_piece", piece, torch.long)
        self._keep("_piece_muscle", owner[piece], torch.long)
        self._keep("_point_body", place[muscles["point_body"]], torch.long)
        self._keep("_point_offset", muscles["point_offset"].T[..., None])
        wrap = muscles["use_wrap"]
        self._keep("_use_body", place[muscles["wrap_body"][wrap]], torch.long)
        self._keep("_use_offset", muscles["wrap_position"][wrap].T[..., None])
        self._keep("_use_turn", muscles["wrap_rotation"][wrap].transpose(1, 2, 0)[..., None])
        for name in ("radius", "length"):
            self._keep(f"_use_{name}", muscles[f"wrap_{name}"][wrap][:, None])
        for name in ("axis", "sign"):
            self._keep(f"_use_{name}", muscles[f"wrap_{name}"][wrap][:, None], torch.long)

    def _keep_singles(self, muscles):
        """Uses of the only cylinder of a path, and the pieces that may wrap over it: `_trial` (trial, use)."""
        owner, start = muscles["use_muscle"], muscles["point_start"]
        single = np.flatnonzero(np.bincount(owner, minlength=len(self.names))[owner] == 1)
        first = start[owner[single]] + muscles["use_first"][single]
        last = start[owner[single]] + muscles["use_last"][single]
        trial = first + np.arange(max(last - first, default=0))[:, None]
        self._keep("_single", single, torch.long)
        self._keep("_single_muscle", owner[single], torch.long)
        self._keep("_trial_real", trial < last, torch.bool)
        self._keep("_trial", np.where(trial < last, trial, first), torch.long)

    def _keep_doubles(self, muscles):
        """Uses of the two cylinders of a path: `_double` (2, path) and the path's two ends `_double_ends` (2, path)."""
        owner, start = muscles["use_muscle"], muscles["point_start"]
        count = np.bincount(owner, minlength=len(self.names))
        for m in np.flatnonzero(count > 1):
            if count[m] > 2 or start[m + 1] - start[m] > 2:
                raise ValueError(f"muscle {self.names[m]} wraps over {count[m]} cylinders with "
                                 f"{start[m + 1] - start[m]} path points; two cylinders between two points is the most "
                                 "that can be used")
        pairs = [np.flatnonzero(owner == m) for m in np.flatnonzero(count == 2)]
        double = np.array(pairs, dtype=int).reshape(-1, 2).T
        muscle = owner[double[0]]
        self._keep("_double", double, torch.long)
        self._keep("_double_muscle", muscle, torch.long)
        self._keep("_double_ends", np.stack([start[muscle], start[muscle + 1] - 1]), torch.long)

    def _keep_levers(self, muscles, place):
        """Which forces on bodies a joint axis feels: `_lever_row`, `_lever_slot` (L,), and the entry of the (muscle,
        coordinate) table that the product adds to. A row is a path point or a cylinder's use."""
        chain = constants(self.body)
        carries, source = chain.carries.bool().cpu().numpy(), chain.source.cpu().numpy()
        owner = np.concatenate([np.repeat(np.arange(len(self.names)), np.diff(muscles["point_start"])),
                                muscles["use_muscle"]])
        body = np.concatenate([place[muscles["point_body"]], place[muscles["wrap_body"][muscles["use_wrap"]]]])
        felt = carries[body]  # (row, slot)
        # an axis that carries a whole path, or nothing of it, does not change its length
        moved = np.stack([felt[owner == m].any(0) & ~felt[owner == m].all(0) for m in range(len(self.names))])
        row, slot = np.nonzero(felt & moved[owner])
        self._keep("_lever_row", row, torch.long)
        self._keep("_lever_slot", slot, torch.long)
        self._keep("_lever_entry", owner[row] * len(self.body.coordinates) + source[slot], torch.long)
        self.crosses = np.zeros((len(self.names), len(self.body.coordinates)), dtype=bool)
        self.crosses[owner[row], source[slot]] = True

    # ---- what is asked of it -------------------------------------------------------------------------------------

    def lengths(self, q: Tensor) -> Tensor:
        """Lengths from origin to insertion, tendon included, in m. q (..., coordinate) rad, m -> (..., muscle). The
        gradient by q is that of `arms`."""
        parts = [self._lengths(*self._geometry(part)[:3])[0].T for part in self._flat(q).split(_CHUNK)]
        return torch.cat(parts).reshape(*q.shape[:-1], len(self.names))

    @torch.no_grad()
    def wraps(self, q: Tensor) -> Tensor:
        """Which cylinders the paths lie on: q (..., coordinate) -> bool (..., V), as in `use_names`."""
        parts = [self._lengths(*self._geometry(part)[:3])[1].T for part in self._flat(q).split(_CHUNK)]
        return torch.cat(parts).reshape(*q.shape[:-1], len(self.use_names))

    def arms(self, q: Tensor) -> Tensor:
        """Moment arms -dL/dq (..., muscle, coordinate) in m (no unit for translations); no gradient."""
        return self._arms(q, sliding=True)[1]

    def lengths_and_arms(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """`lengths` and `arms` in one go, without a gradient."""
        return self._arms(q, sliding=True)

    def tension_arms(self, q: Tensor) -> Tensor:
        """Moments of a unit tension, as OpenSim's solver has them (see the module); no gradient."""
        return self._arms(q, sliding=False)[1]

    # ---- how -----------------------------------------------------------------------------------------------------

    def _flat(self, q: Tensor) -> Tensor:
        if q.shape[-1] != len(self.body.coordinates):
            raise ValueError(f"q has {q.shape[-1]} columns; the body has {len(self.body.coordinates)} coordinates")
        return q.reshape(-1, q.shape[-1])

    def _geometry(self, flat: Tensor):
        """Points (3, P, frame), cylinders' middles (3, V, frame) and frames (3, 3, V, frame) in ground; kinematics."""
        kinematics = self.body(flat)
        position, rotation = kinematics.translations.permute(2, 1, 0), kinematics.rotations.permute(2, 3, 1, 0)
        turn = rotation.index_select(2, self._point_body)
        points = apply(turn, self._point_offset) + position.index_select(1, self._point_body)
        turn = rotation.index_select(2, self._use_body)
        middle = apply(turn, self._use_offset) + position.index_select(1, self._use_body)
        frame = (turn[:, :, None] * self._use_turn).sum(1)
        return points, middle, frame, position, rotation

    def _lengths(self, points: Tensor, middle: Tensor, frame: Tensor, sliding: bool = True) -> tuple[Tensor, Tensor]:
        """Lengths (muscle, frame) and which uses wrap (V, frame). Without `sliding`, the tangent points count as fixed
        to the cylinder when the gradient is taken."""
        straight = _norm(points.index_select(1, self._piece + 1) - points.index_select(1, self._piece))
        lengths = straight.new_zeros(len(self.names), straight.shape[1])
        lengths = lengths.index_add(0, self._piece_muscle, straight)
        on = torch.zeros(len(self.use_names), straight.shape[1], dtype=torch.bool, device=straight.device)
        if len(self._single):
            more, touched = self._singles(points, middle, frame, sliding)
            lengths, on = lengths.index_add(0, self._single_muscle, more), on.index_copy(0, self._single, touched)
        if self._double.shape[1]:
            more, touched = self._doubles(points, middle, frame)
            lengths = lengths.index_add(0, self._double_muscle, more)
            on = on.index_copy(0, self._double[0], touched[0]).index_copy(0, self._double[1], touched[1])
        return lengths, on

    def _singles(self, points, middle, frame, sliding):
        """What each only cylinder adds to its path's length (use, frame), and whether it is touched."""
        middle, frame = middle.index_select(1, self._single), frame.index_select(2, self._single)
        touched, best, trials = self._chosen_singles(points, middle, frame)
        changes = []
        for row, result in trials:
            start, end = (apply_transposed(frame, points.index_select(1, one) - middle) for one in (row, row + 1))
            changes.append(_added(result, start, end, sliding))
        return torch.where(touched, torch.stack(changes).gather(0, best[None])[0], 0.0), touched

    def _chosen_singles(self, points, middle, frame):
        """Which piece of each path with only one cylinder lies on it: touched (use, frame) bool, the piece's rank among
        those tried (use, frame), and for each rank the point rows that its pieces begin at and the wraps. The first
        piece that must wrap does, or else the one that may and adds least."""
        scores, trials = [], []
        for rank, (row, real) in enumerate(zip(self._trial, self._trial_real, strict=True)):
            start, end = (apply_transposed(frame, points.index_select(1, one) - middle) for one in (row, row + 1))
            result = self._wrap(self._single, start, end, geodesic=False)
            score = torch.where(result.action == MAY, _added(result, start, end, True).detach(), torch.inf)
            score = torch.where(result.action == MUST, float(rank - len(self._trial)), score)  # before any that may
            scores.append(torch.where(real[:, None], score, torch.inf))
            trials.append((row, result))
        score, best = torch.stack(scores).min(0)
        return score < torch.inf, best, trials

    def _doubles(self, points, middle, frame):
        """The same for the paths over two cylinders: (path, frame), and two rows of touched (path, frame). The path is
        shortest in its tangent points, so these may count as fixed."""
        ends, _, _, loops = self._loops(points, middle, frame)
        return _loop_length(ends, loops) - _norm(ends[1] - ends[0]), [loop.on for loop in loops]

    def _loops(self, points, middle, frame):
        """The paths over two cylinders, wrapped in turns until the length settles: their ends, the cylinders' middles
        and frames, and how they lie on each, in ground."""
        ends = [points.index_select(1, end) for end in self._double_ends]
        middles = [middle.index_select(1, use) for use in self._double]
        frames = [frame.index_select(2, use) for use in self._double]
        with torch.no_grad():
            off = torch.zeros_like(ends[0][0], dtype=torch.bool)
            loops = [_Loop(off, off, torch.zeros_like(ends[0]), torch.zeros_like(ends[0]), torch.zeros_like(ends[0][0]))
                     for _ in range(2)]
            settled, last = off, torch.full_like(ends[0][0], torch.inf)
            for _ in range(_ROUNDS):
                for i in range(2):
                    new = self._turn_of(self._double[i], ends, middles[i], frames[i], loops[1 - i])
                    loops[i] = new.where(~settled, loops[i])
                    loops[1 - i] = loops[1 - i].ordered(torch.where(settled, loops[1 - i].leads, ~loops[i].leads))
                length = _loop_length(ends, loops)
                settled = settled | ((length - last).abs() < _SETTLED)
                last = torch.where(settled, last, length)
                if settled.all():
                    break
            inner = [[apply_transposed(f, p - m) for p in (loop.first, loop.second)]
                     for loop, m, f in zip(loops, middles, frames, strict=True)]
        loops = [_Loop(loop.on, loop.leads, apply(f, first) + m, apply(f, second) + m, loop.surface)
                 for loop, (first, second), m, f in zip(loops, inner, middles, frames, strict=True)]
        return ends, middles, frames, loops

    def _turn_of(self, use, ends, middle, frame, other):
        """Wrap over one cylinder, given how the path lies on the other one: before it or after it."""
        pieces = [(ends[0], torch.where(other.on, other.first, ends[1])),
                  (torch.where(other.on, other.second, ends[0]), ends[1])]
        tried = []
        for start, end in pieces:
            start, end = apply_transposed(frame, start - middle), apply_transposed(frame, end - middle)
            result = self._wrap(use, start, end, geodesic=True)
            tried.append((result, _added(result, start, end, sliding=False)))
        (before, shift), (after, other_shift) = tried
        later = torch.where(other.on, after.action, MISSES)  # a path off the other cylinder has one piece only
        leads = (before.action == MUST) | ((before.action == MAY) & (later != MUST)
                                           & ((later != MAY) | (shift <= other_shift)))
        on = leads | (later >= MAY)
        first, second = (apply(frame, torch.where(leads, a, b)) + middle
                         for a, b in ((before.first, after.first), (before.second, after.second)))
        return _Loop(on, leads, first, second, torch.where(leads, before.surface, after.surface))

    def _wrap(self, use, start, end, geodesic) -> WrapResult:
        surface = (getattr(self, f"_use_{name}").index_select(0, use) for name in ("radius", "length", "axis", "sign"))
        return wrap_cylinder(start, end, *surface, geodesic=geodesic)

    def _arms(self, q: Tensor, sliding: bool) -> tuple[Tensor, Tensor]:
        parts = [self._levers(part, sliding) for part in self._flat(q.detach()).split(_CHUNK)]
        lengths, arms = zip(*parts, strict=True)
        shape = (*q.shape[:-1], len(self.names))
        return torch.cat(lengths).reshape(shape), torch.cat(arms).reshape(*shape, -1)

    def _levers(self, flat: Tensor, sliding: bool) -> tuple[Tensor, Tensor]:
        """Lengths (frame, muscle) and arms (frame, muscle * coordinate). The derivative of a length by its own points
        and cylinders is a force and a moment on their bodies, whose power in the joints' axes is dL/dq."""
        with torch.no_grad():
            *geometry, position, rotation = self._geometry(flat)
            angular, linear, slope, _ = screws(constants(self.body), flat.T, position, rotation)
        geometry = [part.clone().requires_grad_() for part in geometry]
        with torch.enable_grad():
            lengths = self._lengths(*geometry, sliding)[0]
            push, shift, turn = torch.autograd.grad(lengths.sum(), geometry)
        points, middle, frame = (part.detach() for part in geometry)
        force = torch.cat([push, shift], 1)
        moment = torch.cat([cross(points, push), cross(middle, shift)
                            + sum(cross(frame[:, k], turn[:, k]) for k in range(3))], 1)
        power = torch.zeros(len(self._lever_row), flat.shape[0], dtype=flat.dtype, device=flat.device)
        for screw, load in ((angular, moment), (linear, force)):
            for k in range(3):
                axis = screw[k] * slope
                power.addcmul_(axis.index_select(0, self._lever_slot), load[k].index_select(0, self._lever_row))
        table = power.new_zeros(len(self.names) * len(self.body.coordinates), flat.shape[0])
        return lengths.detach().T, -table.index_add_(0, self._lever_entry, power).T


class _Loop:
    """How paths lie on one of their two cylinders, in ground: on it or not, before the other one or not, where they
    come on (3, ...), where they leave, and the length between."""

    def __init__(self, on, leads, first, second, surface):
        self.on, self.leads, self.first, self.second, self.surface = on, leads, first, second, surface

    def where(self, mine, other):
        return _Loop(*(torch.where(mine, a, b) for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def ordered(self, leads):
        return _Loop(self.on, leads, self.first, self.second, self.surface)


def _loop_length(ends, loops) -> Tensor:
    a, b = loops[0].where(loops[0].leads, loops[1]), loops[1].where(loops[0].leads, loops[0])
    at, length = ends[0], 0.0
    for loop in (a, b):
        length = length + torch.where(loop.on, _norm(loop.first - at) + loop.surface, 0.0)
        at = torch.where(loop.on, loop.second, at)
    return length + _norm(ends[1] - at)


def _added(result: WrapResult, start: Tensor, end: Tensor, sliding: bool) -> Tensor:
    """By how much the wrap is longer than the straight piece, in m."""
    first, second, surface = result.first, result.second, result.surface
    if not sliding:
        first, second, surface = first.detach(), second.detach(), surface.detach()
    return _norm(first - start) + surface + _norm(end - second) - _norm(end - start)


def _norm(vector: Tensor) -> Tensor:
    return torch.sqrt(vector.square().sum(0).clamp_min(1e-24))
