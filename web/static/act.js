// Buttons and forms that ask the API for one thing: what to ask stands on them.
//   data-ask="POST /api/…/{field}"   {field} is taken from the form, or from a select beside
//   data-body='{…}'                  what a button says; a form says its fields (fields.js)
//   data-field="name"                the one field of a form that asks as soon as it is changed
//   data-match="3"                   the version that was seen
//   data-confirm="Really?"           asked first, where nothing can be undone
//   data-done="…"                    what to tell then
//   data-undo="POST /api/…/{id}"     takes it back; {id} is taken from the answer
//   data-shows="link.address"        what of the answer is shown this once (once.js), under data-hint
//   data-then="/albums"              the page to go to; else the page's content is brought anew

import { ask, tell } from "./frame.js";
import { filled, said } from "./fields.js";
import { showOnce } from "./once.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-ask]");
  if (button) act(button, button.dataset.body && JSON.parse(button.dataset.body));
});
document.addEventListener("click", (event) => event.target.closest("dialog [data-close]")?.closest("dialog").close());
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-ask]");
  if (!form) return;
  event.preventDefault();
  act(form, form.dataset.field ? single(form) : { ...JSON.parse(form.dataset.body ?? "{}"), ...said(form) });
});
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("form[data-ask][data-field]") && !form.querySelector("button")) form.requestSubmit();
});

function single(form) {
  const { field, kind } = form.dataset, told = form.elements[field].value;
  return { [field]: kind === "json" ? JSON.parse(told) : told };
}

async function act(element, body) {
  const { ask: asked, match, confirm: question, shows, then } = element.dataset;
  if (question && !confirm(question)) return;
  const isButton = element.matches("button");
  const controls = (isButton ? [element] : [...element.elements]).filter((control) => !control.disabled);
  const [method, address] = filled(asked, isButton ? {} : element.elements).split(" ");
  for (const control of controls) control.disabled = true;
  try {
    const answer = await ask(method, address, body, match === undefined ? {} : { "If-Match": `"${match}"` });
    element.closest("dialog")?.close();
    if (shows) showOnce(element.dataset.hint, shows.split(".").reduce((value, name) => value[name], answer));
    if (then) location.assign(then);
    else if (isButton || "refresh" in element.dataset || !element.dataset.field) await refresh();
    told(element, answer);
  } catch (error) {
    tell(error.message);
  }
  for (const control of controls) control.disabled = false;
}

/** Say that it is done, and offer to take it back. */
function told(element, answer) {
  const { done, undo, undoBody } = element.dataset;
  if (!done) return;
  tell(done, undo && (async () => {
    const [method, address] = filled(undo, answer ?? {}).split(" ");
    try {
      await ask(method, address, undoBody === undefined && method === "DELETE" ? undefined : JSON.parse(undoBody ?? "{}"));
      await refresh();
    } catch (error) { tell(error.message); }
  }));
}

/** Show the page's content anew, as the server sees it now; what was unfolded stays so. */
export async function refresh() {
  const open = [...document.querySelectorAll("details[open][id]")].map((one) => one.id);
  await window.htmx.ajax("GET", location.href, { target: "#content > section", select: "#content > section", swap: "outerHTML" });
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
}
