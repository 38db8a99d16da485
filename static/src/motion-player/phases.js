// Phases of the exercise: their words, the phase at a moment, the repetition at a moment.

const WORDS = { descent: "Down", bottom: "Hold", ascent: "Up", stand: "Stand" };
const SENTENCES = { descent: "Going down", bottom: "Hold at the bottom", ascent: "Coming up", stand: "Standing" };

export const phaseWord = (name) => WORDS[name] ?? name;
export const phaseSentence = (name) => SENTENCES[name] ?? name;

/** The phase that holds `time`; between or beyond phases the one before. "" when there is none. */
export function phaseAt(phases, time) {
  let current = "";
  for (const phase of phases) {
    if (phase.start <= time + 1e-6) current = phase.name;
    else break;
  }
  return current;
}

/** How many repetitions the motion holds: one for each descent, at least one. */
export const repetitionsIn = (phases) => Math.max(1, phases.filter((phase) => phase.name === "descent").length);

/** The repetition at `time`, from 1. Standing before a descent belongs to the repetition before it. */
export function repetitionAt(phases, time) {
  const begun = phases.filter((phase) => phase.name === "descent" && phase.start <= time + 1e-6).length;
  return Math.max(1, begun);
}
