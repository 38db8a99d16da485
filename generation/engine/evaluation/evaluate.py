"""Measures everything that the tables need, part by part; each finished part is kept and not measured twice."""
from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from generation.engine.evaluation import baselines, checker, published, random_profiles
from generation.engine.evaluation.delivered import deliver, read_delivered
from generation.engine.evaluation.motions import (
    FRAME_RATE,
    PUBLISHED_COORDINATES,
    Squat,
    columns,
    cut,
    in_phase,
    tiled,
)
from generation.engine.evaluation.people import Person, Request, depth_and_tempo, groups, requests
from generation.engine.evaluation.personal import personal_motions
from generation.engine.evaluation.placing import closed, place, times_of
from generation.engine.evaluation.published_guidance import BATCH, ITERATIONS, Schedule, guided_as_published
from generation.engine.evaluation.realism import JUDGES, giveaways, judge
from generation.engine.evaluation.store import WORK, Store, code_key
from generation.engine.motion_model import HELD_OUT, PUBLISHED_VQVAE, RESIDUAL_VQVAE, MotionModel, load_motion_model
from generation.engine.motion_model.preparation import channels_of, reconstruction_error
from generation.engine.profile import Profile

SEED = 0
REQUESTS_EACH, CANDIDATES_EACH = 4, 6        # natural squats: requests for ten real squats, candidates of each
WINDOW_CANDIDATES = 10                       # for each activation window, each on another person
OPENSIM_MOTIONS = 30
PROFILES, CANDIDATES, ENOUGH = 1000, 16, 3
HELD, TRAIN, PLANTED, OURS = "held-out people", "training people", "held-out people, planted", "ours"
UNASKED = "ours, no depth asked"
DEPTH_ROOM_DEG = 6.0                         # to either side of the knee flexion that is asked for (E)
UNGUIDED, RESIDUAL, GUIDED = "unguided VQ-VAE", "unguided residual VQ-VAE", "published guidance"
NEAREST, BLEND, MIXTURE = "nearest training squat", "linear blend", "PCA + Gaussian mixture"
JOINTS = {"knee": ("knee_angle_r", "knee_angle_l"), "hip": ("hip_flexion_r", "hip_flexion_l"),
          "ankle": ("ankle_angle_r", "ankle_angle_l"), "lumbar": ("lumbar_extension",)}
PHYSICS_EACH = 8                             # motions of a set and person whose muscles are solved
_CHUNK = 4                                   # of them together


@dataclass
class Evaluation:
    """One run. ``count``: of the random profiles; ``iterations``: of the published guidance, 0 leaves it out;
    ``opensim``: motions that OpenSim judges, of the windows and of the profiles."""

    work: Path = WORK
    count: int = PROFILES
    iterations: int = ITERATIONS
    opensim: int = OPENSIM_MOTIONS
    device: str | None = None
    tell: Callable[[str], None] = print
    results: dict = field(default_factory=dict)

    def run(self, only: str | None = None) -> dict:
        """The parts' results by name; with ``only`` that part and what it needs."""
        torch.set_num_threads(1)
        for name, part in self.parts().items():
            if only in (None, name):
                self.tell(f"--- {name}")
                self.results[name] = part()
        return self.results

    @staticmethod
    def names() -> tuple[str, ...]:
        return ("reconstruction", "sets", "realism", "windows", "profiles", "personal")

    def parts(self) -> dict[str, Callable[[], dict]]:
        return {name: getattr(self, name) for name in self.names()}

    # ---- what everything needs ------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> MotionModel:
        return load_motion_model(HELD_OUT, self.device)

    @cached_property
    def fixed(self) -> Store:
        """Of parts that the generator has no hand in."""
        return Store(self.work / "baselines")

    @cached_property
    def store(self) -> Store:
        """Of parts that today's generator made."""
        return Store(self.work / f"{self.model.version.split('+')[-1]}-{code_key(self.model.version)}")

    @cached_property
    def groups(self) -> dict[str, list[Person]]:
        return groups()

    @cached_property
    def test(self) -> dict[str, Person]:
        return {person.name: person for person in self.groups["test"]}

    @cached_property
    def training(self) -> baselines.Training:
        return baselines.Training(self.groups["train"])

    @cached_property
    def asked(self):
        """The requests of the natural squats, each CANDIDATES_EACH times."""
        return requests(self.groups["test"], self.groups["train"], REQUESTS_EACH, SEED)

    # ---- sets of motions ------------------------------------------------------------------------------------------

    def squats(self, name: str) -> list[Squat]:
        """The set of that name, made or taken from what is kept."""
        store = self.store if name in (OURS, UNASKED) else self.fixed
        made = {OURS: self._ours, UNASKED: self._ours, GUIDED: self._guided}.get(name, self._placed)
        file = store.folder / "sets" / f"{name.replace(' ', '-').replace(',', '')}.npz"
        if name in (HELD, TRAIN):
            people = self.groups["test" if name == HELD else "train"]
            return [Squat(person.name, squat.values) for person in people for squat in person.squats]
        if not file.is_file():
            self.tell(f"making: {name}")
            found = made(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(f".{os.getpid()}.part.npz")
            np.savez_compressed(part, people=np.array([squat.person for squat in found]),
                                lengths=np.array([len(squat.values) for squat in found]),
                                values=np.concatenate([squat.values for squat in found]))
            part.replace(file)
        with np.load(file, allow_pickle=False) as kept:
            parts = np.split(kept["values"], np.cumsum(kept["lengths"])[:-1])
            return [Squat(str(person), values) for person, values in zip(kept["people"], parts, strict=True)]

    def _ours(self, name: str) -> list[Squat]:
        found = []
        for number, request in enumerate(self.asked):
            self.tell(f"natural squats: request {number + 1} of {len(self.asked)}")
            profile, part = self.natural(request, name == OURS)
            delivery = deliver(self.store, f"{part}/{number:03d}", profile, CANDIDATES_EACH, request.seed, self.model,
                               self.device)
            found += [Squat(request.person, read_delivered(path)) for path in delivery.accepted]
        return found

    def natural(self, request: Request, depth_asked: bool) -> tuple[Profile, str]:
        """The profile of a natural squat at the tempo of a training person's, and that squat's depth if asked, and the
        name under which it is kept."""
        fields = request.fields()
        if depth_asked:
            low, high = (request.knee_deg + side * DEPTH_ROOM_DEG for side in (-1, 1))
            fields["constraints"] = [{"variable": "knee_flexion_peak", "min": low, "max": high, "unit": "deg",
                                      "side": "both", "source": "evaluation"}]
        return self.test[request.person].parsed(**fields), "natural-deep" if depth_asked else "natural"

    def _placed(self, name: str) -> list[Squat]:
        rng = np.random.default_rng(SEED)
        asked = [request for request in self.asked for _ in range(CANDIDATES_EACH)]
        drawing = {NEAREST: baselines.nearest_training, BLEND: baselines.linear_blend, MIXTURE: baselines.pca_mixture}
        if name in drawing:
            return baselines.placed(drawing[name](self.training, asked, rng), asked, self.test, planted=True)
        if name == PLANTED:
            return [Squat(person.name, place(
                person.made, squat.subject.standing, closed(channels_of([squat]))[0].double().numpy(),
                times_of(*depth_and_tempo(squat.values, FRAME_RATE)[1:]), planted=True))
                for person in self.groups["test"] for squat in person.squats]
        model = load_motion_model(PUBLISHED_VQVAE if name == UNGUIDED else RESIDUAL_VQVAE)
        movements = baselines.unguided_codes(model, self.training.channels, len(asked), SEED)
        drawn = movements, self.training.poses_at_random(len(asked), rng)
        return baselines.placed(drawn, asked, self.test, planted=False, as_asked=False)

    def _guided(self, name: str) -> list[Squat]:
        """One batch for each activation window, each on another person's body."""
        model, found = load_motion_model(PUBLISHED_VQVAE), []
        for number, (window, person) in enumerate(self._windows_and_people()):
            asked = [one for one in self.asked if one.person == person.name]
            asked = [asked[i % len(asked)] for i in range(BATCH)]
            poses = self.training.poses_at_random(BATCH, np.random.default_rng([SEED, number]))
            movements = guided_as_published(
                model, person, poses, window, SEED + number, Schedule(self.iterations),
                lambda i, terms, person=person: self.tell(f"published guidance, {person.name}: iteration {i}"))
            found += baselines.placed((movements, poses), asked, self.test, planted=False, as_asked=False)
        return found

    def _windows_and_people(self) -> list[tuple[tuple[float, float], Person]]:
        """Each activation window with another held-out person."""
        return list(zip(published.WINDOWS, list(self.test.values())[1:], strict=True))

    def bodies(self, name: str) -> dict[str, Person]:
        return {person.name: person for group in self.groups.values() for person in group}

    # ---- parts ----------------------------------------------------------------------------------------------------

    def sets(self) -> dict[str, dict]:
        """Set -> its measures; see `_measured`."""
        return {name: (self.store if name in (OURS, UNASKED) else self.fixed).json(
            f"measures/{name.replace(' ', '-').replace(',', '')}", lambda name=name: self._measured(name))
            for name in (HELD, TRAIN, *self._made())}

    def _made(self) -> tuple[str, ...]:
        """The sets that were made by somebody or something."""
        guided = (GUIDED,) if self.iterations else ()
        return (OURS, UNASKED, UNGUIDED, RESIDUAL, *guided, NEAREST, MIXTURE, BLEND)

    def _measured(self, name: str) -> dict:
        self.tell(f"measuring: {name}")
        squats = [Squat(squat.person, cut(squat.values)) for squat in self.squats(name)]
        real = [cut(squat.values) for squat in self.squats(HELD)]
        found: dict = {"n": len(squats)}
        for key, names in (("", None), ("33_", PUBLISHED_COORDINATES)):
            ours, theirs = ([columns(values, *([names] if names else [])) for values in values_of]
                            for values_of in ([squat.values for squat in squats], real))
            made, reference = (np.stack([tiled(values) for values in some]) for some in (ours, theirs))
            found |= {f"{key}fidelity": published.fidelity(reference, made),
                      f"{key}fidelity_by_place": published.fidelity_by_place(reference, made),
                      f"{key}diversity": published.diversity(made)}
        made, reference = (np.stack([columns(in_phase(values)) for values in some])
                           for some in ([squat.values for squat in squats], real))
        found |= {"phase_fidelity": published.fidelity(reference, made),
                  "phase_fidelity_by_place": published.fidelity_by_place(reference, made),
                  "phase_diversity": published.diversity(made)}
        people = self.bodies(name)
        fitted = name in (HELD, TRAIN)
        places = [published.joint_places(people[s.person].fitted if fitted else people[s.person].made, s.values)
                  for s in squats]
        found |= published.floor(places).__dict__
        for label, function in (("asymmetry", published.asymmetry), ("omega", published.omega),
                                ("speed", published.com_speed), ("acceleration", published.com_acceleration)):
            each = [function(squat.values) for squat in squats]
            found |= {label: float(np.mean(each)), f"{label}_sd": float(np.std(each))}
        chosen = sorted(i for name in {squat.person for squat in squats} for i in _some(
            [i for i, squat in enumerate(squats) if squat.person == name]))
        tilts, peaks = self._vastus_medialis([squats[i] for i in chosen], fitted)
        found |= {"tilt": float(np.mean(tilts)), "tilt_sd": float(np.std(tilts)), "peaks": peaks,
                  "windows": [published.WINDOWS[i // BATCH if name == GUIDED else i % len(published.WINDOWS)]
                              for i in chosen]}
        return found

    def _vastus_medialis(self, squats: Sequence[Squat], fitted: bool) -> tuple[list[float], list[list[float]]]:
        """Pelvis tilt where the vastus medialis is most active, and that activation (right, left): fast route."""
        people, tilts, peaks = self.bodies(""), [0.0] * len(squats), [[0.0, 0.0]] * len(squats)
        for name in sorted({squat.person for squat in squats}):
            meter = people[name].fitted_meter if fitted else people[name].made_meter
            own = [i for i, squat in enumerate(squats) if squat.person == name]
            for start in range(0, len(own), _CHUNK):
                part = own[start:start + _CHUNK]
                loads = meter.measure([squats[i].values for i in part], FRAME_RATE, [None] * len(part))
                for i, load in zip(part, loads, strict=True):
                    tilts[i] = published.tilt_at(squats[i].values, load.peak_frames["vastus_medialis"])
                    peaks[i] = (load.single["vastus_medialis_activation_peak"] / 100).tolist()
        return tilts, peaks

    def realism(self) -> dict[str, dict]:
        """Set -> judge -> AUC, interval, by person; against the recordings and against the planted recordings."""
        found = {}
        test, train = sorted(self.test), [person.name for person in self.groups["train"]]
        partner = {name: {other for i, other in enumerate(train) if i % len(test) == test.index(name)} for name in test}
        for name in (TRAIN, *self._made()):
            self.tell(f"judging: {name}")
            made = self.squats(name)
            found[name] = {}
            for kind in (HELD, PLANTED):
                for method in JUDGES:
                    for standing in (False, True):
                        one = judge(self.squats(kind), made, method, standing,
                                    partner.__getitem__ if name == TRAIN else None)
                        label = f"{method}{', from standing' if standing else ''}"
                        found[name].setdefault(kind, {})[label] = one.__dict__
        for standing in (False, True):
            found[OURS][f"angles{', from standing' if standing else ''}"] = giveaways(
                self.squats(HELD), self.squats(OURS), standing)
        return found

    def reconstruction(self) -> dict[str, dict[str, float]]:
        """Model -> joint -> RMSE in degrees on the held-out people's squats, correct and incorrect."""
        from generation.engine.motion_data import load_repetitions
        from generation.engine.motion_model.preparation import linear_baseline, split_by_person

        split = split_by_person(load_repetitions())
        train, truth = channels_of(split.train), channels_of(split.test)
        rebuilt = {OURS: self.model.decode(self.model.encode(truth))}
        for name, folder in (("VQ-VAE", PUBLISHED_VQVAE), ("residual VQ-VAE", RESIDUAL_VQVAE)):
            model = load_motion_model(folder)
            rebuilt[name] = model.decode(model.quantise(model.encode(truth))[0])
        rebuilt |= {f"PCA {count}": linear_baseline(train, truth, count) for count in (16, 64)}
        found = {}
        for name, values in rebuilt.items():
            error = reconstruction_error(truth, values.detach(), split.test)
            found[name] = {joint: float(np.sqrt(np.mean([error[n] ** 2 for n in names])))
                           for joint, names in JOINTS.items()} | {"angles": error["angles"]}
        return found

    def windows(self) -> dict:
        """The activation windows asked of the generator, judged by the fast route and, 30 of them, by OpenSim."""
        motions = []
        for window, person in self._windows_and_people():
            name = f"windows/{person.name}-{100 * window[0]:.0f}"
            self.tell(name)
            limit = {"variable": "vastus_medialis_activation_peak", "min": 100 * window[0], "max": 100 * window[1],
                     "unit": "%", "side": "both", "source": "Maheshwari et al. 2025"}
            delivery = deliver(self.store, name, person.parsed(constraints=[limit]), WINDOW_CANDIDATES, SEED,
                               self.model, self.device)
            motions += [(window, person.name, path) for path in delivery.accepted]
        squats = [Squat(person, read_delivered(path)) for _, person, path in motions]
        peaks = self._vastus_medialis(squats, fitted=False)[1]
        chosen = np.random.default_rng(SEED).permutation(len(motions))[:self.opensim]
        judged = []
        for count, i in enumerate(chosen):
            window, person, path = motions[i]
            self.tell(f"OpenSim judges a window: {count + 1} of {len(chosen)}")
            both = self.store.json(f"opensim/{path.parent.name}-{path.stem}", lambda path=path, person=person: list(
                checker.vastus_medialis_by_opensim(path, self.test[person].made_body)))
            judged.append({"window": window, "fast": peaks[i], "opensim": both})
        return {"asked": len(published.WINDOWS) * WINDOW_CANDIDATES, "accepted": len(motions), "judged": judged,
                "fast": [[*window, *peak] for (window, _, _), peak in zip(motions, peaks, strict=True)]}

    def profiles(self) -> dict:
        """The random profiles, what their files break by the fast route, and 30 files by OpenSim."""
        records = self._profiles()
        return {"records": records, "opensim": self._profiles_by_opensim(records)}

    def _profiles(self) -> list[dict]:
        """One record for each random profile, made or kept."""
        found = []
        for number in range(self.count):
            name = f"profiles/{number:04d}"
            if not self.store.has(name):
                self.tell(f"random profile {number + 1} of {self.count}")
            found.append(self.store.json(f"{name}-checked",
                                         lambda number=number, name=name: self._profile(number, name)))
        return found

    def _profile(self, number: int, name: str) -> dict:
        drawn = self.fixed.json(f"profiles/{number:04d}", lambda: self._drawn(number))
        profile = random_profiles.RandomProfile(drawn["profile"], tuple(drawn["kinds"])).parsed()
        delivery = deliver(self.store, name, profile, CANDIDATES, number, self.model, self.device)
        broken = checker.broken_by_fast_route(delivery.accepted, profile)
        return {"number": number, "kinds": drawn["kinds"], "accepted": len(delivery.accepted),
                "refused": delivery.refused, "seconds": delivery.seconds,
                "files": [path.name for path in delivery.accepted],
                "broken": [f"{file}: {words}" for file, some in broken.items() for words in some],
                "why": _reasons(delivery.report)}

    def _drawn(self, number: int) -> dict:
        drawn = random_profiles.random_profile(number, self.training)
        return {"profile": drawn.profile, "kinds": list(drawn.kinds)}

    def _profiles_by_opensim(self, records: list[dict]) -> list[dict]:
        """Of 30 accepted files drawn at random: what OpenSim finds broken."""
        files = [(record["number"], file) for record in records for file in record["files"]]
        order = np.random.default_rng(SEED).permutation(len(files))[:self.opensim]
        found = []
        for count, i in enumerate(order):
            number, file = files[i]
            self.tell(f"OpenSim checks a delivered file: {count + 1} of {len(order)}")
            found.append(self.store.json(f"opensim/profile-{number:04d}-{Path(file).stem}",
                                         lambda number=number, file=file: self._by_opensim(number, file)))
        return found

    def _by_opensim(self, number: int, file: str) -> dict:
        drawn = self.fixed.json(f"profiles/{number:04d}", lambda: self._drawn(number))
        profile = random_profiles.RandomProfile(drawn["profile"], ()).parsed()
        delivery = deliver(self.store, f"profiles/{number:04d}", profile, CANDIDATES, number, self.model, self.device)
        return {"file": f"{number:04d}/{file}",
                "broken": checker.broken_by_opensim(delivery.folder / file, delivery, profile)}

    def personal(self) -> dict:
        return {"cases": self.store.json("personal", lambda: personal_motions(
            self.groups["test"], self.training, self.store, self.model, self.device, self.tell))}


def _some(rows: list[int]) -> list[int]:
    """PHYSICS_EACH of them, evenly."""
    return [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, PHYSICS_EACH).round().astype(int))]


def _reasons(report: dict) -> list[str]:
    """Why candidates were rejected: variables that were broken, commonest first."""
    count = Counter(check["variable"] for one in report.get("candidates", []) if not one["accepted"]
                    for check in one["constraints"] if not check["satisfied"] and check.get("weight") is None)
    return [f"{name} x{times}" for name, times in count.most_common(4)]
