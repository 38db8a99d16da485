// The motion that is being generated, as it improves: shown when there is a first picture, replaced at every hint, gone with the
// end of the work.
import { refresher } from "../live.js";

const ASK_EVERY_MS = 5000; // in case hints do not come

const frame = document.querySelector("[data-live-preview]");

function player() {
  const made = document.createElement("motion-player");
  for (const [name, value] of Object.entries({
    src: frame.dataset.livePreview, bones: frame.dataset.bones, label: "The motion that is being generated, unchecked", controls: "simple", loop: "", autoplay: "",
  })) made.setAttribute(name, value);
  return made;
}

async function look() {
  if (document.getElementById("generation-state")?.dataset.state !== "running") { frame.hidden = true; return; }
  const shown = frame.querySelector("motion-player");
  if (shown && !frame.hidden) { await shown.refresh?.(); return; }
  const answer = await fetch(frame.dataset.livePreview, { headers: { Accept: "application/json" } });
  if (answer.status !== 200) return; // 204: nothing yet
  frame.hidden = false;
  if (!shown) frame.append(player());
}

if (frame) {
  const refresh = refresher(look);
  document.addEventListener("genuflex:preview", refresh);
  document.addEventListener("htmx:afterSettle", refresh);
  const timer = setInterval(() => {
    if (document.querySelector("[data-socket]")) refresh();
    else { clearInterval(timer); refresh(); }
  }, ASK_EVERY_MS);
  refresh();
}
