// Autosave of an assessment: an answer that was refused comes back as 422 or 409 with what is to be shown; the inputs
// stay as they were typed. Completing waits until everything is saved.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.target.closest?.("[data-section]") && !event.detail.target.id?.startsWith("saved-")) return;
  if (![409, 422].includes(event.detail.xhr.status)) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

document.addEventListener("htmx:afterSettle", () => {
  for (const slot of document.querySelectorAll(".answer__error")) {
    const wrong = slot.textContent.trim() !== "";
    for (const input of slot.closest(".answer").querySelectorAll("input, select")) {
      if (wrong) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }
});

for (const name of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.closest?.("[data-section]");
    const saved = form?.querySelector(".saved");
    if (!saved || saved.querySelector(".unsent")) return;
    const told = document.createElement("p");
    told.className = "notice notice--error unsent";
    told.textContent = "Not saved: the site did not answer. What you typed is still here; change anything to try again.";
    saved.append(told);
  });
}

const complete = document.querySelector("[data-complete]");
complete?.addEventListener("submit", async (event) => {
  if (!document.querySelector("[data-section].htmx-request")) return;
  event.preventDefault();
  while (document.querySelector("[data-section].htmx-request")) await new Promise((go) => setTimeout(go, 50));
  complete.requestSubmit();
});
