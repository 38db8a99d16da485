// What the colours and marks in the picture mean, with numbers and units, and who computed them.
import { locate } from "./muscle-document.js";
import { rampCss } from "./ramp.js";

const LEGENDS = `
  <div class="legends">
    <p class="legend of-muscles" hidden></p>
    <p class="legend of-forces" hidden></p>
    <p class="legend of-angles" hidden><b>Angles</b> <i class="key-mark within"></i>within the limits <i class="key-mark near"></i>less than 5° to the limit
      <i class="key-mark past"></i>past it. The long mark is the limit.</p>
    <p class="legend of-balance" hidden><b>Balance</b> <i class="key-mark com"></i>centre of mass and its point on the floor <i class="key-mark base"></i>base of support.
      Line: margin of stability, from the extrapolated centre of mass to the edge.</p>
  </div>`;

export class Legends {
  #root; #muscles; #ground; #angles; #balance; #written = "";

  /** @param frame element around the canvas: the legends stand under it */
  constructor(frame) {
    this.#root = document.createElement("div");
    this.#root.className = "body-view";
    this.#root.innerHTML = LEGENDS;
    frame.after(this.#root);
    [this.#muscles, this.#ground, this.#angles, this.#balance] = ["muscles", "forces", "angles", "balance"].map((name) => this.#root.querySelector(`.of-${name}`));
  }

  /** A sentence in place of the legend of the muscles; "" takes it away. */
  say(text) {
    this.#muscles.hidden = !text;
    this.#muscles.textContent = text;
  }

  /** @param activation of the muscle document, or null when there is none */
  ofMuscles(activation) {
    this.#muscles.hidden = false;
    this.#muscles.innerHTML = `<b>Muscle activation</b>, in percent of full activation
      <span class="scale" role="img" aria-label="Colours from dark blue, 0 percent, through grey, 50 percent, to yellow, 100 percent"><span class="bar"></span>
      <span class="ticks"><span>0</span><span>25</span><span>50</span><span>75</span><span>100 %</span></span></span>
      <span class="by"></span> <span class="doubt"></span> <span class="picked" aria-live="polite"></span>`;
    this.#muscles.querySelector(".bar").style.background = rampCss();
    this.#muscles.querySelector(".scale").hidden = !activation;
    this.#muscles.querySelector(".by").textContent = activation
      ? `Computed by ${activation.by}, not measured.`
      : "Activations are not known for this motion: the muscles are shown without them.";
    this.#written = "";
  }

  /** The muscle that is pointed at, and whether the moment is trusted. */
  ofMoment(muscles, activation) {
    const place = this.#muscles.querySelector(".picked");
    if (!place) return;
    const text = muscles.picked < 0 ? "Point at a muscle or tap it." : muscles.describe(muscles.picked);
    const doubted = activation && activation.trusted[locate(activation.seconds, muscles.time).a] === false;
    const doubt = doubted ? "At this moment the estimate is not trusted." : "";
    if (this.#written === text + doubt) return;
    this.#written = text + doubt;
    place.textContent = text;
    this.#muscles.querySelector(".doubt").textContent = doubt;
  }

  /** @param ground of the muscle document, or null when no arrows are drawn */
  ofForces(ground) {
    this.#ground.hidden = !ground;
    if (!ground) return;
    const source = ground.source === "estimated" ? "Estimated from the motion, not measured." : "Measured by force plates.";
    this.#ground.innerHTML = '<i class="key-mark force"></i><b>Force of the floor</b> on each foot, in percent of body weight (BW). ';
    this.#ground.append(source);
  }

  ofAngles(drawn) { this.#angles.hidden = !drawn; }
  ofBalance(drawn) { this.#balance.hidden = !drawn; }
}
