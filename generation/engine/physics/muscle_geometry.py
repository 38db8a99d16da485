"""Muscle lengths and moment arms as smooth functions of the joint angles, fitted to one body's muscle paths in seconds.

A path is cut into sections at points that are fixed in a bone: a straight piece each, or the pieces that may wrap over
a cylinder together. The square of a straight section's length is a short trigonometric sum, so a polynomial of the
square is all but exact; a section that wraps gets a polynomial of its length. Each section knows only the coordinates
that it crosses (at most four in the supported families), as a sum of products of Chebyshev polynomials of limited
degree in all, and to a higher degree in each coordinate alone. Lengths and arms are fitted together by least squares.

Moment arms are the exact derivatives of the fitted lengths, so power is consistent, and both have gradients. Where a
path jumps on or off its cylinder (OpenSim's paths do) no smooth function follows: samples on the small side of a jump
count as little, the functions go on there as on the large side, and `left_out` says for which share of the sampled
poses, muscle by muscle.

The fit covers RANGES, which hold a deep squat with room to spare; it is closest about a squat, and in the far corners
arms of the gluteus maximus are wrong by centimetres. Outside, the length goes on as a straight line from the nearest
pose inside, with that pose's arms; `outside` tells where that is so.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from scipy.stats import qmc
from torch import Tensor

from generation.engine.physics.muscle_paths import MusclePaths
from generation.engine.physics.muscle_sections import Sections, split_sections

# Degrees; E. The squats of the shipped motion data lie inside. Coordinates without a row take the model's own range.
RANGES = {
    "hip_flexion": (-30, 140), "hip_adduction": (-50, 30), "hip_rotation": (-45, 45), "knee_angle": (-5, 150),
    "ankle_angle": (-40, 50), "subtalar_angle": (-40, 40), "mtp_angle": (-60, 30),
}
# One sample in so many fills the whole box, with less weight, to keep the functions in hand there. The others lie about
# a squat, where accuracy matters: hips flex with the knees (share of the knee's angle, then degrees how far off), the
# rest within these narrower ranges. E.
_BOX_EVERY, _BOX_WEIGHT = 3, 0.08
_HIP_OF_KNEE, _HIP_SPREAD = 0.85, (-25, 40)
_SQUAT = {"hip_adduction": (-40, 12), "hip_rotation": (-35, 40), "ankle_angle": (-5, 50)}
SAMPLES = 4096

# Degree by number of coordinates, for sections that are straight and that wrap; of the latter also in one coordinate
# alone. E: the least that hold the errors of docs/validation.md. A path over the knee alone bends at once where it
# comes to lie on its cylinder: one coordinate can afford the degree to follow that.
_STRAIGHT, _WRAPPED, _ALONE = {1: 10, 2: 8, 3: 9, 4: 7}, {1: 96, 2: 10, 3: 14, 4: 8}, {"knee_angle": 20}
_STRETCH = {"hip_adduction": 0.75, "hip_rotation": 0.75, "subtalar_angle": 0.75, "mtp_angle": 0.75}  # of the degree
_LENGTH_WEIGHT = 2.0  # 1/m; an error of 1 mm in length counts like one of 2 mm in an arm
JUMP_M = 0.003  # a residual of the length beyond which a sample is on the other side of a jump, and left out
_ROUNDS_M = (0.02, 0.008, JUMP_M, JUMP_M)  # the same in rounds of fitting
_LEFT_OUT_WEIGHT = 0.05
_RIDGE = 1e-11


class MuscleGeometry(torch.nn.Module):
    """Fitted lengths and arms of M muscles; make one with `fit`, or from `arrays` of an earlier one.

    names (M), coordinates: as in the body; left_out: {muscle: share of the sampled poses}, only those with any.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], *, dtype=torch.float32, device=None):
        super().__init__()
        self.arrays = dict(arrays)
        self.names, self.coordinates = tuple(arrays["names"].tolist()), tuple(arrays["coordinates"].tolist())
        left_out = zip(self.names, arrays["left_out"].tolist(), strict=True)
        self.left_out = {name: share for name, share in left_out if share}

        def keep(name, array, kind=dtype):
            self.register_buffer(name, torch.tensor(np.asarray(array), dtype=kind, device=device), persistent=False)

        for name in ("middle", "half", "constant"):
            keep(f"_{name}", arrays[name][:, None])
        self._groups = int(arrays["groups"])
        self._degrees: dict[int, int] = {}  # column -> the highest degree that a section needs of it
        keep("_muscles", np.concatenate([arrays[f"{g}_muscle"] for g in range(self._groups)]), torch.long)
        self._roots = [bool(arrays[f"{g}_root"]) for g in range(self._groups)]
        for g in range(self._groups):
            columns, muscle = arrays[f"{g}_columns"], arrays[f"{g}_muscle"]
            for column, degree in zip(columns.tolist(), arrays[f"{g}_powers"].max(0).tolist(), strict=True):
                self._degrees[column] = max(degree, self._degrees.get(column, 0))
            keep(f"_columns_{g}", columns, torch.long)
            keep(f"_powers_{g}", arrays[f"{g}_powers"].T, torch.long)  # (coordinate, term)
            keep(f"_muscle_{g}", muscle, torch.long)
            keep(f"_weights_{g}", arrays[f"{g}_weights"])  # ((1 + coordinates) * sections, term): values, then slopes

    @classmethod
    def fit(cls, paths: MusclePaths, *, samples: int = SAMPLES, seed: int = 0, dtype=torch.float32, device=None):
        """Fit to `paths` at `samples` poses (a fixed sequence for each seed)."""
        return cls(fit_arrays(paths, samples, seed), dtype=dtype, device=device)

    # ---- what is asked of it -------------------------------------------------------------------------------------

    def lengths(self, q: Tensor) -> Tensor:
        """q (..., coordinate) rad, m -> lengths (..., muscle) m, tendon included."""
        return self.lengths_and_arms(q, ())[0]

    def arms(self, q: Tensor, coordinates: Sequence[str] | None = None) -> Tensor:
        """Moment arms -dL/dq (..., muscle, n) m by the n named coordinates, None: by all of the body's."""
        return self.lengths_and_arms(q, coordinates)[1]

    def lengths_and_arms(self, q: Tensor, coordinates: Sequence[str] | None = None) -> tuple[Tensor, Tensor]:
        """Both at the cost of one. In memory the frames come last."""
        if q.shape[-1] != len(self.coordinates):
            raise ValueError(f"q has {q.shape[-1]} columns; the body has {len(self.coordinates)} coordinates")
        coordinates = self.coordinates if coordinates is None else tuple(coordinates)
        flat = (q.reshape(-1, q.shape[-1]).T.to(self._half.dtype) - self._middle) / self._half
        inside = flat.clamp(-1, 1)
        beyond = flat - inside
        tables = {column: _chebyshev(inside[column], degree) for column, degree in self._degrees.items()}
        values, slopes, entries = [], [], []
        for g in range(self._groups):
            columns = getattr(self, f"_columns_{g}")
            value, slope = self._section(g, [tables[column] for column in self.arrays[f"{g}_columns"].tolist()])
            values.append(value + (slope * beyond.index_select(0, columns)[:, None]).sum(0))
            for k, column in enumerate(self.arrays[f"{g}_columns"]):
                if self.coordinates[column] in coordinates:
                    slopes.append(slope[k] / self._half[column])
                    place = coordinates.index(self.coordinates[column])
                    entries.append(getattr(self, f"_muscle_{g}") * len(coordinates) + place)
        lengths = self._constant.repeat(1, flat.shape[1]).index_add_(0, self._muscles, torch.cat(values))
        arms = flat.new_zeros(len(self.names) * len(coordinates), flat.shape[1])
        if entries:
            arms = arms.index_add_(0, torch.cat(entries), torch.cat(slopes), alpha=-1)
        return (lengths.T.reshape(*q.shape[:-1], len(self.names)),
                arms.T.reshape(*q.shape[:-1], len(self.names), len(coordinates)))

    def velocities(self, q: Tensor, u: Tensor) -> Tensor:
        """Lengthening velocities (..., muscle) m/s for u (..., coordinate) rad/s, m/s."""
        return -(self.arms(q) * u.unsqueeze(-2)).sum(-1)

    def outside(self, q: Tensor) -> Tensor:
        """Where a coordinate that moves muscles lies outside of what was fitted: bool (..., coordinate)."""
        return (q - self._middle[:, 0]).abs() > self._half[:, 0] * (1 + 1e-6)

    # ---- how -----------------------------------------------------------------------------------------------------

    def _section(self, g: int, tables: list[Tensor]) -> tuple[Tensor, Tensor]:
        """For each coordinate its powers (degree, frame) -> lengths (section, frame) of a group of sections, and their
        slopes (coordinate, section, frame)."""
        factors = [table.index_select(0, power)
                   for table, power in zip(tables, getattr(self, f"_powers_{g}"), strict=True)]
        terms = factors[0]
        for factor in factors[1:]:
            terms = terms * factor
        out = (getattr(self, f"_weights_{g}") @ terms).unflatten(0, (1 + len(factors), -1))
        value, slope = out[0], out[1:]
        if not self._roots[g]:
            return value, slope
        value = torch.sqrt(value.clamp_min(1e-8))
        return value, slope / (2 * value)


def fit_arrays(paths: MusclePaths, samples: int = SAMPLES, seed: int = 0) -> dict[str, np.ndarray]:
    """What `MuscleGeometry` is made of, as arrays that `np.savez` keeps without pickle.

    On one thread: beside other work, threads that wait for one another made it ten times slower.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _fitted(paths, samples, seed)
    finally:
        torch.set_num_threads(threads)


def _fitted(paths: MusclePaths, samples: int, seed: int) -> dict[str, np.ndarray]:
    sections = split_sections(paths.muscles)
    pieces = MusclePaths(paths.body, sections.muscles)
    names = list(paths.body.coordinates)
    moved = pieces.crosses.any(0)
    middle, half = _ranges(paths, moved)
    unit = _samples([_stem(n) if m else None for n, m in zip(names, moved, strict=True)], middle, half, samples, seed)
    q = torch.as_tensor(middle + half * unit, dtype=paths.body.lower.dtype, device=paths.body.lower.device)
    lengths, arms = (part.cpu().double().numpy() for part in pieces.lengths_and_arms(q))
    arrays = {
        "names": np.array(paths.names, dtype=str), "coordinates": np.array(names, dtype=str), "middle": middle,
        "half": np.where(half > 0, half, np.inf),
        "constant": np.zeros(len(paths.names)), "left_out": np.zeros(len(paths.names)),
    }
    groups = _grouped(pieces, sections)
    still = np.flatnonzero(~pieces.crosses.any(1))
    np.add.at(arrays["constant"], sections.owner[still], lengths[0, still])
    designs: dict[tuple, tuple] = {}
    for g, ((columns, straight), rows) in enumerate(groups.items()):
        columns = list(columns)
        stems = tuple(_stem(names[c]) for c in columns)
        powers = _powers(stems, straight)
        key = (stems, straight, half[columns].tobytes())
        if key not in designs:  # both legs sample the same poses, so they share it
            designs[key] = _design(unit[:, columns], powers, half[columns])
        weights, out = _solve(*designs[key], lengths[:, rows], -arms[:, rows][:, :, columns], straight)
        np.maximum.at(arrays["left_out"], sections.owner[rows], out)
        slopes = [_slope_matrix(powers, k) @ weights for k in range(len(columns))]
        arrays |= {f"{g}_columns": np.array(columns), f"{g}_powers": powers, f"{g}_root": np.array(straight),
                   f"{g}_muscle": sections.owner[rows], f"{g}_weights": np.concatenate([weights, *slopes], 1).T}
    arrays["groups"] = np.array(len(groups))
    return arrays


def _ranges(paths, moved) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half width of each coordinate's range, 0 half for those that move no muscle."""
    lower, upper = (bound.cpu().numpy().astype(float) for bound in (paths.body.lower, paths.body.upper))
    for k, name in enumerate(paths.body.coordinates):
        if _stem(name) in RANGES:
            lower[k], upper[k] = np.radians(RANGES[_stem(name)])
    return np.where(moved, (lower + upper) / 2, 0.0), np.where(moved, (upper - lower) / 2, 0.0)


def _samples(stems, middle, half, samples: int, seed: int) -> np.ndarray:
    """Poses (samples, coordinate) in -1..1; both legs alike, coordinates that move no muscle 0."""
    kinds = list(dict.fromkeys(stem for stem in stems if stem))
    sequence = qmc.Sobol(len(kinds), scramble=True, rng=np.random.default_rng(seed))
    box = sequence.random_base2(int(samples - 1).bit_length())[:samples]
    at = {kind: stems.index(kind) for kind in kinds}
    squat = np.arange(samples) % _BOX_EVERY != 0
    # in the box dense towards the ends, where polynomials tend to run off
    unit = {kind: np.where(squat, 2 * box[:, k] - 1, -np.cos(np.pi * box[:, k])) for k, kind in enumerate(kinds)}

    def narrowed(kind, low, high):  # degrees -> where a value of -1..1 lands inside of them
        inner = np.radians(low + high) / 2 + np.radians(high - low) / 2 * unit[kind]
        return (inner - middle[at[kind]]) / half[at[kind]]

    new = {kind: narrowed(kind, *bounds) for kind, bounds in _SQUAT.items() if kind in at}
    if "hip_flexion" in at and "knee_angle" in at:
        knee = middle[at["knee_angle"]] + half[at["knee_angle"]] * unit["knee_angle"]
        new["hip_flexion"] = narrowed("hip_flexion", *_HIP_SPREAD) + _HIP_OF_KNEE * knee / half[at["hip_flexion"]]
    for kind, values in new.items():
        unit[kind] = np.clip(np.where(squat, values, unit[kind]), -1, 1)
    return np.stack([unit[stem] if stem else np.zeros(samples) for stem in stems], 1)


def _grouped(pieces: MusclePaths, sections: Sections) -> dict[tuple, np.ndarray]:
    """(columns, straight) -> the sections that cross these coordinates."""
    groups: dict[tuple, list[int]] = {}
    for s in np.flatnonzero(pieces.crosses.any(1)):
        key = (tuple(np.flatnonzero(pieces.crosses[s]).tolist()), bool(sections.straight[s]))
        groups.setdefault(key, []).append(s)
    return {key: np.array(groups[key]) for key in sorted(groups)}


def _powers(stems, straight: bool) -> np.ndarray:
    """(term, coordinate) degrees of the products: limited in all, and higher in one coordinate alone."""
    degrees = _STRAIGHT if straight else _WRAPPED
    degree = degrees.get(len(stems), 6)
    stretch = np.array([_STRETCH.get(stem, 1.0) for stem in stems]) if len(stems) > 1 else np.ones(1)
    every = itertools.product(*(range(int(degree * s) + 1) for s in stretch))
    powers = [power for power in every if (np.array(power) / stretch).sum() <= degree + 1e-9]
    if not straight and len(stems) > 1:
        for k, s in enumerate(stretch):
            alone = _ALONE.get(stems[k], 0)
            powers += [tuple(np.eye(len(stems), dtype=int)[k] * d) for d in range(int(degree * s) + 1, alone + 1)]
    return np.array(powers)


def _design(x: np.ndarray, powers: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (sample, term) of the products; the rows (sample, 1 + coordinates, term) of weighted values and slopes by
    the coordinates themselves."""
    table = _chebyshev(torch.as_tensor(x.T), int(powers.max())).numpy()  # (degree, coordinate, sample)
    values = np.prod([table[powers[:, k], k] for k in range(x.shape[1])], axis=0).T
    slopes = [_product(values, _slope_matrix(powers, k)) / half[k] for k in range(x.shape[1])]
    return values, np.stack([values * _LENGTH_WEIGHT, *slopes], 1) * _sample_weights(len(x))


def _solve(values, rows, lengths, slopes, straight: bool) -> tuple[np.ndarray, np.ndarray]:
    """Least squares for each section: weights (term, section), and the share of samples left out (section,).

    lengths (sample, section) m; slopes (sample, section, coordinate) m/rad.
    """
    wanted = np.concatenate([lengths[:, None] * _LENGTH_WEIGHT, slopes.transpose(0, 2, 1)], 1)
    wanted *= _sample_weights(len(lengths))
    if straight:  # the polynomial is the square's
        wanted = np.concatenate([lengths[:, None] * wanted[:, :1], 2 * lengths[:, None] * wanted[:, 1:]], 1)
        return _least_squares(*_normal(rows, wanted)), np.zeros(lengths.shape[1])
    normal, right = _normal(rows, wanted)
    weights = _least_squares(normal, right)
    # beyond a jump the length is not followed, and the arms just enough to stay in hand: what these samples lose
    lost = 1 - np.array([0.0] + [_LEFT_OUT_WEIGHT] * slopes.shape[2])[:, None] ** 2
    for limit in _ROUNDS_M:
        out = np.abs(_product(values, weights) - lengths) > limit
        for s in np.flatnonzero(out.any(0)):
            less, less_right = _normal(rows[out[:, s]], wanted[out[:, s]][..., s, None], lost)
            weights[:, s] = _least_squares(normal - less, right[:, s, None] - less_right)[:, 0]
    return weights, out.mean(0)


def _sample_weights(samples: int) -> np.ndarray:
    return np.where(np.arange(samples) % _BOX_EVERY == 0, _BOX_WEIGHT, 1.0)[:, None, None]


def _normal(rows, wanted, share=1.0) -> tuple[np.ndarray, np.ndarray]:
    """Normal matrix and right hand side; each row counts by its `share`."""
    weighted = (rows * share).reshape(-1, rows.shape[-1])
    return (_product(weighted.T, rows.reshape(weighted.shape)),
            _product(weighted.T, wanted.reshape(len(weighted), -1)))


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a b, on as many threads as torch is told to take; numpy does not ask."""
    return (torch.from_numpy(np.ascontiguousarray(a)) @ torch.from_numpy(np.ascontiguousarray(b))).numpy()


def _least_squares(normal, right) -> np.ndarray:
    ridge = _RIDGE * np.trace(normal) / len(normal)  # holds directions that the samples do not see
    held = torch.from_numpy(normal + ridge * np.eye(len(normal)))
    return torch.linalg.solve(held, torch.from_numpy(np.ascontiguousarray(right))).numpy()


def _slope_matrix(powers: np.ndarray, k: int) -> np.ndarray:
    """(term, term): coefficients of the derivative by coordinate k from those of the polynomial."""
    index = {tuple(power): i for i, power in enumerate(powers.tolist())}
    matrix = np.zeros((len(powers), len(powers)))
    for i, power in enumerate(powers.tolist()):
        for lower in range(power[k] - 1, -1, -2):  # T_n' = 2 n (T_(n-1) + T_(n-3) + ...), with half of T_0
            matrix[index[(*power[:k], lower, *power[k + 1:])], i] = power[k] * (1 if lower == 0 else 2)
    return matrix


def _chebyshev(x: Tensor, degree: int) -> Tensor:
    """T_0 ... T_degree of x (...): (degree + 1, ...)."""
    rows = [torch.ones_like(x), x]
    for _ in range(2, degree + 1):
        rows.append(2 * x * rows[-1] - rows[-2])
    return torch.stack(rows[: degree + 1])


def _stem(name: str) -> str:
    return name.removesuffix("_r").removesuffix("_l")
