// Picture in picture: the canvas as a video in the browser's floating window.

const FRAMES_PER_SECOND = 30;

export const canFloat = () => Boolean(document.pictureInPictureEnabled && HTMLCanvasElement.prototype.captureStream);

export class FloatingPicture {
  #video = null; #onChange; #player;

  /** @param onChange called when the window opens and when it closes */
  constructor(player, onChange) {
    this.#player = player;
    this.#onChange = onChange;
  }

  get open() { return this.#video !== null; }

  /** Opens the window, or closes it. A refusal by the browser leaves the page as it is. */
  async toggle(canvas) {
    if (this.#video) { await document.exitPictureInPicture().catch(() => this.close()); return; }
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = canvas.captureStream(FRAMES_PER_SECOND);
    video.addEventListener("leavepictureinpicture", () => this.close());
    this.#video = video;
    try {
      this.#onChange(); // a picture is drawn now: a stream without one has no size, and the window cannot open
      await video.play();
      await video.requestPictureInPicture();
      for (const action of ["play", "pause"]) navigator.mediaSession?.setActionHandler(action, () => this.#player[action]());
    } catch {
      this.close();
    }
  }

  close() {
    if (!this.#video) return;
    for (const track of this.#video.srcObject.getTracks()) track.stop();
    for (const action of ["play", "pause"]) navigator.mediaSession?.setActionHandler(action, null);
    this.#video = null;
    this.#onChange();
  }
}
