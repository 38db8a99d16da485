// Parts of a page that another person's action changes: `data-live-socket` names the socket. It only hints that the rows
// changed; the part is then read again by HTTP, also when the socket opens anew and, without a socket, now and then.
import { readAgain, refresher } from "../live.js";

const SIGNED_OUT = 4401;
const ASK_EVERY_MS = 30000;
const LONGEST_WAIT_MS = 15000;

// What a refresh must not take away: the keyboard's place, what is being typed, what was opened. Elements without an id
// are found again by what they say or point to.
function nameOf(element) {
  if (element.id) return `#${element.id}`;
  const words = element.querySelector(".score__name, summary") ?? element;
  const said = element.getAttribute("href") ?? element.getAttribute("action") ?? words.textContent.replace(/[\d\s]+/g, " ").trim();
  return `${element.tagName} ${said}`;
}

function find(part, name) {
  if (name.startsWith("#")) return document.getElementById(name.slice(1));
  const tag = name.slice(0, name.indexOf(" "));
  return [...part.getElementsByTagName(tag)].find((element) => nameOf(element) === name);
}

function remembered(part) {
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const fields = [...part.querySelectorAll("input[id]:not([type=hidden]), textarea[id]")];
  const refused = (field) => field.getAttribute("aria-invalid") === "true";
  return {
    typed: fields.filter((field) => field.value !== field.defaultValue || refused(field)).map((field) => [field.id, field.value]),
    open: [...part.querySelectorAll("details")].map((details) => [nameOf(details), details.open]),
    focus: active && { name: nameOf(active), start: active.selectionStart, end: active.selectionEnd },
  };
}

function restore(part, { typed, open, focus }) {
  for (const [name, isOpen] of open) {
    const details = find(part, name);
    if (details) details.open = isOpen;
  }
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  const element = focus && find(part, focus.name);
  if (!element) return;
  element.focus({ preventScroll: true });
  if (typeof focus.start === "number") element.setSelectionRange(focus.start, focus.end);
}

const before = new Map();

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!part?.matches?.("[data-live-socket][id]") || !event.detail.shouldSwap) return;
  if (part.hasAttribute("hx-select") && !event.detail.serverResponse.includes(`id="${part.id}"`)) {
    event.detail.shouldSwap = false;        // another page came, such as the one to sign in
    location.reload();
    return;
  }
  before.set(part.id, remembered(part));
});

document.addEventListener("htmx:afterSettle", () => {
  for (const [id, kept] of before) {
    const part = document.getElementById(id);
    if (part) restore(part, kept);
  }
  before.clear();
});

function watch(id, path) {
  let wait = 500;
  let open = false;
  let opened = false;
  const refresh = refresher(() => {
    const part = document.getElementById(id);
    return part && readAgain(part);
  });
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
