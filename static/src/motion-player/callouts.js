// Words at joints: labels of HTML that follow joint centres of the motion on the screen.
import { Vector3 } from "three";

const APART = 4; // CSS pixels between two labels

export class Callouts {
  #frame; #layer; #items = [];

  /** @param frame element around the canvas */
  constructor(frame) {
    this.#frame = frame;
    this.#layer = frame.querySelector(".callouts");
  }

  get length() { return this.#items.length; }

  /** @param callouts [{joint: name of a joint centre, text, tone: "more", "less" or "", title: sentence}] */
  set(callouts, motion) {
    this.#items = callouts.flatMap(({ joint, text, tone = "", title = "" }) => {
      const index = motion.jointNames.indexOf(joint);
      if (index < 0) return [];
      const root = document.createElement("div");
      root.className = `callout ${tone}`;
      root.dataset.joint = joint;
      const label = document.createElement("span");
      label.textContent = text;
      label.title = title;
      root.append(label);
      return { index, root, label, point: new Vector3() };
    });
    this.#layer.replaceChildren(...this.#items.map(({ root }) => root));
  }

  /** Puts each label beside its joint as the camera sees it, left joints of the picture to the left. */
  place(skeleton, camera, people) {
    if (!this.#items.length) return;
    const { clientWidth: width, clientHeight: height } = this.#frame;
    people.updateMatrixWorld();
    camera.updateMatrixWorld();
    for (const item of this.#items) {
      skeleton.motion.jointCentre(item.index, skeleton.moment, item.point);
      people.localToWorld(item.point).project(camera);
      item.x = ((item.point.x + 1) / 2) * width;
      item.y = ((1 - item.point.y) / 2) * height;
    }
    const middle = this.#items.reduce((sum, { x }) => sum + x, 0) / this.#items.length;
    for (const side of [-1, 1]) {
      let free = -Infinity;
      const own = this.#items.filter(({ x }) => (x < middle ? -1 : 1) === side).sort((a, b) => a.y - b.y);
      for (const { root, label, x, y } of own) {
        const top = Math.max(y, free);
        free = top + label.offsetHeight + APART;
        root.classList.toggle("left", side < 0);
        root.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
        label.style.setProperty("--down", `${(top - y).toFixed(1)}px`);
      }
    }
  }
}
