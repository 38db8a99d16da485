// Short tones from the browser's own synthesiser: one a second, a higher one where a phase begins.

const TONES = { strong: 1046, weak: 659 }; // Hz
const LENGTH_S = 0.09;
const LOUDNESS = 0.25;

export class Metronome {
  #context = null;

  /** Call from a press of a button or key: browsers keep a page silent until then. */
  open() {
    this.#context ??= window.AudioContext ? new AudioContext() : null;
    this.#context?.resume().catch(() => {});
  }

  beat(strong) {
    const context = this.#context;
    if (!context || context.state !== "running") return;
    const tone = context.createOscillator(), volume = context.createGain();
    const at = context.currentTime;
    tone.frequency.value = strong ? TONES.strong : TONES.weak;
    volume.gain.setValueAtTime(LOUDNESS, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + LENGTH_S); // no click at the end
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + LENGTH_S);
  }
}
