// The line in a plot that stands where the player's clock stands: it follows the player, and dragging it moves the player.

const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }; // frames

/** Binds a drawn Plotly figure to a player. `scale` turns seconds into what stands on the x axis. */
export class Cursor {
  #plot; #player; #scale; #line; #follow;

  constructor(plot, player, scale) {
    this.#plot = plot;
    this.#player = player;
    this.#scale = scale;
    this.#line = plot.parentElement.querySelector(".plot__cursor") ?? this.#make();
    this.#line.onkeydown = (event) => this.#key(event);
    plot.onpointerdown = (event) => this.#grab(event);
    this.#follow = () => this.show();
    player.addEventListener("timeupdate", this.#follow);
    player.addEventListener("loadedmetadata", this.#follow);
    this.show();
  }

  release() {
    this.#player.removeEventListener("timeupdate", this.#follow);
    this.#player.removeEventListener("loadedmetadata", this.#follow);
  }

  #make() {
    const line = document.createElement("div");
    line.className = "plot__cursor";
    line.tabIndex = 0;
    line.setAttribute("role", "slider");
    line.setAttribute("aria-label", `Moment shown in ${this.#plot.getAttribute("aria-label") ?? "the plot"}`);
    this.#plot.parentElement.append(line);
    return line;
  }

  get #axis() { return this.#plot._fullLayout.xaxis; } // of Plotly: pixels of the axis, and from data to pixels

  show() {
    if (!this.#plot.isConnected) { this.release(); return; }
    const time = this.#player.currentTime;
    const { _offset: offset, _length: length } = this.#axis;
    const at = Math.min(Math.max(this.#axis.d2p(this.#scale.x(time)), 0), length);
    const { t, h } = this.#plot._fullLayout._size;
    this.#line.style.transform = `translate(${(offset + at).toFixed(1)}px, ${t}px)`;
    this.#line.style.height = `${h}px`;
    const duration = this.#player.duration || 0;
    const words = this.#scale.percent ? `${Math.round(this.#scale.x(time))} % of the squat` : `${time.toFixed(2)} seconds`;
    for (const [name, value] of Object.entries({ valuemin: 0, valuemax: duration.toFixed(2), valuenow: time.toFixed(2), valuetext: words })) {
      this.#line.setAttribute(`aria-${name}`, value);
    }
  }

  #seek(event) {
    const { left } = this.#plot.getBoundingClientRect();
    this.#player.currentTime = this.#scale.time(this.#axis.p2d(event.clientX - left - this.#axis._offset));
  }

  // Playing waits while the line is held, and goes on from where it was let go.
  #grab(event) {
    if (event.button || !this.#player.motion) return;
    const wasPlaying = !this.#player.paused;
    this.#player.pause();
    this.#seek(event);
    const move = (moved) => this.#seek(moved);
    const drop = () => {
      window.removeEventListener("pointermove", move);
      for (const end of ["pointerup", "pointercancel"]) window.removeEventListener(end, drop);
      if (wasPlaying) this.#player.play();
    };
    window.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, drop);
  }

  #key(event) {
    const { motion, duration } = this.#player;
    if (!motion || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Home") this.#player.currentTime = 0;
    else if (event.key === "End") this.#player.currentTime = duration;
    else if (KEYS[event.key]) this.#player.stepFrames(KEYS[event.key]);
    else if (event.key === " ") this.#player[this.#player.paused ? "play" : "pause"]();
    else return;
    event.preventDefault();
  }
}
