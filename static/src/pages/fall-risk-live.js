// Parts of a page that another person's action changes: `data-live-socket` names the socket. It only hints that the rows
// changed; the part is then read again by HTTP, also when the socket opens anew and, without a socket, now and then.
const SIGNED_OUT = 4401;
const ASK_EVERY_MS = 30000;
const LONGEST_WAIT_MS = 15000;

function watch(id, path) {
  let wait = 500;
  let open = false;
  let opened = false;
  const refresh = () => {
    const part = document.getElementById(id);
    if (part) window.htmx.trigger(part, "refresh");
  };
  const connect = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${path}`);
    socket.addEventListener("message", (event) => {
      const first = JSON.parse(event.data).event === "connected";
      if (first) { open = true; wait = 500; }
      if (!first || opened) refresh();      // the page itself is as new as the first connection
      opened = true;
    });
    socket.addEventListener("close", (event) => {
      open = false;
      if (event.code === SIGNED_OUT) { location.reload(); return; }
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  };
  connect();
  setInterval(() => { if (!open) refresh(); }, ASK_EVERY_MS);
}

for (const part of document.querySelectorAll("[data-live-socket][id]")) watch(part.id, part.dataset.liveSocket);
