// One person on the floor: a node for each body, posed from a playback document. A player holds one to four of them.
import { Group, MeshStandardMaterial, Vector3 } from "three";
import { hangBones, hangCapsules, loadBones, samplePoints } from "./bones.js";
import { hangPads } from "./pads.js";

const GHOST_OPACITY = 0.38;
const PAD_OPACITY = 0.6;
const FRAMING_SAMPLES = 24; // moments of the motion looked at to frame it

export class Skeleton {
  root = new Group();
  nodes = new Map(); // body name -> Group in ground, carrying the person's scale of that body
  hasBones = false;
  moment = { a: 0, b: 0, fraction: 0 };

  /** @param ghost drawn half-transparent, for comparison */
  constructor(motion, { ghost = false } = {}) {
    this.motion = motion;
    this.material = new MeshStandardMaterial({ roughness: 0.62, metalness: 0 });
    this.padMaterial = new MeshStandardMaterial({ roughness: 0.9, metalness: 0, transparent: true, opacity: ghost ? GHOST_OPACITY : PAD_OPACITY });
    if (ghost) Object.assign(this.material, { transparent: true, opacity: GHOST_OPACITY });
    motion.bodies.forEach((name, index) => {
      const node = new Group();
      node.name = name;
      node.scale.fromArray(motion.scales[index]);
      this.nodes.set(name, node);
      this.root.add(node);
    });
    this.pose(0);
  }

  /** Hangs the bones of `url` on the nodes, or the simple figure when there is none or it fails. */
  async dress(url) {
    try {
      this.hasBones = Boolean(url) && hangBones(await loadBones(url), this.nodes, this.material);
    } catch {
      this.hasBones = false;
    }
    if (this.hasBones) {
      const feet = ["calcn_r", "toes_r", "calcn_l", "toes_l"].filter((name) => this.nodes.has(name));
      hangPads(this.motion, this.nodes, new Map(feet.map((name) => [name, samplePoints(this.nodes.get(name), Infinity)])), this.padMaterial);
    } else {
      hangCapsules(this.motion, this.nodes, this.material);
    }
    this.feet = ["r", "l"].map((side) =>
      [`calcn_${side}`, `toes_${side}`].filter((name) => this.nodes.has(name))
        .map((name) => ({ node: this.nodes.get(name), points: samplePoints(this.nodes.get(name), 220) })));
  }

  /** @param theme colours read from the page */
  colour(theme, ghost) {
    this.material.color.copy(ghost ? theme.ghost : theme.bone);
    this.padMaterial.color.copy(ghost ? theme.ghost : theme.pad);
  }

  pose(time) {
    this.moment = this.motion.locate(time);
    let index = 0;
    for (const node of this.nodes.values()) {
      this.motion.bodyPosition(index, this.moment, node.position);
      this.motion.bodyQuaternion(index, this.moment, node.quaternion);
      index += 1;
    }
  }

  /** Points in ground that hold the whole person over the whole motion, for framing. */
  extent() {
    const outlines = [...this.nodes.values()].map((node) => boxCorners(samplePoints(node, 400)));
    const points = [];
    const shown = this.moment.a / this.motion.frameRate + this.moment.fraction / this.motion.frameRate;
    for (let i = 0; i < FRAMING_SAMPLES; i += 1) {
      this.pose((this.motion.duration * i) / Math.max(1, FRAMING_SAMPLES - 1));
      [...this.nodes.values()].forEach((node, index) => {
        node.updateMatrix();
        for (const corner of outlines[index]) points.push(corner.clone().applyMatrix4(node.matrix));
      });
    }
    this.pose(shown);
    return points;
  }

  dispose() {
    this.root.removeFromParent();
    // Bone geometries belong to the library and are shared; capsules and pads are this skeleton's own.
    this.root.traverse((object) => { if (!this.hasBones || object.userData.own) object.geometry?.dispose(); });
    this.material.dispose();
    this.padMaterial.dispose();
  }
}

function boxCorners(points) {
  if (!points.length) return [new Vector3()];
  const low = points[0].clone(), high = points[0].clone();
  for (const point of points) { low.min(point); high.max(point); }
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => new Vector3(i & 1 ? high.x : low.x, i & 2 ? high.y : low.y, i & 4 ? high.z : low.z));
}
