"""`python -m generation.engine.validation.bench`: what one 3-second squat costs by each route, and what a guided batch
of candidates costs from the profile to the checked files, in seconds and memory.

Every measurement runs in a process of its own, one after the other, so that its memory is its own; what the OpenSim
route spends in its child process is counted. Seconds are those of the work alone: starting Python, loading the
libraries and making the body ready are measured apart, once. Processor seconds (all threads and child processes) stand
beside them: on a machine that does other work too, they are the ones to compare.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
SECONDS, RATE, BATCH = 3.0, 60.0, 64
MOCO_SECONDS = 0.6  # of the squat, around its bottom, are solved by MocoInverse; the whole takes too long for a bench
REPEATS = 5  # of the fast measurements; the median counts
LIMIT_S = 7200.0
MEASURES = {
    "ready": "a new body made ready, nothing kept",
    "again": "the same body again, from what was kept",
    "fast": "fast route, one motion",
    "batch": f"fast route, each motion of a batch of {BATCH}",
    "gradient": f"the same with the gradient of all activations, each motion of a batch of {BATCH}",
    "opensim": "OpenSim: inverse dynamics, static optimisation, joint reactions, every frame",
    "one": "guided: one candidate, from the profile to the checked motion",
    "guided": f"guided: {BATCH} candidates, from the profile to the motions checked by the fast route",
    "loaded": f"the same with a limit on the knee's extension moment, {BATCH} candidates",
    "moco": f"MocoInverse instead of static optimisation: {MOCO_SECONDS:g} s at the bottom solved, times "
            f"{SECONDS / MOCO_SECONDS:g}",
}
GUIDED_PERSON = {"sex": "male", "age_years": 61, "height_m": 1.76, "mass_kg": 84}
_DEPTH = [{"variable": "knee_flexion", "max": 80, "unit": "deg"},
          {"variable": "knee_flexion_peak", "min": 60, "unit": "deg"},
          {"variable": "trunk_forward_lean", "max": 40, "unit": "deg"}]
_MOMENT = [{"variable": "knee_extension_moment_peak", "max": 0.9, "unit": "Nm/kg"}]
GUIDED = {"one": (1, _DEPTH), "guided": (BATCH, _DEPTH), "loaded": (BATCH, _DEPTH + _MOMENT)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moco", action="store_true", help="MocoInverse too: minutes")
    parser.add_argument("--device", default="cpu", help="of the fast route: cpu or cuda")
    parser.add_argument("--write", action="store_true", help="write the results into docs/validation.md")
    parser.add_argument("--one", choices=MEASURES, help=argparse.SUPPRESS)
    parser.add_argument("--cache", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_measure(options.one, options.device, options.cache)))
        return
    lines = [f"One {SECONDS:g}-second squat, {int(SECONDS * RATE) + 1} frames, on {_machine(options.device)}.", "",
             "| what | seconds | processor seconds | memory, MB |", "|---|---|---|---|"]
    print("\n".join(lines))
    with tempfile.TemporaryDirectory() as cache:
        for name, what in MEASURES.items():
            if name == "moco" and not options.moco:
                continue
            found = _apart(name, options.device, cache)
            lines.append(_row(what, found))
            if name == "opensim":
                many = {key: BATCH * found[key] for key in ("seconds", "processor_seconds")}
                lines.append(_row(f"{BATCH} such runs of OpenSim: the one above, times {BATCH}", found | many))
                print(lines[-2])
            print(lines[-1], flush=True)
            if options.write:  # at once: what was measured stays, whatever happens to the next one
                _write(lines if options.moco else [*lines, "", "MocoInverse was not run (`--moco`)."])


def _row(what: str, found: dict) -> str:
    return f"| {what} | {found['seconds']:.3g} | {found['processor_seconds']:.3g} | {found['memory_mb']:.0f} |"


def _write(lines: list[str]) -> None:
    from generation.engine.validation.report import write_section

    write_section("bench", "\n".join(lines))


def _apart(name: str, device: str, cache: str) -> dict:
    child = subprocess.run(  # noqa: S603 - our own module, our own arguments
        [sys.executable, "-m", "generation.engine.validation.bench", "--one", name, "--device", device,
         "--cache", cache],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if child.returncode != 0:
        words = child.stderr.strip().splitlines() or [f"status {child.returncode}"]
        raise SystemExit(f"{name} failed: {words[-1]}")
    return json.loads(child.stdout.strip().splitlines()[-1])


def _measure(name: str, device: str, cache: str) -> dict:
    import torch

    from generation.engine.analysis import analyse
    from generation.engine.body import load_body, scale_body, write_osim
    from generation.engine.physics.pipeline import fast_body, fast_motion
    from generation.engine.validation.recordings import PEOPLE, one_squat

    torch.set_num_threads(1)  # as a generation does
    if name in GUIDED:
        os.environ["GENUFLEX_CACHE"] = cache
        return _found(_generation(name, device))
    motion = one_squat(SECONDS)
    osim = write_osim(scale_body(*PEOPLE[1]), Path(cache) / "body.osim").read_bytes()
    os.environ["GENUFLEX_CACHE"] = cache
    start = _clocks()
    body = load_body(osim)
    fast = fast_body(body, device=device)
    ready = _clocks() - start
    if name in ("ready", "again"):
        return _found(ready)
    if name == "opensim":
        return _found(_timed(lambda: analyse(motion, body, route="opensim")))
    if name == "moco":
        motion = _bottom(motion)
        without, whole = (_timed(lambda m=m: analyse(motion, body, route="opensim", moco=m)) for m in (False, True))
        return _found((whole - without) * SECONDS / MOCO_SECONDS)
    count = 1 if name == "fast" else BATCH
    q = torch.as_tensor(motion.values, dtype=torch.float32, device=device).expand(count, *motion.values.shape).clone()
    q.requires_grad_(name == "gradient")
    times = []
    for _ in range(REPEATS + 1):
        start = _clocks()
        with torch.set_grad_enabled(name == "gradient"):
            result = fast_motion(fast, q, RATE)
            if name == "gradient":
                torch.autograd.grad(result.activations.sum(), q)
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        times.append(_clocks() - start)
    return _found(np.median(times[1:], axis=0) / count)


def _generation(name: str, device: str) -> np.ndarray:
    from generation.engine.body import personal_body
    from generation.engine.generate import generate, warm_up
    from generation.engine.profile import parse_profile

    count, limits = GUIDED[name]
    profile = parse_profile({**GUIDED_PERSON, "constraints": limits})
    personal_body(profile)  # measured apart, as `ready`
    warm_up(device)
    return _timed(lambda: generate(profile, candidates=count, seed=0, device=device))


def _clocks() -> np.ndarray:
    """Seconds that have passed, and processor seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return np.array([time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used)])


def _timed(work) -> np.ndarray:
    start = _clocks()
    work()
    return _clocks() - start


def _bottom(motion):
    """MOCO_SECONDS of the motion, the pelvis at its lowest in the middle."""
    count = int(MOCO_SECONDS * motion.frame_rate) + 1
    lowest = int(motion.values[:, motion.coordinates.index("pelvis_ty")].argmin())
    first = min(max(0, lowest - count // 2), len(motion.values) - count)
    return replace(motion, values=motion.values[first : first + count])


def _found(clocks: np.ndarray) -> dict:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    memory = peak / (1024 if sys.platform == "linux" else 1024**2)
    return {"seconds": float(clocks[0]), "processor_seconds": float(clocks[1]), "memory_mb": memory}


def _machine(device: str) -> str:
    import torch

    where = f"{os.cpu_count()} processors ({platform.machine()}), one thread"
    return where + (f", {torch.cuda.get_device_name()}" if device.startswith("cuda") else "")


if __name__ == "__main__":
    main()
