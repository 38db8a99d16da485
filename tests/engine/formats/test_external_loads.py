"""Measured forces: what is written is read again, by us and by OpenSim; what is broken is refused with a place."""

import re

import numpy as np
import opensim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.formats import FormatError, PlateForce, read_external_loads, write_external_loads
from generation.engine.formats.external_loads import read_setup

TIMES = np.arange(5) / 100


def forces() -> list[PlateForce]:
    rng = np.random.default_rng(0)
    return [PlateForce(name, body, *rng.uniform(-1, 1, (3, 5, 3)))
            for name, body in (("plate_1", "calcn_r"), ("plate_2", "calcn_l"))]


def written(tmp_path) -> tuple[str, str]:
    setup = write_external_loads(tmp_path, "grf", TIMES, forces())
    return (tmp_path / "grf.mot").read_text(), setup.read_text()


def test_round_trip(tmp_path):
    table, setup = written(tmp_path)
    loads = read_external_loads(table.encode(), setup.encode())
    np.testing.assert_allclose(loads.times, TIMES)
    assert [(force.name, force.body) for force in loads.forces] == [("plate_1", "calcn_r"), ("plate_2", "calcn_l")]
    for got, given_ in zip(loads.forces, forces(), strict=True):
        for part in ("force", "point", "torque"):
            np.testing.assert_allclose(getattr(got, part), getattr(given_, part), rtol=1e-8)


def test_opensim_reads_what_is_written(tmp_path):
    write_external_loads(tmp_path, "grf", TIMES, forces())
    loads = opensim.ExternalLoads(str(tmp_path / "grf.xml"), True)
    assert loads.getSize() == 2 and loads.get(1).getAppliedToBodyName() == "calcn_l"


def test_columns_that_say_their_side_need_no_setup():
    labels = [f"ground_force_{side}_{kind}{axis}" for side in "lr" for kind in "vpm" for axis in "xyz"]
    rows = "\n".join(" ".join([str(t), *(["1"] * 9), *(["2"] * 9)]) for t in TIMES)
    loads = read_external_loads(f"x\nendheader\ntime {' '.join(labels)}\n{rows}\n".encode())
    assert [(force.body, force.force[0, 1]) for force in loads.forces] == [("calcn_r", 2.0), ("calcn_l", 1.0)]
    assert loads.notes == ()
    numbered = f"x\nendheader\ntime {' '.join(labels).replace('_l_', '_1_').replace('_r_', '_2_')}\n{rows}\n"
    loads = read_external_loads(numbered.encode())
    assert [force.body for force in loads.forces] == ["calcn_r", "calcn_l"] and "first force" in loads.notes[0]
    with pytest.raises(FormatError, match="give the external-loads set-up"):
        read_external_loads(b"x\nendheader\ntime a b\n0 1 1\n1 1 1\n")


@pytest.mark.parametrize(("old", "new", "where"), [
    ("<applied_to_body>calcn_r</applied_to_body>", "", "ExternalForce plate_1: <applied_to_body>"),
    ("<force_expressed_in_body>ground", "<force_expressed_in_body>tibia_r", "<force_expressed_in_body>"),
    ("<force_identifier>plate_1_v", "<force_identifier>other_v", "'other_vx'"),
    ("ExternalLoads", "OtherLoads", "no <ExternalLoads>"),
    ("ExternalForce", "OtherForce", "no ExternalForce"),
    ("</objects>", "", "Line 6"),
    ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "Line 1: document types"),
])
def test_broken_setups_name_the_place(tmp_path, old, new, where):
    table, setup = written(tmp_path)
    assert old in setup
    with pytest.raises(FormatError, match=re.escape(where)):
        read_external_loads(table.encode(), setup.replace(old, new).encode())


def test_wrong_units_and_empty_tables(tmp_path):
    table, setup = written(tmp_path)
    point = table.splitlines()[7].split("\t")[4]
    with pytest.raises(FormatError, match="'plate_1_px' reaches 950 at 0 s"):
        read_external_loads(table.replace(point, "950").encode(), setup.encode())
    zero = [PlateForce("plate_1", "calcn_r", *np.zeros((3, 5, 3)))]
    write_external_loads(tmp_path, "grf", TIMES, zero)
    with pytest.raises(FormatError, match="zero throughout"):
        read_external_loads(tmp_path / "grf.mot", tmp_path / "grf.xml")


def test_bombs_are_refused():
    bomb = "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'>" + "".join(
        f"<!ENTITY b{i} '&b{i - 1 if i else ''};&b{i - 1 if i else ''};'>" for i in range(30)) + "]><a>&b29;</a>"
    with pytest.raises(FormatError, match="Line 1: document types and entities"):
        read_setup(bomb.encode())
    with pytest.raises(FormatError, match="nested deeper"):
        read_setup(b"<a>" * 5000)
    with pytest.raises(FormatError, match="at most 1000000"):
        read_setup(b"<a>" + b" " * 1_000_001 + b"</a>")
    with pytest.raises(FormatError, match="not text"):
        read_setup("<a/>".encode("utf-16"))


@st.composite
def damaged(draw, raw: bytes):
    raw = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(raw) - 1, 0)))
        end = draw(st.integers(start, min(len(raw), start + 60)))
        raw[start:end] = draw(st.one_of(
            st.binary(max_size=6), st.just(bytes(raw[start:end]) * 2),
            st.sampled_from([b"nan", b"<a>", b"</a>", b"&amp;", b"<!--", b"\n", b"1e999", b"true"])))
    return bytes(raw)


SETUP = (
    b"<OpenSimDocument><ExternalLoads><objects><ExternalForce name='p'><applied_to_body>calcn_r</applied_to_body>"
    b"<force_expressed_in_body>ground</force_expressed_in_body><force_identifier>v</force_identifier>"
    b"<point_identifier>p</point_identifier><torque_identifier>m</torque_identifier></ExternalForce></objects>"
    b"</ExternalLoads></OpenSimDocument>"
)
TABLE = b"x\nnRows=2\nendheader\ntime vx vy vz px py pz mx my mz\n0 1 2 3 4 5 6 7 8 9\n1 1 2 3 4 5 6 7 8 9\n"


@given(table=st.one_of(st.just(TABLE), damaged(TABLE)), setup=st.one_of(st.just(SETUP), damaged(SETUP), st.none()))
@settings(max_examples=400, deadline=None)
def test_damage_gives_forces_or_a_format_error(table, setup):
    try:
        loads = read_external_loads(table, setup)
    except FormatError as error:
        assert str(error)
    else:
        for force in loads.forces:
            assert force.body and np.isfinite(np.concatenate([force.force, force.point, force.torque])).all()
