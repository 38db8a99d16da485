"""The trained motion model as the rest of the engine uses it: load, encode, quantise, decode, convert."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.motion_data.dataset import DataError, verify_checksum
from generation.engine.motion_model import channels
from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES
from generation.engine.motion_model.network import VQVAE, Shape

FOLDER = Path(__file__).resolve().parents[3] / "models" / "motion_model"
WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
NETWORK = "network."  # prefix of the network's tensors in the weights file


class ModelError(ValueError):
    """The model's files are missing, altered or of another body model; the message says what to do."""


@dataclass(frozen=True)
class StandingPose:
    """How somebody stands. pose (coordinate,) radians and metres, translations for a leg of `leg_length_m` metres."""

    subject: str
    pose: Tensor
    leg_length_m: float


class MotionModel:
    """A frozen VQ-VAE over squats of FRAMES frames with the lowest pelvis at frame BOTTOM.

    Channels (LEARNED_COORDINATES) are physical: radians from standing; pelvis translations from standing in leg
    lengths.

    version: goes into every report; changes when the weights change.
    standing_pose: (coordinate,) the left-right symmetric mean of the recorded people, translations in metres for
        `standing_leg_length_m`.
    standing_poses: how each recorded person stands.
    training_latents: (n, code_dim, FRAMES / 4) latents before quantisation of the training repetitions that were
        performed as instructed, and of their mirrors. Deliberate faults taught the codes, but are no place to start
        from.
    """

    def __init__(
        self,
        network: VQVAE,
        mean: Tensor,
        spread: Tensor,
        training_latents: Tensor,
        standing_pose: Tensor,
        standing_leg_length_m: float,
        standing_poses: list[StandingPose],
        version: str,
    ):
        self.network = network.eval().requires_grad_(False)
        self.mean, self.spread, self.training_latents = mean, spread, training_latents
        self.standing_pose, self.standing_leg_length_m = standing_pose, standing_leg_length_m
        self.standing_poses, self.version = standing_poses, version
        self.frames, self.bottom, self.coordinates = FRAMES, BOTTOM, LEARNED_COORDINATES

    @property
    def device(self) -> torch.device:
        return self.mean.device

    @property
    def code_dim(self) -> int:
        return self.network.shape.code_dim

    def encode(self, x: Tensor) -> Tensor:
        """Channels (batch, FRAMES, channel) to latents before quantisation (batch, code_dim, FRAMES / 4)."""
        return self.network.encode((x - self.mean) / self.spread)

    def quantise(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Latents to the nearest codes (same shape, straight-through gradient), their indices (batch, FRAMES / 4,
        level) and
        the commitment term (scalar)."""
        return self.network.quantiser(z)

    def decode(self, z: Tensor) -> Tensor:
        """Latents (batch, code_dim, FRAMES / 4), quantised or not, to channels (batch, FRAMES, channel).
        Differentiable.
        """
        return self.network.decode(z) * self.spread + self.mean


def save_motion_model(folder: Path, model: MotionModel, config: dict) -> None:
    """Write weights and config; the checksum file is written by the caller once everything is there."""
    tensors = {NETWORK + name: tensor.contiguous() for name, tensor in model.network.state_dict().items()}
    tensors |= {
        "mean": model.mean,
        "spread": model.spread,
        "training_latents": model.training_latents.half(),
        "standing_pose": model.standing_pose,
        "standing_poses": torch.stack([s.pose for s in model.standing_poses]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes files that only their owner reads
    config = {
        "format": 1,
        "shape": model.network.shape.to_dict(),
        "frames": FRAMES,
        "bottom": BOTTOM,
        "learned_coordinates": list(LEARNED_COORDINATES),
        "coordinates": list(COORDINATES),
        "standing_leg_length_m": model.standing_leg_length_m,
        "standing_subjects": [{"subject": s.subject, "leg_length_m": s.leg_length_m} for s in model.standing_poses],
        **config,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")


def load_motion_model(path: str | Path | None = None, device: str | torch.device | None = None) -> MotionModel:
    """The model in the folder `path`, the shipped one by default.

    device: where its tensors live; None is the processor. Raises ModelError when a file is missing, is not the one
    that the folder's SHA256SUMS names, belongs to another body model, or was written for another network than this
    code's.
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
    network = VQVAE(Shape(**config["shape"]))
    network.load_state_dict({name.removeprefix(NETWORK): t for name, t in tensors.items() if name.startswith(NETWORK)})
    latents = tensors["training_latents"].float()
    if latents.shape[1:] != (network.shape.code_dim, FRAMES >> network.shape.down) or not len(latents):
        raise ValueError(f"training latents of shape {tuple(latents.shape)}")
    poses = [
        StandingPose(s["subject"], pose.to(place), s["leg_length_m"])
        for s, pose in zip(config["standing_subjects"], tensors["standing_poses"], strict=True)
    ]
    return MotionModel(
        network.to(place),
        tensors["mean"].to(place),
        tensors["spread"].to(place),
        latents.to(place),
        tensors["standing_pose"].to(place),
        config["standing_leg_length_m"],
        poses,
        f"squat-vqvae-{config['format']}+{digest[:12]}",
    )


def standing_poses(subjects) -> tuple[list[StandingPose], Tensor, float]:
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
    return poses, torch.tensor(mean, dtype=torch.float32), length
