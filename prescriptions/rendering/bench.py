"""`python -m prescriptions.rendering.bench`: seconds and memory of videos of one 4-second repetition, and of pictures.

Each measurement is a process of its own. Processor seconds count all of Chromium's processes: on a machine that does
other work too, they are the ones to compare. Memory is the most of Chromium (shared pages once) and of Python together.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS, PHASES = 4.0, (("descent", 0.0, 1.75), ("bottom", 1.75, 2.25), ("ascent", 2.25, 4.0))
MEASURES = {
    "720": "video, 720p, front and side", "720-front": "video, 720p, one camera",
    "1080": "video, 1080p, front and side", "set": "video of a set of 8, 720p, front and side",
    "pictures": "the five pictures alone",
}
LIMIT_S = 1800


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=MEASURES, help="one row")
    parser.add_argument("--one", choices=MEASURES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_measure(options.one)))
        return
    print(f"One {SECONDS:g}-second repetition on {os.cpu_count()} processors ({platform.machine()}), "
          f"load {os.getloadavg()[0]:.1f} when it began.\n")
    print("| what | seconds | processor seconds | memory, MB | file, kB |\n|---|---|---|---|---|")
    for name, what in MEASURES.items():
        if options.only not in (None, name):
            continue
        child = subprocess.run(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "prescriptions.rendering.bench", "--one", name], cwd=ROOT, capture_output=True,
            text=True, timeout=LIMIT_S, check=False)
        if child.returncode != 0:
            raise SystemExit(f"{what} failed: {(child.stderr.strip().splitlines() or ['?'])[-1]}")
        found = json.loads(child.stdout.strip().splitlines()[-1])
        print(f"| {what} | {found['seconds']:.1f} | {found['processor_seconds']:.1f} | {found['memory_mb']:.0f} | "
              f"{found['kilobytes']:.0f} |", flush=True)


def _measure(name: str) -> dict:
    from prescriptions.rendering.film import VIEWS, Options, Words
    from prescriptions.rendering.pictures import SIZE, key_pictures
    from prescriptions.rendering.studio import Studio
    from prescriptions.rendering.video import render

    document = squat()
    words = Words("Your squat", "3 sets of 8 repetitions, 60 s rest between sets.",
                  ("Stand upright with your feet flat on the floor.", "Bend hips and knees and go down.", "Come up."),
                  "Valid until 4 December 2026.", "Stop if you feel sharp pain.", "Not a medical device.")
    start, used = time.perf_counter(), _processor_seconds()
    if name == "pictures":
        with Studio(document, VIEWS["both"], *SIZE) as studio:
            size = sum(len(picture.jpeg) for picture in key_pictures(studio, document))
            memory, browser = studio.memory_mb, studio.processor_seconds
    else:
        video = render(document, words, Options(
            height=1080 if name == "1080" else 720, view="front" if name == "720-front" else "both",
            repetitions=8 if name == "set" else 1))
        size, memory, browser = len(video.mp4), video.facts["memory_mb"], video.facts["processor_seconds"]
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return {"seconds": time.perf_counter() - start, "processor_seconds": _processor_seconds() - used + browser,
            "memory_mb": memory + own, "kilobytes": size / 1000}


def squat() -> dict:
    """The playback document of a plain squat: bent along a cosine, feet put on the floor by the body model."""
    import numpy as np
    import torch

    from generation.engine.body import COORDINATES, TorchBody, scale_body
    from generation.engine.formats import Motion, playback_document

    torch.set_num_threads(1)
    body = TorchBody(scale_body("female", 30, 1.7, 65))
    frames = int(SECONDS * 60) + 1
    bend = np.radians(95) * 0.5 * (1 - np.cos(np.linspace(0, 2 * np.pi, frames)))
    q = body.neutral().repeat(frames, 1).double().numpy()
    column = {name: number for number, name in enumerate(COORDINATES)}
    for side in "rl":
        for name, share in (("knee_angle", 1.0), ("hip_flexion", 0.9), ("ankle_angle", 0.4)):
            q[:, column[f"{name}_{side}"]] += share * bend
    q[:, column["pelvis_tilt"]] -= 0.3 * bend
    with torch.no_grad():
        contacts = body.foot_contacts(body(torch.as_tensor(q, dtype=body.lower.dtype)))
    q[:, column["pelvis_ty"]] -= contacts[..., 1].amin(dim=(1, 2)).double().numpy()
    phases = [{"name": name, "start_s": start, "end_s": end} for name, start, end in PHASES]
    return playback_document(body, Motion(COORDINATES, q, 60.0), phases)


def _processor_seconds() -> float:
    """Of this process alone: Chromium's are counted by whoever drives it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
