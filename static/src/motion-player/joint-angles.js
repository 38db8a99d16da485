// Angles at the joints as arcs: from straight to the angle of the moment, with the allowed range beside it. Near the end of the range
// and past it the arc changes its colour and its label says so.
import { BufferAttribute, BufferGeometry, DoubleSide, DynamicDrawUsage, Group, Mesh, MeshBasicMaterial, Quaternion, Vector3 } from "three";

const NEAR = 5; // degrees from the end of a range; ours
const KEPT = 0.01; // degrees, the tolerance of the checks
const STEPS = 24;
const RADIUS = 0.13, BAND = 0.014, TICK = 0.035; // metres; ours
const X = new Vector3(1, 0, 0), Y = new Vector3(0, 1, 0), Z = new Vector3(0, 0, 1);

const SIDES = { right: ["r", 1], left: ["l", -1] };
// Variable -> how its arc lies: word, joint centre, direction of 0 and axis of + as functions of the pose, coordinate and its sign.
const ARCS = {
  knee_flexion: { word: "Knee", joint: "knee", zero: (pose, s) => pose.between(`hip_${s}`, `knee_${s}`), axis: (pose, s) => pose.axis(`femur_${s}`, Z, -1), coordinate: "knee_angle" },
  hip_flexion: { word: "Hip", joint: "hip", zero: (pose) => pose.axis("pelvis", Y, -1), axis: (pose) => pose.axis("pelvis", Z, 1), coordinate: "hip_flexion" },
  hip_adduction: { word: "Hip adduction", joint: "hip", zero: (pose) => pose.axis("pelvis", Y, -1), axis: (pose, s, sign) => pose.axis("pelvis", X, sign), coordinate: "hip_adduction" },
  ankle_dorsiflexion: { word: "Ankle", joint: "ankle", zero: (pose, s) => pose.axis(`tibia_${s}`, X, 1), axis: (pose, s) => pose.axis(`tibia_${s}`, Z, 1), coordinate: "ankle_angle" },
  lumbar_flexion: { word: "Low back", joint: "lumbar", zero: (pose) => pose.axis("pelvis", Y, 1), axis: (pose) => pose.axis("pelvis", Z, -1), coordinate: "lumbar_extension", sign: -1, sided: false },
  trunk_forward_lean: { word: "Trunk lean", joint: "lumbar", zero: () => Y.clone(), axis: (pose) => pose.right().negate(), value: (pose) => pose.lean(), sided: false },
  thigh_inclination: { word: "Thigh", joint: "hip", zero: () => Y.clone().negate(), axis: (pose) => pose.right(), value: (pose, s) => pose.inclination(s) },
};
const PLAIN = ["knee_flexion", "hip_flexion", "ankle_dorsiflexion"]; // shown where no limit is known

/** Which arcs to draw for these limits: [{variable, side, range: {min, max, phase, goal}}]. Exported for tests. */
export function arcsFor(limits) {
  const found = new Map();
  const rows = limits.length ? limits : PLAIN.map((variable) => ({ variable, side: "both" }));
  for (const { variable: name, side, min = null, max = null, phase = "", weight = null } of rows) {
    const peak = name.endsWith("_peak");
    const variable = peak ? name.slice(0, -5) : name;
    if (!ARCS[variable]) continue;
    const sides = ARCS[variable].sided === false ? [""] : side in SIDES ? [side] : Object.keys(SIDES);
    for (const one of sides) {
      const key = `${variable}/${one}`;
      if (!found.has(key)) found.set(key, { key, variable, side: one, ranges: [] });
      // the least of a peak is a depth to be reached, not an end that must not be passed
      if (min !== null || max !== null) found.get(key).ranges.push({ min: peak ? null : min, reach: peak ? min : null, max, phase, goal: weight !== null });
    }
  }
  return [...found.values()];
}

/** How a value stands to its ranges in a phase: {tone: "within" | "near" | "past", text}. */
export function judge(value, ranges, phase) {
  let tone = "within", text = "";
  for (const { min, max, reach, phase: when, goal } of ranges) {
    if (when && when !== phase) continue;
    const room = Math.min(max === null ? Infinity : max - value, min === null ? Infinity : value - min);
    const end = max !== null && (min === null || max - value <= value - min) ? `max ${format(max)}` : min !== null ? `min ${format(min)}` : "";
    if (room < -KEPT && !goal) [tone, text] = ["past", `past ${end}`];
    else if (tone !== "past" && room < NEAR) [tone, text] = ["near", goal && room < 0 ? `goal ${end}` : end];
    else if (!text && end) text = end;
    if (!text && reach !== null) text = `to reach ${format(reach)}`;
  }
  return { tone, text };
}

const format = (degrees) => `${Number(degrees.toFixed(1))}°`;

export class JointAngles {
  root = new Group();
  #arcs; #materials = {}; #theme = null; #pose;

  constructor(skeleton, limits) {
    this.skeleton = skeleton;
    this.#pose = new Pose(skeleton);
    for (const tone of ["within", "near", "past"]) {
      this.#materials[tone] = ["fill", "edge"].map((part) => new MeshBasicMaterial({
        transparent: true, opacity: part === "fill" ? 0.3 : 0.95, depthTest: false, depthWrite: false, side: DoubleSide,
      }));
    }
    this.#arcs = arcsFor(limits).filter((arc) => this.#pose.knows(ARCS[arc.variable], arc.side)).map((arc) => {
      const [fill, edge] = [strip(), strip()].map((geometry) => new Mesh(geometry));
      fill.renderOrder = 8;
      edge.renderOrder = 9;
      fill.frustumCulled = edge.frustumCulled = false;
      this.root.add(fill, edge);
      return { ...arc, fill, edge, tip: new Vector3() };
    });
  }

  colour(theme) {
    for (const tone of Object.keys(this.#materials)) for (const material of this.#materials[tone]) material.color.copy(theme[tone]);
  }

  /** @param phase of the moment shown, for limits that hold in one phase */
  update(phase = "") {
    this.#pose.read();
    for (const arc of this.#arcs) {
      const [short, sign] = SIDES[arc.side] ?? ["", 1];
      const how = ARCS[arc.variable];
      arc.value = how.value ? how.value(this.#pose, short) : (how.sign ?? 1) * this.#pose.coordinate(short ? `${how.coordinate}_${short}` : how.coordinate);
      Object.assign(arc, judge(arc.value, arc.ranges, phase));
      const centre = this.#pose.centre(short ? `${how.joint}_${short}` : how.joint);
      const zero = how.zero(this.#pose, short, sign), axis = how.axis(this.#pose, short, sign);
      zero.addScaledVector(axis, -zero.dot(axis)).normalize();
      [arc.fill.material, arc.edge.material] = this.#materials[arc.tone];
      sweep(arc.fill.geometry, centre, zero, axis, 0, arc.value, 0, RADIUS);
      const ends = arc.ranges.flatMap(({ min, max }) => [min, max]).filter((one) => one !== null);
      marks(arc.edge.geometry, centre, zero, axis, arc.value, ends);
      direction(zero, axis, arc.value, arc.tip).multiplyScalar(RADIUS * 1.15).add(centre);
    }
  }

  labels() {
    return this.#arcs.map(({ key, variable, side, value, tone, text, tip }) => ({
      key, point: tip, tone, text: `${ARCS[variable].word}${side ? ` ${side[0].toUpperCase()}` : ""} ${Math.round(value)}°${text ? ` · ${text}` : ""}`,
    }));
  }

  dispose() {
    this.root.removeFromParent();
    for (const { fill, edge } of this.#arcs) { fill.geometry.dispose(); edge.geometry.dispose(); }
    for (const pair of Object.values(this.#materials)) for (const material of pair) material.dispose();
  }
}

// What the arcs ask of the moment that the skeleton shows.
class Pose {
  #skeleton; #series = new Map(); #turn = new Quaternion();

  constructor(skeleton) {
    this.#skeleton = skeleton;
  }

  knows({ joint, coordinate }, side) {
    const { motion } = this.#skeleton;
    const s = SIDES[side]?.[0];
    const named = coordinate ? motion.coordinates.names.includes(s ? `${coordinate}_${s}` : coordinate) : true;
    return named && motion.jointNames.includes(s ? `${joint}_${s}` : joint) && this.#skeleton.nodes.has("pelvis") && this.#skeleton.nodes.has("torso");
  }

  read() {
    ({ moment: this.moment } = this.#skeleton);
  }

  centre(name) {
    const { motion } = this.#skeleton;
    return motion.jointCentre(motion.jointNames.indexOf(name), this.moment, new Vector3());
  }

  between(from, to) {
    return this.centre(to).sub(this.centre(from)).normalize();
  }

  axis(body, own, sign) {
    return own.clone().multiplyScalar(sign).applyQuaternion(this.#turn.copy(this.#skeleton.nodes.get(body).quaternion));
  }

  // The person's right, level with the floor: across the hips.
  right() {
    return this.axis("pelvis", Z, 1).setY(0).normalize();
  }

  coordinate(name) {
    const { coordinates } = this.#skeleton.motion;
    if (!this.#series.has(name)) this.#series.set(name, coordinates.series(name));
    const series = this.#series.get(name), { a, b, fraction } = this.moment;
    return series[a] + (series[b] - series[a]) * fraction;
  }

  lean() {
    const axis = this.axis("torso", Y, 1), right = this.right();
    const forward = new Vector3().crossVectors(Y, right); // X where Z is right
    return (Math.atan2(axis.dot(forward), axis.y) * 180) / Math.PI;
  }

  inclination(side) {
    return (Math.acos(Math.min(1, Math.max(-1, -this.between(`hip_${side}`, `knee_${side}`).y))) * 180) / Math.PI;
  }
}

const spin = new Quaternion();
const direction = (zero, axis, degrees, target = new Vector3()) => target.copy(zero).applyQuaternion(spin.setFromAxisAngle(axis, (degrees * Math.PI) / 180));

// A ribbon of quads: up to STEPS of the arc and a few marks.
const QUADS = STEPS * 2 + 8;
function strip() {
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(QUADS * 4 * 3), 3).setUsage(DynamicDrawUsage));
  geometry.setIndex(Array.from({ length: QUADS }, (_, i) => [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 2, 4 * i + 1, 4 * i + 3]).flat());
  geometry.userData.quads = 0;
  return geometry;
}

function quad(geometry, centre, zero, axis, from, to, inner, outer) {
  const position = geometry.attributes.position;
  let corner = geometry.userData.quads * 4;
  for (const degrees of [from, to]) {
    const along = direction(zero, axis, degrees);
    for (const radius of [inner, outer]) position.setXYZ(corner++, centre.x + along.x * radius, centre.y + along.y * radius, centre.z + along.z * radius);
  }
  geometry.userData.quads += 1;
  position.needsUpdate = true;
  geometry.setDrawRange(0, geometry.userData.quads * 6);
}

function sweep(geometry, centre, zero, axis, from, to, inner, outer, fresh = true) {
  if (fresh) geometry.userData.quads = 0;
  for (let i = 0; i < STEPS; i += 1) quad(geometry, centre, zero, axis, from + ((to - from) * i) / STEPS, from + ((to - from) * (i + 1)) / STEPS, inner, outer);
}

// The edge of the arc, the two directions, and a long tick at each end of the range.
function marks(geometry, centre, zero, axis, value, ends) {
  sweep(geometry, centre, zero, axis, 0, value, RADIUS - 0.004, RADIUS);
  quad(geometry, centre, zero, axis, value - 0.9, value + 0.9, 0, RADIUS);
  for (const end of ends.slice(0, 4)) quad(geometry, centre, zero, axis, end - 1.3, end + 1.3, RADIUS - BAND, RADIUS + TICK);
}
