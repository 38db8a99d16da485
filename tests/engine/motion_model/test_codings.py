import pytest
import torch

from generation.engine.motion_data import load_repetitions
from generation.engine.motion_model import FOLDER, RESIDUAL_VQVAE, load_motion_model
from generation.engine.motion_model.channels import FRAMES
from generation.engine.motion_model.codings import ScalarCodes, through_cosines
from generation.engine.motion_model.linear_code import cosines
from generation.engine.motion_model.preparation import channels_of, reconstruction_error, split_by_person


def test_cosines_are_orthonormal_and_hold_what_is_slow():
    basis = cosines(8)
    torch.testing.assert_close(basis @ basis.T, torch.eye(8), atol=1e-5, rtol=0)
    slow = (torch.randn(3, 8, 5, generator=torch.Generator().manual_seed(0)).transpose(1, 2) @ basis).transpose(1, 2)
    torch.testing.assert_close(through_cosines(slow, 8), slow, atol=1e-4, rtol=0)
    fast = torch.cos(torch.pi * 40 * (torch.arange(FRAMES) + 0.5) / FRAMES)[None, :, None]
    assert through_cosines(fast, 8).abs().max() < 1e-3


def test_rounding_to_a_finer_lattice_costs_more_bits_and_loses_less():
    spread = torch.tensor([5.0, 3, 1, 1, 0.5, 0.1])[:, None]
    latents = torch.randn(40, 6, 4, generator=torch.Generator().manual_seed(0)) * spread
    coarse, fine = ScalarCodes(latents, 0.5), ScalarCodes(latents, 0.1)
    assert fine.bits > coarse.bits > 0
    off = [(codes(latents) - latents).abs().max() for codes in (coarse, fine)]
    assert off[1] < off[0] / 2
    assert off[1] <= 0.5 * fine.spacing * 6**0.5 + 1e-4  # half a spacing along each axis


def test_the_table_says_what_the_measured_model_does():
    """One row computed again: the network without its quantiser on the validation people."""
    repetitions = split_by_person(load_repetitions()).validation
    truth = channels_of(repetitions)
    model = load_motion_model(RESIDUAL_VQVAE)
    with torch.no_grad():
        rebuilt = model.decode(model.encode(truth))
    error = reconstruction_error(truth, rebuilt, repetitions)["angles"]
    lines = (FOLDER / "CODINGS.md").read_text().splitlines()
    row = next(line for line in lines if line.startswith("| same network, latents as"))
    assert float(row.split("|")[4]) == pytest.approx(error, abs=0.02)
