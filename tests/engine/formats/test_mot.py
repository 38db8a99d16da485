"""OpenSim motion files: what is written is read again, by us and by OpenSim; what is broken is refused with a place."""

import re

import hypothesis.extra.numpy as arrays
import numpy as np
import opensim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.body import COORDINATES, MODEL_FILE
from generation.engine.formats import FormatError, Motion, errors, read_mot, write_mot
from tests.engine.body.opensim_model import OpenSimModel

NAMES = ("pelvis_tilt", "pelvis_ty", "knee_angle_r", "knee_angle_r_beta")


def sample(frames=5, rate=60.0) -> Motion:
    knee = np.linspace(0, 2, frames)
    return Motion(NAMES, np.column_stack([-knee / 3, 0.9 - knee / 5, knee, knee]), rate)


def text_of(tmp_path, motion=None) -> str:
    write_mot(tmp_path / "m.mot", motion or sample())
    return (tmp_path / "m.mot").read_text()


@given(
    values=arrays.arrays(float, st.tuples(st.integers(2, 12), st.just(3)), elements=st.floats(-20, 20)),
    rate=st.sampled_from([30.0, 59.94, 60.0, 100.0, 200.0]),
)
@settings(max_examples=50, deadline=None)
def test_round_trip(tmp_path_factory, values, rate):
    path = tmp_path_factory.mktemp("mot") / "m.mot"
    write_mot(path, Motion(NAMES, np.column_stack([values, values[:, 2]]), rate))
    again = read_mot(path)
    assert again.coordinates == NAMES
    assert all(note.startswith("The header says degrees, but no angle exceeds") for note in again.notes)
    assert again.frame_rate == pytest.approx(rate, rel=1e-3)
    np.testing.assert_allclose(again.values, np.column_stack([values, values[:, 2]]), atol=1e-7)


def test_opensim_reads_what_is_written(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, (7, len(COORDINATES)))
    for side in "rl":
        beta = COORDINATES.index(f"knee_angle_{side}_beta")
        values[:, beta] = values[:, COORDINATES.index(f"knee_angle_{side}")]
    write_mot(tmp_path / "m.mot", Motion(COORDINATES, values, 60.0), name="squat")
    table = opensim.TableProcessor(str(tmp_path / "m.mot"))
    table.append(opensim.TabOpConvertDegreesToRadians())
    table.append(opensim.TabOpUseAbsoluteStateNames())
    read = table.process(OpenSimModel(MODEL_FILE).model)
    np.testing.assert_allclose(read.getMatrix().to_numpy(), values, atol=1e-7)
    assert all(f"/{name}/value" in label for name, label in zip(COORDINATES, read.getColumnLabels(), strict=True))


def test_full_paths_order_and_missing_columns():
    text = (
        "Coordinates\nversion=1\nnRows=2\nnColumns=5\ninDegrees=no\nendheader\n"
        "time\t/jointset/walker_knee_r/knee_angle_r/value\t/jointset/ground_pelvis/pelvis_ty/value"
        "\t/jointset/walker_knee_r/knee_angle_r/speed\tknee_angle_r_beta\n"
        "0.0 0.5 0.9 7.0 0.01\n0.01 0.6 0.8 8.0 0.01\n"
    )
    motion = read_mot(text.encode(), NAMES)
    assert motion.coordinates == NAMES and motion.frame_rate == 100
    np.testing.assert_allclose(motion.values, [[0, 0.9, 0.5, 0.5], [0, 0.8, 0.6, 0.6]])
    assert any("pelvis_tilt" in note for note in motion.notes)
    assert any("knee_angle_r/speed" in note for note in motion.notes)


def test_degrees_and_radians(tmp_path):
    text = text_of(tmp_path)
    np.testing.assert_allclose(read_mot(text.encode()).values, sample().values, atol=1e-9)
    small = text_of(tmp_path, Motion(NAMES, np.full((3, 4), 0.05), 60.0))
    as_radians = read_mot(small.replace("inDegrees=yes", "inDegrees=no").encode())
    np.testing.assert_allclose(as_radians.column("knee_angle_r"), np.degrees(0.05), atol=1e-7)
    np.testing.assert_allclose(as_radians.column("pelvis_ty"), 0.05)
    assert any("radians" in note for note in read_mot(small.replace("inDegrees=yes\n", "").encode()).notes)
    for line in ("", "inDegrees=no\n"):
        with pytest.raises(FormatError, match="inDegrees=yes"):
            read_mot(text.replace("inDegrees=yes\n", line).encode())


def test_uneven_moments_are_resampled():
    rows = "".join(f"{t} {t}\n" for t in (0, 0.01, 0.02, 0.06, 0.07, 0.08))
    motion = read_mot(f"x\ninDegrees=no\nendheader\ntime pelvis_ty\n{rows}".encode())
    np.testing.assert_allclose(motion.values[:, 0], motion.times, atol=1e-9)
    assert any("resampled" in note for note in motion.notes)


@pytest.mark.parametrize(("old", "new", "where"), [
    ("endheader\n", "", "endheader"),
    ("inDegrees=yes", "inDegrees=maybe", "inDegrees"),
    ("time\tpelvis_tilt", "moment\tpelvis_tilt", "Line 7"),
    ("pelvis_tilt\tpelvis_ty", "pelvis_ty\tpelvis_ty", "Line 7, column 3"),
    ("0.90000000", "nan", "Line 8, column pelvis_ty"),
    ("0.90000000", "inf", "Line 8, column pelvis_ty"),
    ("0.90000000", "1e300", "Line 8, column pelvis_ty"),
    ("0.90000000", "high", "Line 8, column pelvis_ty"),
    ("0.90000000\t", "", "Line 8 has 4 values"),
    ("0.03333333", "0.01000000", "Line 10, column time"),
    ("0.03333333", "0.01666667", "Line 10, column time"),
    ("nRows=5", "nRows=6", "cut off"),
    ("nColumns=5", "nColumns=9", "columns"),
])
def test_broken_files_name_the_place(tmp_path, old, new, where):
    text = text_of(tmp_path)
    assert old in text
    with pytest.raises(FormatError, match=re.escape(where)):
        read_mot(text.replace(old, new, 1).encode())


def test_other_refusals(tmp_path, monkeypatch):
    with pytest.raises(FormatError, match="not a file"):
        read_mot(tmp_path / "none.mot")
    with pytest.raises(FormatError, match="not text"):
        read_mot(b"\xff\xfe\x00 endheader")
    with pytest.raises(FormatError, match="two moments"):
        read_mot(b"endheader\ntime pelvis_ty\n0 0\n")
    with pytest.raises(FormatError, match="None of the model's coordinates"):
        read_mot(text_of(tmp_path).encode(), ("hip_flexion_r",))
    with pytest.raises(ValueError, match="finite"):
        write_mot(tmp_path / "bad.mot", Motion(("a",), np.array([[np.nan]]), 60.0))
    monkeypatch.setattr(errors, "MAX_BYTES", 20)
    for source in (text_of(tmp_path).encode(), tmp_path / "m.mot"):
        with pytest.raises(FormatError, match="at most 20"):
            read_mot(source)


@st.composite
def damaged(draw):
    """A whole file with a few spans cut, repeated or overwritten."""
    raw = bytearray(WHOLE)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw) - 1))
        end = draw(st.integers(start, min(len(raw), start + 60)))
        raw[start:end] = draw(st.one_of(
            st.binary(max_size=6), st.just(bytes(raw[start:end]) * 2),
            st.sampled_from([b"nan", b"-", b"1e999", b"\t", b"\n", b"=", b"endheader", b"time", b"_beta", b"/value"])))
        if not raw:
            break
    return bytes(raw)


WHOLE = (
    b"Coordinates\nversion=1\nnRows=3\nnColumns=4\ninDegrees=yes\n\nendheader\n"
    b"time\tpelvis_tx\t/jointset/k/knee_angle_r/value\tknee_angle_r_beta\n"
    b"0.0\t0.1\t10.0\t10\n0.01\t0.2\t20.0\t20\n0.02\t0.3\t30.0\t30\n"
)


@given(raw=st.one_of(damaged(), st.binary(max_size=200)))
@settings(max_examples=400, deadline=None)
def test_damage_gives_a_motion_or_a_format_error(raw):
    try:
        motion = read_mot(raw, NAMES)
    except FormatError as error:
        assert str(error)
    else:
        assert motion.coordinates == NAMES and np.isfinite(motion.values).all() and motion.frame_rate > 0


def test_too_many_rows_are_refused_before_memory_is_spent():
    for end in ("\n", "\r", "\f"):
        with pytest.raises(FormatError, match="more lines than an hour"):
            read_mot(("endheader\ntime pelvis_ty\n" + f"0 0{end}" * 500_000).encode())


def test_lengths_in_millimetres_are_refused():
    with pytest.raises(FormatError, match="Column pelvis_ty, moment 2: 951 m"):
        read_mot(b"inDegrees=no\nendheader\ntime pelvis_ty\n0 950\n1 951\n")


def test_the_time_of_the_first_moment_is_kept():
    assert read_mot(b"inDegrees=no\nendheader\ntime pelvis_ty\n0.135 0.9\n0.145 0.9\n").start_s == 0.135
