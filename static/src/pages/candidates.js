// Choosing another candidate: its facts come by htmx, and the one player of the page plays its motion.
document.addEventListener("htmx:afterSettle", () => {
  const shown = document.getElementById("shown");
  const player = document.getElementById("player");
  if (!shown || !player || player.getAttribute("src") === shown.dataset.playback) return;
  player.setAttribute("label", shown.dataset.label);
  player.setAttribute("src", shown.dataset.playback);
  for (const card of document.querySelectorAll("[data-candidate].candidate")) {
    const chosen = card.dataset.candidate === shown.dataset.candidate;
    card.classList.toggle("is-shown", chosen);
    const link = card.querySelector("a");
    if (chosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
});
