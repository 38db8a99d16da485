// Comparing motions of different tempo: the moment of one motion that belongs beside a moment of another.

/** The instants of each repetition: beginning and end of going down, beginning and end of coming up. Seconds, growing. */
function instants(phases) {
  const found = [];
  for (const phase of phases) {
    if (phase.name === "descent") found.push([phase.start, phase.end, phase.end, phase.end]);
    else if (phase.name === "ascent" && found.length) found.at(-1).splice(2, 2, phase.start, phase.end);
  }
  return found;
}

/**
 * How a motion follows a reference: {own(time) -> seconds in the motion, end: seconds of the reference's time it runs to}.
 *
 * @param how "phase": down, hold and up of both last equally long; "time": both begin to go down together, each at its own tempo
 * @param reference, motion {phases, duration}
 */
export function alignment(how, reference, motion) {
  const clamp = (time) => Math.min(Math.max(time, 0), motion.duration);
  const [theirs, ours] = [instants(reference.phases), instants(motion.phases)];
  if (!theirs.length || !ours.length) return { own: clamp, end: motion.duration };
  if (how === "time") {
    const shift = ours[0][0] - theirs[0][0];
    return { own: (time) => clamp(time + shift), end: motion.duration - shift };
  }
  const count = Math.min(theirs.length, ours.length);
  const from = [0, ...theirs.slice(0, count).flat(), reference.duration];
  const to = [0, ...ours.slice(0, count).flat(), motion.duration];
  return {
    end: reference.duration,
    own(time) {
      let i = from.length - 2;
      while (i > 0 && from[i] > time + 1e-9) i -= 1;
      const span = from[i + 1] - from[i];
      const share = span > 0 ? Math.min(Math.max((time - from[i]) / span, 0), 1) : 0;
      return clamp(to[i] + share * (to[i + 1] - to[i]));
    },
  };
}
