import json
import re
import shutil

import pytest
import torch

from generation.engine.body import COORDINATES
from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.dataset import DATA_FILE, verify_checksum, write_checksum
from generation.engine.motion_model import BOTTOM, FRAMES, LEARNED_COORDINATES, ModelError, load_motion_model
from generation.engine.motion_model.model import CONFIG, FOLDER, WEIGHTS
from generation.engine.motion_model.preparation import (
    channels_of,
    linear_baseline,
    reconstruction_error,
    split_by_person,
)
from generation.engine.motion_model.publish import HELD_OUT, measure
from generation.engine.motion_model.training import Trained


@pytest.fixture(scope="module")
def model():
    return load_motion_model()


@pytest.fixture(scope="module")
def split():
    return split_by_person(load_repetitions())


def test_the_shipped_model_rebuilds_a_squat(model, split):
    x = channels_of(split.train[:8])
    with torch.no_grad():
        rebuilt = model.decode(model.quantise(model.encode(x))[0])
    assert rebuilt.shape == x.shape == (8, FRAMES, len(LEARNED_COORDINATES))
    assert reconstruction_error(x, rebuilt, split.train[:8])["angles"] < 5.0
    knee = LEARNED_COORDINATES.index("knee_angle_r")
    assert (rebuilt[..., knee].argmax(1) - BOTTOM).abs().max() < 12


def test_decoding_is_repeatable_and_differentiable(model):
    z = model.training_latents[:2].clone().requires_grad_(True)
    first, second = model.decode(z), model.decode(z)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    first.square().sum().backward()
    assert z.grad.abs().sum() > 0
    assert model.training_latents.shape[1:] == (model.code_dim, FRAMES // 4)


def test_a_decoded_motion_does_not_depend_on_its_batch(model):
    z = model.training_latents[:6]
    torch.testing.assert_close(model.decode(z)[2], model.decode(z[2:3])[0], atol=1e-5, rtol=1e-4)


def test_the_standing_pose_is_symmetric(model):
    pose = model.standing_pose
    for name in ("knee_angle", "hip_flexion", "ankle_angle"):
        right, left = (pose[COORDINATES.index(f"{name}_{side}")] for side in "rl")
        torch.testing.assert_close(right, left)
    assert len(model.standing_poses) == len({s.subject for s in model.standing_poses}) > 5


def copy_of_shipped(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    return folder


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_an_altered_or_missing_file_is_refused(tmp_path, name):
    folder = copy_of_shipped(tmp_path)
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(bytes(raw))
    with pytest.raises(ModelError, match=f"cannot be loaded: .*{name}.*restore it from version control"):
        load_motion_model(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match="is missing"):
        load_motion_model(folder)


@pytest.mark.parametrize(("change", "said"), [
    ({"coordinates": ["pelvis_tilt"]}, "trained for other coordinates"),
    ({"frames": 196}, "196 frames"),
    ({"shape": {"channels": 21, "width": 32}}, "size mismatch"),
    ({"shape": {"channels": 21, "heads": 4}}, "heads"),
    ({"shape": None}, "does not fit"),
    ({"standing_subjects": []}, "does not fit"),
])
def test_a_model_that_does_not_fit_the_code_is_refused_with_a_sentence(tmp_path, change, said):
    """Checksums are right: somebody trained with other code."""
    folder = copy_of_shipped(tmp_path)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, **change}))
    write_checksum(folder / CONFIG)
    with pytest.raises(ModelError, match="train it again") as caught:
        load_motion_model(folder)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def printed(title: str, channel: str) -> dict[str, float]:
    """One row of one table of the card: method -> figure."""
    card = (FOLDER / "CARD.md").read_text()
    table = card.split(f"## Reconstruction error: {title}")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    row = next(cells for cells in rows if cells[0] == channel)
    return dict(zip(rows[0][1:], map(float, row[1:]), strict=True))


def test_the_cards_figures_can_be_computed_again(split):
    """On people never seen, from the shipped data: the linear baseline and the measured model."""
    train, test = channels_of(split.train), channels_of(split.test)
    card = printed("people never seen (test)", "knee_angle_r")
    baseline = reconstruction_error(test, linear_baseline(train, test, 16), split.test)
    assert baseline["knee_angle_r"] == pytest.approx(card["PCA 16"], abs=0.02)
    held_out = load_motion_model(FOLDER / HELD_OUT)
    again = measure(Trained(held_out.network, held_out.mean, held_out.spread, []), train, test, split.test)
    for method, errors in again.items():
        assert errors["knee_angle_r"] == pytest.approx(card[method], abs=0.05), method


def test_the_held_out_model_has_not_seen_the_test_people(split):
    config = json.loads((FOLDER / HELD_OUT / CONFIG).read_text())
    unseen = {r.subject.name for r in split.test + split.validation}
    assert config["trained_on"] and not unseen & set(config["trained_on"])


def test_the_card_names_the_data_it_was_trained_on():
    card = (FOLDER / "CARD.md").read_text()
    assert re.search(r"sha256 `([0-9a-f]{64})`", card).group(1) == verify_checksum(DATA_FILE)
