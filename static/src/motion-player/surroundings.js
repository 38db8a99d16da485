// What happens around a player and concerns it: its size, whether it can be seen, the page's colours, a lost WebGL context.
import { watchTheme } from "./theme.js";

/** Returns a function that stops watching. Off screen and without a context the stage draws nothing. */
export function watchSurroundings(player, stage, frame, canvas, { onResize, onTheme, onFullscreen, onLost, onRestored }) {
  const release = [];
  const listen = (target, name, handler, options) => {
    target.addEventListener(name, handler, options);
    release.push(() => target.removeEventListener(name, handler, options));
  };

  const resized = new ResizeObserver(onResize);
  resized.observe(frame);

  let visible = true, lost = false;
  const suspend = () => { stage.suspended = !visible || lost; };
  const seen = new IntersectionObserver((entries) => { visible = entries.at(-1).isIntersecting; suspend(); });
  seen.observe(frame);
  listen(canvas, "webglcontextlost", (event) => {
    event.preventDefault(); // asks the browser to restore it
    lost = true;
    suspend();
    onLost();
  });
  listen(canvas, "webglcontextrestored", () => {
    lost = false;
    suspend();
    onRestored();
  });

  // The page keeps its scroll wheel until the visitor has chosen the player.
  listen(frame, "wheel", (event) => {
    if (!player.matches(":focus-within") && !event.ctrlKey && document.fullscreenElement !== player) event.stopPropagation();
  }, { capture: true });
  listen(canvas, "pointerdown", () => frame.focus({ preventScroll: true, focusVisible: false }));
  listen(document, "fullscreenchange", onFullscreen);

  release.push(watchTheme(onTheme), () => resized.disconnect(), () => seen.disconnect());
  return () => release.forEach((stop) => stop());
}
