// Muscles as volumes along their paths. The processor moves a line of points for each muscle; tubes, thickness and colour are made
// by the graphics card from a small table: one row for each muscle, one texel for each ring, and a last one for the whole muscle.
import {
  BufferAttribute, Color, DataTexture, FloatType, Group, InstancedBufferGeometry, Mesh, MeshDepthMaterial,
  MeshStandardMaterial, NearestFilter, RGBADepthPacking, RGBAFormat, Vector3,
} from "three";
import { locate } from "./muscle-document.js";
import { linearStops, STOPS } from "./ramp.js";

const RINGS = 20, SIDES = 10;
const TENDON_RADIUS = 0.0028; // metres; ours
// Drawn bellies hold this share of the muscle's volume, so that neighbours, which are lines in the model, can be told apart. Ours.
const SHARE_OF_VOLUME = 0.42;
const BELLY_POWER = 0.7; // r ~ sin^0.7: a spindle with blunt ends; ours
const LEAST_BELLY = 0.3; // of the path; ours
const PROXIMAL_TENDON = 0.2; // share of the drawn tendon at the origin; ours
const MOST_RADIUS = 0.032; // metres; ours
const TOUCH = 0.006; // metres around a muscle that count as pointing at it

// Mean of the squared belly profile: with it a belly of length l and largest radius r holds pi r^2 l times this.
const PROFILE_MEAN = Array.from({ length: 200 }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / 200) ** (2 * BELLY_POWER)).reduce((a, b) => a + b) / 200;

const TABLE = /* glsl */ `
  uniform highp sampler2D lines;
  vec4 muscleAt(int ring) { return texelFetch(lines, ivec2(clamp(ring, 0, ${RINGS - 1}), gl_InstanceID), 0); }
  vec4 muscleWhole() { return texelFetch(lines, ivec2(${RINGS}, gl_InstanceID), 0); }
  vec3 muscleOut(out vec3 tangent) {
    int ring = int(position.x + 0.5);
    tangent = normalize(muscleAt(ring + 1).xyz - muscleAt(ring - 1).xyz + vec3(1e-7, 0.0, 0.0));
    vec3 side = normalize(cross(tangent, muscleWhole().xyz));
    return side * position.y + cross(side, tangent) * position.z;
  }`;
const NORMAL = /* glsl */ `
  vec3 muscleTangent;
  vec3 muscleDirection = muscleOut(muscleTangent);
  int muscleRing = int(position.x + 0.5);
  float muscleSlope = (muscleAt(muscleRing + 1).w - muscleAt(muscleRing - 1).w) / max(1e-4, distance(muscleAt(muscleRing + 1).xyz, muscleAt(muscleRing - 1).xyz));
  vec3 objectNormal = normalize(muscleDirection - muscleTangent * muscleSlope);`;
const PLACE = /* glsl */ `
  vec3 muscleAlong;
  vec4 muscleHere = muscleAt(int(position.x + 0.5));
  vec3 transformed = muscleHere.xyz + muscleOut(muscleAlong) * muscleHere.w;`;

export class Muscles {
  root = new Group();
  shown = null; // Set of muscle indices, or null: all
  picked = -1;
  #document; #skeleton; #texture; #table; #count; #mesh; #uniforms; #turns; #scratch; #lengths;

  constructor(document, skeleton) {
    this.#document = document;
    this.#skeleton = skeleton;
    this.#count = document.muscles.length;
    this.#table = new Float32Array(this.#count * (RINGS + 1) * 4);
    this.#texture = new DataTexture(this.#table, RINGS + 1, this.#count, RGBAFormat, FloatType);
    this.#texture.minFilter = this.#texture.magFilter = NearestFilter;
    this.#turns = new Float32Array(skeleton.motion.bodies.length * 12);
    const most = Math.max(...document.muscles.map(({ parts }) => parts.reduce((sum, part) => sum + (part.offset ? 1 : document.perPiece), 0)));
    this.#scratch = new Float32Array(most * 3);
    this.#lengths = new Float32Array(most);
    this.#uniforms = {
      lines: { value: this.#texture }, stops: { value: linearStops() }, neutral: { value: new Color("#9c5a52") },
      picked: { value: -1 }, accent: { value: new Color("#ffffff") },
    };
    this.#mesh = new Mesh(tubes(this.#count), this.#material());
    this.#mesh.customDepthMaterial = this.#depthMaterial();
    this.#mesh.castShadow = true;
    this.#mesh.frustumCulled = false;
    this.root.add(this.#mesh);
  }

  #material() {
    const material = new MeshStandardMaterial({ roughness: 0.55, metalness: 0 });
    material.onBeforeCompile = (shader) => {
      Object.assign(shader.uniforms, this.#uniforms);
      shader.vertexShader = shader.vertexShader
        .replace("#include <common>", `#include <common>\n${TABLE}\nvarying float activation; flat varying int muscle;`)
        .replace("#include <beginnormal_vertex>", NORMAL)
        .replace("#include <begin_vertex>", `${PLACE}\nactivation = muscleWhole().w; muscle = gl_InstanceID;`);
      shader.fragmentShader = shader.fragmentShader
        .replace("#include <common>", `#include <common>
          uniform vec3 stops[${STOPS.length}]; uniform vec3 neutral; uniform int picked; uniform vec3 accent;
          varying float activation; flat varying int muscle;`)
        .replace("#include <color_fragment>", /* glsl */ `
          float place = clamp(activation, 0.0, 1.0) * ${(STOPS.length - 1).toFixed(1)};
          int low = min(int(place), ${STOPS.length - 2});
          diffuseColor.rgb = activation < 0.0 ? neutral : mix(stops[low], stops[low + 1], place - float(low));`)
        // half of the colour shines by itself: shade must not be read as activation
        .replace("#include <emissivemap_fragment>", "totalEmissiveRadiance += diffuseColor.rgb * 0.35 + (muscle == picked ? accent * 0.3 : vec3(0.0));");
    };
    return material;
  }

  #depthMaterial() {
    const material = new MeshDepthMaterial({ depthPacking: RGBADepthPacking });
    material.onBeforeCompile = (shader) => {
      shader.uniforms.lines = this.#uniforms.lines;
      shader.vertexShader = shader.vertexShader.replace("#include <common>", `#include <common>\n${TABLE}`).replace("#include <begin_vertex>", PLACE);
    };
    return material;
  }

  colour(theme) {
    this.#uniforms.neutral.value.copy(theme.muscle);
  }

  /** Shows the group of this name, or all with "". */
  set group(name) {
    const group = this.#document.groups.find((one) => one.name === name);
    this.shown = group ? new Set(group.muscles) : null;
    this.update();
  }

  get time() {
    const { moment, motion } = this.#skeleton;
    return (moment.a + moment.fraction) / motion.frameRate;
  }

  update() {
    const { time } = this;
    const { muscles, activation } = this.#document;
    this.#place();
    const key = locate(this.#document.seconds, time);
    const level = activation && locate(activation.seconds, time);
    for (let m = 0; m < this.#count; m += 1) {
      const row = m * (RINGS + 1) * 4;
      if (this.shown && !this.shown.has(m)) {
        this.#table.fill(0, row, row + RINGS * 4); // without extent nothing is drawn
        continue;
      }
      const count = this.#line(muscles[m].parts, key);
      this.#sample(count, row, muscles[m]);
      this.#reference(row);
      this.#table[row + RINGS * 4 + 3] = activation ? activation.at(m, level) : -1;
    }
    this.#uniforms.picked.value = this.picked;
    this.#texture.needsUpdate = true;
  }

  // Rotation matrix and place of every body, without the scale at which its bones are drawn: muscles are in the person's size already.
  #place() {
    let at = 0;
    for (const node of this.#skeleton.nodes.values()) {
      const { x, y, z, w } = node.quaternion, turns = this.#turns, p = node.position;
      turns[at] = 1 - 2 * (y * y + z * z); turns[at + 1] = 2 * (x * y - z * w); turns[at + 2] = 2 * (x * z + y * w);
      turns[at + 3] = 2 * (x * y + z * w); turns[at + 4] = 1 - 2 * (x * x + z * z); turns[at + 5] = 2 * (y * z - x * w);
      turns[at + 6] = 2 * (x * z - y * w); turns[at + 7] = 2 * (y * z + x * w); turns[at + 8] = 1 - 2 * (x * x + y * y);
      turns[at + 9] = p.x; turns[at + 10] = p.y; turns[at + 11] = p.z;
      at += 12;
    }
  }

  // Points of one path in ground, into the scratch; returns how many.
  #line(parts, { a, b, fraction }) {
    const { moving, columns, perPiece } = this.#document;
    const [points, turns] = [this.#scratch, this.#turns];
    let count = 0;
    const put = (body, x, y, z) => {
      const t = body * 12, to = count * 3;
      points[to] = turns[t] * x + turns[t + 1] * y + turns[t + 2] * z + turns[t + 9];
      points[to + 1] = turns[t + 3] * x + turns[t + 4] * y + turns[t + 5] * z + turns[t + 10];
      points[to + 2] = turns[t + 6] * x + turns[t + 7] * y + turns[t + 8] * z + turns[t + 11];
      count += 1;
    };
    for (const { body, offset, piece } of parts) {
      if (offset) {
        put(body, offset[0], offset[1], offset[2]);
        continue;
      }
      for (let i = 0; i < perPiece; i += 1) {
        const column = (piece * perPiece + i) * 3, from = a * columns + column, to = b * columns + column;
        put(body, moving[from] + (moving[to] - moving[from]) * fraction, moving[from + 1] + (moving[to + 1] - moving[from + 1]) * fraction,
          moving[from + 2] + (moving[to + 2] - moving[from + 2]) * fraction);
      }
    }
    return count;
  }

  // Evenly spaced rings along the line, corners rounded, with the radius of a belly that keeps its volume as it lengthens.
  #sample(count, row, { volume_cm3: volume, tendon_m: tendon }) {
    const [points, lengths, table] = [this.#scratch, this.#lengths, this.#table];
    lengths[0] = 0;
    for (let i = 1; i < count; i += 1) {
      const j = i * 3;
      lengths[i] = lengths[i - 1] + Math.hypot(points[j] - points[j - 3], points[j + 1] - points[j - 2], points[j + 2] - points[j - 1]);
    }
    const length = lengths[count - 1];
    const belly = Math.max(length - tendon, length * LEAST_BELLY);
    const start = (length - belly) * PROXIMAL_TENDON;
    const radius = Math.min(MOST_RADIUS, Math.sqrt((volume * 1e-6 * SHARE_OF_VOLUME) / (Math.PI * belly * PROFILE_MEAN)));
    for (let ring = 0, i = 0; ring < RINGS; ring += 1) {
      const along = (length * ring) / (RINGS - 1);
      while (i < count - 2 && lengths[i + 1] < along) i += 1;
      const fraction = Math.min(1, (along - lengths[i]) / (lengths[i + 1] - lengths[i] || 1));
      const to = row + ring * 4, from = i * 3;
      for (let axis = 0; axis < 3; axis += 1) table[to + axis] = points[from + axis] + (points[from + 3 + axis] - points[from + axis]) * fraction;
      const share = (along - start) / belly;
      table[to + 3] = Math.max(TENDON_RADIUS, share > 0 && share < 1 ? radius * Math.sin(Math.PI * share) ** BELLY_POWER : 0);
    }
    for (let ring = 1; ring < RINGS - 1; ring += 1) { // in place: each ring moves towards its neighbours' middle
      const at = row + ring * 4;
      for (let axis = 0; axis < 3; axis += 1) table[at + axis] = 0.5 * table[at + axis] + 0.25 * (table[at - 4 + axis] + table[at + 4 + axis]);
    }
  }

  // A direction across the muscle, from which the shader turns its rings.
  #reference(row) {
    const table = this.#table, end = row + (RINGS - 1) * 4, at = row + RINGS * 4;
    const [x, y, z] = [table[end] - table[row], table[end + 1] - table[row + 1], table[end + 2] - table[row + 2]];
    if (Math.abs(z) < 0.8 * Math.hypot(x, y, z)) { table[at] = 0; table[at + 1] = 0; table[at + 2] = 1; }
    else { table[at] = 1; table[at + 1] = 0; table[at + 2] = 0; }
  }

  /** The muscle under a ray in ground, or -1. */
  pick({ origin, direction }) {
    let best = -1, nearest = Infinity;
    for (let m = 0; m < this.#count; m += 1) {
      for (let ring = 0; ring < RINGS; ring += 1) {
        const at = (m * (RINGS + 1) + ring) * 4, radius = this.#table[at + 3];
        if (radius === 0) break;
        const [x, y, z] = [this.#table[at] - origin.x, this.#table[at + 1] - origin.y, this.#table[at + 2] - origin.z];
        const along = x * direction.x + y * direction.y + z * direction.z;
        const aside = Math.sqrt(Math.max(0, x * x + y * y + z * z - along * along));
        if (aside < radius + TOUCH && along - radius < nearest) [best, nearest] = [m, along - radius];
      }
    }
    return best;
  }

  /** The thickest place of a muscle, in ground. */
  middle(muscle, target = new Vector3()) {
    let best = 0;
    for (let ring = 0; ring < RINGS; ring += 1) {
      if (this.#table[(muscle * (RINGS + 1) + ring) * 4 + 3] > this.#table[(muscle * (RINGS + 1) + best) * 4 + 3]) best = ring;
    }
    return target.fromArray(this.#table, (muscle * (RINGS + 1) + best) * 4);
  }

  /** The rings of one muscle for tests: [[x, y, z, radius]] in ground, metres. */
  rings(muscle) {
    return Array.from({ length: RINGS }, (_, ring) => Array.from(this.#table.subarray((muscle * (RINGS + 1) + ring) * 4, (muscle * (RINGS + 1) + ring) * 4 + 4)));
  }

  /** "Vastus lateralis, right: 34 % now, at most 61 % at 1.2 s". */
  describe(muscle) {
    const { muscles, activation } = this.#document;
    const { label } = muscles[muscle];
    const peak = activation?.peak(muscle);
    if (!peak) return `${label}: activation is not known`;
    const now = activation.at(muscle, locate(activation.seconds, this.time));
    return `${label}: ${Math.round(100 * now)} % now, at most ${Math.round(100 * peak.value)} % at ${peak.seconds.toFixed(1)} s`;
  }

  dispose() {
    this.root.removeFromParent();
    this.#mesh.geometry.dispose();
    this.#mesh.material.dispose();
    this.#mesh.customDepthMaterial.dispose();
    this.#texture.dispose();
  }
}

// Rings of corners; `position` is (ring, cosine, sine), the place comes from the table.
function tubes(count) {
  const geometry = new InstancedBufferGeometry();
  const corners = [], faces = [];
  for (let ring = 0; ring < RINGS; ring += 1) {
    for (let side = 0; side < SIDES; side += 1) {
      const angle = (2 * Math.PI * side) / SIDES;
      corners.push(ring, Math.cos(angle), Math.sin(angle));
      if (ring === RINGS - 1) continue;
      const here = ring * SIDES + side, next = ring * SIDES + ((side + 1) % SIDES);
      faces.push(here, here + SIDES, next, next, here + SIDES, next + SIDES);
    }
  }
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(corners), 3));
  geometry.setIndex(faces);
  geometry.instanceCount = count;
  return geometry;
}
