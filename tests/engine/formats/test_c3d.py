"""C3D files: markers that the library wrote are read again; damage never ends anything but the child."""

import subprocess
import sys

import numpy as np
import pytest

from generation.engine.formats import FormatError, read_c3d

pytest.importorskip("ezc3d")
WRITE = """
import sys, ezc3d, numpy as np
file = ezc3d.c3d()
file["parameters"]["POINT"]["RATE"]["value"] = [100]
file["parameters"]["POINT"]["LABELS"]["value"] = ("RASI", "LASI")
file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
points = np.ones((4, 2, 10))
points[:3] = np.random.default_rng(0).uniform(-1000, 1000, (3, 2, 10))
points[:3, 1, 4] = np.nan
file["data"]["points"] = points
file.write(sys.argv[1])
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """Written in a process of its own: the library does not work where opensim is loaded, both claim one C++ type."""
    path = tmp_path_factory.mktemp("c3d") / "m.c3d"
    subprocess.run([sys.executable, "-c", WRITE, str(path)], check=True)  # noqa: S603 - our own words
    return path.read_bytes()


def test_markers_are_read(whole):
    recording = read_c3d(whole)
    assert recording.markers == ("RASI", "LASI") and recording.frame_rate == 100
    expected = np.random.default_rng(0).uniform(-1000, 1000, (3, 2, 10)) / 1000
    got = recording.positions.transpose(2, 1, 0)
    assert np.isnan(got[:, 1, 4]).all()
    seen = np.isfinite(got)
    assert seen.sum() == 57
    np.testing.assert_allclose(got[seen], expected[seen], atol=1e-6)


@pytest.mark.parametrize("damage", [
    lambda raw: raw[:700], lambda raw: raw[:-400], lambda raw: b"", lambda raw: b"PathFileType" * 100,
    lambda raw: raw[:600] + b"\xff" * 300 + raw[900:], lambda raw: raw.replace(b"mm", b"ft"),
])
def test_damage_gives_markers_or_a_format_error(whole, damage):
    try:
        recording = read_c3d(damage(whole))
    except FormatError as error:
        assert str(error)
    else:
        assert recording.positions.shape[2] == 3 and np.nanmax(np.abs(recording.positions)) <= 100


def test_the_unit_is_held_to_a_person(whole):
    with pytest.raises(FormatError, match="POINT:UNITS says m"):
        read_c3d(whole.replace(b"mm", b"m "))
    with pytest.raises(FormatError, match="POINT:UNITS"):
        read_c3d(whole.replace(b"mm", b"ft"))
