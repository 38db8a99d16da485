"""Marker files."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.formats import FormatError, read_trc

WHOLE = (
    "PathFileType\t4\t(X/Y/Z)\tm.trc\n"
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\n"
    "100\t100\t3\t2\tmm\n"
    "Frame#\tTime\tC7\t\t\tR.ASIS\t\t\n"
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n"
    "\n"
    "1\t0.00\t100\t1400\t-20\t50\t900\t120\n"
    "2\t0.01\t101\t1401\t-21\t\t\t\n"
    "3\t0.02\t102\t1402\t-22\tNaN\tNaN\tNaN\n"
)


def test_positions_in_metres_and_lost_markers():
    recording = read_trc(WHOLE.encode())
    assert recording.markers == ("C7", "R.ASIS") and recording.frame_rate == 100
    np.testing.assert_allclose(recording.positions[:, 0, 1], [1.4, 1.401, 1.402])
    np.testing.assert_allclose(recording.positions[0, 1], [0.05, 0.9, 0.12])
    assert np.isnan(recording.positions[1:, 1]).all()
    in_metres = read_trc(WHOLE.replace("\tmm\n", "\tm\n").encode())
    np.testing.assert_allclose(in_metres.positions[0], 1000 * recording.positions[0])


def test_unwritten_trailing_markers_are_lost():
    recording = read_trc(WHOLE.replace("\t50\t900\t120\n", "\n").encode())
    assert np.isnan(recording.positions[0, 1]).all() and np.isfinite(recording.positions[0, 0]).all()


@pytest.mark.parametrize(("old", "new", "where"), [
    ("PathFileType", "Path", "Line 1"),
    ("\tmm\n", "\tinch\n", "Line 3: Units"),
    ("100\t100\t3", "0\t100\t3", "Line 3, column DataRate"),
    ("Frame#", "Nr", "Line 4"),
    ("R.ASIS", "C7", "Line 4: marker 'C7'"),
    ("1400", "tall", "Line 7, column C7 Y"),
    ("1400", "inf", "Line 7, column C7 Y"),
    ("0.01", "0.00", "Line 8, column Time"),
    ("120\n", "120\t7\n", "Line 7 has 9 columns"),
    ("100\t100\t3", "100\t100\t4", "NumFrames"),
])
def test_broken_files_name_the_place(old, new, where):
    with pytest.raises(FormatError, match=re.escape(where)):
        read_trc(WHOLE.replace(old, new, 1).encode())


@given(start=st.integers(0, len(WHOLE) - 1), length=st.integers(0, 40), filler=st.one_of(
    st.binary(max_size=8), st.sampled_from([b"nan", b"\t", b"\n", b"\t\t\t", b"1e999", b"-"])))
@settings(max_examples=300, deadline=None)
def test_damage_gives_a_recording_or_a_format_error(start, length, filler):
    raw = WHOLE.encode()
    try:
        recording = read_trc(raw[:start] + filler + raw[start + length:])
    except FormatError as error:
        assert str(error)
    else:
        assert recording.positions.shape == (len(recording.times), len(recording.markers), 3)
