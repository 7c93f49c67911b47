/* What an update of a piece of a page leaves as it is: what is open, and where somebody stands. */
(() => {
  let left = null;
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    name !== "open" || node.tagName !== "DETAILS";
  addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    if (target.contains(document.activeElement)) left = target;
  });
  addEventListener("htmx:afterSettle", ({ detail: { target } }) => {
    if (target !== left) return;
    left = null;
    if (document.activeElement === document.body) {
      target.tabIndex = -1;
      target.focus({ preventScroll: true });
    }
  });
})();
