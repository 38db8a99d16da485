// Where the camera stands: presets, framing of the whole motion, and turning by mouse, touch and buttons.
import { MathUtils, PerspectiveCamera, Spherical, Vector3 } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

// Direction from the target to the camera, degrees: azimuth from the front (X) towards the right (Z), height above the floor's plane.
export const PRESETS = {
  front: { label: "Front", azimuth: 0, height: 8 },
  side: { label: "Side", azimuth: 90, height: 6 },
  back: { label: "Back", azimuth: 180, height: 8 },
  top: { label: "Top", azimuth: 0, height: 88 },
  knee: { label: "Knee", azimuth: 32, height: 10 },
};
const FIELD_OF_VIEW = 28; // degrees, long lens: little perspective distortion of limbs
const MARGIN = 1.06;
const MIN_HEIGHT = 2, MAX_HEIGHT = 88; // degrees: never below the floor
const KNEE_RADIUS = 0.42; // metres around the knees that the knee view shows

export class CameraRig {
  camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.05, 40);
  preset = "front"; // or "free" after the visitor turned or zoomed
  #controls; #subject = null; #onChange; #onFree; #moving = false; #insets = { x: 0, y: 0 };

  constructor(element, { onChange, onFree }) {
    this.#onChange = onChange;
    this.#onFree = onFree;
    this.#controls = new OrbitControls(this.camera, element);
    Object.assign(this.#controls, {
      enablePan: false, minDistance: 0.6, maxDistance: 14,
      minPolarAngle: MathUtils.degToRad(90 - MAX_HEIGHT), maxPolarAngle: MathUtils.degToRad(90 - MIN_HEIGHT),
    });
    element.style.touchAction = "pan-y"; // a swipe up or down scrolls the page, sideways turns, two fingers zoom
    this.#controls.addEventListener("change", () => {
      if (!this.#moving) this.#free();
      this.#onChange();
    });
  }

  #free() {
    if (this.preset === "free") return;
    this.preset = "free";
    this.#onFree();
  }

  /** @param subject {whole: Vector3[], knees: Vector3[]} points in ground to be framed */
  frame(subject) {
    this.#subject = subject;
    if (this.preset === "free") this.preset = "front";
    this.show(this.preset);
  }

  /** Width and height in CSS pixels, and how much of each side is covered by buttons. */
  resize(width, height, insets) {
    this.camera.aspect = width / height;
    this.#insets = { x: insets.x / width, y: insets.y / height };
    this.camera.updateProjectionMatrix();
    if (this.preset !== "free") this.show(this.preset);
  }

  show(name) {
    this.preset = name;
    if (!this.#subject) return;
    const { azimuth, height } = PRESETS[name];
    const direction = directionOf(azimuth, height);
    const { target, distance } = this.#fit(name === "knee" ? this.#subject.knees : this.#subject.whole, direction);
    this.#move(() => {
      this.#controls.target.copy(target);
      this.camera.position.copy(target).addScaledVector(direction, distance);
    });
  }

  #move(change) {
    this.#moving = true;
    change();
    this.#controls.update();
    this.#moving = false;
    this.#onChange();
  }

  // The smallest distance at which every point lies inside the free part of the picture, and the target that centres them.
  #fit(points, direction) {
    const camera = this.camera.clone();
    const tanY = Math.tan(MathUtils.degToRad(FIELD_OF_VIEW / 2)) * (1 - 2 * this.#insets.y) / MARGIN;
    const tanX = Math.tan(MathUtils.degToRad(FIELD_OF_VIEW / 2)) * camera.aspect * (1 - 2 * this.#insets.x) / MARGIN;
    camera.position.copy(direction);
    camera.lookAt(0, 0, 0);
    const right = new Vector3().setFromMatrixColumn(camera.matrix.compose(camera.position, camera.quaternion, camera.scale), 0);
    const up = new Vector3().setFromMatrixColumn(camera.matrix, 1);
    const seen = points.map((point) => ({ x: point.dot(right), y: point.dot(up), z: point.dot(direction) }));
    // A point at (x, y, z) is inside when |x - cx| <= (d - z) tan: each side of the picture is one half-plane in (c, d).
    const needed = (axis, tan) => {
      const high = Math.max(...seen.map((point) => point[axis] + point.z * tan));
      const low = Math.max(...seen.map((point) => -point[axis] + point.z * tan));
      return { centre: (high - low) / 2, distance: (high + low) / (2 * tan) };
    };
    const horizontal = needed("x", tanX), vertical = needed("y", tanY);
    const depth = (Math.max(...seen.map((p) => p.z)) + Math.min(...seen.map((p) => p.z))) / 2;
    const target = new Vector3().addScaledVector(right, horizontal.centre).addScaledVector(up, vertical.centre).addScaledVector(direction, depth);
    return { target, distance: Math.max(horizontal.distance, vertical.distance) - depth };
  }

  /** Turns by degrees: positive azimuth moves the camera to the person's left in front view, positive height upwards. */
  orbit(azimuth, height) {
    this.#free();
    this.#move(() => {
      const target = this.#controls.target;
      const place = new Spherical().setFromVector3(this.camera.position.clone().sub(target));
      place.theta += MathUtils.degToRad(azimuth);
      place.phi = MathUtils.clamp(place.phi - MathUtils.degToRad(height), MathUtils.degToRad(90 - MAX_HEIGHT), MathUtils.degToRad(90 - MIN_HEIGHT));
      this.camera.position.setFromSpherical(place).add(target);
    });
  }

  /** Factor above 1: nearer. */
  zoom(factor) {
    this.#free();
    this.#move(() => {
      const target = this.#controls.target;
      const offset = this.camera.position.clone().sub(target);
      offset.setLength(MathUtils.clamp(offset.length() / factor, this.#controls.minDistance, this.#controls.maxDistance));
      this.camera.position.copy(target).add(offset);
    });
  }

  dispose() {
    this.#controls.dispose();
  }
}

/** Points around both knees over the motion, for the knee view. */
export function kneePoints(motion) {
  const points = [];
  const knees = ["knee_r", "knee_l"].map((name) => motion.jointNames.indexOf(name)).filter((index) => index >= 0);
  for (let frame = 0; frame < motion.frames; frame += 4) {
    const moment = { a: frame, b: frame, fraction: 0 };
    for (const knee of knees) {
      const centre = motion.jointCentre(knee, moment);
      for (const offset of [-KNEE_RADIUS / 2, KNEE_RADIUS / 2]) points.push(centre.clone().setY(centre.y + offset));
    }
  }
  return points.length ? points : [new Vector3(0, 0.2, 0), new Vector3(0, 0.8, 0)];
}

function directionOf(azimuth, height) {
  const [a, h] = [MathUtils.degToRad(azimuth), MathUtils.degToRad(height)];
  return new Vector3(Math.cos(h) * Math.cos(a), Math.sin(h), Math.cos(h) * Math.sin(a));
}
