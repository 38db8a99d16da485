"""Motion models on disk: a folder with weights, config and checksums. Altered or unfitting files are refused."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.motion_data.dataset import DataError, verify_checksum, write_checksum
from generation.engine.motion_model import channels
from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES
from generation.engine.motion_model.linear_code import SIZE
from generation.engine.motion_model.model import (
    ContinuousModel,
    ModelError,
    MotionModel,
    QuantisedModel,
    Standing,
    StandingPose,
)
from generation.engine.motion_model.network import VQVAE, Shape
from generation.engine.motion_model.population import Population
from generation.engine.motion_model.stances import DESCRIBED

FOLDER = Path(__file__).resolve().parents[3] / "models" / "motion_model"
HELD_OUT = FOLDER / "held_out"  # what ships, trained on the training people only: for every figure of an evaluation
RESIDUAL_VQVAE, PUBLISHED_VQVAE, SCALAR_VQVAE = (
    FOLDER / name for name in ("residual_vqvae", "published_vqvae", "scalar_vqvae")
)  # baselines, trained on the training people only
WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
CONTINUOUS, QUANTISED = "continuous", "quantised"
_NETWORK, _POPULATION = "network.", "population."  # prefixes of tensors in the weights file


def save_motion_model(folder: Path, model: MotionModel, config: dict) -> None:
    """Write weights, config and their checksums; `config` is added to what loading needs."""
    tensors = {
        "standing_pose": model.standing_pose,
        "standing_poses": torch.stack([s.pose for s in model.standing_poses]),
    }
    if isinstance(model, ContinuousModel):
        tensors |= {_POPULATION + name: tensor for name, tensor in model.population.tensors().items()}
        tensors["training"] = model.to_coefficients(model.training_latents)
        own = {"family": CONTINUOUS, "described": list(DESCRIBED)}
    else:
        halves = {_NETWORK + name: _half(tensor) for name, tensor in model.network.state_dict().items()}
        tensors |= halves | {"mean": model.mean, "spread": model.spread,
                             "training_latents": model.training_latents.half()}
        own = {"family": QUANTISED, "shape": model.network.shape.to_dict()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes files that only their owner reads
    config = {
        "format": 2,
        **own,
        "frames": FRAMES,
        "bottom": BOTTOM,
        "learned_coordinates": list(LEARNED_COORDINATES),
        "coordinates": list(COORDINATES),
        "standing_leg_length_m": model.standing_leg_length_m,
        "standing_subjects": [{"subject": s.subject, "leg_length_m": s.leg_length_m} for s in model.standing_poses],
        **config,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    for name in (WEIGHTS, CONFIG):
        write_checksum(folder / name)


def load_motion_model(path: str | Path | None = None, device: str | torch.device | None = None) -> MotionModel:
    """The model in the folder `path`, the shipped one by default.

    device: where its tensors live; None is the processor. Raises ModelError when a file is missing, is not the one
    that the folder's SHA256SUMS names, belongs to another body model, or was written for other code than this.
    """
    folder = Path(path) if path else FOLDER
    try:
        digest = verify_checksum(folder / WEIGHTS)
        verify_checksum(folder / CONFIG)
        config = json.loads((folder / CONFIG).read_text())
        with safe_open(folder / WEIGHTS, "pt"):
            pass
        tensors = load_file(folder / WEIGHTS)
    except (DataError, SafetensorError, json.JSONDecodeError) as error:
        raise ModelError(f"the motion model cannot be loaded: {error}") from error
    try:
        return _assembled(config, tensors, digest, torch.device(device or "cpu"))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        what = str(error).splitlines()[-1].strip() if str(error) else type(error).__name__
        raise ModelError(f"the motion model in {folder} does not fit this version of the code ({what}): restore it "
                         "from version control or train it again with `python manage.py train_motion_model`") from error


def _assembled(config: dict, tensors: dict[str, Tensor], digest: str, place: torch.device) -> MotionModel:
    """The model of a config and its tensors; any KeyError, TypeError, ValueError or RuntimeError means: they do not
    fit."""
    for name, here in (("coordinates", COORDINATES), ("learned_coordinates", LEARNED_COORDINATES)):
        if tuple(config[name]) != here:
            raise ValueError(f"trained for other {name}")
    if (config["frames"], config["bottom"]) != (FRAMES, BOTTOM):
        raise ValueError(f"trained for {config['frames']} frames")
    tensors = {name: tensor.to(place) for name, tensor in tensors.items()}
    people = [
        StandingPose(s["subject"], pose, s["leg_length_m"])
        for s, pose in zip(config["standing_subjects"], tensors["standing_poses"], strict=True)
    ]
    standing = Standing(tensors["standing_pose"], config["standing_leg_length_m"], people)
    version = f"squat-{config['family']}-{config['format']}+{digest[:12]}"
    if config["family"] == CONTINUOUS:
        return _continuous(config, tensors, standing, version)
    if config["family"] == QUANTISED:
        return _quantised(config, tensors, standing, version)
    raise ValueError(f"there is no family {config['family']!r}")


def _continuous(config: dict, tensors: dict[str, Tensor], standing: Standing, version: str) -> ContinuousModel:
    if tuple(config["described"]) != DESCRIBED:
        raise ValueError("trained for other numbers beside the movement")
    if tensors["training"].shape[1:] != (SIZE,) or not len(tensors["training"]):
        raise ValueError(f"training coefficients of shape {tuple(tensors['training'].shape)}")
    population = Population(**{name.removeprefix(_POPULATION): tensor for name, tensor in tensors.items()
                               if name.startswith(_POPULATION)})
    return ContinuousModel(population, tensors["training"], standing, version)


def _quantised(config: dict, tensors: dict[str, Tensor], standing: Standing, version: str) -> QuantisedModel:
    network = VQVAE(Shape(**config["shape"])).to(standing.pose.device)
    network.load_state_dict({name.removeprefix(_NETWORK): _whole(tensor) for name, tensor in tensors.items()
                             if name.startswith(_NETWORK)})
    latents = tensors["training_latents"].float()
    if latents.shape[1:] != (network.shape.code_dim, FRAMES >> network.shape.down) or not len(latents):
        raise ValueError(f"training latents of shape {tuple(latents.shape)}")
    return QuantisedModel(network, tensors["mean"], tensors["spread"], latents, standing, version)


def _half(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor


def _whole(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def standing_of(subjects) -> Standing:
    """Standing poses of recorded people, their symmetric mean (translations averaged in leg lengths) and its leg
    length.
    """
    poses = [StandingPose(s.name, torch.tensor(s.standing, dtype=torch.float32), s.leg_length_m) for s in subjects]
    length = float(np.mean([s.leg_length_m for s in subjects]))
    translations = [COORDINATES.index(f"pelvis_t{axis}") for axis in "xyz"]
    scaled = []
    for subject in subjects:
        pose = subject.standing.copy()
        pose[translations] *= length / subject.leg_length_m
        scaled.append(pose)
    mean = channels.symmetric(np.mean(scaled, axis=0))
    return Standing(torch.tensor(mean, dtype=torch.float32), length, poses)
