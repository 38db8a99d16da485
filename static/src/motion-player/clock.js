// The one clock of a player. Skeletons, timeline, phase label and the page's plots all read `time`; several players may share one.

export const MIN_RATE = 0.1;
export const MAX_RATE = 2;

/**
 * Time in a motion as a function of real time: time = anchor time + (now - anchor now) * rate.
 * Nothing is added up from frame to frame, so playback neither depends on the frame rate nor drifts, however often it loops.
 *
 * Events: "play", "pause", "ended", "seek", and "change" for rate, repeated part, loop and duration.
 */
export class PlaybackClock extends EventTarget {
  #now; #anchorNow = 0; #anchorTime = 0; #rate = 1; #loop = false; #interval = null;
  #durations = new Map(); // what is played -> its seconds
  playing = false;
  loops = 0; // how often playback has started again since the last seek

  /** @param now function returning milliseconds that only grow */
  constructor(now = () => performance.now()) {
    super();
    this.#now = now;
  }

  get start() { return this.#interval?.[0] ?? 0; }
  get end() { return this.#interval?.[1] ?? this.duration; }
  get repeats() { return this.#interval !== null || this.#loop; }
  get duration() { return Math.max(0, ...this.#durations.values()); }
  set duration(seconds) { this.setDuration(this, seconds); }

  /** The clock runs as long as the longest of what it drives. `seconds` null takes `member` away. */
  setDuration(member, seconds) {
    if (seconds === null) this.#durations.delete(member);
    else this.#durations.set(member, seconds);
    if (this.#interval && this.#interval[1] > this.duration + 1e-6) this.#interval = null;
    this.#tell("change");
  }

  get loop() { return this.#loop; }
  set loop(loop) {
    if (this.#loop === loop) return;
    this.#loop = loop;
    this.#tell("change");
  }

  /** [start, end] in seconds while only a part is repeated, or null. */
  get interval() { return this.#interval; }
  set interval(interval) {
    const time = this.time;
    this.#interval = interval;
    this.loops = 0;
    if (interval && (time < interval[0] || time > interval[1])) this.seek(interval[0]);
    else this.#anchor(Math.min(time, this.duration));
    this.#tell("change");
  }

  get rate() { return this.#rate; }
  set rate(rate) {
    const time = this.time;
    this.#rate = Math.min(Math.max(rate, MIN_RATE), MAX_RATE);
    this.#anchor(time);
    this.#tell("change");
  }

  get time() { return this.at(this.#now()); }

  /** The time at a moment of real time, such as the time stamp of a picture: all pictures of one frame then show the same. */
  at(now) {
    if (!this.playing) return this.#anchorTime;
    return this.#anchorTime + (Math.max(0, now - this.#anchorNow) / 1000) * this.#rate;
  }

  #anchor(time) {
    this.#anchorTime = time;
    this.#anchorNow = this.#now();
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }

  seek(time) {
    this.loops = 0;
    this.#anchor(Math.min(Math.max(time, 0), this.duration));
    this.#tell("seek");
  }

  play() {
    if (this.playing) return;
    if (this.#anchorTime >= this.end || this.#anchorTime < this.start) this.seek(this.start);
    this.#anchor(this.#anchorTime);
    this.playing = true;
    this.#tell("play");
  }

  pause() {
    if (!this.playing || this.tick()) return;
    this.#anchor(Math.min(this.time, this.duration));
    this.playing = false;
    this.#tell("pause");
  }

  /** Applies the end of the motion. Call once for each picture, then read the time. True when playback has just ended. */
  tick(now = this.#now()) {
    if (!this.playing) return false;
    const time = this.at(now);
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
    this.#tell("pause");
    this.#tell("ended");
    return true;
  }
}
