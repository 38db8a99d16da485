"""Measured ground forces as OpenSim keeps them: a set-up (`ExternalLoads` XML) and a table of forces (`.mot`, `.sto`).

Each `ExternalForce` of the set-up names a body and the prefixes of its nine columns: force `..vx vy vz` in N, point of
application `..px py pz` in m, torque about that point `..mx my mz` in Nm (V: OpenSim's ExternalForce). Without a set-up
the columns of a table written by OpenCap or OpenSim are recognised by their names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.formats.errors import FormatError, read_text
from generation.engine.formats.storage import read_storage, write_storage
from generation.engine.formats.xml import parse_xml

MAX_SETUP_BYTES = 1_000_000  # ours: a set-up of ten plates has 5,000
MAX_FORCES = 20  # ours
LARGEST = {"v": 20_000.0, "p": 100.0, "m": 10_000.0}  # N, m, Nm; ours (E): far above any plate's range
UNITS = {"v": "N", "p": "m", "m": "Nm"}


@dataclass(frozen=True, eq=False)
class PlateForce:
    """One force over time, in ground axes: force (time, 3) N on the body, point (time, 3) m, torque (time, 3) Nm."""

    name: str
    body: str
    force: np.ndarray
    point: np.ndarray
    torque: np.ndarray


@dataclass(frozen=True, eq=False)
class ExternalLoads:
    """The forces of one recording on its own moments. times (time,) s; notes: what had to be assumed."""

    times: np.ndarray
    forces: tuple[PlateForce, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entry:
    name: str
    body: str
    force: str
    point: str
    torque: str


def read_external_loads(table: Path | str | bytes, setup: Path | str | bytes | None = None) -> ExternalLoads:
    """Read forces and where they act.

    table: the `.mot` or `.sto`; setup: the XML that assigns its columns to bodies. Without one, prefixes that say their
    side (`ground_force_r_v..`, `R_ground_force_v..`) or number (1 right, 2 left, told in `notes`) are taken.
    Raises FormatError, naming line, column or element.
    """
    storage = read_storage(table)
    notes: list[str] = list(storage.notes)
    entries = _guess(storage.labels, notes) if setup is None else read_setup(setup)
    forces = []
    for entry in entries:
        parts = {}
        for kind, prefix in (("v", entry.force), ("p", entry.point), ("m", entry.torque)):
            parts[kind] = _columns(storage, entry, kind, prefix)
        forces.append(PlateForce(entry.name, entry.body, parts["v"], parts["p"], parts["m"]))
    if not any(np.abs(force.force).max() > 0 for force in forces):
        raise FormatError("All forces named by the set-up are zero throughout the table.")
    return ExternalLoads(storage.times, tuple(forces), tuple(notes))


def read_setup(source: Path | str | bytes) -> list[_Entry]:
    """The entries of an `ExternalLoads` set-up. Raises FormatError naming the element."""
    root = parse_xml(read_text(source), MAX_SETUP_BYTES)
    loads = root if root.tag == "ExternalLoads" else root.find("ExternalLoads")
    if loads is None:
        raise FormatError("The set-up holds no <ExternalLoads>: it is not an external-loads set-up of OpenSim.")
    entries = []
    for element in loads.iter("ExternalForce"):
        place = f"ExternalForce {element.attributes.get('name', len(entries) + 1)!s:.60}"

        def text(tag, default=None, element=element, place=place):
            found = element.find(tag)
            value = found.text.strip() if found is not None else ""
            if not value and default is None:
                raise FormatError(f"{place}: <{tag}> is missing or empty.")
            return value or default

        if text("isDisabled", "false").lower() == "true" or text("appliesForce", "true").lower() == "false":
            continue
        for tag in ("force_expressed_in_body", "point_expressed_in_body"):
            if text(tag, "ground").rsplit("/", 1)[-1] != "ground":
                raise FormatError(f"{place}: <{tag}> is {text(tag)[:60]!r}; only ground is read.")
        body = text("applied_to_body").rsplit("/", 1)[-1]
        entries.append(_Entry(place.removeprefix("ExternalForce "), body, text("force_identifier"),
                              text("point_identifier"), text("torque_identifier", "") or ""))
        if len(entries) > MAX_FORCES:
            raise FormatError(f"The set-up names more than {MAX_FORCES} forces.")
    if not entries:
        raise FormatError("The set-up names no ExternalForce that applies.")
    return entries


def write_external_loads(folder: Path, name: str, times: np.ndarray, forces: Sequence[PlateForce]) -> Path:
    """Write `<name>.mot` and `<name>.xml` as OpenSim reads them, and return the path of the set-up."""
    labels, columns, objects = [], [], []
    for force in forces:
        for kind, values in (("v", force.force), ("p", force.point), ("m", force.torque)):
            labels += [f"{force.name}_{kind}{axis}" for axis in "xyz"]
            columns.append(values)
        objects.append(
            f'<ExternalForce name="{force.name}">'
            f"<applied_to_body>{force.body}</applied_to_body>"
            "<force_expressed_in_body>ground</force_expressed_in_body>"
            "<point_expressed_in_body>ground</point_expressed_in_body>"
            f"<force_identifier>{force.name}_v</force_identifier><point_identifier>{force.name}_p</point_identifier>"
            f"<torque_identifier>{force.name}_m</torque_identifier></ExternalForce>"
        )
    write_storage(folder / f"{name}.mot", name, times, labels, np.concatenate(columns, axis=1))
    path = folder / f"{name}.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<OpenSimDocument Version="40000">\n'
        f'<ExternalLoads name="{name}"><objects>\n' + "\n".join(objects)
        + f"\n</objects><datafile>{name}.mot</datafile></ExternalLoads>\n</OpenSimDocument>\n", encoding="utf-8")
    return path


def _columns(storage, entry: _Entry, kind: str, prefix: str) -> np.ndarray:
    if not prefix:  # a plate without a torque: OpenSim applies none
        return np.zeros((len(storage.times), 3))
    wanted = [prefix + axis for axis in "xyz"]
    missing = [label for label in wanted if label not in storage.labels]
    if missing:
        raise FormatError(f"ExternalForce {entry.name:.60}: the table has no column {missing[0][:80]!r}.")
    values = storage.values[:, [storage.labels.index(label) for label in wanted]]
    over = np.argwhere(np.abs(values) > LARGEST[kind])
    if len(over):
        row, axis = over[0]
        raise FormatError(
            f"Column {wanted[axis][:80]!r} reaches {values[row, axis]:g} at {storage.times[row]:g} s; in {UNITS[kind]} "
            f"at most {LARGEST[kind]:g} can be. Check the units: N, m and Nm are expected.")
    return values


def _guess(labels: Sequence[str], notes: list[str]) -> list[_Entry]:
    prefixes = [label[:-2] for label in labels if label.endswith("vx")]
    sides = {"r": [], "l": []}
    for prefix in prefixes:
        words = re.split(r"[^a-z0-9]+", prefix.lower())
        for side, names in (("r", {"r", "right"}), ("l", {"l", "left"})):
            if names & set(words):
                sides[side].append(prefix)
    if not any(sides.values()) and 1 <= len(prefixes) <= 2:
        sides = {side: [prefix] for side, prefix in zip("rl", prefixes, strict=False)}
        notes.append("No set-up was given and the columns do not say a side: the first force was taken for the right "
                     "foot, the second for the left.")
    entries = [_Entry(prefix.strip("_") or "force", f"calcn_{side}", f"{prefix}v", f"{prefix}p",
                      f"{prefix}m" if f"{prefix}mx" in labels else "")
               for side, found in sides.items() for prefix in found]
    if not entries:
        raise FormatError("The columns do not say which force acts on which foot: give the external-loads set-up too.")
    return entries
