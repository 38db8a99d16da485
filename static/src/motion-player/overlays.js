// What is drawn besides the bones: the path of the hips, the centre of mass with its floor point and the soles, the joint centres.
import {
  BufferAttribute, BufferGeometry, CircleGeometry, CylinderGeometry, DoubleSide, DynamicDrawUsage, Group, LineBasicMaterial, LineLoop,
  Mesh, MeshBasicMaterial, RingGeometry, SphereGeometry, Vector3,
} from "three";
import { Line2 } from "three/examples/jsm/lines/Line2.js";
import { LineGeometry } from "three/examples/jsm/lines/LineGeometry.js";
import { LineMaterial } from "three/examples/jsm/lines/LineMaterial.js";

const ON_FLOOR = 0.002; // metres above the floor, so that marks do not flicker in it
const OUTLINE_CAPACITY = 96; // corners of one foot outline
// Drawn over the bones: these lie inside the body and would be hidden.
// Both sides: the mirror view turns faces around.
const onTop = { depthTest: false, depthWrite: false, transparent: true, side: DoubleSide };

/** The overlays of these names for a player's skeletons. Compared motions show their hip path only. */
export function overlaysFor([person, ...others], names) {
  const makers = {
    "hip-path": () => [new HipPath(person.motion), ...others.map((other) => new HipPath(other.motion, { opacity: 0.45 }))],
    "centre-of-mass": () => [new CentreOfMass(person)],
    joints: () => [new JointCentres(person)],
  };
  return names.flatMap((name) => makers[name]());
}

/** The joint centres of both hips over the whole motion. */
export class HipPath {
  root = new Group();
  #lines = [];

  constructor(motion, { opacity = 1 } = {}) {
    for (const name of ["hip_r", "hip_l"]) {
      const joint = motion.jointNames.indexOf(name);
      if (joint < 0 || motion.frames < 2) continue;
      const points = [];
      for (let frame = 0; frame < motion.frames; frame += 1) {
        points.push(...motion.jointCentre(joint, { a: frame, b: frame, fraction: 0 }));
      }
      const geometry = new LineGeometry().setPositions(points);
      for (const [role, width] of [["casing", 4], ["line", 2.2]]) {
        const line = new Line2(geometry, new LineMaterial({ linewidth: width, opacity: role === "casing" ? 0.5 * opacity : opacity, ...onTop }));
        line.renderOrder = role === "casing" ? 10 : 11;
        this.#lines.push({ role, line });
        this.root.add(line);
      }
    }
  }

  colour(theme) {
    for (const { role, line } of this.#lines) line.material.color.copy(role === "casing" ? theme.pathCasing : theme.path);
  }

  update() {}

  dispose() {
    for (const { line } of this.#lines) {
      line.geometry.dispose();
      line.material.dispose();
    }
  }
}

/** Centre of mass, its plumb line and floor point, and the outlines of both feet on the floor. */
export class CentreOfMass {
  root = new Group();
  #point = new Vector3();
  #material = new MeshBasicMaterial(onTop);
  #fill = new MeshBasicMaterial({ transparent: true, opacity: 0.16, depthWrite: false, side: DoubleSide });
  #edge = new LineBasicMaterial();

  constructor(skeleton) {
    this.skeleton = skeleton;
    this.ball = new Mesh(new SphereGeometry(0.022, 24, 16), this.#material);
    this.plumb = new Mesh(new CylinderGeometry(0.0025, 0.0025, 1, 8).translate(0, 0.5, 0), this.#material);
    this.mark = new Mesh(new RingGeometry(0.024, 0.032, 40).rotateX(-Math.PI / 2), this.#material);
    this.dot = new Mesh(new CircleGeometry(0.009, 24).rotateX(-Math.PI / 2), this.#material);
    for (const mesh of [this.ball, this.plumb, this.mark, this.dot]) mesh.renderOrder = 12;
    this.soles = skeleton.feet.map(() => {
      const geometry = new BufferGeometry();
      geometry.setAttribute("position", new BufferAttribute(new Float32Array(OUTLINE_CAPACITY * 3), 3).setUsage(DynamicDrawUsage));
      const fan = [];
      for (let i = 1; i < OUTLINE_CAPACITY - 1; i += 1) fan.push(0, i + 1, i);
      const area = geometry.clone().setIndex(fan);
      area.setAttribute("position", geometry.attributes.position);
      const sole = { geometry, area, fill: new Mesh(area, this.#fill), edge: new LineLoop(geometry, this.#edge) };
      sole.fill.frustumCulled = sole.edge.frustumCulled = false;
      this.root.add(sole.fill, sole.edge);
      return sole;
    });
    this.root.add(this.ball, this.plumb, this.mark, this.dot);
  }

  colour(theme) {
    this.#material.color.copy(theme.centreOfMass);
    this.#fill.color.copy(theme.sole);
    this.#edge.color.copy(theme.sole);
  }

  update() {
    const com = this.skeleton.motion.centreOfMass(this.skeleton.moment, this.#point);
    this.ball.position.copy(com);
    this.plumb.position.set(com.x, 0, com.z);
    this.plumb.scale.y = com.y;
    this.mark.position.set(com.x, ON_FLOOR, com.z);
    this.dot.position.copy(this.mark.position);
    this.skeleton.feet.forEach((parts, index) => {
      const outline = convexHull(parts.flatMap(({ node, points }) => {
        node.updateMatrix();
        return points.map((point) => point.clone().applyMatrix4(node.matrix));
      })).slice(0, OUTLINE_CAPACITY);
      const { geometry, area } = this.soles[index];
      outline.forEach((point, i) => geometry.attributes.position.setXYZ(i, point.x, ON_FLOOR, point.z));
      geometry.attributes.position.needsUpdate = true;
      geometry.setDrawRange(0, outline.length);
      area.setDrawRange(0, Math.max(0, outline.length - 2) * 3);
    });
  }

  dispose() {
    for (const mesh of [this.ball, this.plumb, this.mark, this.dot]) mesh.geometry.dispose();
    for (const { geometry, area } of this.soles) { geometry.dispose(); area.dispose(); }
    for (const material of [this.#material, this.#fill, this.#edge]) material.dispose();
  }
}

/** A small ball on every joint centre of the document. */
export class JointCentres {
  root = new Group();
  #material = new MeshBasicMaterial(onTop);
  #geometry = new SphereGeometry(0.012, 20, 14);

  constructor(skeleton) {
    this.skeleton = skeleton;
    for (const name of skeleton.motion.jointNames) {
      const ball = new Mesh(this.#geometry, this.#material);
      ball.name = name;
      ball.renderOrder = 13;
      this.root.add(ball);
    }
  }

  colour(theme) {
    this.#material.color.copy(theme.joint);
  }

  update() {
    this.root.children.forEach((ball, index) => this.skeleton.motion.jointCentre(index, this.skeleton.moment, ball.position));
  }

  dispose() {
    this.#geometry.dispose();
    this.#material.dispose();
  }
}

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
