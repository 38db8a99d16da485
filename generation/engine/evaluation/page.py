"""Writes `docs/evaluation.md` and `docs/evaluation.json` from the measured parts."""
from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from generation.engine.evaluation.evaluate import (
    BLEND,
    CANDIDATES,
    ENOUGH,
    GUIDED,
    HELD,
    MIXTURE,
    NEAREST,
    OURS,
    PLANTED,
    RESIDUAL,
    TRAIN,
    UNASKED,
    UNGUIDED,
)
from generation.engine.evaluation.page_words import HOW, LIMITS
from generation.engine.evaluation.table import rows, wilson

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE, NUMBERS = "evaluation.md", "evaluation.json"
_ORDER = (HELD, TRAIN, OURS, UNASKED, UNGUIDED, RESIDUAL, GUIDED, NEAREST, MIXTURE, BLEND)


def write(results: dict, facts: dict, folder: Path = DOCS) -> None:
    """facts: what the run was (model, counts, versions). Parts that are missing say so."""
    (folder / NUMBERS).write_text(json.dumps({"facts": facts, **results}, indent=1) + "\n", encoding="utf-8")
    (folder / PAGE).write_text(page(results, facts), encoding="utf-8")


def merged(results: dict, folder: Path = DOCS) -> dict:
    """The results together with the parts that an earlier run wrote and this one did not measure."""
    file = folder / NUMBERS
    earlier = json.loads(file.read_text()) if file.is_file() else {}
    earlier.pop("facts", None)
    return {**earlier, **results}


def page(results: dict, facts: dict) -> str:
    told = "; ".join(f"{name}: {value}" for name, value in facts.items())
    parts = [
        "# How good the generator is",
        "Made by `python manage.py evaluate_generator`; the numbers behind it are in `evaluation.json`. Everything is "
        "measured on people whom the model of these figures has not seen (UI-PRMD s08, s09, s10 and the CMBBE person, "
        "squats performed as instructed); no choice was made on them. The weights that ship are trained on everybody, "
        "after the figures were printed.", told + ".",
        "## The promise, row by row", _table(results), *_sections(results), HOW, LIMITS]
    return "\n\n".join(parts) + "\n"


def _table(results: dict) -> str:
    lines = ["| row | published BIGE | bar | ours | baselines | |", "|---|---|---|---|---|---|"]
    for row in rows(results):
        ours = f"{row.ours}<br>{row.note}" if row.note else row.ours
        lines.append(f"| {row.what} | {row.published} | {row.bar} | {ours} | {row.baselines} | {row.state} |")
    lines += ["", "Speed and memory are no part of this page: `make bench` prints them, the guided batch of 64 "
              "beside 64 runs of OpenSim included."]
    return "\n".join(lines)


def _sections(results: dict) -> list[str]:
    found = []
    if results.get("sets"):
        found.append(_sets(results["sets"]))
    if results.get("realism"):
        found.append(_judges(results["realism"]))
    if results.get("windows"):
        found.append(_windows(results["windows"]))
    if results.get("profiles", {}).get("records"):
        found.append(_profiles(results["profiles"]))
    if results.get("reconstruction"):
        found.append(_grid("## Reconstruction of held-out people, RMSE in degrees",
                           ("knee", "hip", "ankle", "lumbar", "angles"), results["reconstruction"], 2))
    if results.get("personal"):
        found.append(_personal(results["personal"]["cases"]))
    return found


def _grid(title: str, keys: tuple[str, ...], values: dict[str, dict], digits: int) -> str:
    lines = [title, "", "| | " + " | ".join(keys) + " |", "|---" * (len(keys) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{one[key]:.{digits}f}" for key in keys) + " |"
              for name, one in values.items()]
    return "\n".join(lines)


def _sets(sets: dict) -> str:
    columns = (("n", "n", 0), ("fidelity", "fidelity", 3), ("fidelity by place", "fidelity_by_place", 1),
               ("in phase", "phase_fidelity", 3), ("in phase, by place", "phase_fidelity_by_place", 1),
               ("all 33", "33_fidelity", 1), ("diversity", "diversity", 3), ("penetration cm", "penetration", 2),
               ("floating cm", "floating", 2), ("sliding m/s", "sliding", 3), ("tilt deg", "tilt", 2),
               ("asymmetry deg", "asymmetry", 2), ("omega deg/s", "omega", 1), ("COM speed m/s", "speed", 2),
               ("COM acc. m/s2", "acceleration", 2))
    lines = ["## Sets of squats by the published measures", "",
             "| set | " + " | ".join(title for title, _, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in _ORDER:
        if name in sets:
            lines.append(f"| {name} | " + " | ".join(f"{sets[name][key]:.{digits}f}" for _, key, digits in columns)
                         + " |")
    lines += ["", _beaten(sets)]
    return "\n".join(lines)


def _beaten(sets: dict) -> str:
    """Which baseline beats ours where, in words."""
    if OURS not in sets:
        return ""
    distance = {"fidelity": lambda one: one["fidelity"], "fidelity by place": lambda one: one["fidelity_by_place"]}
    for key in ("diversity", "tilt", "asymmetry", "omega", "acceleration"):
        distance[key] = lambda one, key=key: abs(one[key] - sets[HELD][key])
    for key in ("penetration", "floating", "sliding"):
        distance[key] = lambda one, key=key: one[key]
    found = []
    for what, far in distance.items():
        better = [name for name in _ORDER if name in sets and name not in (HELD, TRAIN, OURS, UNASKED)
                  and far(sets[name]) < 0.98 * far(sets[OURS])]
        if better:
            found.append(f"{what}: {', '.join(better)}")
    return ("Baselines that come nearer to the held-out people than ours: " + "; ".join(found) + ".") if found else (
        "No baseline comes nearer to the held-out people than ours in any column.")


def _judges(realism: dict) -> str:
    lines = ["## Realism to a judge: AUC (95 % interval)", "",
             "| set | against | logistic | kernel | logistic, from standing | kernel, from standing |",
             "|---|---|---|---|---|---|"]
    for name in _ORDER:
        for kind in (HELD, PLANTED):
            if name in realism:
                one = realism[name][kind]
                cells = [f"{one[label]['auc']:.2f} ({one[label]['low']:.2f} to {one[label]['high']:.2f})" for label in
                         ("logistic", "kernel", "logistic, from standing", "kernel, from standing")]
                lines.append(f"| {name} | {kind} | " + " | ".join(cells) + " |")
    for label in ("angles", "angles, from standing"):
        if label in realism.get(OURS, {}):
            told = ", ".join(f"{name} {auc:.2f}" for name, auc in list(realism[OURS][label].items())[:6])
            lines += ["", f"What gives ours away, single {label}: {told}."]
    lines += ["", f"{TRAIN} is what a perfect generator would get. A judge below 0.5 has learned what does not hold "
              "for the person left out: with four people that happens by chance."]
    return "\n".join(lines)


def _windows(windows: dict) -> str:
    lines = ["## Activation windows", "", "| asked | right, OpenSim | left, OpenSim | right, fast | left, fast |",
             "|---|---|---|---|---|"]
    for one in windows["judged"]:
        cells = " | ".join(f"{value:.3f}" for value in (*one["opensim"], *one["fast"]))
        lines.append(f"| {one['window'][0]:.2f} to {one['window'][1]:.2f} | {cells} |")
    return "\n".join(lines)


def _profiles(profiles: dict) -> str:
    records = profiles["records"]
    kinds: dict[str, list[bool]] = defaultdict(list)
    for record in records:
        for kind in record["kinds"] or ["nothing"]:
            kinds[kind.partition(" in the ")[0]].append(record["accepted"] >= ENOUGH)
    lines = [f"## Random feasible profiles: {len(records)}", "",
             f"Accepted of {CANDIDATES}: " + ", ".join(
                 f"{count}: {sum(r['accepted'] == count for r in records)} profiles"
                 for count in sorted({r["accepted"] for r in records})) + ".",
             "", f"| asked | profiles | with at least {ENOUGH} | 95 % interval |", "|---|---|---|---|"]
    for kind, hits in sorted(kinds.items(), key=lambda item: (sum(item[1]) / len(item[1]), item[0])):
        low, high = wilson(sum(hits), len(hits))
        lines.append(f"| {kind} | {len(hits)} | {100 * sum(hits) / len(hits):.0f} % | {low:.0f} to {high:.0f} % |")
    failed = [record for record in records if record["accepted"] < ENOUGH]
    if failed:
        lines += ["", "Profiles with fewer, and what their rejected candidates broke:", ""]
        lines += [f"- {record['number']}: {', '.join(record['kinds'])}; accepted {record['accepted']}; "
                  f"{record['refused'] or ', '.join(record['why'])}" for record in failed[:40]]
    broken = [words for record in records for words in record["broken"]]
    broken += [f"by OpenSim, {one['file']}: {words}" for one in profiles["opensim"] for words in one["broken"]]
    if broken:
        lines += ["", "Broken in delivered files:", "", *(f"- {words}" for words in broken[:40])]
    return "\n".join(lines)


def _personal(cases: list[dict]) -> str:
    keys = ("ours", "nearest training squat", "own squat made smaller", "own squat as it is, planted")
    lines = ["## From a person's own squat: RMS distance to it in degrees", "",
             "| person | limited | accepted | " + " | ".join(keys) + " |", "|---" * (3 + len(keys)) + "|"]
    for one in cases:
        cells = ["not kept" if one[key] is None else f"{one[key]:.1f}" for key in keys]
        lines.append(f"| {one['person']} | {one['limit']} | {one['accepted']} of {one['of']} | " + " | ".join(cells)
                     + " |")
    lines += ["", "The last column breaks the limit: it says how much placing the squat on flat feet alone moves it."]
    return "\n".join(lines)
