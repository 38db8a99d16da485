"""The person's body as an OpenSim model file."""

from pathlib import Path

from generation.engine.body.coordinates import BODIES, MODEL_FILE
from generation.engine.body.scaling import BodyScale


def write_osim(scale: BodyScale, path: Path | str) -> Path:
    """Write the generic model scaled to `scale`, in the way of OpenSim's ScaleTool, and return the path.

    Joint offsets, translation splines, mass centres, markers and muscle paths scale with their body; masses in
    proportion, to `scale.mass_kg` in all. Maximum muscle forces stay the generic model's: OpenSim does not scale them.
    """
    import opensim  # slow to load and needed nowhere else at run time

    opensim.Logger.setLevelString("Error")
    opensim.Logger.removeFileSink()
    model = opensim.Model(str(MODEL_FILE))
    state = model.initSystem()
    scales = opensim.ScaleSet()
    for body in BODIES:
        one = opensim.Scale()
        one.setSegmentName(body)
        one.setScaleFactors(opensim.Vec3(*(float(factor) for factor in scale.factors[body])))
        one.setApply(True)
        scales.cloneAndAppend(one)
    if not model.scale(state, scales, True, float(scale.mass_kg)):
        raise RuntimeError("OpenSim refused to scale the model")
    model.setName("genuflex_scaled")
    model.finalizeConnections()
    model.printToXML(str(path))
    return Path(path)
