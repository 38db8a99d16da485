"""The fast route's moments and activations against OpenSim's, on people whom nothing was fitted to; and what the choice
of the reserve actuators rests on. Needs no raw recordings.

The held-out people are those that the motion model is not trained on. Their squats ship with the project; their sizes
come with them, their masses do not (nobody weighed them): 24 kg/m2 of the model's height stands for them (E).
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.engine.body import BodyModel, BodyScale, load_body, write_osim
from generation.engine.motion_data import load_repetitions
from generation.engine.physics import (
    LEG_COORDINATES,
    RESERVES,
    UNTRUSTED_SHARE,
    StaticOptimisation,
    differentiate,
    inverse_dynamics,
    knee_moments,
    reserve_forces,
    reserve_share,
)
from generation.engine.physics.ground import estimate_ground
from generation.engine.physics.pipeline import FastBody, fast_body
from generation.engine.physics.reserves import DEEPEST_KNEE_DEG, too_deep
from generation.engine.validation.dynamics import FLEXIONS, GRAVITY, Agreement, agreement, compare_moments, table
from generation.engine.validation.row import Row, judged

HELD_OUT = ("ui-prmd-s08", "ui-prmd-s09", "ui-prmd-s10", "cmbbe2024")
MASS_PER_HEIGHT2 = 24.0  # kg/m2, E
WEIGHED_KG = {"cmbbe2024": 80.0}  # told by the source
ACTIVE = 0.05  # a muscle counts where OpenSim's activation exceeds it
NAMED = ("vasint", "vaslat", "vasmed", "soleus")
CHOICES_NM = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
FRAME_RATE = 60.0  # of the shipped squats
SETTLED = 3  # frames at either end that are left out: the ends of a record are the least sure


@dataclass(frozen=True, eq=False)
class Squat:
    """One held-out squat, ready to be shared out among muscles. Tensors (time, ...) in float64."""

    person: str
    name: str
    model: BodyModel
    fast: FastBody
    q: torch.Tensor
    u: torch.Tensor
    udot: torch.Tensor
    wrenches: list
    moments: torch.Tensor  # (time, coordinate) Nm, the patella's with the knee's
    arms: torch.Tensor  # (time, muscle, coordinate) m
    strength: torch.Tensor  # (time, muscle) N

    def solve(self, reserves=RESERVES):
        optimiser = StaticOptimisation(self.model.muscles, self.model.coordinates, reserves)
        return optimiser.solve(self.moments, self.arms, self.strength)


def held_out_squats(folder: Path, each: int = 2, people: Sequence[str] = HELD_OUT, cache=None) -> Iterator[Squat]:
    """The first `each` squats of the held-out people on bodies of their own size, the ground reaction estimated."""
    repetitions = load_repetitions()
    for person in people:
        own = [one for one in repetitions if one.subject.name == person][:each]
        subject = own[0].subject
        mass = WEIGHED_KG.get(person, MASS_PER_HEIGHT2 * subject.height_m**2)
        scale = BodyScale(subject.factors, mass, subject.height_m, "motion data")
        model = load_body(write_osim(scale, folder / f"{person}.osim"), cache, height_m=subject.height_m)
        fast = fast_body(model, torch.float64, cache=cache)
        for one in own:
            with torch.no_grad():
                yield _prepared(person, one, model, fast)


def _prepared(person, repetition, model, fast) -> Squat:
    q, u, udot = differentiate(torch.tensor(repetition.values, dtype=torch.float64), FRAME_RATE)
    body = fast.kinematics
    wrenches = estimate_ground(body, q, u, udot).wrenches()
    moments = knee_moments(body, inverse_dynamics(body, q, u, udot, wrenches))
    lengths, arms = fast.geometry.lengths_and_arms(q)
    strength = fast.curves.capacity(lengths, -(arms @ u.unsqueeze(-1)).squeeze(-1))
    return Squat(person, repetition.name, model, fast, q, u, udot, wrenches, moments, arms, strength)


def compare_activations(squat: Squat, every: int = 8) -> tuple[dict[str, Agreement], dict[str, Agreement]]:
    """Muscle -> agreement with OpenSim over every n-th frame, for the muscles that OpenSim activates above ACTIVE; and
    the same without the frames in which a knee is bent beyond DEEPEST_KNEE_DEG."""
    from generation.engine.reference import analyse_with_opensim

    names = squat.model.coordinates
    frames = np.arange(SETTLED, len(squat.q) - SETTLED, every)
    times, motion = np.arange(len(squat.q)) / FRAME_RATE, (squat.q.numpy(), squat.u.numpy(), squat.udot.numpy())
    theirs = analyse_with_opensim(
        squat.model.osim, names, times, *motion,
        [(body, force.numpy(), moment.numpy()) for body, force, moment in squat.wrenches], reserve_forces(names),
        frames=frames)
    ours = squat.solve().activations.numpy()[frames]
    own = [str(name) for name in squat.model.muscles["muscle_names"]]
    knees = [names.index(f"knee_angle_{side}") for side in "rl"]
    followed = ~too_deep(squat.q[frames][:, knees]).numpy()
    return tuple({name: agreement(theirs.activations[kept, i], ours[kept, own.index(name)])
                  for i, name in enumerate(theirs.muscles) if theirs.activations[kept, i].max() > ACTIVE}
                 for kept in (np.ones_like(followed), followed))


def reserve_table(squats: Sequence[Squat]) -> list[str]:
    """For each optimal force, alike for all six coordinates: what saturates, and what the reserves carry."""
    lines = ["optimal force: saturated muscles a leg and frame, frames with any; reserve / moment (root mean squares) "
             + ", ".join(LEG_COORDINATES) + "; legs and frames not trusted"]
    for force in CHOICES_NM:
        saturated, reserves, moments = [], [], []
        for squat in squats:
            found = squat.solve(dict.fromkeys(LEG_COORDINATES, force))
            full = (found.activations >= 0.999)[SETTLED:-SETTLED]
            for side in "rl":
                own = [i for i, name in enumerate(squat.model.muscles["muscle_names"]) if name.endswith(f"_{side}")]
                column = [squat.model.coordinates.index(f"{name}_{side}") for name in LEG_COORDINATES]
                saturated.append(full[:, own].sum(1))
                reserves.append(found.reserves[SETTLED:-SETTLED, column])
                moments.append(squat.moments[SETTLED:-SETTLED, column])
        many, reserve, moment = (torch.cat(parts).double() for parts in (saturated, reserves, moments))
        share = reserve.square().mean(0).sqrt() / moment.square().mean(0).sqrt()
        doubted = (reserve_share(moment, reserve) > UNTRUSTED_SHARE).any(1).double().mean()
        lines.append(f"{force:g} Nm: {many.mean():.2f}, {100 * (many > 0).double().mean():.0f} %; "
                     + ", ".join(f"{100 * one:.1f} %" for one in share) + f"; {100 * doubted:.0f} %")
    return lines


def held_out(data: Path | None, tell: Callable[[str], None]) -> list[Row]:
    """The rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        squats = list(held_out_squats(Path(folder)))
        moments, moment_lines, lines, whole, followed = [], [], [], [], []
        for squat in squats:
            tell(f"held-out people: {squat.name}")
            unit = squat.model.mass_kg * GRAVITY * squat.model.height_m / 100
            wrenches = [(body, force.numpy(), moment.numpy()) for body, force, moment in squat.wrenches]
            found = compare_moments(squat.model, squat.q.numpy(), FRAME_RATE, wrenches)
            moments += [(found[name].rmse / unit, found[name].r2) for name in FLEXIONS]
            body = squat.model
            moment_lines += [f"{squat.name}, {line}" for line in table(found, body.mass_kg, body.height_m)]
            every, within = compare_activations(squat)
            whole.append(every)
            followed.append(within)
            lines += [_line(squat, every),
                      _line(squat, within, f", knees within {DEEPEST_KNEE_DEG:g} degrees")]
        reserves = reserve_table(squats)
    worst, least = max(error for error, _ in moments), min(r2 for _, r2 in moments)
    (words, met), (within, _) = _judged(whole), _judged(followed)
    return [
        judged("held_out_moments", "joint moments, fast route, float32, held-out people",
               "OpenSim inverse dynamics, same motion and forces",
               "RMSE 1 % of body weight x height, R2 0.99 for hip, knee and ankle flexion",
               f"worst RMSE {worst:.4f} %, least R2 {least:.6f} ({len(squats)} squats)", worst <= 1 and least >= 0.99,
               moment_lines),
        judged("held_out_activations", "activations, fast route, held-out people", "OpenSim static optimisation",
               f"R2 0.95 median over muscles above {ACTIVE}; vasti and soleus 0.95 each",
               f"{words} ({len(squats)} squats); in frames with knees within {DEEPEST_KNEE_DEG:g} degrees {within}",
               met, lines),
        Row("reserves", "price of the reserve actuators", "each other", "-",
            f"{RESERVES['knee_angle']:g} Nm chosen, see the lines below", "shown", tuple(reserves)),
    ]


def _judged(squats: Sequence[dict[str, Agreement]]) -> tuple[str, bool]:
    """The figures over several squats in words, and whether they hold the bar."""
    scores = [(name[:-2], one.r2) for squat in squats for name, one in squat.items()]
    median = float(np.median([r2 for _, r2 in scores]))
    low = {wanted: min(r2 for name, r2 in scores if name == wanted) for wanted in sorted(NAMED)}
    words = ", ".join(f"{name} {score:.3f}" for name, score in low.items())
    return f"median R2 {median:.4f} over {len(scores)} muscles, least of {words}", min(median, *low.values()) >= 0.95


def _line(squat: Squat, scores: dict[str, Agreement], part: str = "") -> str:
    worst = max(scores, key=lambda name: scores[name].worst)
    low = sorted(scores, key=lambda name: scores[name].r2)[:4]
    knees = [squat.model.coordinates.index(f"knee_angle_{side}") for side in "rl"]
    deepest = np.degrees(squat.q[:, knees].max())
    median = np.median([one.r2 for one in scores.values()])
    return (f"{squat.name}{part}: median R2 {median:.4f} over {len(scores)} muscles, deepest knee angle {deepest:.0f} "
            f"degrees; worst difference {scores[worst].worst:.3f} ({worst}); lowest R2 "
            + ", ".join(f"{name} {scores[name].r2:.3f}" for name in low))
