"""A page with one `<motion-player>` for its tests: a small web server, a synthetic motion, bones made of boxes."""
from __future__ import annotations

import base64
import http.server
import json
import struct
import threading
from pathlib import Path

import numpy as np

from generation.engine.formats.playback import series

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "static" / "build" / "motion-player.js"
POLICY = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; "
          "img-src 'self' data:; base-uri 'none'; form-action 'none'")
FRAME_RATE = 60
PHASES = [("stand", 0.0, 0.2), ("descent", 0.2, 0.9), ("bottom", 0.9, 1.1), ("ascent", 1.1, 1.8), ("stand", 1.8, 2.0)]
DURATION = PHASES[-1][2]

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Player</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/page.css">
<link rel="icon" href="data:,"><script type="module" src="/page.js"></script></head><body></body></html>"""
# A low picture: software rendering pays for every pixel.
STYLE = ":root { color-scheme: light dark; } body { margin: 8px; --motion-player-stage-height: 300px; }"
# Attributes come from the query; what the player says is kept in `log`.
SCRIPT = """import "/build/motion-player.js";
const player = document.createElement("motion-player");
window.player = player;
window.log = [];
const names = ["loadedmetadata", "ready", "play", "pause", "ended", "timeupdate", "error"];
for (const name of names) {
  player.addEventListener(name, (event) => window.log.push({ name, at: performance.now(), detail: event.detail }));
}
for (const [name, value] of new URLSearchParams(location.search)) player.setAttribute(name, value);
document.body.append(player);
"""


def encode(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def squat_document(scale: float = 1.0, drop_m: float = 0.45) -> dict:
    """A person of boxes who bends hips, knees and ankles in the sagittal plane over feet that stay put.

    `scale` multiplies every length, `drop_m` is how far the hips sink at scale 1. Not a human motion: it only has to
    exercise the player, with positions that a test can compute.
    """
    frames = round(DURATION * FRAME_RATE) + 1
    time = np.arange(frames) / FRAME_RATE
    depth = np.interp(time, [0, 0.2, 0.9, 1.1, 1.8, 2.0], [0, 0, 1, 1, 0, 0])
    depth = depth * depth * (3 - 2 * depth)
    thigh = shank = 0.42
    ankle_height = 0.08
    bend = np.arccos(1 - depth * drop_m / (thigh + shank))      # both segments lean by this angle from the vertical
    bodies, positions, turns = [], [], []

    def add(name, x, y, z, angle):
        bodies.append(name)
        positions.append(np.stack([x + 0 * time, y + 0 * time, z + 0 * time], -1))
        turns.append(angle + 0 * time)

    ankle = (0.0, ankle_height)
    knee = (ankle[0] + shank * np.sin(bend), ankle[1] + shank * np.cos(bend))
    hip = (knee[0] - thigh * np.sin(bend), knee[1] + thigh * np.cos(bend))
    add("pelvis", hip[0], hip[1] + 0.08, 0, 0)
    for side, z in (("r", 0.1), ("l", -0.1)):
        add(f"femur_{side}", *hip, z, bend)
        add(f"tibia_{side}", *knee, z, -bend)
        add(f"talus_{side}", *ankle, z, 0)
        add(f"calcn_{side}", -0.04, 0.04, z, 0)
        add(f"toes_{side}", 0.12, 0.04, z, 0)
    add("torso", hip[0], hip[1] + 0.16, 0, -0.5 * bend)
    place = np.stack(positions, 1) * scale                       # (frame, body, 3)
    half = np.stack(turns, 1) / 2                                # rotation about Z, (frame, body)
    zero = np.zeros_like(half)
    quaternions = np.stack([zero, zero, np.sin(half), np.cos(half)], -1)
    centres = {f"{joint}_{side}": place[:, bodies.index(f"{body}_{side}")] for side in "rl"
               for joint, body in (("hip", "femur"), ("knee", "tibia"), ("ankle", "talus"), ("mtp", "toes"))}
    return {
        "version": 1, "frame_rate": FRAME_RATE, "frames": frames, "duration_s": DURATION,
        "bodies": bodies, "scales": [[scale] * 3] * len(bodies),
        "positions": encode(place), "quaternions": encode(quaternions), "com": encode(place[:, bodies.index("torso")]),
        "joint_centres": {"names": list(centres), "positions": encode(np.stack(list(centres.values()), 1))},
        "coordinates": {"names": ["knee_angle_r"], "degrees": encode(np.degrees(2 * bend)[:, None])},
        "phases": [{"name": name, "start_s": start, "end_s": end} for name, start, end in PHASES],
    }


def joint_centres(document: dict) -> dict[str, np.ndarray]:
    """Name -> (frame, 3) m, read back from a playback document."""
    values = series(document, "joint_centres")
    return {name: values[:, index] for index, name in enumerate(document["joint_centres"]["names"])}


PAD = 0.008  # metres of soft tissue under the bones at scale 1, as in models/body
# Lower and upper corner of each body's box in its own frame, metres.
BOXES = {"pelvis": ((-0.08, -0.06, -0.12), (0.06, 0.08, 0.12)), "torso": ((-0.08, 0.0, -0.16), (0.08, 0.62, 0.16))}
LIMB_BOXES = {"femur": ((-0.03, -0.42, -0.03), (0.03, 0.0, 0.03)),
              "tibia": ((-0.025, -0.42, -0.025), (0.025, 0.0, 0.025)),
              "talus": ((-0.02, -0.02, -0.02), (0.02, 0.02, 0.02)),
              "calcn": ((-0.03, PAD - 0.04, -0.04), (0.16, 0.0, 0.04)),
              "toes": ((0.0, PAD - 0.04, -0.04), (0.06, -0.01, 0.04))}


def box_bones() -> bytes:
    """A GLB with one box for each body of `squat_document`, nodes named by body. Feet end `PAD` above the floor."""
    boxes = BOXES | {f"{name}_{side}": box for name, box in LIMB_BOXES.items() for side in "rl"}
    faces = [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3]
    binary = struct.pack(f"<{len(faces)}H", *faces)
    gltf = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": list(range(len(boxes)))}],
            "nodes": [], "meshes": [],
            "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": len(binary)}],
            "accessors": [{"bufferView": 0, "componentType": 5123, "count": len(faces), "type": "SCALAR"}]}
    for index, (name, (low, high)) in enumerate(boxes.items()):
        corners = np.array([[x, y, z] for z in (low[2], high[2]) for y in (low[1], high[1]) for x in (low[0], high[0])])
        gltf["nodes"].append({"name": name, "mesh": index})
        gltf["meshes"].append({"primitives": [{"attributes": {"POSITION": index + 1}, "indices": 0}]})
        gltf["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": corners.size * 4})
        gltf["accessors"].append({"bufferView": index + 1, "componentType": 5126, "count": len(corners), "type": "VEC3",
                                  "min": list(low), "max": list(high)})
        binary += corners.astype("<f4").tobytes()
    gltf["buffers"] = [{"byteLength": len(binary)}]
    text = json.dumps(gltf).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


class PlayerServer:
    """Serves the page, the bundle and whatever a test puts into `files` (path -> (content type, bytes))."""

    def __init__(self) -> None:
        if not BUNDLE.exists():
            raise FileNotFoundError(f"{BUNDLE} is missing: run `npm ci` and `npm run build` first")
        self.files = {
            "/page": ("text/html", PAGE.encode()), "/page.css": ("text/css", STYLE.encode()),
            "/page.js": ("text/javascript", SCRIPT.encode()),
            "/build/motion-player.js": ("text/javascript", BUNDLE.read_bytes()),
            "/clock.js": ("text/javascript", (ROOT / "static/src/motion-player/clock.js").read_bytes()),
            "/bones.glb": ("model/gltf-binary", box_bones()),
        }
        self.add_motion("/motion.json", squat_document())
        files = self.files

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = files.get(self.path.split("?")[0], (None, b""))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.send_header("Content-Security-Policy", POLICY)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add_motion(self, path: str, document: dict) -> None:
        self.files[path] = ("application/json", json.dumps(document).encode())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
