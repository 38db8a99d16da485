// A form that comes back with errors: the first of them is brought into view, with the keyboard in it.
const wrong = document.querySelector(".errors.nonfield, [aria-invalid='true']");
if (wrong) {
  if (!wrong.matches("input, select, textarea")) wrong.tabIndex = -1;
  wrong.focus();
}
