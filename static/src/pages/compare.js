// Comparing motions: players on one clock, one transport for all, words at the joints, and the moment and view in the address,
// so that nothing is lost when the page is closed or another way of showing is chosen.
const page = document.querySelector(".compare");

const ready = (player) => new Promise((go) => {
  if (player.motion) go();
  else player.addEventListener("ready", go, { once: true });
});

async function follow(leader, player, how) {
  await Promise.all([customElements.whenDefined("motion-player"), ready(leader), ready(player)]);
  player.clock = leader.clock;
  player.follow(leader.motion, how);
}

function callouts(player) {
  const words = document.getElementById(player.dataset.callouts);
  if (words) ready(player).then(() => { player.callouts = JSON.parse(words.textContent); });
}

function transport(bar, leader, players) {
  const scrub = bar.querySelector("input"), now = bar.querySelector("output"), speed = bar.querySelector("select");
  const toggle = bar.querySelector("[data-does=toggle]");
  const show = () => {
    scrub.max = leader.duration || 1;
    scrub.value = leader.currentTime;
    now.textContent = `${leader.currentTime.toFixed(2)} s`;
    toggle.textContent = leader.paused ? "Play" : "Pause";
    for (const button of bar.querySelectorAll("[data-camera]")) button.setAttribute("aria-pressed", leader.camera === button.dataset.camera);
  };
  const does = { toggle: () => (leader.paused ? leader.play() : leader.pause()), back: () => leader.stepFrames(-1), forward: () => leader.stepFrames(1) };
  bar.addEventListener("click", (event) => {
    const { does: action, camera } = event.target.dataset;
    if (action) does[action]();
    if (camera) for (const player of players) player.camera = camera;
    show();
  });
  scrub.addEventListener("input", () => { leader.currentTime = Number(scrub.value); });
  speed.addEventListener("change", () => { leader.playbackRate = Number(speed.value); });
  for (const name of ["timeupdate", "play", "pause", "camerachange", "ready"]) leader.addEventListener(name, show);
  show();
}

// What is looked at goes into the address, without a new entry in the history.
function remember(leader) {
  const write = () => {
    const address = new URL(location.href);
    address.searchParams.set("t", leader.currentTime.toFixed(2));
    if (leader.camera !== "free") address.searchParams.set("camera", leader.camera);
    if (leader.playbackRate === 1) address.searchParams.delete("speed");
    else address.searchParams.set("speed", leader.playbackRate);
    history.replaceState(history.state, "", address);
    for (const link of document.querySelectorAll("a[data-keeps-moment]")) {
      for (const name of ["t", "camera", "speed"]) {
        const value = address.searchParams.get(name);
        const target = new URL(link.href);
        if (value !== null) target.searchParams.set(name, value);
        link.href = target;
      }
    }
  };
  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(write, 250); };
  leader.addEventListener("timeupdate", () => { if (leader.paused) soon(); });
  for (const name of ["pause", "camerachange", "ratechange"]) leader.addEventListener(name, soon);
}

async function start() {
  const leader = document.getElementById("player");
  const players = [...page.querySelectorAll("motion-player")];
  players.forEach(callouts);
  await customElements.whenDefined("motion-player");
  const followers = players.filter((player) => player.dataset.follows);
  await Promise.all(followers.map((player) => follow(leader, player, page.dataset.align)));
  await ready(leader);
  const asked = new URL(location.href).searchParams;
  for (const player of players) {
    try {
      if (asked.has("camera")) player.camera = asked.get("camera");
    } catch { /* an address with a view that does not exist shows the usual one */ }
  }
  if (asked.has("speed")) leader.playbackRate = Number(asked.get("speed"));
  if (asked.has("t")) leader.currentTime = Number(asked.get("t"));
  const bar = page.querySelector("[data-transport]");
  if (bar) transport(bar, leader, players);
  remember(leader);
  page.dataset.ready = "true";
}

if (page) start();

// Forms that choose motions: two to four.
for (const form of document.querySelectorAll(".compare-form")) {
  const boxes = () => [...document.querySelectorAll('input[type="checkbox"][name="motion"]')].filter((box) => box.form === form);
  const most = Number(form.dataset.most);
  const check = () => {
    const count = boxes().filter((box) => box.checked).length;
    for (const box of boxes()) box.disabled = !box.checked && count >= most;
    form.querySelector('[type="submit"]').disabled = count < 2;
    form.querySelector('[role="status"]').textContent = count < 2 ? "Choose at least two." : count >= most ? `${most} are the most that can be compared.` : "";
  };
  document.addEventListener("change", (event) => { if (event.target.form === form) check(); });
  document.addEventListener("htmx:afterSettle", check);
  check();
}
