// Buttons and small forms that ask the API for one thing: what to ask stands on them.
//   data-ask="POST /api/…" data-body='{…}' data-done="what to tell" data-undo="POST /api/…"

import { ask, tell } from "./frame.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-ask]");
  if (button) act(button, button.dataset.body && JSON.parse(button.dataset.body));
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-ask]");
  if (!form) return;
  event.preventDefault();
  const { field, kind } = form.dataset, said = form.elements[field].value;
  act(form, { [field]: kind === "json" ? JSON.parse(said) : said });
});
document.addEventListener("change", (event) => event.target.form?.matches("form[data-ask]") && event.target.form.requestSubmit());

async function act(element, body) {
  const { ask: asked, done, undo, undoBody } = element.dataset;
  const controls = element.matches("button") ? [element] : [...element.elements];
  for (const control of controls) control.disabled = true;
  try {
    await ask(...asked.split(" "), body);
    if (element.matches("button, [data-refresh]")) refresh();
    if (done) tell(done, undo && (async () => { await ask(...undo.split(" "), JSON.parse(undoBody || "{}")); refresh(); }));
  } catch (error) {
    tell(error.message);
  }
  for (const control of controls) control.disabled = false;
}

/** Show the page's content anew, as the server sees it now. */
export function refresh() {
  return window.htmx.ajax("GET", location.href, { target: "#content > section", select: "#content > section", swap: "outerHTML" });
}
