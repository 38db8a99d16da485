"""The part of the data card that tells of the movements beside the squat, every figure computed from what was found."""

import numpy as np

from generation.engine.motion_data import batch_ik, contact, placements, quality
from generation.engine.motion_data.agreement import EVERY, Agreement
from generation.engine.motion_data.movements import MOVEMENTS, SIDES
from generation.engine.motion_data.placing import soles, torch_body

SIDE_WORDS = {"r": "right", "l": "left", "": "-"}


def movement_blocks(found, recordings: int, agreement: Agreement) -> list[str]:
    """Paragraphs and tables of the card. found: as `assembling.assemble_movements` gives it for everybody."""
    kept = [f for f in found if f.repetition]
    rms = np.array([f.quality.marker_rms_mm for f in kept])
    return [
        "## The other movements: `movements.npz`",
        "Hurdle step, inline lunge, side lunge and sit-to-stand (stand, sit down, stand up) of UI-PRMD, read by "
        '`load_repetitions(movement="all")` or by the name of one movement. '
        f"{len(kept)} repetitions of {len({f.subject for f in kept})} people; {len(found) - len(kept)} of "
        f"{len(found)} found in {recordings} recordings were left out, each listed below. Each repetition "
        "tells the side that leads, its phases, and for every frame which heel and which forefoot is on the floor.",
        f"Marker error over kept repetitions: median {np.median(rms):.1f} mm, 10-90 % {np.quantile(rms, 0.1):.1f}-"
        f"{np.quantile(rms, 0.9):.1f} mm.",
        "\n".join(_movement_table(found)),
        "Foot off the floor: of the heels and forefeet that are called on the floor, median and 95th percentile of "
        "their height over or under it.",
        "Median marker RMS in mm by person and movement (kept + left out):",
        "\n".join(_person_table(found)),
        *_method(agreement),
    ]


def left_out_table(found) -> str:
    """Every repetition that was left out and why."""
    rows = [f"| {f.trial} | {'; '.join(f.quality.reasons)} |" for f in found if not f.repetition]
    return "\n".join(["| recording | reason |", "|---|---|", *rows])


def _movement_table(found) -> list[str]:
    lines = [
        "| movement | kept correct | kept incorrect | left out | led right / left | seconds | marker RMS mm "
        "| standing foot travel mm | foot roll deg | peak knee deg | foot off the floor mm |",
        "|---" * 11 + "|",
    ]
    for name in dict.fromkeys(f.movement for f in found):
        mine = [f for f in found if f.movement == name and f.repetition]
        out = sum(f.movement == name and not f.repetition for f in found)
        right = sum(f.repetition.correct for f in mine)
        led = "/".join(str(sum(f.side == side for f in mine)) for side in SIDES) if MOVEMENTS[name].led else "-"
        seconds = [(len(f.repetition.values) - 1) / f.repetition.frame_rate for f in mine]
        rms, travel, roll, knee = (
            [getattr(f.quality, key) for f in mine]
            for key in ("marker_rms_mm", "foot_travel_mm", "foot_roll_deg", "knee_peak_deg")
        )
        off = 1000 * _off_the_floor(mine)
        lines.append(
            f"| {name} | {right} | {len(mine) - right} | {out} | {led} | {np.median(seconds):.1f} "
            f"| {np.median(rms):.1f} | {np.median(travel):.0f} | {np.median(roll):.0f} "
            f"| {np.median(knee):.0f} ({min(knee):.0f}-{max(knee):.0f}) "
            f"| {np.median(off):.0f} ({np.quantile(off, 0.95):.0f}) |"
        )
    return lines


def _off_the_floor(found) -> np.ndarray:
    """Distances (n,) to the floor of the heels and forefeet that are in contact, metres."""
    heights = []
    for one in found:
        repetition = one.repetition
        height = contact.parts(soles(torch_body(repetition.subject.factors), repetition.values))[..., 1]
        heights.append(np.abs(height[repetition.contacts]))
    return np.concatenate(heights)


def _person_table(found) -> list[str]:
    names = list(dict.fromkeys(f.movement for f in found))
    lines = ["| subject | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for subject in sorted({f.subject for f in found}):
        cells = []
        for name in names:
            mine = [f for f in found if f.subject == subject and f.movement == name]
            kept = [f.quality.marker_rms_mm for f in mine if f.repetition]
            error = f"{np.median(kept):.1f}" if kept else "-"
            cells.append(f"{error} ({len(kept)} + {len(mine) - len(kept)})" if mine else "-")
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    return lines


def _method(agreement: Agreement) -> list[str]:
    others = [m for m in MOVEMENTS.values() if m.code != "m01"]
    flat = ", ".join(f"{m.name}: {'both' if m.flat == 'both' else 'the ' + m.flat + ' one'}" for m in others)
    least = ", ".join(f"{m.knee_deg:.0f} deg in a {m.name}" for m in others)
    ends = "; ".join(
        f"{name}: {', '.join(sorted({f'{joint[:-2]} {end}' for joint, end in pairs}))}"
        for name, pairs in quality.MOVEMENT_ENDS.items()
    )
    return [
        "- Each person's body is the one fitted to the squats; marker places are sought again with that body in "
        f"{placements.FRAMES_EACH} frames of each movement (`placements.py`), and for one movement alone where a "
        f"distance between two markers of the pelvis or of a foot differs by more than "
        f"{1000 * placements.REPLACED:.0f} mm from the person's other movements: markers put on anew.",
        "- Solved at 60 Hz by `batch_ik.py`, which asks what the squats' solver asks: same model, weights and ranges. "
        "A sole is kept level sideways only while its ball is on the floor (toe marker less than "
        f"{1000 * batch_ik.LEVEL_RISE[0]:.0f} mm up, fading until {1000 * batch_ik.LEVEL_RISE[1]:.0f} mm). "
        f"On every {EVERY}th squat recording, with one body and the same marker places, the two solvers' angles of "
        f"legs, pelvis and trunk differ by {np.median(agreement.degrees):.2f} deg (median) and "
        f"{np.quantile(agreement.degrees, 0.95):.1f} deg (95 %); marker error {np.median(agreement.opensim_mm):.1f} mm "
        f"in OpenSim's tool, {np.median(agreement.ours_mm):.1f} mm in ours.",
        f"- The floor is under the feet that stay flat ({flat}), and only their heels, roll and place are judged; of "
        "a lunge's rear foot, which stands on the forefoot with the heel up, only the place of the toes is. Toes "
        "carry no marker: where they would point into the floor they are bent upward until they do not.",
        f"- A heel or forefoot is on the floor when it is less than {1000 * contact.NEAR_FLOOR:.0f} mm over it and "
        f"slower than {contact.STILL:g} m/s. Limits of quality are those of the squats; the leading knee (else both) "
        f"bends at least {least}; a joint may stay at an end of its range where the movement itself takes it there "
        f"({ends}). All of these are ours (E).",
    ]
