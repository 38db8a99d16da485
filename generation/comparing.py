"""Two to four motions of one patient side by side: which ones, how they differ, and every number in one table."""
from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from clinic.models import User
from generation import measures, selectors
from generation.alignment import at as moment
from generation.alignment import cycle, own_times
from generation.angle_plots import PANELS, sides_of
from generation.differences import Difference, callouts, differences, hip_drop_cm
from generation.models import CandidateMotion, OwnMotion
from generation.playback import Curves, curves
from generation.plots import Line, Panel, Plot
from patients.models import Patient
from patients.rules import written_unit

LETTERS = "ABCD"
MOST = len(LETTERS)


@dataclass
class Compared:
    """One of the motions on the page; the first is what the others are held against."""

    letter: str
    row: CandidateMotion | OwnMotion
    curves: Curves
    differences: list[Difference]

    @property
    def id(self) -> UUID:
        return self.row.pk

    @property
    def is_own(self) -> bool:
        return isinstance(self.row, OwnMotion)

    @property
    def label(self) -> str:
        if self.is_own:
            return f"Own squat: {self.row.file_name}"
        return f"Candidate {self.row.number}, {self.row.request.created_at:%-d %b %Y %H:%M}"

    @property
    def playback(self) -> str:
        return reverse("own_motion_playback" if self.is_own else "candidate_playback", args=[self.id])

    @property
    def page(self) -> str:
        if self.is_own:
            return reverse("own_motion", args=[self.id])
        return f"{reverse('generation_detail', args=[self.row.request_id])}?candidate={self.id}"

    @property
    def callouts(self) -> list[dict]:
        return callouts(self.differences)

    @property
    def callouts_id(self) -> str:
        return f"callouts-{self.letter}"


def compared(*, user: User, patient: Patient, motion_ids: list[UUID]) -> list[Compared]:
    """The motions of these ids that are the patient's, in this order, at most four; others do not exist (404)."""
    found: list[Compared] = []
    for letter, motion_id in zip(LETTERS, dict.fromkeys(motion_ids), strict=False):
        row = selectors.motion_of_patient(user=user, patient=patient, motion_id=motion_id)
        motion = curves(row)
        found.append(Compared(letter, row, motion, differences(found[0].curves, motion) if found else []))
    return found


def table(motions: list[Compared]) -> list[dict]:
    """Groups of rows: {title, rows: [{label, meaning, values}]}; a value is {text, state}, one for each motion."""
    groups = [
        {"title": "As a whole", "rows": [
            {"label": "Limits", "values": [_verdict(m) for m in motions]},
            {"label": "Score", "values": [_value(None if m.is_own else f"{m.row.score:.2f}") for m in motions]},
        ]},
        {"title": "Depth and tempo", "rows": [*_depth(motions)]},
        {"title": "Measures, loads and muscles", "rows": [
            row for measure in measures.CLINICAL
            if measure.name not in measures.DURATIONS and (row := _measure(measure, motions))]},
        {"title": "Room left inside each limit", "rows": _margins(motions)},
    ]
    return [group for group in groups if group["rows"]]


def angle_plot(motions: list[Compared], how: str) -> Plot:
    """Joint angles of all motions over the first one's time."""
    first = motions[0].curves
    times = {m.letter: own_times(first, m.curves, how) if m is not motions[0] else first.times for m in motions}
    panels = []
    for _, title, coordinate, sided, sign in PANELS:
        for side, name in sides_of(coordinate, sided):
            lines = [Line(m.letter, sign * moment(m.curves, name, times[m.letter])) for m in motions
                     if name in m.curves.names]
            if lines:
                panels.append(Panel(f"{title}, {side.lower()}" if sided else title, lines))
    return Plot(key="compared", title="Joint angles", unit="°", times=first.times, cycle=cycle(first), panels=panels,
                phases=first.phases, panel_px=120)


def _value(text: str | None, state: str = "") -> dict:
    return {"text": text if text is not None else "–", "state": state}


def _verdict(motion: Compared) -> dict:
    if motion.is_own:
        return _value(None)
    if not motion.row.accepted:
        return _value("Rejected", "bad")
    check = motion.row.check_by_opensim
    if check is not None and check.status == "withdrawn":
        return _value("Withdrawn by OpenSim", "bad")
    checked = ", checked by OpenSim" if check is not None and check.is_passed else ""
    return _value(f"Keeps every limit{checked}", "good")


def _depth(motions: list[Compared]):
    yield {"label": "Hips go down", "values": [_value(f"{hip_drop_cm(m.curves):.1f} cm") for m in motions]}
    for coordinate, label in (("knee_angle", "Greatest knee bend"), ("hip_flexion", "Greatest hip bend"),
                              ("ankle_angle", "Greatest ankle dorsiflexion")):
        for side, name in sides_of(coordinate, True):
            if all(name in m.curves.names for m in motions):
                yield {"label": f"{label}, {side.lower()}",
                       "values": [_value(f"{m.curves.of(name).max():.0f}°") for m in motions]}
    for name, label in (("descent", "Going down"), ("bottom", "Hold"), ("ascent", "Coming up")):
        yield {"label": label, "values": [_value(f"{m.curves.phase_seconds(name):.1f} s") for m in motions]}


def _measure(measure: measures.Measure, motions: list[Compared]) -> dict | None:
    def value(motion: Compared) -> dict:
        if motion.is_own or motion.row.metrics.get(measure.name) is None:
            return _value(None)
        return _value(measure.row(motion.row.metrics)["value"])

    values = [value(m) for m in motions]
    if all(v["text"] == "–" for v in values):
        return None
    return {"label": measure.label, "meaning": measure.meaning, "values": values}


def _margins(motions: list[Compared]) -> list[dict]:
    """Every limit that somebody stated, once, with the room that each motion leaves; negative is crossed."""
    limits: dict[tuple, dict] = {}
    for m in motions:
        for check in [] if m.is_own else m.row.stated_checks:
            bounds = (check["variable"], check.get("side"), check.get("phase", ""), check.get("min"), check.get("max"))
            limits.setdefault(bounds, {"check": check, "of": {}})["of"][m.letter] = check
    rows = []
    for limit in limits.values():
        values = []
        for m in motions:
            own = limit["of"].get(m.letter)
            values.append(_value(None) if own is None else _value(
                f"{own['margin']:.1f}{written_unit(own['unit'])}", "good" if own["satisfied"] else "bad"))
        rows.append({"check": limit["check"], "values": values})
    return rows
