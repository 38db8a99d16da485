import json
import re
import shutil

import pytest
import torch

from generation.engine.body import COORDINATES
from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.dataset import DATA_FILE, verify_checksum, write_checksum
from generation.engine.motion_model import (
    BOTTOM,
    FOLDER,
    FRAMES,
    HELD_OUT,
    LEARNED_COORDINATES,
    PUBLISHED_VQVAE,
    RESIDUAL_VQVAE,
    SCALAR_VQVAE,
    ContinuousModel,
    ModelError,
    QuantisedModel,
    load_motion_model,
    mirror_channels,
)
from generation.engine.motion_model.comparison import errors_by_joint
from generation.engine.motion_model.linear_code import EVEN
from generation.engine.motion_model.preparation import channels_of, reconstruction_error, split_by_person
from generation.engine.motion_model.publish import Report, fit, measure
from generation.engine.motion_model.storage import CONFIG, WEIGHTS

BASELINES = [RESIDUAL_VQVAE, PUBLISHED_VQVAE, SCALAR_VQVAE]


@pytest.fixture(scope="module", params=[FOLDER, *BASELINES], ids=lambda path: path.name)
def model(request):
    return load_motion_model(request.param)


@pytest.fixture(scope="module")
def split():
    return split_by_person(load_repetitions())


def test_decoding_is_repeatable_and_differentiable(model):
    z = model.training_latents[:2].clone().requires_grad_(True)
    first, second = model.decode(z), model.decode(z)
    assert first.shape == (2, FRAMES, len(LEARNED_COORDINATES))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    first.square().sum().backward()
    assert z.grad.abs().sum() > 0


def test_nothing_depends_on_the_batch(model):
    z = model.training_latents[:6]
    torch.testing.assert_close(model.decode(z)[2], model.decode(z[2:3])[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model.encode(model.decode(z))[2], model.encode(model.decode(z[2:3]))[0], atol=1e-4,
                               rtol=1e-3)
    torch.testing.assert_close(model.unlikeness(z)[2], model.unlikeness(z[2:3])[0], atol=1e-5, rtol=1e-4)


def test_the_standing_pose_is_symmetric(model):
    pose = model.standing_pose
    for name in ("knee_angle", "hip_flexion", "ankle_angle"):
        right, left = (pose[COORDINATES.index(f"{name}_{side}")] for side in "rl")
        torch.testing.assert_close(right, left)
    assert len(model.standing_poses) == len({s.subject for s in model.standing_poses}) > 5


def test_the_shipped_model_rebuilds_a_squat_and_its_mirror(split):
    shipped = load_motion_model()
    assert isinstance(shipped, ContinuousModel)
    x = channels_of(split.test[::6])
    z = shipped.encode(x)
    assert reconstruction_error(x, shipped.decode(z), split.test[::6])["angles"] < 0.5
    mirrored = shipped.encode(mirror_channels(x))
    torch.testing.assert_close(mirrored[:, :EVEN], z[:, :EVEN], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(mirrored[:, EVEN:], -z[:, EVEN:], atol=1e-3, rtol=1e-3)


def test_drawn_squats_are_squats_and_repeat():
    shipped = load_motion_model()
    z, described = shipped.sample(40, torch.Generator().manual_seed(0))
    torch.testing.assert_close(z, shipped.sample(40, torch.Generator().manual_seed(0))[0], rtol=0, atol=0)
    knee = torch.rad2deg(shipped.decode(z)[..., LEARNED_COORDINATES.index("knee_angle_r")])
    assert (knee.argmax(1) - BOTTOM).abs().float().median() < 8
    assert knee.amax(1).min() > 40 and knee[:, [0, -1]].abs().median() < 10
    assert 0.8 < float(shipped.unlikeness(z).mean()) < 1.2
    assert described.isfinite().all()


def copy_of(source, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in (WEIGHTS, CONFIG, "SHA256SUMS"):
        shutil.copy(source / name, folder / name)
    return folder


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_an_altered_or_missing_file_is_refused(tmp_path, name):
    folder = copy_of(FOLDER, tmp_path)
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(bytes(raw))
    with pytest.raises(ModelError, match=f"cannot be loaded: .*{name}.*restore it from version control"):
        load_motion_model(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match="is missing"):
        load_motion_model(folder)


@pytest.mark.parametrize(("source", "change", "said"), [
    (FOLDER, {"coordinates": ["pelvis_tilt"]}, "trained for other coordinates"),
    (FOLDER, {"frames": 196}, "196 frames"),
    (FOLDER, {"described": ["width"]}, "other numbers beside the movement"),
    (FOLDER, {"family": "tree"}, "no family"),
    (FOLDER, {"standing_subjects": []}, "does not fit"),
    (RESIDUAL_VQVAE, {"shape": {"channels": 21, "width": 32}}, "size mismatch"),
    (RESIDUAL_VQVAE, {"shape": {"channels": 21, "heads": 4}}, "heads"),
    (RESIDUAL_VQVAE, {"shape": None}, "does not fit"),
    (RESIDUAL_VQVAE, {"family": "continuous"}, "does not fit"),
])
def test_a_model_that_does_not_fit_the_code_is_refused_with_a_sentence(tmp_path, source, change, said):
    """Checksums are right: somebody trained with other code."""
    folder = copy_of(source, tmp_path)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, **change}))
    write_checksum(folder / CONFIG)
    with pytest.raises(ModelError, match="train it again") as caught:
        load_motion_model(folder)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def cells(text: str, title: str, row: str) -> list[float]:
    """The numbers of a row of a table under a title; those in brackets follow those before them."""
    table = text.split(f"## {title}")[1].split("\n## ")[0] if title else text
    line = next(line for line in table.splitlines() if line.startswith(f"| {row} |"))
    return [float(number) for number in re.findall(r"-?\d+\.\d+", line.removeprefix(f"| {row} |"))]


def test_the_cards_figures_can_be_computed_again(split):
    """On people never seen, from the shipped data and the measured model."""
    card, report = (FOLDER / "CARD.md").read_text(), Report(split, "")
    measure(load_motion_model(HELD_OUT), split, report)
    printed = cells(card, "Reconstruction: RMS error in degrees", "people never seen (test)")
    assert list(report.errors["test"].values()) == pytest.approx(printed, abs=0.01)
    likelihood, fidelity, known = cells(card, "The distribution", "people never seen (test)")[:3]
    assert report.likelihood["test"] == pytest.approx(likelihood, abs=0.02)
    assert report.drawn["test"]["fidelity"] == pytest.approx(fidelity, rel=0.02)
    assert report.known["test"]["fidelity"] == pytest.approx(known, rel=0.02)


def test_fitting_again_gives_the_held_out_model(split):
    again, stored = fit(split.train), load_motion_model(HELD_OUT)
    torch.testing.assert_close(again.population.even, stored.population.even, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(again.population.odd, stored.population.odd, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("folder", [HELD_OUT, *BASELINES], ids=lambda path: path.name)
def test_the_measured_models_have_not_seen_the_test_people(split, folder):
    config = json.loads((folder / CONFIG).read_text())
    unseen = {r.subject.name for r in split.test + split.validation}
    assert config["trained_on"] and not unseen & set(config["trained_on"])
    assert {p.subject for p in load_motion_model(folder).standing_poses} == set(config["trained_on"])


def test_the_comparisons_figures_can_be_computed_again(split):
    """The residual VQ-VAE on the validation people."""
    network = load_motion_model(RESIDUAL_VQVAE)
    assert isinstance(network, QuantisedModel)
    truth = channels_of(split.validation)
    with torch.no_grad():
        rebuilt = network.decode(network.quantise(network.encode(truth))[0])
    printed = cells((FOLDER / "COMPARISON.md").read_text(), "", "VQ-VAE, residual, 8 levels x 256 codes")
    errors = errors_by_joint(truth, rebuilt, split.validation)
    assert list(errors.values()) == pytest.approx(printed[:5], abs=0.05)      # weights are kept in half precision


def test_the_card_names_the_data_it_was_trained_on():
    card = (FOLDER / "CARD.md").read_text()
    assert re.search(r"sha256 `([0-9a-f]{64})`", card).group(1) == verify_checksum(DATA_FILE)
