// The muscle document (docs/player.md): paths of all muscles, their activation, the floor's reaction, read at any moment.
import { PlayerError, unpack } from "./packed.js";

const VERSION = 1;
const LEVELS = 200; // bytes of activation are half percents

export class MuscleDocument {
  /** @param motion the MotionDocument that it belongs to */
  constructor(json, motion) {
    if (json?.version !== VERSION) throw new PlayerError(`These muscles are of version ${json?.version}; this player reads version ${VERSION}. Reload the page.`);
    this.seconds = json.seconds;
    this.muscles = json.muscles;
    this.groups = json.groups ?? [];
    this.perPiece = json.per_piece;
    const bodies = json.bodies.map((name) => motion.bodies.indexOf(name));
    this.columns = json.moving.shape.slice(1).reduce((product, one) => product * one, 1);
    this.moving = unpack(json.moving, this.seconds.length, this.columns, "moving");
    for (const muscle of this.muscles) {
      muscle.parts = muscle.parts.map(([body, ...rest]) => {
        if (!(bodies[body] >= 0)) throw new PlayerError(`These muscles belong to another body: the motion has no ${json.bodies[body]}.`);
        return rest.length === 3 ? { body: bodies[body], offset: rest } : { body: bodies[body], piece: rest[0] };
      });
    }
    this.activation = json.activation ? this.#activation(json.activation) : null;
    this.ground = json.ground ? this.#ground(json.ground) : null;
  }

  #activation({ by, solver, seconds, percent_2: encoded, without, trusted }) {
    const levels = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    if (levels.length !== seconds.length * this.muscles.length) throw new PlayerError("These muscles cannot be read: activations are missing.");
    const unknown = new Set(without);
    const row = (muscle) => levels.subarray(muscle * seconds.length, (muscle + 1) * seconds.length);
    return {
      by, solver, trusted, seconds,
      /** 0 to 1, or -1 where it is not known. `place` as `locate(seconds, time)` gives it. */
      at: (muscle, { a, b, fraction }) => {
        if (unknown.has(muscle)) return -1;
        const levelsOf = row(muscle);
        return (levelsOf[a] + (levelsOf[b] - levelsOf[a]) * fraction) / LEVELS;
      },
      peak: (muscle) => {
        if (unknown.has(muscle)) return null;
        const levelsOf = row(muscle);
        let best = 0;
        for (let i = 1; i < levelsOf.length; i += 1) if (levelsOf[i] > levelsOf[best]) best = i;
        return { value: levelsOf[best] / LEVELS, seconds: seconds[best] };
      },
    };
  }

  #ground({ source, seconds, body_weight_n: bodyWeight, force, point }) {
    return {
      source, seconds, bodyWeight,
      force: unpack(force, seconds.length, 6, "ground.force"), // (moment, [right, left], xyz) N
      point: unpack(point, seconds.length, 6, "ground.point"), // m
    };
  }
}

/** Where `time` lies among ascending `seconds`: {a, b, fraction}; before the first and after the last it stays there. */
export function locate(seconds, time) {
  let low = 0, high = seconds.length - 1;
  if (!(time > seconds[0])) return { a: 0, b: 0, fraction: 0 };
  if (time >= seconds[high]) return { a: high, b: high, fraction: 0 };
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (seconds[middle] <= time) low = middle;
    else high = middle;
  }
  return { a: low, b: high, fraction: (time - seconds[low]) / (seconds[high] - seconds[low]) };
}

/** The document at `url` for `motion`; null when the server has none (yet). Throws PlayerError with a sentence. */
export async function loadMuscles(url, motion, signal) {
  let response;
  try {
    response = await fetch(url, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new PlayerError("The muscles could not be loaded: the server does not answer.");
  }
  if (response.status === 404) return null;
  if (!response.ok) throw new PlayerError(`The muscles could not be loaded (error ${response.status}).`);
  try {
    return new MuscleDocument(await response.json(), motion);
  } catch (error) {
    if (error instanceof PlayerError || error.name === "AbortError") throw error;
    throw new PlayerError("The muscles could not be read.");
  }
}
