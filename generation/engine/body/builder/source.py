"""Finds the public source files: Rajagopal2015, its bones and ANSUR II, as the nimblephysics wheel carries them."""

import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from generation.engine.body.builder.ply import read_ply

INNER_FOLDER = "nimblephysics/models/rajagopal_data"
MODEL_FILE = "Rajagopal2015.osim"


def source_folder(source: Path, work: Path) -> Path:
    """The folder with `Rajagopal2015.osim`: `source` itself, or what the wheel `source` holds, unpacked under `work`.

    Raises ValueError when the model is not there.
    """
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            wheel.extractall(work, [name for name in wheel.namelist() if name.startswith(INNER_FOLDER)])
        source = work / INNER_FOLDER
    if not (source / MODEL_FILE).is_file():
        raise ValueError(f"{source} holds no {MODEL_FILE}; give the unpacked {INNER_FOLDER} folder or the wheel")
    return source


def as_array(vec3) -> np.ndarray:
    """A SimTK Vec3 as (3,) float64."""
    return np.array([vec3[i] for i in range(3)])


def rotation_array(rotation) -> np.ndarray:
    """A SimTK Rotation as (3, 3) float64."""
    return np.array([[rotation.get(i, j) for j in range(3)] for i in range(3)])


def bone_meshes(model, folder: Path) -> dict[str, list[tuple[str, np.ndarray, np.ndarray]]]:
    """The bones of an initialised OpenSim model, by body: (mesh file, vertices (v, 3) m in the body frame, triangles).

    Applies each mesh's own scale factors and the offset of the frame it hangs on.
    """
    import opensim

    bones = defaultdict(list)
    for component in model.getComponentsList():
        mesh = opensim.Mesh.safeDownCast(component)
        if mesh is None:
            continue
        vertices, triangles = read_ply(folder / "Geometry" / f"{mesh.get_mesh_file()}.ply")
        offset = mesh.getFrame().findTransformInBaseFrame()
        vertices = vertices * as_array(mesh.get_scale_factors()) @ rotation_array(offset.R()).T + as_array(offset.p())
        body = mesh.getFrame().findBaseFrame().getName()
        bones[body].append((mesh.get_mesh_file(), vertices, triangles))
    return dict(bones)
