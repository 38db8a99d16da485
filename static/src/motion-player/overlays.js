// What is drawn besides the bones: the paths of joints, balance, the joint centres.
import { Group, Mesh, MeshBasicMaterial, SphereGeometry } from "three";
import { Line2 } from "three/examples/jsm/lines/Line2.js";
import { LineGeometry } from "three/examples/jsm/lines/LineGeometry.js";
import { LineMaterial } from "three/examples/jsm/lines/LineMaterial.js";
import { Balance } from "./balance.js";
import { onTop } from "./shapes.js";

/** The overlays of these names for a player's skeletons. Compared motions show their hip path only. */
export function overlaysFor([person, ...others], names) {
  const makers = {
    "hip-path": () => [new JointPath(person.motion), ...others.map((other) => new JointPath(other.motion, { opacity: 0.45 }))],
    "centre-of-mass": () => [new Balance(person)],
    joints: () => [new JointCentres(person)],
  };
  return names.flatMap((name) => makers[name]());
}

/** The way of joint centres over the whole motion: of both hips, or of those in `joints`. */
export class JointPath {
  root = new Group();
  #lines = [];

  constructor(motion, { opacity = 1, joints = ["hip_r", "hip_l"] } = {}) {
    for (const name of joints) {
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
