// Pages that wait for a worker: a generation in progress, candidates being checked by OpenSim, a draft to be signed.
// The element with `data-socket` names the socket, which only hints that something changed; the state itself is read by
// HTTP, when the socket opens, at every hint, and now and then in case a hint was lost: more often without a socket.
// An element with `data-refresh` is asked for the parts that changed; any other one renews itself.
import { readAgain, refresher } from "../live.js";

const SIGNED_OUT = 4401;
const NOT_FOUND = 4404;
const ASK_EVERY_MS = 5000;
const ASK_BESIDE_SOCKET_EVERY_MS = 20000;
const LONGEST_WAIT_MS = 15000;

function watch(path) {
  let wait = 500;
  let open = false;
  let socket;
  let asked = performance.now();
  const known = new Map();                  // candidate -> state of its check, to pass over mere progress
  const current = () => document.querySelector("[data-socket]");
  const refresh = refresher(() => {
    const state = current();
    asked = performance.now();
    if (!state) socket.close();
    else if (state.dataset.refresh) return askForParts(state.dataset.refresh);
    else return readAgain(state);
    return null;
  });
  const hinted = (message) => {
    const { event, candidate, status } = JSON.parse(message.data);
    if (event === "preview") { document.dispatchEvent(new Event("genuflex:preview")); return; } // a picture: live-preview.js
    const news = !candidate || known.get(candidate) !== status;
    known.set(candidate, status);
    if (news || !current()?.dataset.onlyNew) refresh();
  };
  const connect = () => {
    if (!current()) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}${path}`);
    socket.addEventListener("open", () => { open = true; wait = 500; });
    socket.addEventListener("message", hinted);
    socket.addEventListener("close", (event) => {
      open = false;
      if (event.code === SIGNED_OUT || event.code === NOT_FOUND) { location.reload(); return; }
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  };
  connect();
  const timer = setInterval(() => {
    if (!current()) clearInterval(timer);
    else if (!open || performance.now() - asked >= ASK_BESIDE_SOCKET_EVERY_MS) refresh();
  }, ASK_EVERY_MS);
}

// The parts come as htmx's out-of-band swaps; what the page shows already is said, so that it is not sent again.
function askForParts(address) {
  const shown = document.getElementById("shown")?.dataset.candidate ?? "";
  const seen = document.getElementById("physics")?.dataset.check ?? "";
  return window.htmx.ajax("GET", `${address}?candidate=${shown}&seen=${seen}`, { target: "#live-checks", swap: "innerHTML" });
}

const state = document.querySelector("[data-socket]");
if (state) watch(state.dataset.socket);
