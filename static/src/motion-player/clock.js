// The one clock of a player. Skeletons, timeline, phase label and the page's plots all read `time`.

export const MIN_RATE = 0.1;
export const MAX_RATE = 2;

/**
 * Time in a motion as a function of real time: time = anchor time + (now - anchor now) * rate.
 * Nothing is added up from frame to frame, so playback neither depends on the frame rate nor drifts, however often it loops.
 */
export class PlaybackClock {
  #now; #anchorNow = 0; #anchorTime = 0; #rate = 1;
  playing = false;
  loop = false;
  duration = 0;
  interval = null; // [start, end] in seconds while only a part is repeated
  loops = 0; // how often playback has started again since the last seek

  /** @param now function returning milliseconds that only grow */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  get start() { return this.interval?.[0] ?? 0; }
  get end() { return this.interval?.[1] ?? this.duration; }
  get repeats() { return this.interval !== null || this.loop; }
  get rate() { return this.#rate; }

  set rate(rate) {
    const time = this.time;
    this.#rate = Math.min(Math.max(rate, MIN_RATE), MAX_RATE);
    this.#anchor(time);
  }

  get time() {
    if (!this.playing) return this.#anchorTime;
    return this.#anchorTime + ((this.#now() - this.#anchorNow) / 1000) * this.#rate;
  }

  #anchor(time) {
    this.#anchorTime = time;
    this.#anchorNow = this.#now();
  }

  seek(time) {
    this.loops = 0;
    this.#anchor(Math.min(Math.max(time, 0), this.duration));
  }

  play() {
    if (this.playing) return;
    if (this.#anchorTime >= this.end || this.#anchorTime < this.start) this.seek(this.start);
    this.#anchor(this.#anchorTime);
    this.playing = true;
  }

  pause() {
    this.#anchor(Math.min(this.time, this.duration));
    this.playing = false;
  }

  /** Applies the end of the motion. Call once for each picture, then read `time`. True when playback has just ended. */
  tick() {
    if (!this.playing) return false;
    const time = this.time;
    if (time < this.end) return false;
    const span = this.end - this.start;
    if (this.repeats && span > 0) {
      // Move the anchor back by whole spans: the part of a second played beyond the end is kept.
      const passes = Math.floor((time - this.start) / span);
      this.#anchorTime -= passes * span;
      this.loops += passes;
      return false;
    }
    this.playing = false;
    this.#anchor(this.end);
    return true;
  }
}
