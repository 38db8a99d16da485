// The shape of a person without detail, as a mannequin in a shop: rounded limbs of the motion's lengths and masses that run into each
// other. It is made once for a body, standing with arms and legs a little apart, and then bends with the bones.
import { Quaternion, Vector3 } from "three";

const DENSITY = 1010; // kg/m3 of the whole body (R)
const CELL = 0.021; // metres between the grid's points; ours
const BLEND = 0.03, THIN_BLEND = 0.35; // metres over which parts run into each other; at most this share of a part's radius; ours
const SOFTNESS = 0.02; // metres over which a joint's skin follows both of its bones; ours
const LEG_APART = 10, ARM_APART = 65; // degrees in the standing shape, so that limbs do not grow together
const USUAL_MASSES = { pelvis: 11.8, torso: 26.8, femur: 9.3, tibia: 3.7, calcn: 1.25, humerus: 2.0, ulna: 0.6, radius: 0.6 }; // kg at 75 kg, where a document has none

/** {positions, normals, indices, skinIndex, skinWeight, cloth, rest: [{position, quaternion} of each body]}; null without a trunk and legs. */
export function mannequin(motion) {
  const rest = standing(motion);
  if (!rest) return null;
  const parts = limbs(motion, rest);
  const surface = surfaceNet(parts);
  return { ...surface, ...skin(surface.positions, parts, motion), cloth: garments(surface.positions, rest, motion, parts), rest: rest.list };
}

// Where every body is in the standing shape: turned only at hips and shoulders.
function standing(motion) {
  const has = (name) => motion.bodies.includes(name);
  if (!["pelvis", "torso", "femur_r", "tibia_r", "talus_r", "calcn_r", "femur_l", "tibia_l", "talus_l", "calcn_l"].every(has)) return null;
  const turn = (degrees) => new Quaternion().setFromAxisAngle(new Vector3(1, 0, 0), (degrees * Math.PI) / 180);
  const places = new Map([["pelvis", { position: new Vector3(), quaternion: new Quaternion() }]]);
  const hang = (name, parent, quaternion = places.get(parent)?.quaternion) => {
    if (!has(name) || !places.has(parent)) return;
    const { position, quaternion: turned } = places.get(parent);
    places.set(name, { position: motion.originIn(name, parent).applyQuaternion(turned).add(position), quaternion: quaternion.clone() });
  };
  hang("torso", "pelvis");
  for (const [s, sign] of [["r", 1], ["l", -1]]) {
    hang(`femur_${s}`, "pelvis", turn(-sign * LEG_APART));
    for (const [name, parent] of [["tibia", "femur"], ["patella", "femur"], ["talus", "tibia"], ["calcn", "talus"], ["toes", "calcn"]]) hang(`${name}_${s}`, `${parent}_${s}`);
    hang(`humerus_${s}`, "torso", turn(-sign * ARM_APART));
    for (const [name, parent] of [["ulna", "humerus"], ["radius", "ulna"], ["hand", "radius"]]) hang(`${name}_${s}`, `${parent}_${s}`);
  }
  const list = motion.bodies.map((name) => places.get(name) ?? { position: new Vector3(), quaternion: new Quaternion() });
  return { places, list, at: (name, x = 0, y = 0, z = 0) => new Vector3(x, y, z).applyQuaternion(places.get(name).quaternion).add(places.get(name).position) };
}

// Cones with round ends: {body, a, b, ra, rb, depth}. `depth` flattens them from front to back.
function limbs(motion, rest) {
  const parts = [];
  const mass = (name) => motion.masses?.[motion.bodies.indexOf(name)] ?? USUAL_MASSES[name.replace(/_[rl]$/, "")] ?? 0;
  const add = (body, a, b, ra, rb, depth = 1) => parts.push({ body: motion.bodies.indexOf(body), a, b, ra, rb, depth, name: body, blend: Math.min(BLEND, THIN_BLEND * Math.min(ra, rb)) });
  const has = (name) => rest.places.has(name);
  const radius = (kilograms, length) => Math.sqrt(kilograms / DENSITY / (Math.PI * length));
  for (const s of ["r", "l"]) {
    const [femur, tibia, talus, calcn, toes] = ["femur", "tibia", "talus", "calcn", "toes"].map((name) => `${name}_${s}`);
    const [hip, knee, ankle] = [femur, tibia, talus].map((name) => rest.at(name));
    const thigh = radius(mass(femur), hip.distanceTo(knee)), shank = radius(mass(tibia), knee.distanceTo(ankle));
    add(femur, hip.clone().lerp(knee, 0.06), knee, thigh * 1.06, shank * 1.06);
    add(femur, hip.clone().lerp(knee, 0.3).add(new Vector3(0.012, 0, 0)), hip.clone().lerp(knee, 0.65).add(new Vector3(0.012, 0, 0)), thigh * 0.96, thigh * 0.82);
    add(tibia, knee, ankle, shank * 1.0, shank * 0.62);
    add(tibia, knee.clone().lerp(ankle, 0.22).add(new Vector3(-0.016, 0, 0)), knee.clone().lerp(ankle, 0.52).add(new Vector3(-0.01, 0, 0)), shank * 0.98, shank * 0.78);
    if (has(`patella_${s}`)) add(`patella_${s}`, rest.at(`patella_${s}`, -0.012, 0.006), rest.at(`patella_${s}`, -0.012, 0.04), 0.031, 0.031);
    const ball = has(toes) ? rest.at(toes) : rest.at(calcn, 0.18);
    const sole = Math.min(ankle.y, rest.at(calcn).y);
    const heel = rest.at(calcn, 0.01, 0.012);
    add(calcn, heel, ball.clone().setY(Math.max(sole - 0.0, ball.y) + 0.012), 0.036, 0.034);
    add(calcn, ankle, rest.at(calcn, 0.11, 0.02), shank * 0.64, 0.036);
    if (has(toes)) add(toes, ball.clone().add(new Vector3(0, 0.008, 0)), rest.at(toes, 0.055, 0.004), 0.034, 0.024);
    if (!has(`humerus_${s}`) || !has(`ulna_${s}`)) continue;
    const [shoulder, elbow] = [rest.at(`humerus_${s}`), rest.at(`ulna_${s}`)];
    const wrist = has(`hand_${s}`) ? rest.at(`hand_${s}`) : rest.at(`ulna_${s}`, 0, -0.24);
    const upper = radius(mass(`humerus_${s}`), shoulder.distanceTo(elbow));
    const fore = radius(mass(`ulna_${s}`) + mass(`radius_${s}`), elbow.distanceTo(wrist));
    add(`humerus_${s}`, shoulder, elbow, upper * 1.12, upper * 0.84);
    add(`ulna_${s}`, elbow, elbow.clone().lerp(wrist, 0.5), upper * 0.82, fore * 0.95);
    if (has(`radius_${s}`)) add(`radius_${s}`, elbow.clone().lerp(wrist, 0.4), wrist, fore * 0.98, Math.max(0.029, fore * 0.64));
    if (has(`hand_${s}`)) {
      const down = rest.at(`hand_${s}`, 0.12, -1, 0).sub(wrist).normalize(); // as the bones of the hand lie in their frame
      add(`hand_${s}`, wrist, wrist.clone().addScaledVector(down, 0.085), Math.max(0.03, fore * 0.66), 0.032);
      add(`hand_${s}`, wrist.clone().addScaledVector(down, 0.08), wrist.clone().addScaledVector(down, 0.135), 0.03, 0.016);
    }
  }
  const lumbar = rest.at("torso");
  const hips = rest.at("femur_r").add(rest.at("femur_l")).multiplyScalar(0.5);
  const shoulders = has("humerus_r") && has("humerus_l") ? rest.at("humerus_r").add(rest.at("humerus_l")).multiplyScalar(0.5) : rest.at("torso", 0, 0.37);
  const length = shoulders.y - hips.y;
  const head = 0.081 * (mass("pelvis") + mass("torso") * 1 + 2 * (mass("femur_r") + mass("tibia_r"))) / 0.9; // 8.1 % of body mass (de Leva 1996, R)
  const wide = Math.sqrt((mass("pelvis") + mass("torso") - head) / DENSITY / (Math.PI * length * 1.05)) / Math.sqrt(0.68);
  const across = rest.at("femur_r").distanceTo(rest.at("femur_l"));
  for (const s of ["r", "l"]) add("pelvis", rest.at(`femur_${s}`, -0.03, 0.02), rest.at(`femur_${s}`, -0.02, 0.06), across * 0.5, across * 0.48);
  // Places of the trunk and head in the frames of pelvis and torso at scale 1, from the shape of their bones.
  const scaled = (name, x, y) => {
    const [sx, sy] = motion.scales[motion.bodies.indexOf(name)];
    return rest.at(name, x * sx, y * sy);
  };
  add("pelvis", scaled("pelvis", -0.07, -0.03), scaled("pelvis", -0.075, 0.07), wide * 0.9, wide * 0.84, 0.74);
  add("torso", scaled("torso", 0.01, 0.0), scaled("torso", 0.008, 0.14), wide * 0.82, wide * 0.86, 0.76);
  add("torso", scaled("torso", 0.004, 0.17), scaled("torso", -0.012, 0.31), wide * 0.9, wide * 0.88, 0.72);
  if (has("humerus_r") && has("humerus_l")) {
    for (const s of ["r", "l"]) add("torso", rest.at(`humerus_${s}`).lerp(shoulders, 0.15).add(new Vector3(0, -0.012, 0)), rest.at(`humerus_${s}`).lerp(shoulders, 0.8).add(new Vector3(0, 0.012, 0)), 0.056, 0.066);
  }
  const size = motion.scales[motion.bodies.indexOf("torso")];
  add("torso", scaled("torso", -0.024, 0.38), scaled("torso", 0.002, 0.5), 0.058 * size[2], 0.05 * size[2]);
  add("torso", scaled("torso", 0.014, 0.507), scaled("torso", 0.002, 0.576), 0.066 * size[2], 0.084 * size[2], 1.18);
  return parts;
}

// Distance of a point from a part; inside negative. A cone with round ends, flattened along x.
function distance(part, x, y, z) {
  const { a, b, ra, rb, depth } = part;
  const bx = (b.x - a.x) / depth, by = b.y - a.y, bz = b.z - a.z;
  const px = (x - a.x) / depth, py = y - a.y, pz = z - a.z;
  const along = Math.min(1, Math.max(0, (px * bx + py * by + pz * bz) / (bx * bx + by * by + bz * bz)));
  return (Math.hypot(px - along * bx, py - along * by, pz - along * bz) - ra - (rb - ra) * along) * Math.min(1, depth);
}

// All parts run into each other (polynomial smooth minimum).
function field(parts, x, y, z) {
  let nearest = Infinity;
  for (const part of parts) {
    const { low, high } = part;
    if (nearest < 0.5 && (x < low.x - nearest || x > high.x + nearest || y < low.y - nearest || y > high.y + nearest || z < low.z - nearest || z > high.z + nearest)
      && (x < low.x - BLEND * 2 || x > high.x + BLEND * 2 || y < low.y - BLEND * 2 || y > high.y + BLEND * 2 || z < low.z - BLEND * 2 || z > high.z + BLEND * 2)) continue;
    const d = distance(part, x, y, z);
    const mix = Math.max(0, part.blend - Math.abs(nearest - d)) / part.blend;
    nearest = Math.min(nearest, d) - mix * mix * part.blend * 0.25;
  }
  return nearest;
}

// Naive surface nets: one corner in each cell that the surface crosses, at the mean of its crossings.
function surfaceNet(parts) {
  const low = new Vector3(Infinity, Infinity, Infinity), high = new Vector3(-Infinity, -Infinity, -Infinity);
  for (const part of parts) {
    const most = Math.max(part.ra, part.rb) * Math.max(1, part.depth);
    part.low = part.a.clone().min(part.b).subScalar(most);
    part.high = part.a.clone().max(part.b).addScalar(most);
    low.min(part.low);
    high.max(part.high);
  }
  low.subScalar(CELL * 2);
  const size = ["x", "y", "z"].map((axis) => Math.ceil((high[axis] - low[axis]) / CELL) + 3);
  const [nx, ny, nz] = size;
  const values = new Float32Array(nx * ny * nz);
  const index = (i, j, k) => (k * ny + j) * nx + i;
  for (let k = 0; k < nz; k += 1) for (let j = 0; j < ny; j += 1) for (let i = 0; i < nx; i += 1) {
    values[index(i, j, k)] = field(parts, low.x + i * CELL, low.y + j * CELL, low.z + k * CELL);
  }
  const positions = [], normals = [], indices = [], corner = new Int32Array(values.length).fill(-1);
  const edges = [[0, 1], [0, 2], [0, 4], [1, 3], [1, 5], [2, 3], [2, 6], [3, 7], [4, 5], [4, 6], [5, 7], [6, 7]];
  const step = CELL / 2;
  for (let k = 0; k < nz - 1; k += 1) for (let j = 0; j < ny - 1; j += 1) for (let i = 0; i < nx - 1; i += 1) {
    const at = (c) => values[index(i + (c & 1), j + ((c >> 1) & 1), k + (c >> 2))];
    let x = 0, y = 0, z = 0, count = 0;
    for (const [from, to] of edges) {
      const [u, v] = [at(from), at(to)];
      if (u < 0 === v < 0) continue;
      const t = u / (u - v);
      x += (from & 1) + t * ((to & 1) - (from & 1));
      y += ((from >> 1) & 1) + t * (((to >> 1) & 1) - ((from >> 1) & 1));
      z += (from >> 2) + t * ((to >> 2) - (from >> 2));
      count += 1;
    }
    if (!count) continue;
    const [px, py, pz] = [low.x + (i + x / count) * CELL, low.y + (j + y / count) * CELL, low.z + (k + z / count) * CELL];
    corner[index(i, j, k)] = positions.length / 3;
    positions.push(px, py, pz);
    const slope = new Vector3(
      field(parts, px + step, py, pz) - field(parts, px - step, py, pz), field(parts, px, py + step, pz) - field(parts, px, py - step, pz),
      field(parts, px, py, pz + step) - field(parts, px, py, pz - step),
    ).normalize();
    normals.push(slope.x, slope.y, slope.z);
  }
  const face = (a, b, c, d, flip) => indices.push(...(flip ? [a, c, b, b, c, d] : [a, b, c, b, d, c]));
  for (let k = 1; k < nz - 1; k += 1) for (let j = 1; j < ny - 1; j += 1) for (let i = 1; i < nx - 1; i += 1) {
    const here = values[index(i, j, k)] < 0;
    const other = (di, dj, dk) => here !== values[index(i + di, j + dj, k + dk)] < 0;
    const c = (di, dj, dk) => corner[index(i + di, j + dj, k + dk)];
    if (other(1, 0, 0)) face(c(0, -1, -1), c(0, 0, -1), c(0, -1, 0), c(0, 0, 0), !here);
    if (other(0, 1, 0)) face(c(-1, 0, -1), c(-1, 0, 0), c(0, 0, -1), c(0, 0, 0), !here);
    if (other(0, 0, 1)) face(c(-1, -1, 0), c(0, -1, 0), c(-1, 0, 0), c(0, 0, 0), !here);
  }
  return { positions: new Float32Array(positions), normals: new Float32Array(normals), indices };
}

// Each corner follows the bodies that are near it.
function skin(positions, parts, motion) {
  const count = positions.length / 3;
  const skinIndex = new Uint16Array(count * 4), skinWeight = new Float32Array(count * 4);
  const near = new Float32Array(motion.bodies.length);
  for (let i = 0; i < count; i += 1) {
    near.fill(Infinity);
    for (const part of parts) near[part.body] = Math.min(near[part.body], distance(part, positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]));
    const order = [...near.keys()].filter((body) => near[body] < Infinity).sort((a, b) => near[a] - near[b]).slice(0, 4);
    const weights = order.map((body) => Math.exp(-(near[body] - near[order[0]]) / SOFTNESS));
    const sum = weights.reduce((a, b) => a + b);
    order.forEach((body, j) => {
      skinIndex[4 * i + j] = body;
      skinWeight[4 * i + j] = weights[j] / sum;
    });
  }
  return { skinIndex, skinWeight };
}

// How far inside shirt, shorts and shoes each corner lies, metres: (corner, 3). Zero is the hem.
function garments(positions, rest, motion, parts) {
  const count = positions.length / 3, cloth = new Float32Array(count * 3);
  const waist = rest.at("torso").y + 0.03;
  const collar = (rest.places.has("humerus_r") ? rest.at("humerus_r").y : waist + 0.35) + 0.055;
  const point = new Vector3();
  const along = (from, to) => point.clone().sub(from).dot(to.clone().sub(from)) / to.distanceToSquared(from);
  for (let i = 0; i < count; i += 1) {
    point.fromArray(positions, 3 * i);
    let body = "", nearest = Infinity;
    for (const part of parts) {
      const d = distance(part, point.x, point.y, point.z);
      if (d < nearest) [nearest, body] = [d, part.name];
    }
    const side = body.slice(-1), limb = body.slice(0, -2);
    const arm = ["humerus", "ulna", "radius", "hand"].includes(limb), leg = ["femur", "tibia", "calcn", "toes"].includes(limb);
    const trunk = Math.min(point.y - waist, collar - point.y);
    const sleeve = arm ? (0.42 - along(rest.at(`humerus_${side}`), rest.at(`ulna_${side}`))) * 0.3 : Infinity;
    const hem = leg ? (0.5 - along(rest.at(`femur_${side}`), rest.at(`tibia_${side}`))) * 0.4 : Infinity;
    cloth[3 * i] = leg ? -1 : arm ? Math.min(sleeve, 1) : Math.min(trunk, 1);
    cloth[3 * i + 1] = arm ? -1 : Math.min(waist - point.y + 0.001, hem, 1);
    cloth[3 * i + 2] = leg ? Math.min(1, rest.at(`talus_${side}`).y + 0.015 - point.y) : -1;
  }
  return cloth;
}
