"""The person's body as an OpenSim model file."""

from pathlib import Path

from generation.engine.body.coordinates import BODIES, MODEL_FILE
from generation.engine.body.scaled import scaled_arrays
from generation.engine.body.scaling import BodyScale


def write_osim(scale: BodyScale, path: Path | str) -> Path:
    """Write `scaled_model(scale)` to `path` and return the path."""
    scaled_model(scale).printToXML(str(path))
    return Path(path)


def scaled_model(scale: BodyScale):
    """The generic model scaled to `scale`, an `opensim.Model`, in the way of OpenSim's ScaleTool.

    Joint offsets, translation splines, markers and muscle paths scale with their body; masses, mass centres and
    inertias are those of `scaled_arrays`. Maximum muscle forces stay the generic model's: OpenSim does not scale them.
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
    arrays = scaled_arrays(scale)
    for body, mass, centre, inertia in zip(
            BODIES, arrays["mass"], arrays["mass_centre"], arrays["inertia"], strict=True):
        one = model.updBodySet().get(body)
        one.setMass(float(mass))
        one.setMassCenter(opensim.Vec3(*(float(x) for x in centre)))
        one.setInertia(opensim.Inertia(*(float(inertia[i, j]) for i, j in
                                         ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)))))
    model.setName("genuflex_scaled")
    model.finalizeConnections()
    return model
