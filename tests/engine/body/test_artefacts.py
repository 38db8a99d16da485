"""What ships in models/body is whole, and says what the code says."""

import hashlib
import json
import struct

import numpy as np
import opensim
import pytest

from generation.engine.body import BODIES, CONTACTS, COORDINATES, TorchBody
from generation.engine.body.builder.osim import RANGES_DEG
from generation.engine.body.builder.ply import read_ply
from generation.engine.body.coordinates import MODEL_FILE, MODELS, PACKED
from tests.engine.body.opensim_model import OpenSimModel


def test_checksums_hold():
    listed = dict(reversed(line.split("  ")) for line in (MODELS / "checksums.txt").read_text().splitlines())
    assert set(listed) == {"anthropometry.json", "bones.glb", "genuflex.npz", "genuflex.osim"}
    for name, digest in listed.items():
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest, f"{name} is not what was built"


def test_ranges_reach_a_full_squat():
    model = opensim.Model(str(MODEL_FILE))
    names = [model.getCoordinateSet().get(i).getName() for i in range(model.getCoordinateSet().getSize())]
    assert tuple(names) == COORDINATES and len(COORDINATES) == 39
    body = TorchBody()
    for i, name in enumerate(COORDINATES):
        base = name.removesuffix("_r").removesuffix("_l")
        if base in RANGES_DEG:
            expected = pytest.approx(RANGES_DEG[base], abs=1e-3)
            assert (np.degrees(float(body.lower[i])), np.degrees(float(body.upper[i]))) == expected
            assert np.degrees(model.getCoordinateSet().get(i).getRangeMax()) == pytest.approx(RANGES_DEG[base][1])
    locked = {name for name, one in zip(COORDINATES, PACKED["locked"], strict=True) if one}
    assert locked == {f"wrist_{axis}_{side}" for axis in ("flex", "dev") for side in "rl"}


@pytest.mark.parametrize("side", ["r", "l"])
def test_knee_stays_sane_to_full_flexion(side):
    """The tibia glides by millimetres and the patella stays on the condyle, between 16 and 42 mm from its centre."""
    reference = OpenSimModel(MODEL_FILE)
    bodies = reference.model.getBodySet()
    femur, tibia, patella = (bodies.get(f"{name}_{side}") for name in ("femur", "tibia", "patella"))
    joint = reference.model.getJointSet().get(f"patellofemoral_{side}").getParentFrame()
    previous = None
    for degrees in range(90, 161, 2):
        q = np.zeros(len(COORDINATES))
        q[COORDINATES.index(f"knee_angle_{side}")] = np.radians(degrees)
        reference.place(q)
        state = reference.state
        path = patella.findStationLocationInAnotherFrame(state, opensim.Vec3(0), joint)
        assert 0.016 < np.hypot(path.get(0), path.get(1)) < 0.042
        place = tibia.findStationLocationInAnotherFrame(state, opensim.Vec3(0), femur)
        place = np.array([place.get(i) for i in range(3)])
        assert previous is None or np.linalg.norm(place - previous) < 0.001
        previous = place


def test_contact_points_mirror_each_other_and_span_the_foot():
    body = TorchBody()
    right, left = body.foot_contacts(body(body.neutral())).numpy()
    np.testing.assert_allclose(right * [1, 1, -1], left, atol=1e-5)
    names = [name.removesuffix("_r") for name in CONTACTS[: len(CONTACTS) // 2]]
    at = dict(zip(names, right, strict=True))
    assert at["toe_1"][0] - at["heel_medial"][0] > 0.23
    assert at["heel_medial"][2] < at["heel_lateral"][2] and at["metatarsal_1"][2] < at["metatarsal_5"][2]


def test_bones_have_one_free_node_for_each_body():
    raw = (MODELS / "bones.glb").read_bytes()
    assert raw[:4] == b"glTF" and len(raw) < 500_000
    length = struct.unpack("<I", raw[12:16])[0]
    document = json.loads(raw[20:20 + length])
    assert "EXT_meshopt_compression" in document["extensionsRequired"]
    named = {node["name"]: node for node in document["nodes"] if node.get("name") in BODIES}
    assert set(named) == set(BODIES)
    for node in named.values():  # the player places the node; the mesh hangs under it with its own scale
        assert not {"mesh", "translation", "rotation", "scale", "matrix"} & set(node)
        assert "mesh" in document["nodes"][node["children"][0]]


def test_ply_reader_takes_polygons_and_refuses_others(tmp_path):
    header = (b"ply\nformat binary_little_endian 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
              b"property float z\nelement face 2\nproperty list uchar int vertex_indices\nend_header\n")
    points = np.arange(12, dtype="<f4").tobytes()
    faces = b"\x04" + np.array([0, 1, 2, 3], "<i4").tobytes() + b"\x03" + np.array([1, 2, 3], "<i4").tobytes()
    (tmp_path / "a.ply").write_bytes(header + points + faces)
    vertices, triangles = read_ply(tmp_path / "a.ply")
    assert vertices.shape == (4, 3) and triangles.tolist() == [[0, 1, 2], [0, 2, 3], [1, 2, 3]]
    (tmp_path / "b.ply").write_bytes(header.replace(b"binary_little_endian", b"ascii"))
    with pytest.raises(ValueError, match="binary little-endian"):
        read_ply(tmp_path / "b.ply")
