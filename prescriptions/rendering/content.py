"""What a video is made from, and the name of that content: the same content is drawn once."""
from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from prescriptions.rendering.film import Options, Words

FORMAT = 1      # raised when a video of the same content comes out differently
ROOT = Path(__file__).resolve().parents[2]
# address in the page -> (type, file): all that the drawing page may load, besides itself and the motion
FILES = {
    "/build/motion-player.js": ("text/javascript", ROOT / "static" / "build" / "motion-player.js"),
    "/build/video.js": ("text/javascript", ROOT / "static" / "build" / "video.js"),
    "/bones.glb": ("model/gltf-binary", ROOT / "models" / "body" / "bones.glb"),
    "/logo.svg": ("image/svg+xml", ROOT / "static" / "images" / "genuflex.svg"),
}


def content_key(motion_sha256: str, words: Words, options: Options) -> str:
    """SHA-256 of all that decides how a video looks: motion, words, options, and the player that draws it."""
    content = {"format": FORMAT, "motion": motion_sha256, "words": asdict(words), "options": asdict(options),
               "player": _player_hash()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _player_hash() -> str:
    digest = hashlib.sha256()
    for _, file in FILES.values():
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()
