// The playback document (docs/architecture.md): fetching, checking, decoding, and reading it at any moment.
import { Quaternion, Vector3 } from "three";
import { floats, PlayerError, unpack } from "./packed.js";

export { PlayerError };

const VERSIONS = [1, 2];

/** One motion in memory. Lengths in metres, times in seconds, OpenSim's frame (X forward, Y up, Z right). */
export class MotionDocument {
  constructor(json) {
    if (!VERSIONS.includes(json?.version)) {
      throw new PlayerError(`This motion is of version ${json?.version}; this player reads versions ${VERSIONS.join(" and ")}. Reload the page.`);
    }
    const { frames, frame_rate: frameRate, bodies, scales } = json;
    if (!Number.isInteger(frames) || frames < 1 || !(frameRate > 0) || !bodies?.length || scales?.length !== bodies.length) {
      throw new PlayerError("This motion cannot be read: frames, frame rate, bodies or scales are missing.");
    }
    this.frames = frames;
    this.frameRate = frameRate;
    this.duration = (frames - 1) / frameRate;
    this.bodies = bodies;
    this.scales = scales;
    const read = (entry, columns, field) => (json.version === 1 ? floats(entry, frames * columns, field) : unpack(entry, frames, columns, field));
    this.positions = read(json.positions, bodies.length * 3, "positions"); // (frame, body, 3)
    this.quaternions = read(json.quaternions, bodies.length * 4, "quaternions"); // (frame, body, xyzw)
    this.com = read(json.com, 3, "com"); // (frame, 3)
    this.jointNames = json.joint_centres.names;
    this.jointCentres = read(json.joint_centres.positions, this.jointNames.length * 3, "joint_centres"); // (frame, joint, 3)
    this.masses = json.masses ?? null; // kg of each body; version 1 has none
    this.soles = json.soles ?? null; // contact points of the soles: {bodies: [index], offsets: [[x, y, z]]}, right before left
    this.phases = (json.phases ?? []).map((phase) => ({ name: phase.name, start: phase.start_s, end: phase.end_s }));
    const names = json.coordinates.names;
    const degrees = read(json.coordinates.degrees, names.length, "coordinates"); // (frame, coordinate)
    this.coordinates = {
      names,
      /** One coordinate over time: degrees, or metres for translations. */
      series(name) {
        const column = names.indexOf(name);
        if (column < 0) throw new RangeError(`no coordinate ${name} in this motion`);
        return Float32Array.from({ length: frames }, (_, frame) => degrees[frame * names.length + column]);
      },
    };
  }

  /** The two frames around a moment and how far it lies between them: {a, b, fraction}. */
  locate(time) {
    const at = Math.min(Math.max(time, 0), this.duration) * this.frameRate;
    const a = Math.min(Math.floor(at + 1e-6), this.frames - 1); // a time that names a frame must not fall just before it
    const b = Math.min(a + 1, this.frames - 1);
    return { a, b, fraction: Math.max(0, at - a) };
  }

  #point(values, count, index, { a, b, fraction }, target) {
    const from = (a * count + index) * 3;
    const to = (b * count + index) * 3;
    const mix = (axis) => values[from + axis] + (values[to + axis] - values[from + axis]) * fraction;
    return target.set(mix(0), mix(1), mix(2));
  }

  bodyPosition(index, moment, target = new Vector3()) {
    return this.#point(this.positions, this.bodies.length, index, moment, target);
  }

  bodyQuaternion(index, { a, b, fraction }, target = new Quaternion()) {
    const count = this.bodies.length;
    target.fromArray(this.quaternions, (a * count + index) * 4);
    return target.slerp(scratch.fromArray(this.quaternions, (b * count + index) * 4), fraction).normalize();
  }

  /** Where body `name` begins in the frame of body `frame` at the start of the motion, metres. */
  originIn(name, frame) {
    const moment = this.locate(0);
    const [i, j] = [this.bodies.indexOf(frame), this.bodies.indexOf(name)];
    const turn = this.bodyQuaternion(i, moment, new Quaternion()).invert();
    return this.bodyPosition(j, moment).sub(this.bodyPosition(i, moment)).applyQuaternion(turn);
  }

  jointCentre(index, moment, target = new Vector3()) {
    return this.#point(this.jointCentres, this.jointNames.length, index, moment, target);
  }

  centreOfMass(moment, target = new Vector3()) {
    return this.#point(this.com, 1, 0, moment, target);
  }
}

const scratch = new Quaternion();

/** Reads the document at `url`. Throws PlayerError with a sentence; an aborted load throws AbortError. */
export async function loadMotion(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new PlayerError("The motion could not be loaded: the server does not answer. Check the connection and try again.");
  }
  if (response.status === 401 || response.status === 403) {
    throw new PlayerError("You may not see this motion, or your session has ended. Sign in again, then retry.");
  }
  if (response.status === 404) throw new PlayerError("This motion does not exist any more.");
  if (!response.ok) throw new PlayerError(`The motion could not be loaded (error ${response.status}). Try again in a moment.`);
  let json;
  try {
    json = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new PlayerError("The motion could not be read: the answer is not a playback document.");
  }
  try {
    return new MotionDocument(json);
  } catch (error) {
    if (error instanceof PlayerError) throw error;
    throw new PlayerError("The motion could not be read: parts of the playback document are missing.");
  }
}
