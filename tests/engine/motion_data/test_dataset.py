import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from generation.engine.body import BODIES, COORDINATES
from generation.engine.motion_data import DataError, Repetition, Subject, load_repetitions
from generation.engine.motion_data.dataset import CHECKSUMS, FOLDER, STEP, save
from generation.engine.motion_data.mirror import mirror
from generation.engine.motion_data.placing import centre, face_forward, fit_size, model_order, soles, torch_body

KNEE = COORDINATES.index("knee_angle_r")


def made_up(name="somebody_1", frames=80, seed=0) -> Repetition:
    random = np.random.default_rng(seed)
    values = random.normal(0, 0.3, (frames, len(COORDINATES)))
    subject = Subject("somebody", "nowhere", dict.fromkeys(BODIES, (1.0, 1.1, 0.9)), 0.9, 1.7, 9.0, values[0])
    return Repetition(name, subject, "squat", True, "nowhere/file.trc", frames // 2, values)


def test_what_is_saved_is_read_back(tmp_path):
    made = [made_up("a_1", 80, 0), made_up("a_2", 61, 1)]
    save(tmp_path / "data.npz", made)
    read = load_repetitions(tmp_path / "data.npz")
    assert [r.name for r in read] == ["a_1", "a_2"]
    for before, after in zip(made, read, strict=True):
        np.testing.assert_allclose(after.values, before.values, atol=STEP / 2 + 1e-12)
        assert (after.bottom, after.subject.factors, after.movement) == (before.bottom, before.subject.factors, "squat")


def test_an_altered_file_is_refused(tmp_path):
    save(tmp_path / "data.npz", [made_up()])
    raw = bytearray((tmp_path / "data.npz").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "data.npz").write_bytes(bytes(raw))
    with pytest.raises(DataError, match=CHECKSUMS):
        load_repetitions(tmp_path / "data.npz")


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="build it again"):
        load_repetitions(tmp_path / "data.npz")


def test_mirroring_twice_gives_the_motion_back_and_swaps_sides():
    values = made_up().values
    once = mirror(values)
    np.testing.assert_allclose(mirror(once), values)
    np.testing.assert_allclose(once[:, KNEE], values[:, COORDINATES.index("knee_angle_l")])
    np.testing.assert_allclose(once[:, COORDINATES.index("pelvis_tz")], -values[:, COORDINATES.index("pelvis_tz")])


def test_mirroring_moves_the_soles_to_their_mirror_image():
    values, body = made_up().values[:5], torch_body({})
    right, left = (soles(body, v)[:, i] for v, i in ((values, 0), (mirror(values), 1)))
    np.testing.assert_allclose(left, right * [1, 1, -1], atol=1e-6)  # the model's axes are rounded


def test_facing_forward_turns_about_the_vertical_only():
    values, body = made_up().values * 0.5, torch_body({})
    turned = face_forward(values)
    forward = Rotation.from_euler("ZXY", turned[:, :3]).apply([1.0, 0, 0])
    assert abs(np.arctan2(-forward[:, 2].mean(), forward[:, 0].mean())) < 1e-9
    np.testing.assert_allclose(soles(body, turned)[..., 1], soles(body, values)[..., 1], atol=1e-9)


def test_centring_puts_the_soles_on_the_floor():
    body = torch_body({})
    values = np.tile(body.neutral().numpy(), (20, 1))
    values[:, 3:6] += [0.4, 0.1, -0.2]
    placed = soles(body, centre(values, body))[:, :, :4]
    assert np.abs(placed[..., 1]).max() < 1e-6
    assert np.abs(placed.mean(axis=(0, 1, 2))[[0, 2]]).max() < 1e-6


def test_size_is_found_from_feet_that_stay(shipped):
    repetition = shipped[0]
    body = torch_body({name: (1.1, 1.1, 1.1) for name in BODIES})
    values = repetition.values.copy()
    values[:, 3:6] -= soles(body, values)[:, :, :4].mean(axis=(1, 2))  # hold the feet still under a body of size 1.1
    assert fit_size(values) == pytest.approx(1.1, abs=0.03)


def test_model_order_copies_the_knee_to_the_patella():
    ordered = model_order(np.array([[1.0, 2.0]]), ("knee_angle_l", "pelvis_tilt"))
    assert ordered[0, COORDINATES.index("knee_angle_l_beta")] == 1.0
    assert ordered[0, COORDINATES.index("pelvis_tilt")] == 2.0


# ---- the data that ships --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return load_repetitions()


def test_shipped_repetitions_are_squats_on_the_floor(shipped):
    assert len(shipped) > 100
    assert len({r.name for r in shipped}) == len(shipped)
    height = COORDINATES.index("pelvis_ty")
    for repetition in shipped:
        values = repetition.values
        assert np.isfinite(values).all()
        assert abs(int(values[:, height].argmin()) - repetition.bottom) <= 1
        assert values[repetition.bottom, KNEE] > np.deg2rad(35)
        assert values[[0, -1], KNEE].max() < values[:, KNEE].max() / 2
    for repetition in shipped[::20]:
        floor = soles(torch_body(repetition.subject.factors), repetition.values)[:, :, :4, 1]
        assert abs(np.median(floor.mean(axis=(1, 2)))) < 0.002


def test_no_restricted_source_ships(shipped):
    assert {r.subject.source for r in shipped} <= {"ui-prmd", "cmbbe2024", "opencap-squat", "kirsten-squat"}


def test_the_card_says_what_is_in_the_file(shipped):
    card = (FOLDER / "CARD.md").read_text()
    subjects = {r.subject.name: r.subject for r in shipped}
    assert f"{len(shipped)} repetitions of {len(subjects)} people" in " ".join(card.split())
    for name, subject in subjects.items():
        row = next(line for line in card.splitlines() if line.startswith(f"| {name} "))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        mine = [r for r in shipped if r.subject.name == name]
        assert cells[1:3] == [str(sum(r.correct is right for r in mine)) for right in (True, False)]
        assert cells[8] == f"{subject.leg_length_m:.3f}"
        assert cells[4] == ("no markers" if np.isnan(subject.marker_rms_mm) else f"{subject.marker_rms_mm:.1f}")
