// Look-alikes: keep one of a group, decide many by a rule (totals first), lay one over the other.

import { ask, tell } from "./frame.js";
import { refresh } from "./act.js";
import { said } from "./fields.js";

document.addEventListener("submit", (event) => {
  const { target } = event;
  if (!target.matches("form[data-group], form[data-rule]")) return;
  event.preventDefault();
  (target.matches("[data-rule]") ? rehearse(target) : decide(target)).catch((error) => tell(error.message));
});
document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.matches("[data-apply]")) apply(target.form).catch((error) => tell(error.message));
  if (target.matches("[data-compare]")) compare(target.form);
});
document.addEventListener("change", ({ target }) => {
  if (target.form?.matches("[data-rule]")) target.form.querySelector("[data-apply]").hidden = true;
});

async function decide(form) {
  const keep = form.elements.keep.value;
  const trash = [...form.elements.keep].map((one) => one.value).filter((id) => id !== keep);
  await done(form, "/api/v2/duplicates/decisions", { verdicts: [{ keep, trash }], merge: form.elements.merge.checked });
}

async function rehearse(form) {
  const told = await ask("POST", "/api/v2/duplicates/rule", { ...said(form), dry_run: true });
  form.querySelector("[role=status]").textContent = told.files ? counted(form.dataset.totals, told) : form.dataset.none;
  form.querySelector("[data-apply]").hidden = !told.files;
}

const apply = (form) => done(form, "/api/v2/duplicates/rule", { ...said(form), dry_run: false });

async function done(form, address, body) {
  const told = await ask("POST", address, body);
  await refresh();
  tell(told.left.length ? told.left[0].reason : counted(form.dataset.done, told), async () => {
    try {
      await ask("POST", `/api/v2/jobs/${told.job}/undo`, {});
      await refresh();
    } catch (error) { tell(error.message); }
  });
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

function counted(text, told) {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, told.bytes)) / 3));
  const size = `${(told.bytes / 1000 ** step).toFixed(step > 1 ? 1 : 0)} ${UNITS[step]}`;
  return text.replace("{size}", size).replace(/\{(\w+)\}/g, (_, name) => told[name].toLocaleString());
}

// --- one over the other ------------------------------------------------------------------------

function compare(form) {
  const dialog = document.getElementById("compare"), chosen = form.elements.keep.value;
  const images = [...form.querySelectorAll(".pair li")].map((item) => ({ id: item.querySelector("input").value, image: item.querySelector("img") }));
  const [under, over] = dialog.querySelectorAll(".laid img"), others = images.filter((one) => one.id !== chosen);
  const select = dialog.querySelector("select");
  select.replaceChildren(...others.map((one, i) => new Option(one.image.alt, i)));
  select.parentElement.hidden = others.length < 2;
  const shown = images.find((one) => one.id === chosen).image;
  over.src = shown.src;
  over.alt = shown.alt;
  select.onchange = () => { under.src = others[select.value].image.src; under.alt = others[select.value].image.alt; };
  select.onchange();
  const range = dialog.querySelector("[type=range]"), box = dialog.querySelector("[type=checkbox]");
  range.oninput = box.onchange = () => {
    over.classList.toggle("is-difference", box.checked);
    over.style.clipPath = box.checked ? "" : `inset(0 ${100 - range.value}% 0 0)`;
    range.disabled = box.checked;
  };
  range.oninput();
  dialog.showModal();
}
