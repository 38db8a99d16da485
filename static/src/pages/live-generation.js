// The progress page of a generation. The socket only hints that something changed; the state itself is read by HTTP,
// when the socket opens and at every hint. Without a socket the page asks every few seconds.
const SIGNED_OUT = 4401;
const NOT_FOUND = 4404;
const ASK_EVERY_MS = 5000;
const LONGEST_WAIT_MS = 15000;

function watch(path) {
  let wait = 500;
  let open = false;
  let socket;
  const current = () => document.querySelector("#generation-state[data-socket]");
  const refresh = () => {
    const state = current();
    if (state) window.htmx.trigger(state, "refresh");
    else socket.close();
  };
  const connect = () => {
    if (!current()) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}${path}`);
    socket.addEventListener("open", () => { open = true; wait = 500; });
    socket.addEventListener("message", refresh);
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

const state = document.querySelector("#generation-state[data-socket]");
if (state) watch(state.dataset.socket);
