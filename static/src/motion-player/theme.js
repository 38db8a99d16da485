// The colours of the 3D view, taken from the element's style sheet so that one place decides them for light and dark.
import { Color } from "three";

/** @param swatches element whose children carry `data-colour` and the CSS colour of that name */
export function readTheme(swatches) {
  const theme = {};
  for (const swatch of swatches.children) theme[swatch.dataset.colour] = new Color().setStyle(getComputedStyle(swatch).color);
  const { r, g, b } = theme.stage;
  theme.dark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.2; // relative luminance, WCAG 2
  return theme;
}

/** Calls back when the page may have changed between light and dark. Returns a function that stops it. */
export function watchTheme(callback) {
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", callback);
  const observer = new MutationObserver(callback); // a page's own switch sets a class or attribute up here
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  return () => {
    query.removeEventListener("change", callback);
    observer.disconnect();
  };
}
