// What several overlays share.
import { DoubleSide } from "three";

// Materials that are drawn over the bones: what they show lies inside the body and would be hidden.
// Both sides: the mirror view turns faces around.
export const onTop = { depthTest: false, depthWrite: false, transparent: true, side: DoubleSide };

/** Convex hull of points seen from above (x, z), by the monotone chain. Array of Vector3, in order around the hull. */
export function convexHull(points) {
  const sorted = [...points].sort((p, q) => p.x - q.x || p.z - q.z);
  const cross = (o, p, q) => (p.x - o.x) * (q.z - o.z) - (p.z - o.z) * (q.x - o.x);
  const chain = (list) => {
    const hull = [];
    for (const point of list) {
      while (hull.length > 1 && cross(hull.at(-2), hull.at(-1), point) <= 0) hull.pop();
      hull.push(point);
    }
    hull.pop();
    return hull;
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
}
