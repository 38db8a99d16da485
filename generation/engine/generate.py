"""One profile in, checked squat motions out: the one entry that the web and the command call."""
from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch

from generation.engine.body import COORDINATES, MODEL_FILE, BodyModel, BodyScale, TorchBody, body_scale, personal_body
from generation.engine.formats.errors import FormatError
from generation.engine.formats.mot import read_mot, write_mot
from generation.engine.formats.motion import Motion
from generation.engine.formats.playback import playback_document
from generation.engine.formats.report import FORMAT, finite, write_report
from generation.engine.guidance import Cancelled, Guided, GuidedCandidate, NoRepetition, Task, guide
from generation.engine.guidance.posture import POSTURES, SUPPORT, SUPPORT_NOTE
from generation.engine.guidance.reference import person_tempo
from generation.engine.guidance.search import REPAIR_ROUNDS, STEPS
from generation.engine.guidance.tempo import FRAME_RATE, choose_tempo
from generation.engine.limits import MODEL_LIMITS, Limit, LimitConflict, intersect
from generation.engine.metrics import LoadMeter, Loads, measure_phases
from generation.engine.metrics.loads import CUTOFF_HZ
from generation.engine.motion_model import MotionModel, load_motion_model
from generation.engine.physics import UNTRUSTED_SHARE
from generation.engine.profile import Profile, ProfileError

__all__ = ["Cancelled", "Candidate", "GenerationResult", "LimitConflict", "ProfileError", "generate", "warm_up"]

MOST_CANDIDATES = 256
LARGEST_SEED = 2**63 - 1         # what torch's generator takes
# stage -> (from, to) of the whole: what a progress bar shows
_SPANS = {"loading": (0.0, 0.05), "guiding": (0.05, 0.75), "repairing": (0.75, 0.9), "explaining": (0.9, 0.95),
          "repeating": (0.9, 0.95),
          "analysing": (0.95, 0.97), "writing": (0.97, 1.0)}

# of a preset's row, what the report shows
_ROW_KEYS = ("condition", "phase", "variable", "min", "max", "unit", "status", "source", "url", "use", "note")

Progress = Callable[[str, float, str], None]


@dataclass
class Candidate:
    """One motion; ``index`` is its rank, 0 the best. ``reasons`` say why it is rejected."""

    index: int
    motion: Motion
    accepted: bool
    reasons: list[str]
    checks: list[dict]
    metrics: dict[str, float]
    score: float
    score_parts: dict[str, float]
    changes: list[dict]
    playback: dict
    file: str
    words: list[str]                 # what sets it apart from the other accepted ones
    like: int | None                 # index of a better accepted one that looks the same
    physics: dict | None = None      # what the motion asks of the body: see docs/report.md


@dataclass
class GenerationResult:
    """Candidates best first, accepted before rejected, and what report.json holds."""

    candidates: list[Candidate]
    report: dict
    scale: BodyScale = field(repr=False)
    body: BodyModel = field(repr=False)

    def write(self, folder: Path | str) -> None:
        """Write every candidate's `.mot` (rejected ones too: the report says which), `model.osim` and `report.json`.

        `candidate_*.mot` of an earlier run in the same folder are removed, so that no file is without its report.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("candidate_*.mot"):
            stale.unlink()
        for candidate in self.candidates:
            write_mot(folder / candidate.file, candidate.motion, candidate.file.removesuffix(".mot"))
        (folder / "model.osim").write_bytes(self.body.osim)
        write_report(folder / "report.json", self.report)


def generate(profile: Profile, *, candidates: int = 16, seed: int = 0, device: str | None = None,
             progress: Progress | None = None, cancelled: Callable[[], bool] | None = None, steps: int = STEPS,
             repairs: int = REPAIR_ROUNDS, model: MotionModel | None = None,
             preview: Callable[[dict], None] | None = None) -> GenerationResult:
    """Generate squats for ``profile``.

    preview: is given the playback document of the best motion so far, a few times: a picture, nothing checked.
    model: on ``device``; None is the one that ships. The evaluation brings the one that has not seen the test people.

    device: ``cpu``, ``cuda`` or None for CUDA where there is one. ``progress(stage, fraction, detail)`` is told of the
    whole, 0..1; ``cancelled()`` is asked between steps. Raises ProfileError (its field names an argument where that is
    wrong), LimitConflict, Cancelled, and ModelError if the motion model's files are missing or altered.
    """
    began = time.perf_counter()
    if not 1 <= candidates <= MOST_CANDIDATES:
        raise ProfileError("candidates", f"must be 1 to {MOST_CANDIDATES}")
    if not 0 <= seed <= LARGEST_SEED:
        raise ProfileError("seed", f"must be 0 to {LARGEST_SEED}")
    tell = _overall(progress)
    tell("loading", 0.0, "reading the limits")
    scale, person = body_scale(profile), personal_body(profile)
    stated = tuple(dict.fromkeys([*profile.limits(), *MODEL_LIMITS]))
    effective = intersect(stated)
    reference = _read_reference(profile)
    device = _device(device)
    with _steady(device):
        model = model or _model(device)
        tell("loading", 1.0, f"motion model {model.version}")
        tell("loading", 1.0, "the person's muscles")
        task = Task(scale, stated, effective, _tempo(profile, effective, reference), reference,
                    LoadMeter(person, device=device), arms=profile.arm_posture(), repetitions=profile.repetitions,
                    preview=None if preview is None else _shown_by(preview, scale),
                    free_tempo=tuple(reference is None and asked is None for asked in
                                     profile.tempo.model_dump().values()))
        try:
            guided = guide(task, model, candidates, seed, device, steps, repairs, tell, cancelled or (lambda: False))
        except NoRepetition as error:
            raise ProfileError("reference_motion", str(error)) from None
        tell("writing", 0.0, "building the playback")
        body = TorchBody(scale, dtype=torch.float64)
        made = [_candidate(i, found, body, person) for i, found in enumerate(guided.candidates)]
    run = {"seed": seed, "candidates": candidates, "device": device, "seconds": time.perf_counter() - began,
           "versions": {"motion_model": model.version, "body_model": _body_version(), "torch": torch.__version__,
                        "report_format": FORMAT}}
    report = finite(_report(profile, task, guided, made, run, person))
    tell("writing", 1.0, f"{sum(candidate.accepted for candidate in made)} of {candidates} accepted")
    return GenerationResult(made, report, scale, person)


def warm_up(device: str | None = None) -> str:
    """Load the motion model now, so that the first ``generate`` need not; returns the device that it will use."""
    device = _device(device)
    _model(device)
    return device


# ---- input --------------------------------------------------------------------------------------------------------

def _read_reference(profile: Profile) -> Motion | None:
    if profile.reference_motion is None:
        return None
    try:
        return read_mot(profile.reference_motion, COORDINATES)
    except (FormatError, OSError) as error:
        raise ProfileError("reference_motion", str(error)) from None


def _tempo(profile: Profile, effective: tuple[Limit, ...], reference: Motion | None) -> tuple[float, float, float]:
    try:
        own = None if reference is None else person_tempo(reference.values, reference.frame_rate)
    except NoRepetition as error:
        raise ProfileError("reference_motion", str(error)) from None
    return choose_tempo(profile.tempo.model_dump(), effective, own)


def _device(asked: str | None) -> str:
    if asked is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if asked not in ("cpu", "cuda"):
        raise ProfileError("device", f"{asked!r} is neither cpu nor cuda")
    if asked == "cuda" and not torch.cuda.is_available():
        raise ProfileError("device", "no CUDA device is available here; leave it out or use cpu")
    return asked


@cache
def _model(device: str) -> MotionModel:
    return load_motion_model(device=device)


@contextmanager
def _steady(device: str) -> Iterator[None]:
    """On the processor one thread: faster for small batches, much faster when other processes are busy. On CUDA the
    repeatable version of every operation that has one."""
    threads, repeatable = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    if device == "cpu":
        torch.set_num_threads(1)
    else:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(repeatable, warn_only=True)


def _overall(progress: Progress | None) -> Progress:
    reached = 0.0

    def tell(stage: str, fraction: float, detail: str) -> None:
        nonlocal reached
        if progress is None:
            return
        low, high = _SPANS[stage]
        reached = max(reached, low + (high - low) * min(max(fraction, 0.0), 1.0))
        progress(stage, reached, detail)

    return tell


def _shown_by(preview: Callable[[dict], None], scale: BodyScale) -> Callable[[np.ndarray], None]:
    body = TorchBody(scale, dtype=torch.float64)
    height = COORDINATES.index("pelvis_ty")

    def show(values: np.ndarray) -> None:
        if not np.isfinite(values).all():
            return
        motion = Motion(COORDINATES, values, float(FRAME_RATE))
        try:
            times = np.arange(len(values)) / FRAME_RATE
            phases = measure_phases(values[:, height], times).document(motion.duration_s)
        except ValueError:          # no squat yet
            phases = []
        preview(playback_document(body, motion, phases))

    return show


# ---- output -------------------------------------------------------------------------------------------------------

def _candidate(index: int, found: GuidedCandidate, body: TorchBody, person: BodyModel) -> Candidate:
    delivered = found.delivered
    motion = Motion(COORDINATES, delivered.q, float(FRAME_RATE))
    phases = delivered.measurement.phases
    playback = playback_document(body, motion, phases.document(motion.duration_s) if phases else [])
    return Candidate(index, motion, delivered.accepted, delivered.failures,
                     [finite(check.document()) for check in delivered.checks], finite(delivered.measurement.metrics),
                     round(found.score, 6), finite(found.parts), finite(found.changes), playback,
                     f"candidate_{index:03d}.mot", found.words, found.like,
                     finite(_physics(delivered.measurement.loads, person)))


def _physics(loads: Loads, person: BodyModel) -> dict:
    return {
        "route": "fast", "frame_rate_hz": FRAME_RATE, "low_pass_hz": CUTOFF_HZ, "peaks": loads.peaks(),
        "errors": loads.errors,
        "reserve_share": {"largest": loads.trust.largest_reserve_share, "coordinate": loads.trust.coordinate},
        "trusted": {"frames": loads.trust.trusted, "of": loads.trust.frames, "above_reserve_share": UNTRUSTED_SHARE},
        "ground_reaction": loads.ground,
        "versions": {"body_osim_sha256": person.key, "torch": torch.__version__},
    }


def _report(profile: Profile, task: Task, guided: Guided, made: list[Candidate], run: dict,
            person: BodyModel) -> dict:
    presets, reminders = [], []
    for condition, preset in profile.presets():
        name = None if condition is None else {
            "condition": condition.name, "phase": condition.phase_held(), "side": condition.side}
        presets.append({"for": name, "rows": [
            {key: row[key] for key in _ROW_KEYS} for row in preset.rows]})
        reminders += [asdict(reminder) for reminder in preset.reminders]
    return {
        "run": run,
        "profile": profile.model_dump(mode="json"),
        "body": {**asdict(task.scale), "notes": list(person.notes), "osim_sha256": person.key},
        "tempo": dict(zip(("descent_s", "pause_s", "ascent_s"), task.tempo, strict=True)),
        "execution": {"arms": task.arms, "arms_in_words": POSTURES[task.arms], "repetitions": task.repetitions,
                      "notes": [SUPPORT_NOTE] if task.arms == SUPPORT else []},
        "limits": {"stated": [asdict(limit) for limit in task.limits],
                   "effective": [asdict(limit) for limit in task.effective]},
        "presets": presets,
        "reminders": reminders,
        "unused_inputs": profile.unused(),
        "reference_motion": _reference_document(profile, task, guided),
        "summary": {"accepted": sum(candidate.accepted for candidate in made), "candidates": len(made),
                    "blocking": [{**asdict(blocker), "text": blocker.sentence()} for blocker in guided.blockers]},
        "model": "model.osim",
        "candidates": [
            {"file": candidate.file, "accepted": candidate.accepted, "reasons": candidate.reasons,
             "score": candidate.score, "score_parts": candidate.score_parts, "constraints": candidate.checks,
             "metrics": candidate.metrics, "physics": candidate.physics, "changes": candidate.changes,
             "words": candidate.words, "like": None if candidate.like is None else made[candidate.like].file}
            for candidate in made],
    }


def _reference_document(profile: Profile, task: Task, guided: Guided) -> dict | None:
    if guided.reference is None:
        return None
    reference = guided.reference
    notes = ["The arms are placed by the engine, not taken from the file.", *task.reference.notes]
    return {"file": Path(profile.reference_motion).name, "start_s": reference.start_s, "bottom_s": reference.bottom_s,
            "end_s": reference.end_s, "notes": notes}


@cache
def _body_version() -> str:
    return "genuflex-body+" + hashlib.sha256(Path(MODEL_FILE).read_bytes()).hexdigest()[:12]
