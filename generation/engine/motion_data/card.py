"""The data card, `models/motion_data/CARD.md`: what is in the files, their sources, errors, what was left out."""

import textwrap
from pathlib import Path

import numpy as np

from generation.engine.motion_data import fit, ik, quality, segmentation, solving, sources
from generation.engine.motion_data.agreement import Agreement
from generation.engine.motion_data.dataset import STEP
from generation.engine.motion_data.movement_card import left_out_table, movement_blocks
from generation.engine.motion_data.movements import MOVEMENTS
from generation.engine.motion_data.quality import Found


def write_card(
    path: Path, found, trials: list[str], others: list[Found], other_recordings: int, agreement: Agreement
) -> None:
    """Write the card for everything found in the raw data.

    found: squats as `build.assemble` returns them, from the raw files `trials`; others: the other movements, from
    `other_recordings` files; agreement: of the two solvers.
    """
    kept = [f for f in found if f.repetition]
    left = [f for f in found if not f.repetition]
    rms = np.array([f.quality.marker_rms_mm for f in kept])
    rms = rms[np.isfinite(rms)]
    people = {f.subject for f in kept}
    lines = [
        "# Squats and other movements in OpenSim coordinates",
        "`squats.npz` and `movements.npz` are made by `python manage.py build_motion_data RAW_FOLDER` and read by "
        "`generation.engine.motion_data.load_repetitions()`; `SHA256SUMS` verifies them. No raw recording is in this "
        "project. The first sections tell of the squats, a later one of the other movements.",
        f"{len(kept)} repetitions of {len(people)} people, 60 Hz, 39 coordinates of `models/body/genuflex.osim`, "
        "radians "
        f"and metres, stored in steps of {STEP:g} (off by at most {np.rad2deg(STEP / 2):.4f} deg or {500 * STEP:.3f} "
        "mm). "
        f"{len(left)} of {len(found)} repetitions found in {len(trials)} recordings were left out, each listed below.",
        "Marker error (RMS over legs, pelvis and trunk, median over frames), over kept repetitions: "
        f"median {np.median(rms):.1f} mm, 10-90 % {np.quantile(rms, 0.1):.1f}-{np.quantile(rms, 0.9):.1f} mm.",
        "## People: all healthy and mostly young",
        "Nothing here shows how a frail, injured or old person moves; the deliberate faults of UI-PRMD are healthy "
        "people acting. Height is that of the fitted model, an estimate; mass, age and sex are not known.",
        "\n".join(_people_table(found)),
        "## Sources and licences",
        "\n".join(
            ["| source | licence | kept |", "|---|---|---|"]
            + [f"| {s} | {text} | {sum(f.source == s for f in kept)} |" for s, text in sources.LICENCES.items()]
        ),
        *_method(),
        *movement_blocks(others, other_recordings, agreement),
        *TRAPS,
        "## Left out of the squats",
        left_out_table(found),
        "## Left out of the other movements",
        left_out_table(others),
    ]
    path.write_text(markdown(lines))


def markdown(blocks: list[str]) -> str:
    """Paragraphs and list items wrapped, tables and headings as they are, parted by blank lines."""
    wrapped = []
    for block in blocks:
        if block.startswith(("|", "#", "    ")):
            wrapped.append(block)
        else:
            hang = "  " if block.startswith("- ") else ""
            wrapped.append(textwrap.fill(block, 118, subsequent_indent=hang, break_long_words=False))
    text = ""
    for before, block in zip(["", *wrapped], wrapped, strict=False):
        text += ("" if not before else "\n" if before.startswith("- ") and block.startswith("- ") else "\n\n") + block
    return text + "\n"


def _people_table(found) -> list[str]:
    lines = [
        "| subject | kept correct | kept incorrect | left out | marker RMS mm | foot travel mm | foot roll deg "
        "| peak knee deg | leg m | height m (estimate) |",
        "|---" * 10 + "|",
    ]
    for subject in dict.fromkeys(f.subject for f in found):
        mine = [f for f in found if f.subject == subject and f.repetition]
        out = sum(f.subject == subject and not f.repetition for f in found)
        if not mine:
            lines.append(f"| {subject} | 0 | 0 | {out} |" + " - |" * 6)
            continue
        person = mine[0].repetition.subject
        right = sum(f.repetition.correct for f in mine)
        travel, roll, knee = (
            [getattr(f.quality, name) for f in mine] for name in ("foot_travel_mm", "foot_roll_deg", "knee_peak_deg")
        )
        error = "no markers" if np.isnan(person.marker_rms_mm) else f"{person.marker_rms_mm:.1f}"
        lines.append(
            f"| {subject} | {right} | {len(mine) - right} | {out} | {error} | {np.median(travel):.0f} "
            f"| {np.median(roll):.0f} | {np.median(knee):.0f} ({min(knee):.0f}-{max(knee):.0f}) "
            f"| {person.leg_length_m:.3f} | {person.height_m:.2f} |"
        )
    return lines


def _method() -> list[str]:
    q = quality
    return [
        "## How it was made",
        f"- Markers are read, low-passed ({sources.CUTOFF_HZ:g} Hz, zero-phase Butterworth) and resampled to "
        f"{sources.FRAME_RATE:g} Hz; joint angles get the same low-pass once more.",
        f"- Each person's model: segment scales and marker places from {solving.FIT_FRAMES} frames spread over all of "
        "this "
        "person's recordings, in one regularised least squares (`fit.py`): bony markers are held within about 8 mm of "
        "their anatomical place, segments near the person's size, hip centres near the regression of Harrington et al. "
        "2007, planted soles on the floor. Left and right segments have one size.",
        f"- OpenSim's InverseKinematicsTool solves every recording on that model at {sources.FRAME_RATE / ik.EVERY:g} "
        "Hz. "
        "Arms and shoulders are followed loosely, toe joints and wrists are locked at 0. Two markers leave a foot "
        "free to "
        "roll sideways, so a made-up point beside each foot keeps its sole level from side to side.",
        "- Repetitions are cut (`segmentation.py`), turned to face +X, soles put on y = 0, feet around the origin.",
        f"- Each is checked (`quality.py`): marker error at most {q.MARKER_RMS_MM:g} mm (worst frame "
        f"{q.MARKER_PEAK_MM:g}), "
        f"ball of the foot within {q.FOOT_TRAVEL_MM:g} mm of its place, heel at most {q.HEEL_RISE_MM:g} mm over the "
        "ball, "
        "nothing under the heels, no joint at the end of its range for more than "
        f"{100 * q.AT_LIMIT_SHARE:g} % of the frames (a straight knee excepted), upright at both ends (within "
        f"{100 * segmentation.INCOMPLETE_SHARE:g} % of the knee excursion), knees bent at least "
        f"{MOVEMENTS['deep squat'].knee_deg:g} deg. "
        "These limits are ours (E).",
    ]


TRAPS = [
    "## Traps",
    "- UI-PRMD stores a lost marker as 0, 0, 0, and some first files begin in the middle of a squat.",
    f"- There is no static trial. Where ASIS markers are further apart than {1000 * fit.PELVIC_WIDTH_RANGE[1]:.0f} mm "
    "(s05) "
    "they sit on no bone: the pelvis then takes the person's overall size and its markers are free to sit anywhere.",
    "- UI-PRMD s03 does all ten correct squats with something of 5 cm under the heels (heel markers at 105 mm instead "
    "of "
    "52 mm from the first frame to the last): left out, because feet here stand flat.",
    "- UI-PRMD s02 stands with knees bent by 12-25 deg, in the marker positions themselves; s09 stands with knees "
    "overstretched, which the model cannot follow (its knee ends at 0).",
    "- The generic tibia has no torsion. Feet that point outward more than the knees show up as toe markers lateral of "
    "their nominal place, so foot direction is underestimated by up to about 15 deg in wide stances.",
    "- Knee markers sit 15-25 mm above their nominal place in every UI-PRMD person: either skin sliding over the "
    "condyle in "
    "deep flexion, or femurs fitted a centimetre too long.",
    "- In squats with knees that cave in, and in `cmbbe2024` (video; subtalar at -35 deg in the source's own angles), "
    "the "
    "model's soles still roll by 10-20 deg: the table's foot roll. `cmbbe2024`: its second folder's recording is a "
    "cut of the first one's and is not used twice.",
    "- `opencap`: only joint angles are public, for another model; its size is the one at which its feet move least.",
    "- The toe joint is locked, so a lifted heel turns the whole foot about the toes.",
    "- Side lunges stand so wide that the straight leg's ankle reaches the end of the model's subtalar range (25 "
    "deg): the rest of the tilt is left to the sole (foot roll in the table). Heel and toe markers cannot tell "
    "how flat the real foot stood.",
    "- In a deep inline lunge the rear foot stands nearly upright, the toes are bent to the end of their range "
    "(60 deg) and their tips may still be some 20 mm under the floor.",
    "- Shoulders are followed loosely and some arms overhead pass a pose where their angles turn quickly (up to "
    "about 20 deg from frame to frame): use arms of these recordings with care.",
    "- `labvalidation-subject4` is not in the data: its licence does not allow derived results to ship.",
]
