/* Whoever stood on something that an update took away stands on the piece that was updated. */
(() => {
  let left = null;
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
