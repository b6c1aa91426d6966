// What is shown this once, and never again: in a dialog that stays until the person closes it.

import { tell } from "./frame.js";

/** Show `text`, told apart by `hint`; many lines are shown as lines. */
export function showOnce(hint, text) {
  const dialog = document.getElementById("once");
  dialog.querySelector("#once-hint").textContent = hint;
  dialog.querySelector("output").textContent = Array.isArray(text) ? text.join("\n") : text;
  dialog.showModal();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("#once [data-copy]");
  if (!button) return;
  const output = document.querySelector("#once output");
  getSelection().selectAllChildren(output); // where nothing may be copied for them, they still can
  try {
    await navigator.clipboard.writeText(output.textContent);
    tell(button.dataset.done);
  } catch { /* marked: Ctrl+C does it */ }
});
