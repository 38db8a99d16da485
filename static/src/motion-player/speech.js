// The browser's own voice. Off until somebody switches it on; browsers without one do not show the button.

export const canSpeak = () => "speechSynthesis" in window && "SpeechSynthesisUtterance" in window;

export class Voice {
  #on = false;

  get on() { return this.#on; }
  set on(on) {
    this.#on = on && canSpeak();
    if (!this.#on && canSpeak()) window.speechSynthesis.cancel();
  }

  /** Says it now, in place of what is being said: a phase that is over needs no word any more. */
  say(text) {
    if (!this.#on || !text) return;
    window.speechSynthesis.cancel();
    const words = new SpeechSynthesisUtterance(text);
    words.lang = document.documentElement.lang || "en";
    window.speechSynthesis.speak(words);
  }
}
