// Reading parts of a page again, one request at a time. htmx forgets a request that waits behind another one of the same
// element when the answer replaces that element; so the waiting is done here.

/**
 * A function to be called at every hint. `ask` starts one request through htmx and returns its promise. Hints that arrive
 * while one is under way lead to exactly one more, after the answer has settled in the page.
 */
export function refresher(ask) {
  let busy = false;
  let again = false;
  return async function refresh() {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      await Promise.resolve(ask()).catch(() => {}); // no answer: the next hint or the next look by the clock asks anew
      await settled();
    }
    busy = false;
  };
}

// htmx swaps before a request's promise resolves, and settles by a timer that it has set by then: timers of equal length
// fire in the order in which they were set.
const settled = () => new Promise((go) => setTimeout(go, window.htmx.config.defaultSettleDelay));

/** Reads `part` again from its own `hx-get`, as its `hx-trigger` would. Returns htmx's promise. */
export function readAgain(part) {
  return window.htmx.ajax("GET", part.getAttribute("hx-get"), {
    source: part, target: part, swap: part.getAttribute("hx-swap"), select: part.getAttribute("hx-select"),
  });
}
