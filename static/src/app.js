// What every page loads: htmx, and the small modules of pages/ (each looks for its own elements and does nothing else).
import htmx from "htmx.org";
import "pages:all";

// Inline scripts are forbidden by the content security policy, so htmx is reachable for page modules only by this name.
window.htmx = htmx;
