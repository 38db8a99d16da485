// Numbers beside what is drawn: HTML labels that follow points of the scene. They keep apart from each other and inside the picture.
import { Vector3 } from "three";

const APART = 3; // CSS pixels

export class Labels {
  #frame; #layer; #items = new Map(); #point = new Vector3();

  /** @param frame element around the canvas */
  constructor(frame) {
    this.#frame = frame;
    this.#layer = document.createElement("div");
    this.#layer.className = "labels";
    this.#layer.setAttribute("aria-hidden", "true"); // the same numbers stand in the legend, in words
    frame.querySelector("canvas").after(this.#layer);
  }

  /** @param wanted [{key, point: Vector3 in ground, text, tone}]; labels that are no longer wanted go away */
  set(wanted) {
    const keep = new Set();
    for (const { key, point, text, tone = "" } of wanted) {
      keep.add(key);
      let item = this.#items.get(key);
      if (!item) {
        item = { root: document.createElement("span"), point: new Vector3(), text: "", tone: null, width: 0, height: 0 };
        this.#items.set(key, item);
        this.#layer.append(item.root);
      }
      item.point.copy(point);
      if (item.text !== text) { item.root.textContent = item.text = text; item.width = 0; }
      if (item.tone !== tone) { item.root.className = `label ${tone}`; item.tone = tone; }
    }
    for (const [key, item] of this.#items) {
      if (keep.has(key)) continue;
      item.root.remove();
      this.#items.delete(key);
    }
  }

  /** Puts every label beside its point as the camera sees it. */
  place(camera, people) {
    if (!this.#items.size) return;
    const { clientWidth: width, clientHeight: height } = this.#frame;
    const placed = [];
    for (const item of this.#items.values()) {
      if (!item.width) [item.width, item.height] = [item.root.offsetWidth, item.root.offsetHeight];
      people.localToWorld(this.#point.copy(item.point)).project(camera);
      const x = ((this.#point.x + 1) / 2) * width, y = ((1 - this.#point.y) / 2) * height;
      const left = this.#point.x < 0; // outwards, away from the body
      const box = { item, y: y - item.height / 2, x: left ? x - item.width - 12 : x + 12 };
      box.x = Math.min(Math.max(box.x, 4), width - item.width - 4);
      placed.push(box);
    }
    placed.sort((a, b) => a.y - b.y);
    placed.forEach((box, index) => {
      for (const other of placed.slice(0, index)) {
        const beside = box.x + box.item.width + APART < other.x || other.x + other.item.width + APART < box.x;
        if (!beside && box.y < other.y + other.item.height + APART && box.y + box.item.height > other.y) box.y = other.y + other.item.height + APART;
      }
      box.y = Math.min(Math.max(box.y, 4), height - box.item.height - 4);
      box.item.root.style.transform = `translate(${box.x.toFixed(1)}px, ${box.y.toFixed(1)}px)`;
    });
  }

  dispose() {
    this.#layer.remove();
  }
}
