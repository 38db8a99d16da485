// Balance: centre of mass and its floor point, the base of support, the extrapolated centre of mass and the margin of stability.
// As the engine measures it (generation/engine/analysis/measures.py): Hof et al. 2005, J Biomech 38:1-8.
import {
  BufferAttribute, BufferGeometry, CircleGeometry, CylinderGeometry, DoubleSide, DynamicDrawUsage, Group, LineBasicMaterial, LineLoop, Mesh,
  MeshBasicMaterial, RingGeometry, SphereGeometry, Vector3,
} from "three";
import { convexHull, onTop } from "./shapes.js";

const ON_FLOOR = 0.002; // metres above the floor, so that marks do not flicker in it
const CAPACITY = 96; // corners of the outline
const GRAVITY = 9.80665; // m/s2
const SHORTEST_PENDULUM = 0.1; // metres, as in the engine
const LINE = 0.006; // metres, width of the margin's line

export class Balance {
  root = new Group();
  margin = NaN; // metres, positive inside
  #com = new Vector3(); #extrapolated = new Vector3(); #border = new Vector3();
  #material = new MeshBasicMaterial(onTop);
  #stable = new MeshBasicMaterial(onTop);
  #fill = new MeshBasicMaterial({ transparent: true, opacity: 0.18, depthWrite: false, side: DoubleSide });
  #edge = new LineBasicMaterial();
  #velocity; #theme = null;

  constructor(skeleton) {
    this.skeleton = skeleton;
    this.#velocity = velocities(skeleton.motion);
    const floor = (geometry) => geometry.rotateX(-Math.PI / 2);
    this.ball = new Mesh(new SphereGeometry(0.022, 24, 16), this.#material);
    this.plumb = new Mesh(new CylinderGeometry(0.0025, 0.0025, 1, 8).translate(0, 0.5, 0), this.#material);
    this.mark = new Mesh(floor(new RingGeometry(0.02, 0.028, 40)), this.#material);
    this.moving = new Mesh(floor(new CircleGeometry(0.011, 24)), this.#stable);
    this.line = new Mesh(new CylinderGeometry(LINE / 2, LINE / 2, 1, 8).rotateZ(Math.PI / 2).translate(0.5, 0, 0), this.#stable);
    for (const mesh of [this.ball, this.plumb, this.mark, this.moving, this.line]) mesh.renderOrder = 12;
    const place = new BufferAttribute(new Float32Array(CAPACITY * 3), 3).setUsage(DynamicDrawUsage);
    this.outline = new BufferGeometry().setAttribute("position", place);
    const fan = [];
    for (let i = 1; i < CAPACITY - 1; i += 1) fan.push(0, i + 1, i);
    this.area = new BufferGeometry().setAttribute("position", place).setIndex(fan);
    this.base = [new Mesh(this.area, this.#fill), new LineLoop(this.outline, this.#edge)];
    for (const part of this.base) part.frustumCulled = false;
    this.root.add(...this.base, this.ball, this.plumb, this.mark, this.moving, this.line);
  }

  colour(theme) {
    this.#theme = theme;
    this.#material.color.copy(theme.centreOfMass);
    this.#fill.color.copy(theme.sole);
    this.#edge.color.copy(theme.sole);
    this.#tone();
  }

  #tone() {
    if (this.#theme) this.#stable.color.copy(this.margin < 0 ? this.#theme.past : this.#theme.within);
  }

  update() {
    const { motion, moment } = this.skeleton;
    const com = motion.centreOfMass(moment, this.#com);
    this.ball.position.copy(com);
    this.plumb.position.set(com.x, 0, com.z);
    this.plumb.scale.y = com.y;
    this.mark.position.set(com.x, ON_FLOOR, com.z);
    const hull = convexHull(this.#soles()).slice(0, CAPACITY);
    hull.forEach((point, i) => this.outline.attributes.position.setXYZ(i, point.x, ON_FLOOR, point.z));
    this.outline.attributes.position.needsUpdate = true;
    this.outline.setDrawRange(0, hull.length);
    this.area.setDrawRange(0, Math.max(0, hull.length - 2) * 3);
    this.#extrapolate(com, moment, motion);
    this.margin = distanceInside(this.#extrapolated, hull, this.#border);
    this.moving.position.copy(this.#extrapolated).setY(ON_FLOOR * 2);
    this.line.position.copy(this.moving.position);
    const [dx, dz] = [this.#border.x - this.#extrapolated.x, this.#border.z - this.#extrapolated.z];
    this.line.scale.x = Math.max(1e-4, Math.hypot(dx, dz));
    this.line.rotation.y = -Math.atan2(dz, dx);
    this.#tone();
  }

  // Contact points of the soles as the engine has them; a document without them: what is drawn of the feet.
  #soles() {
    const { motion, nodes, feet } = this.skeleton;
    if (!motion.soles) {
      return feet.flat().flatMap(({ node, points }) => {
        node.updateMatrix();
        return points.map((point) => point.clone().applyMatrix4(node.matrix));
      });
    }
    return motion.soles.offsets.map((offset, index) => {
      const node = nodes.get(motion.bodies[motion.soles.bodies[index]]);
      return new Vector3().fromArray(offset).applyQuaternion(node.quaternion).add(node.position);
    });
  }

  #extrapolate(com, moment, motion) {
    const ankles = ["ankle_r", "ankle_l"].map((name) => motion.jointNames.indexOf(name)).filter((index) => index >= 0);
    const ankle = ankles.reduce((sum, index) => sum + motion.jointCentre(index, moment).y, 0) / (ankles.length || 1);
    const seconds = Math.sqrt(Math.max(com.y - ankle, SHORTEST_PENDULUM) / GRAVITY);
    const { a, b, fraction } = moment, v = this.#velocity;
    const speed = (axis) => v[a * 3 + axis] + (v[b * 3 + axis] - v[a * 3 + axis]) * fraction;
    this.#extrapolated.set(com.x + speed(0) * seconds, ON_FLOOR, com.z + speed(2) * seconds);
  }

  /** What stands beside it in numbers. */
  labels() {
    const text = `${this.margin < 0 ? "−" : ""}${Math.abs(this.margin * 100).toFixed(1)} cm`;
    const point = this.#border.clone().add(this.#extrapolated).multiplyScalar(0.5).setY(ON_FLOOR);
    return [{ key: "margin", point, text: `Margin ${text}`, tone: this.margin < 0 ? "past" : "within" }];
  }

  dispose() {
    this.root.removeFromParent();
    for (const mesh of [this.ball, this.plumb, this.mark, this.moving, this.line]) mesh.geometry.dispose();
    this.outline.dispose();
    this.area.dispose();
    for (const material of [this.#material, this.#stable, this.#fill, this.#edge]) material.dispose();
  }
}

/** Velocity of the centre of mass at every frame, m/s: Float32Array (frame, 3), second-order differences. */
export function velocities(motion) {
  const { com, frames, frameRate } = motion;
  const found = new Float32Array(frames * 3);
  if (frames < 3) return found;
  for (let frame = 0; frame < frames; frame += 1) {
    for (let axis = 0; axis < 3; axis += 1) {
      const x = (i) => com[i * 3 + axis];
      const change = frame === 0 ? -1.5 * x(0) + 2 * x(1) - 0.5 * x(2)
        : frame === frames - 1 ? 1.5 * x(frame) - 2 * x(frame - 1) + 0.5 * x(frame - 2)
          : (x(frame + 1) - x(frame - 1)) / 2;
      found[frame * 3 + axis] = change * frameRate;
    }
  }
  return found;
}

/** Distance in x and z of `point` inside the outline `hull` (negative: outside), metres; `border` becomes its nearest point. */
export function distanceInside(point, hull, border) {
  let nearest = Infinity, inside = hull.length > 2, turn = 0;
  hull.forEach((from, i) => {
    const to = hull[(i + 1) % hull.length];
    const [ex, ez, px, pz] = [to.x - from.x, to.z - from.z, point.x - from.x, point.z - from.z];
    const share = Math.min(1, Math.max(0, (ex * px + ez * pz) / (ex * ex + ez * ez || 1)));
    const away = Math.hypot(px - share * ex, pz - share * ez);
    if (away < nearest) {
      nearest = away;
      border.set(from.x + share * ex, ON_FLOOR, from.z + share * ez);
    }
    const side = Math.sign(ex * pz - ez * px);
    if (side && turn && side !== turn) inside = false;
    turn ||= side;
  });
  return inside ? nearest : -nearest;
}
