"""Rebuilds every artefact of `models/body/` from the public sources.

    python -m generation.engine.body.build_model SOURCE

SOURCE is the wheel `nimblephysics==0.10.52.1` or its unpacked `nimblephysics/models/rajagopal_data` folder. The bones
need `pip install -e .[build]` and the npm registry.
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

from generation.engine.body.builder.anthropometry import fit_anthropometry
from generation.engine.body.builder.bones import pack_bones
from generation.engine.body.builder.osim import adapt_model
from generation.engine.body.builder.packed import pack_model
from generation.engine.body.builder.source import MODEL_FILE, bone_meshes, source_folder

ARTEFACTS = (".osim", ".npz", ".json", ".glb")
MODELS = Path(__file__).resolve().parents[3] / "models" / "body"


def build(source: Path, target: Path = MODELS) -> None:
    """Write the body artefacts to the folder `target`. Raises ValueError when `source` is not the expected data."""
    import opensim

    opensim.Logger.setLevelString("Error")
    opensim.Logger.removeFileSink()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        folder = source_folder(Path(source), Path(work))
        generic = opensim.Model(str(folder / MODEL_FILE))
        generic.initSystem()
        bones = bone_meshes(generic, folder)
        adapt_model(folder / MODEL_FILE, bones, target / "genuflex.osim")
        neutral = opensim.Model(str(target / "genuflex.osim"))
        state = neutral.initSystem()
        torso = neutral.getBodySet().get("torso").getPositionInGround(state)[1]
        fit_anthropometry(folder, bones, neutral.getTotalMass(state), torso, target / "anthropometry.json")
        pack_model(target / "genuflex.osim", target / "genuflex.npz")
        pack_bones(bones, target / "bones.glb")
    write_checksums(target)


def write_checksums(folder: Path) -> None:
    """Write `checksums.txt` of the artefacts in `folder`, in the format of `sha256sum --check`."""
    files = sorted(path for path in folder.iterdir() if path.suffix in ARTEFACTS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "checksums.txt").write_text("".join(lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    build(parser.parse_args().source)
