// The page from which the worker takes the pictures of a video: the site's own <motion-player>, drawn moment by moment,
// and the words around it. It has no server: prescriptions/rendering/chromium.py hands it its files and calls `film`.
import { card, count, panel, phase } from "./words.js";

const QUALITY = 0.93; // of the JPEGs that go to the encoder
const EDGE = 0.93; // of half the picture: how far out the body may reach
const TURNED = { "three-quarter": { azimuth: 35, height: 4 } }; // views that the player has no button for, from its front

const sheet = document.createElement("canvas");
let player = null;
let ahead = null; // {key, picture}: what is being drawn before it is asked for
let views = []; // {camera, zoom}: the same player draws one after the other

/** Shows a motion, each camera's picture `width` by `height` pixels. Resolves when it can be drawn, with that size. */
async function show({ motion, bones, cameras, width, height, overlays }) {
  player?.remove();
  ahead = null;
  player = document.createElement("motion-player");
  player.setAttribute("controls", "none");
  player.setAttribute("src", motion);
  player.setAttribute("bones", bones);
  for (const overlay of overlays) player.setAttribute(overlay, "");
  player.style.width = `${width}px`;
  player.style.setProperty("--motion-player-stage-height", `${height}px`);
  const ready = new Promise((resolve, reject) => {
    player.addEventListener("ready", resolve, { once: true });
    player.addEventListener("error", (event) => reject(new Error(event.detail.message)), { once: true });
  });
  document.body.append(player);
  await ready;
  if (!player.inspect().people[0].bones) throw new Error("the bones could not be loaded");
  const canvas = canvasOf(player);
  await fit(canvas, width, height);
  player.style.visibility = "hidden"; // nobody looks: the browser need not put it on a screen as well
  views = cameras.map((camera) => ({ camera, zoom: nearest(camera) }));
  return [canvas.width, canvas.height];
}

/** The picture itself shall have the asked size, whatever frame the element draws around it. */
async function fit(canvas, width, height) {
  player.style.width = `${2 * width - canvas.clientWidth}px`;
  player.style.setProperty("--motion-player-stage-height", `${2 * height - canvas.clientHeight}px`);
  for (let tries = 0; tries < 60 && (canvas.width !== width || canvas.height !== height); tries += 1) {
    await new Promise(requestAnimationFrame);
  }
}

const canvasOf = (element) => element.shadowRoot.querySelector("canvas");

function aim(camera, zoom) {
  const turned = TURNED[camera];
  player.camera = turned ? "front" : camera;
  if (turned) player.orbit(turned.azimuth, turned.height);
  player.zoom(zoom);
}

/** How much nearer than the player's own framing the whole motion still fits: there are no buttons to leave room for. */
function nearest(camera) {
  let zoom = 1;
  for (let tries = 0; tries < 6; tries += 1) {
    aim(camera, zoom);
    zoom *= EDGE / Math.max(...Object.values(player.inspect().camera.inFrame).map(Math.abs));
  }
  return zoom;
}

/**
 * The picture at a moment of the motion, all cameras side by side: base64 of a JPEG. With `next`, that moment is drawn as soon as this
 * one is handed over, while the worker encodes it.
 */
async function picture(seconds, type, next) {
  const drawn = ahead?.key === `${seconds} ${type}` ? ahead.picture : draw(seconds, type);
  ahead = null;
  const found = await drawn;
  if (next !== null) setTimeout(() => { ahead = { key: `${next} ${type}`, picture: draw(next, type) }; });
  return found;
}

async function draw(seconds, type) {
  const canvas = canvasOf(player);
  sheet.width = canvas.width * views.length;
  sheet.height = canvas.height;
  const pen = sheet.getContext("2d", { alpha: false, willReadFrequently: true });
  const wall = pen.createLinearGradient(0, 0, 0, canvas.height);
  wall.addColorStop(0, "#f7f9fa");
  wall.addColorStop(1, "#dde5ea");
  pen.fillStyle = wall;
  pen.fillRect(0, 0, sheet.width, sheet.height);
  views.forEach(({ camera, zoom }, index) => {
    if (views.length > 1) aim(camera, zoom);
    player.drawFrame(seconds);
    pen.drawImage(canvas, index * canvas.width, 0); // in the task that drew it: afterwards the browser may empty it
  });
  return encoded(sheet, type);
}

/** What each camera shows at a moment: the player's own account of it. */
function seen(seconds) {
  return views.map(({ camera, zoom }) => {
    aim(camera, zoom);
    player.drawFrame(seconds);
    return player.inspect();
  });
}

async function encoded(canvas, type) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY));
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
  return url.slice(url.indexOf(",") + 1);
}

/** One piece of writing, as words.js draws it: base64 of a PNG. */
async function writing(kind, width, height, content) {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", { alpha: false });
  const logo = await logoPicture();
  const left = { card, count, panel, phase }[kind](pen, width, height, { ...content, logo });
  const blob = await canvas.convertToBlob({ type: "image/png" });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { png: btoa(text), left };
}

let logo = null;
async function logoPicture() {
  if (!logo) {
    const image = new Image();
    image.src = "/logo.svg";
    await image.decode();
    logo = image;
  }
  return logo;
}

/** What computes the pictures: the name of a graphics card, or of the software in its place. */
function graphics() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  return gl ? gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER) : "";
}

window.film = { show, picture, writing, seen, graphics };
