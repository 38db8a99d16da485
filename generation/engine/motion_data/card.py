"""The data card, `models/motion_data/CARD.md`: what is in the file, where it came from, how good it is, what was left
out.
"""

from pathlib import Path

import numpy as np

from generation.engine.motion_data import fit, quality, segmentation, sources
from generation.engine.motion_data.dataset import STEP


def write_card(path: Path, found, trials: list[str]) -> None:
    """Write the card for everything found in the raw data: `found` as `build.assemble` returns it, `trials` the raw
    files.
    """
    kept = [f for f in found if f.repetition]
    left = [f for f in found if not f.repetition]
    rms = np.array([f.quality.marker_rms_mm for f in kept])
    rms = rms[np.isfinite(rms)]
    lines = [
        "# Squats in OpenSim coordinates",
        "",
        "`squats.npz`, made by `python manage.py build_motion_data RAW_FOLDER`; `SHA256SUMS` verifies it; read it with",
        "`generation.engine.motion_data.load_repetitions()`. No raw recording is in this project.",
        "",
        f"{len(kept)} repetitions of {len({f.subject for f in kept})} people, 60 Hz, 39 coordinates of `models/body/genuflex.osim`, radians",
        f"and metres, stored in steps of {STEP:g} (off by at most {np.rad2deg(STEP / 2):.4f} deg or {500 * STEP:.3f} mm).",
        f"{len(left)} of {len(found)} repetitions found in {len(trials)} recordings were left out, each listed below.",
        f"Marker error (RMS over legs, pelvis and trunk, median over frames): median over kept repetitions {np.median(rms):.1f} mm,",
        f"10-90 % {np.quantile(rms, 0.1):.1f}-{np.quantile(rms, 0.9):.1f} mm.",
        "",
        "## People: all healthy and mostly young",
        "",
        "Nothing here shows how a frail, injured or old person moves; the deliberate faults of UI-PRMD are healthy people acting.",
        "Height is that of the fitted model, an estimate: nobody's height, mass, age or sex is known from the files used.",
        "",
        "| subject | kept correct | kept incorrect | left out | marker RMS mm | foot travel mm | foot roll deg | peak knee deg | leg m | height m (estimate) |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for subject in dict.fromkeys(f.subject for f in found):
        mine = [f for f in kept if f.subject == subject]
        out = sum(f.subject == subject for f in left)
        if not mine:
            lines.append(f"| {subject} | 0 | 0 | {out} | - | - | - | - | - | - |")
            continue
        person = mine[0].repetition.subject
        right = sum(f.repetition.correct for f in mine)
        error = "no markers" if np.isnan(person.marker_rms_mm) else f"{person.marker_rms_mm:.1f}"
        lines.append(
            f"| {subject} | {right} | {len(mine) - right} | {out} | {error} "
            f"| {np.median([f.quality.foot_travel_mm for f in mine]):.0f} "
            f"| {np.median([f.quality.foot_roll_deg for f in mine]):.0f} | {_range([f.quality.knee_peak_deg for f in mine])} "
            f"| {person.leg_length_m:.3f} | {person.height_m:.2f} |"
        )
    lines += ["", "## Sources and licences", "", "| source | licence | kept |", "|---|---|---|"]
    for source, licence in sources.LICENCES.items():
        lines.append(f"| {source} | {licence} | {sum(f.source == source for f in kept)} |")
    lines += ["", *METHOD, "", "## Left out", "", "| recording | reason |", "|---|---|"]
    lines += [f"| {f.trial} | {'; '.join(f.quality.reasons)} |" for f in left]
    path.write_text("\n".join(lines) + "\n")


def _range(values) -> str:
    return f"{np.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


METHOD = f"""## How it was made
1. Markers are read, low-passed ({sources.CUTOFF_HZ:g} Hz, zero-phase Butterworth) and resampled to
{sources.FRAME_RATE:g} Hz. 2. Each person's model: segment scales and marker places from 24 frames spread over all of
this person's recordings, in one
   regularised least squares (`fit.py`): bony markers are held within about 8 mm of their anatomical place, segments
   near the person's size, hip centres near the regression of Harrington et al. 2007, planted soles on the floor. Left
   and right segments have one size.
3. OpenSim's InverseKinematicsTool solves every recording on that model. Arms and shoulders are followed loosely, toe
joints and
   wrists are locked at 0.
4. Repetitions are cut (`segmentation.py`), turned to face +X, soles put on y = 0, feet around the origin.
5. Each is checked (`quality.py`): marker error at most {quality.MARKER_RMS_MM:g} mm (worst frame
{quality.MARKER_PEAK_MM:g}), ball of the foot
   within {quality.FOOT_TRAVEL_MM:g} mm of its place, heel rise at most {quality.HEEL_RISE_MM:g} mm and no block under
   the heels, no joint at the end of its range for more than {100 * quality.AT_LIMIT_SHARE:g} % of the frames (a
   straight knee excepted), upright at both ends (within {100 * segmentation.INCOMPLETE_SHARE:g} % of the knee
   excursion), knees bent at least {quality.KNEE_PEAK_DEG:g} deg. These limits are ours (E).

## Traps
- UI-PRMD stores a lost marker as 0, 0, 0, and many first files begin in the middle of a squat: those are incomplete.
- There is no static trial, height or mass. Where ASIS markers are further apart than {1000 *
  fit.PELVIC_WIDTH_RANGE[1]:.0f} mm (s05) they sit on no bone: the pelvis then takes the person's overall size and its
  markers are free to sit anywhere.
- The generic tibia has no torsion. Feet that point outward more than the knees show up as toe markers lateral of their
  nominal place, so foot direction is underestimated by up to about 15 deg in wide stances.
- Knee markers sit 15-25 mm above their nominal place in every UI-PRMD person: skin slides over the condyle in deep
  flexion.
- UI-PRMD s03 does all ten correct squats with something of 5 cm under the heels (heel markers at 105 mm instead of 52
  mm from the first frame to the last): left out, because feet here stand flat.
- `cmbbe2024` is video: its soles roll by up to 20 deg in the squat, in the source's own angles too (subtalar at -35
  deg).
- The toe joint is locked, so a lifted heel turns the whole foot about the toes and the toes go below the floor.
- `cmbbe2024`: the second folder's recording is a cut of the first one's and is not used twice.
- `opencap`: only joint angles are public, for another model; its size is the one at which its feet move least.
- `labvalidation-subject4` is not in the data: its licence does not allow derived results to ship.""".splitlines()
