// Pages that wait for a worker: a generation in progress, candidates being checked by OpenSim, a draft to be signed.
// The element with `data-socket` names the socket, which only hints that something changed; the state itself is read by
// HTTP, when the socket opens and at every hint. Without a socket the page asks every few seconds. An element with
// `data-refresh` is asked for the parts that changed; any other one renews itself.
const SIGNED_OUT = 4401;
const NOT_FOUND = 4404;
const ASK_EVERY_MS = 5000;
const LONGEST_WAIT_MS = 15000;

function watch(path) {
  let wait = 500;
  let open = false;
  let socket;
  const known = new Map();                  // candidate -> state of its check, to pass over mere progress
  const current = () => document.querySelector("[data-socket]");
  const refresh = () => {
    const state = current();
    if (!state) socket.close();
    else if (state.dataset.refresh) askForParts(state.dataset.refresh);
    else window.htmx.trigger(state, "refresh");
  };
  const hinted = (message) => {
    const { candidate, status } = JSON.parse(message.data);
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
    else if (!open) refresh();
  }, ASK_EVERY_MS);
}

// The parts come as htmx's out-of-band swaps; what the page shows already is said, so that it is not sent again.
function askForParts(address) {
  const shown = document.getElementById("shown")?.dataset.candidate ?? "";
  const seen = document.getElementById("physics")?.dataset.check ?? "";
  window.htmx.ajax("GET", `${address}?candidate=${shown}&seen=${seen}`, { target: "#live-checks", swap: "innerHTML" });
}

const state = document.querySelector("[data-socket]");
if (state) watch(state.dataset.socket);
