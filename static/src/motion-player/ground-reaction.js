// The floor's force on each foot as an arrow at the centre of pressure.
import { ConeGeometry, CylinderGeometry, Group, Mesh, MeshBasicMaterial, Vector3 } from "three";
import { locate } from "./muscle-document.js";
import { onTop } from "./shapes.js";

const METRES_PER_BODY_WEIGHT = 0.7; // ours
const HEAD = 0.055, RADIUS = 0.008; // metres; ours
const LEAST = 0.02; // body weights below which no arrow is drawn; ours
const UP = new Vector3(0, 1, 0);

export class GroundReaction {
  root = new Group();
  #material = new MeshBasicMaterial(onTop);
  #shaft = new CylinderGeometry(RADIUS, RADIUS, 1, 16).translate(0, 0.5, 0);
  #head = new ConeGeometry(RADIUS * 2.6, HEAD, 20).translate(0, -HEAD / 2, 0);
  #arrows; #force = new Vector3(); #shares = [0, 0];

  constructor(skeleton, ground) {
    this.skeleton = skeleton;
    this.ground = ground;
    this.#arrows = ["R", "L"].map((side) => {
      const arrow = new Group(), shaft = new Mesh(this.#shaft, this.#material), head = new Mesh(this.#head, this.#material);
      shaft.renderOrder = head.renderOrder = 11;
      arrow.add(shaft, head);
      this.root.add(arrow);
      return { side, arrow, shaft, head, tip: new Vector3() };
    });
  }

  colour(theme) {
    this.#material.color.copy(theme.force);
  }

  update() {
    const { motion, moment } = this.skeleton;
    const { seconds, force, point, bodyWeight } = this.ground;
    const { a, b, fraction } = locate(seconds, (moment.a + moment.fraction) / motion.frameRate);
    const read = (values, foot, target) => target.set(...[0, 1, 2].map((axis) => {
      const from = values[a * 6 + foot * 3 + axis];
      return from + (values[b * 6 + foot * 3 + axis] - from) * fraction;
    }));
    this.#arrows.forEach(({ arrow, shaft, head, tip }, foot) => {
      read(force, foot, this.#force).divideScalar(bodyWeight);
      const size = this.#force.length();
      this.#shares[foot] = this.#force.y;
      arrow.visible = size > LEAST;
      if (!arrow.visible) return;
      read(point, foot, arrow.position);
      arrow.quaternion.setFromUnitVectors(UP, this.#force.clone().normalize());
      const length = size * METRES_PER_BODY_WEIGHT;
      shaft.scale.y = Math.max(1e-4, length - HEAD);
      head.position.y = length;
      head.scale.setScalar(Math.min(1, length / HEAD));
      tip.copy(arrow.position).addScaledVector(this.#force, length / size);
    });
  }

  labels() {
    return this.#arrows.flatMap(({ side, arrow, tip }, foot) => (arrow.visible
      ? [{ key: `force-${side}`, point: tip, text: `${side} ${Math.round(this.#shares[foot] * 100)} % BW`, tone: "force" }] : []));
  }

  dispose() {
    this.root.removeFromParent();
    this.#material.dispose();
    this.#shaft.dispose();
    this.#head.dispose();
  }
}
