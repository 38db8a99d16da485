import numpy as np
import pytest

from generation.engine.body import COORDINATES
from generation.engine.motion_data import DataError, load_repetitions
from generation.engine.motion_data.contact import bend_toes, contacts, parts
from generation.engine.motion_data.dataset import FOLDER, MOVEMENTS_FILE, save
from generation.engine.motion_data.mirror import mirror
from generation.engine.motion_data.movements import MOVEMENTS, cut, flat_feet_of, follow, phases
from generation.engine.motion_data.placing import centre, soles, torch_body
from generation.engine.motion_data.quality import check

KNEE_R = COORDINATES.index("knee_angle_r")


@pytest.fixture(scope="module")
def shipped():
    return load_repetitions(movement="all")


def of(shipped, movement):
    return [r for r in shipped if r.movement == movement]


def test_each_movement_ships_with_both_labels(shipped):
    assert {r.movement for r in shipped} == set(MOVEMENTS) | {"squat"}
    for name in MOVEMENTS:
        assert {r.correct for r in of(shipped, name)} == {True, False}
        assert len({r.subject.name for r in of(shipped, name)}) >= 9
    assert len({r.name for r in shipped}) == len(shipped)


def test_the_default_is_the_squats(shipped):
    squats = load_repetitions()
    assert [r.name for r in squats] == [r.name for r in shipped if r.movement in ("squat", "deep squat")]
    assert [r.name for r in load_repetitions(movement="side lunge")] == [r.name for r in of(shipped, "side lunge")]
    with pytest.raises(DataError, match="choose from"):
        load_repetitions(movement="handstand")


def test_a_person_has_one_body(shipped):
    bodies: dict[str, list] = {}
    for repetition in shipped:
        bodies.setdefault(repetition.subject.name, []).append(repetition.subject)
    for subjects in bodies.values():
        assert all(s.factors == subjects[0].factors for s in subjects)


def test_phases_tile_a_repetition_and_sides_are_named(shipped):
    for repetition in shipped:
        edges = [(first, last) for _, first, last in repetition.phases]
        assert edges[0][0] == 0 and edges[-1][1] == len(repetition.values) - 1
        assert all(a[1] == b[0] for a, b in zip(edges, edges[1:], strict=False))
        led = repetition.movement in MOVEMENTS and MOVEMENTS[repetition.movement].led
        assert repetition.side in (("r", "l") if led else ("",))


def test_labelled_contact_is_on_the_floor_and_standing_feet_stay(shipped):
    for name, movement in MOVEMENTS.items():
        for repetition in of(shipped, name)[::40]:
            if repetition.contacts is None:
                continue
            points = soles(torch_body(repetition.subject.factors), repetition.values)
            place = parts(points)
            flat = flat_feet_of(movement, repetition.side)
            assert np.abs(np.median(points[:, flat][:, :, :4, 1].mean(axis=(1, 2)))) < 0.0005
            assert place[repetition.contacts][:, 1].max() < 0.03
            assert repetition.contacts[:, flat, 1].mean() > 0.8
            if movement.flat == "other":  # the foot that steps is up in the middle
                leading = 1 - flat[0]
                assert not repetition.contacts[repetition.bottom, leading].any()


def test_labels_are_read_back(shipped, tmp_path):
    some = of(shipped, "hurdle step")[:3]
    save(tmp_path / "data.npz", some)
    for before, after in zip(some, load_repetitions(tmp_path / "data.npz"), strict=True):
        assert (after.side, after.phases) == (before.side, before.phases)
        np.testing.assert_array_equal(after.contacts, before.contacts)


def test_mirrored_movements_are_led_by_the_other_side(shipped):
    for name in ("hurdle step", "inline lunge", "side lunge"):
        repetition = of(shipped, name)[0]
        body = torch_body(repetition.subject.factors)
        assert follow(MOVEMENTS[name], repetition.values, body).side == repetition.side
        other = {"r": "l", "l": "r"}[repetition.side]
        assert follow(MOVEMENTS[name], mirror(repetition.values), body).side == other


@pytest.mark.parametrize("name", ["hurdle step", "inline lunge", "side lunge", "sit-to-stand"])
def test_a_repetition_is_found_again_between_pauses(shipped, name):
    repetition = next(r for r in of(shipped, name) if r.correct)
    body = torch_body(repetition.subject.factors)
    values = np.concatenate(
        [repetition.values[:1].repeat(40, 0), repetition.values, repetition.values[-1:].repeat(40, 0)]
    )
    course = follow(MOVEMENTS[name], values, body)
    at_rest = float(np.quantile(course.effort, 0.05))
    (segment,) = cut(MOVEMENTS[name], course, values, repetition.subject.leg_length_m, at_rest)
    assert not segment.incomplete
    assert abs(segment.bottom - 40 - repetition.bottom) <= 2
    named = phases(MOVEMENTS[name], course, segment.start, segment.bottom, segment.end)
    assert [n for n, _, _ in named] == [n for n, _, _ in repetition.phases]


def test_toes_bend_where_they_would_be_under_the_floor_and_only_there():
    body = torch_body({})
    values = np.tile(body.neutral().numpy(), (40, 1))
    flat = bend_toes(centre(values, body), body)
    toe = COORDINATES.index("mtp_angle_r")
    assert np.rad2deg(np.abs(flat[:, toe])).max() < 1
    raised = values.copy()
    raised[:, COORDINATES.index("ankle_angle_r")] = np.deg2rad(-30)  # the heel goes up about the ankle's height
    points = soles(body, raised)
    raised[:, 4] -= points[:, 0, 2:4, 1].mean()  # the right ball on the floor
    bent = bend_toes(raised, body)
    assert soles(body, raised)[:, 0, 4:, 1].mean(axis=1).max() < -0.02
    assert np.abs(soles(body, bent)[:, 0, 4:, 1].mean(axis=1)).max() < 0.003
    assert contacts(bent, body)[:, 0].tolist() == [[False, True]] * 40


def test_a_foot_that_slides_is_left_out_but_not_the_one_that_steps(shipped):
    repetition = of(shipped, "hurdle step")[0]
    body, error = torch_body(repetition.subject.factors), np.full(len(repetition.values), 0.008)

    def reasons(values, movement, side):
        return check(values, error, body, "", movement, side).reasons

    assert reasons(repetition.values, "hurdle step", repetition.side) == ()
    other = {"r": "l", "l": "r"}[repetition.side]
    assert any("a foot moved" in r for r in reasons(repetition.values, "hurdle step", other))
    assert any("a foot moved" in r for r in reasons(repetition.values, "deep squat", ""))


def test_the_card_counts_what_ships(shipped):
    card = " ".join((FOLDER / "CARD.md").read_text().split())
    others = [r for r in shipped if r.movement not in ("squat", "deep squat")]
    assert f"{len(others)} repetitions of {len({r.subject.name for r in others})} people" in card
    for name in MOVEMENTS:
        mine = of(others, name)
        if mine:
            right = sum(r.correct for r in mine)
            assert f"| {name} | {right} | {len(mine) - right} |" in card
    assert MOVEMENTS_FILE.stat().st_size < 12_000_000
