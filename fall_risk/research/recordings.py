"""`python -m fall_risk.research.recordings RAW_FOLDER`: chair stands of a recording against force plates.

RAW_FOLDER holds subject 4 of OpenCap LabValidation (a woman, 60.2 kg by the plates): five sit-to-stands with markers
and plates. The height of the pelvis (four markers) is analysed as a recording would be; the plates under the feet
give the power of the same rises as vertical force times the speed of the pelvis. Figures only: the files do not ship.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from fall_risk.scores.motion import Recording, analyse_recording
from generation.engine.formats import read_external_loads, read_trc

PELVIS = ("L.ASIS", "L.PSIS", "r.ASIS", "r.PSIS")
MASS_KG = 60.2


def compare(folder: Path) -> dict:
    """Rises found, proposed time, and mean power per body mass (W/kg) of each rise: recording and plates."""
    markers = read_trc(folder / "MarkerData" / "STS1.trc")
    height = markers.positions[:, [markers.markers.index(name) for name in PELVIS], 1].mean(axis=1)
    com = np.column_stack([np.zeros_like(height), height, np.zeros_like(height)])
    found = analyse_recording(Recording(markers.times, com))
    loads = read_external_loads(folder / "ID" / "STS1_grf.mot", folder / "ID" / "STS1_external_forces.xml")
    force = sum(plate.force[:, 1] for plate in loads.forces)
    power = force * np.interp(loads.times, markers.times, np.gradient(height, markers.times)) / MASS_KG
    plates = [float(power[(loads.times >= rise.start_s) & (loads.times <= rise.end_s)].mean()) for rise in found.rises]
    recorded = [rise.mean_power_w_per_kg for rise in found.rises]
    return {"rises": len(recorded), "five_times_s": found.proposals.get("fcs_s"), "recording_w_per_kg": recorded,
            "plates_w_per_kg": plates, "ratio": [a / b for a, b in zip(recorded, plates, strict=True)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of subject 4, with MarkerData/ and ID/")
    for name, value in compare(parser.parse_args().folder).items():
        shown = [round(one, 2) for one in value] if isinstance(value, list) else value
        print(f"{name}: {shown}")


if __name__ == "__main__":
    main()
