"""Where the soles of a model touch the floor.

A Genuflex model carries its contact points as markers. Another model may carry contact spheres; where it has none, the
soles of Genuflex's generic model are put under its feet, stretched to them.
"""

import numpy as np

from generation.engine.body.builder.osim import CONTACT_PREFIX, CONTACTS
from generation.engine.body.builder.source import as_array, rotation_array
from generation.engine.body.coordinates import PACKED

FEWEST_SPHERES = 3  # of one foot, to span a sole (E)
FEET = ("calcn", "toes")
# The generic model's foot, whose soles are borrowed: calcn's origin in talus and toes' origin in calcn, m (V, the
# subtalar and mtp joints of Rajagopal2015, the same in LaiArnold2017 and LaiUhlrich2022).
GENERIC_HEEL = (-0.04877, -0.04195, 0.00792)
GENERIC_TOES_X = 0.1788
FOOT_FACTOR = (0.5, 2.0)  # a foot outside is not scaled from the generic one (E): the sole is then stretched by 1


def sole_contacts(model, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`contacts`, `contact_body`, `contact_offset` and `contact_source` of an initialised `opensim.Model`.

    arrays: the joint tree as `packing.pack_model` has it so far. `contact_source`: "markers", "spheres" or "generic".
    """
    names = arrays["bodies"].tolist()
    source, found = "markers", _markers(model, names)
    if found is None:
        source, found = "spheres", _spheres(model, names)
    if found is None:
        source, found = "generic", _generic(arrays, names)
    points, bodies, offsets = zip(*found, strict=True)
    return {"contacts": np.array(points), "contact_body": np.array(bodies), "contact_offset": np.array(offsets),
            "contact_source": np.array(source)}


def _markers(model, names):
    markers = model.getMarkerSet()
    wanted = [f"{name}_{side}" for side in "rl" for name in CONTACTS]
    if any(not markers.contains(CONTACT_PREFIX + name) for name in wanted):
        return None
    found = []
    for name in wanted:
        marker = markers.get(CONTACT_PREFIX + name)
        body = marker.getParentFrameName().rsplit("/", 1)[-1]
        if body not in names:
            return None
        found.append((name, names.index(body), as_array(marker.get_location())))
    return found


def _spheres(model, names):
    """The lowest point of each sphere under a foot, in the pose in which the foot's axes are those of ground."""
    import opensim

    sides = {"r": [], "l": []}
    geometry = model.getContactGeometrySet()
    for i in range(geometry.getSize()):
        sphere = opensim.ContactSphere.safeDownCast(geometry.get(i))
        if sphere is None:
            continue
        frame = sphere.getFrame()
        body = frame.findBaseFrame().getName()
        kind, side = body[:-2], body[-1:]
        if kind not in FEET or side not in sides:
            continue
        transform = frame.findTransformInBaseFrame()
        centre = as_array(transform.p()) + rotation_array(transform.R()) @ as_array(sphere.get_location())
        sides[side].append((FEET.index(kind), i, sphere.getName(), body, centre - [0.0, sphere.getRadius(), 0.0]))
    counts = {len(found) for found in sides.values()}
    if len(counts) != 1 or counts.pop() < FEWEST_SPHERES:
        return None
    return [(name, names.index(body), offset)
            for side in "rl" for _, _, name, body, offset in sorted(sides[side], key=lambda one: one[:2])]


def _generic(arrays, names):
    found = []
    for name, body, offset in zip(PACKED["contacts"].tolist(), PACKED["contact_body"], PACKED["contact_offset"],
                                  strict=True):
        kind, side = str(PACKED["bodies"][body])[:-2], name[-1]
        calcn = names.index(f"calcn_{side}")
        heel, toes = arrays["parent_position"][calcn] - arrays["child_position"][calcn], _toes(arrays, names, side)
        lateral = 1.0 if side == "r" else -1.0
        factors = np.array([toes[0] / GENERIC_TOES_X if toes is not None else heel[0] / GENERIC_HEEL[0],
                            heel[1] / GENERIC_HEEL[1], heel[2] / (lateral * GENERIC_HEEL[2])])
        factors = np.where((factors > FOOT_FACTOR[0]) & (factors < FOOT_FACTOR[1]), factors, 1.0)
        generic_toes = PACKED["parent_position"][PACKED["bodies"].tolist().index(f"toes_{side}")]
        on_calcn = (offset + (generic_toes if kind == "toes" else 0.0)) * factors
        if kind == "toes" and toes is not None:
            found.append((name, names.index(f"toes_{side}"), on_calcn - toes))
        else:
            found.append((name, calcn, on_calcn))
    return found


def _toes(arrays, names, side: str) -> np.ndarray | None:
    """Origin of the toes in calcn, or None for a foot of one piece."""
    if f"toes_{side}" not in names:
        return None
    toes = names.index(f"toes_{side}")
    if arrays["parent"][toes] != names.index(f"calcn_{side}"):
        return None
    return arrays["parent_position"][toes] - arrays["child_position"][toes]
