"""The muscle document: paths, activations and ground reaction as the player reads them."""

import base64
import gzip
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from generation.engine.analysis.muscle_document import GROUPS, NAMES, muscle_document
from generation.engine.body import COORDINATES, MODEL_FILE, load_body
from generation.engine.formats import Motion
from generation.engine.formats.packed import unpack
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.muscle_paths import MusclePaths


@pytest.fixture(scope="module")
def body():
    return load_body(MODEL_FILE)


def four_seconds() -> Motion:
    """A squat of four seconds in the sagittal plane, 60 Hz."""
    time = np.arange(241) / 60
    values = np.zeros((241, len(COORDINATES)))
    values[:, COORDINATES.index("pelvis_ty")] = 0.95
    for name, degrees in (("hip_flexion", 95), ("knee_angle", 105), ("ankle_angle", 25)):
        for side in "rl":
            values[:, COORDINATES.index(f"{name}_{side}")] = np.radians(degrees) * np.sin(np.pi * time / 4) ** 2
    return Motion(COORDINATES, values, 60.0)


def analysis_of(motion: Motion, muscles, left_out: str):
    """What `muscle_document` reads of an Analysis, with values that can be recognised."""
    time = motion.times[::4]
    kept = [name for name in muscles if name != left_out]
    active = np.tile(np.linspace(0, 1, len(kept)), (len(time), 1))
    force = torch.tensor(np.tile([[0.0, 400, 0], [0, 300, 10]], (len(time), 1, 1)))
    return SimpleNamespace(
        route="opensim", solver="static optimisation", time=time, muscles=tuple(kept), activations=active,
        trusted=np.arange(len(time)) != 3, body_weight=700.0,
        ground=GroundReaction(force, force * 0.001, force * 0, "estimated"),
    )


def test_rebuilds_the_paths_and_the_activations(body):
    motion = four_seconds()
    analysis = analysis_of(motion, body.muscles["muscle_names"].tolist(), "soleus_l")
    document = json.loads(json.dumps(muscle_document(motion, body, analysis), allow_nan=False))
    assert len(gzip.compress(json.dumps(document).encode())) < 150_000
    frames = np.rint(np.array(document["seconds"]) * 60).astype(int)
    assert frames[0] == 0 and frames[-1] == 240 and np.diff(frames).max() == 4
    paths = MusclePaths(body)
    q = torch.tensor(motion.values[frames])
    placed, lengths = paths.body(q), paths.lengths(q).detach().numpy()
    moving = unpack(document["moving"])
    for m, muscle in enumerate(document["muscles"]):
        points = []
        for part in muscle["parts"]:
            own = np.broadcast_to(part[1:], (len(q), 1, 3)) if len(part) == 4 else moving[:, part[1]]
            turned = np.einsum("tij,tnj->tni", placed.rotations[:, part[0]].numpy(), own)
            points.append(turned + placed.translations[:, part[0], None].numpy())
        drawn = np.linalg.norm(np.diff(np.concatenate(points, 1), axis=1), axis=-1).sum(1)
        np.testing.assert_allclose(drawn, lengths[:, m], atol=0.003, err_msg=muscle["name"])
    active = document["activation"]
    levels = np.frombuffer(base64.b64decode(active["percent_2"]), np.uint8).reshape(80, -1) / 200
    names = [muscle["name"] for muscle in document["muscles"]]
    out = names.index("soleus_l")
    assert active["without"] == [out] and (levels[out] == 0).all() and active["trusted"].count(False) == 1
    np.testing.assert_allclose(np.delete(levels, out, axis=0).T, analysis.activations, atol=0.0026)
    np.testing.assert_allclose(unpack(document["ground"]["force"])[5], [[0, 400, 0], [0, 300, 10]], atol=0.06)
    assert document["ground"]["source"] == "estimated"


def test_without_an_analysis_it_holds_the_paths_alone(body):
    document = muscle_document(four_seconds(), body)
    assert len(document["muscles"]) == 80 and not {"activation", "ground"} & set(document)


def test_every_muscle_has_a_name_and_one_group(body):
    names = {name.rpartition("_")[0] for name in body.muscles["muscle_names"].tolist()}
    assert names == set(NAMES)
    members = [muscle for _, _, group in GROUPS for muscle in group]
    assert sorted(members) == sorted(names)
