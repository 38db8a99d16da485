// The soft tissue under the bones of the feet. The body model stands on its skin, not on its bones: its contact points lie on a
// plane under the lowest bone of the foot. Without these pads the skeleton would seem to float.
import { ExtrudeGeometry, Mesh, Shape } from "three";
import { convexHull } from "./shapes.js";

const UNDER_BONE = 0.008; // metres at scale 1, the distance of models/body (see its PROVENANCE.md)
const THICKNESS = 0.013; // metres at scale 1; ours: up to the bones of the sole, no further
const TREAD = 0.03; // metres; ours: what lies lower than this above the plane belongs to the sole
const ROUNDING = 0.004; // metres; ours

/** Adds a pad to calcn and toes of each foot. `points` (body name -> Vector3[]) are the bones' vertices in their body's frame. */
export function hangPads(motion, nodes, points, material) {
  for (const side of ["r", "l"]) {
    const [calcn, toes] = [`calcn_${side}`, `toes_${side}`];
    const lowest = (name) => Math.min(...(points.get(name) ?? []).map((point) => point.y));
    if (!Number.isFinite(lowest(calcn))) continue;
    // With straight toes both frames are parallel, and the toes' origin stays where it is in calcn however they bend.
    const offset = Number.isFinite(lowest(toes)) ? motion.originIn(toes, calcn).y / nodes.get(calcn).scale.y : 0;
    const plane = Math.min(lowest(calcn), lowest(toes) + offset) - UNDER_BONE;
    hang(nodes.get(calcn), points.get(calcn), plane, material);
    if (Number.isFinite(lowest(toes))) hang(nodes.get(toes), points.get(toes), plane - offset, material);
  }
}

function hang(node, points, plane, material) {
  const outline = convexHull(points.filter((point) => point.y < plane + TREAD));
  if (outline.length < 3) return;
  const geometry = new ExtrudeGeometry(new Shape(outline.map((point) => ({ x: point.x, y: -point.z }))), {
    depth: THICKNESS - 2 * ROUNDING, bevelSize: ROUNDING, bevelThickness: ROUNDING, bevelSegments: 3, curveSegments: 1,
  });
  geometry.rotateX(-Math.PI / 2).translate(0, plane + ROUNDING, 0); // extruded along Z, wanted along Y
  const pad = new Mesh(geometry, material);
  pad.castShadow = true;
  pad.userData.own = true; // not from the shared library of bones: disposed with its skeleton
  node.add(pad);
}
