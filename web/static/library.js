// A page with a wall of pictures: it is filled, walked along, selected from; a click opens large.

import { Choice } from "./choice.js";
import { offerScrubber } from "./scrubber.js";
import { showSelection } from "./selection.js";
import { sourceOf } from "./source.js";
import { neighbours, placeOf, walked } from "./walk.js";
import { Wall } from "./wall.js";

const element = document.getElementById("wall");
const choice = new Choice();
const source = sourceOf(element);
const wall = new Wall(element, source, (id) => choice.has(id));

async function begin() {
  const strip = document.getElementById("scrubber");
  if (source.isWhole && strip) offerScrubber(wall, strip);
  if (!(await wall.again())) return;
  document.getElementById("more")?.remove();
  showSelection(document.getElementById("selection"), wall, choice);
  element.addEventListener("click", clicked);
  element.addEventListener("keydown", pressed);
}

function clicked(event) {
  const month = event.target.closest(".month .all");
  if (month) return choice.month(wall, Number(month.dataset.section));
  const place = placeOf(event.target);
  if (!place || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (event.shiftKey) return choice.upto(wall, place);
  if (event.target.closest(".pick") || !choice.isEmpty) return choice.toggle(wall, place);
  open(place);
}

async function open(place) {
  const { openViewer } = await import("./viewer.js");
  openViewer(neighbours(wall, place));
}

function pressed(event) {
  if (event.key === "Escape" && !choice.isEmpty) return choice.clear();
  if (event.key === "a" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); return choice.all(); }
  const place = placeOf(event.target);
  if (event.key === " " && place) { event.preventDefault(); return event.shiftKey ? choice.upto(wall, place) : choice.toggle(wall, place); }
  const next = walked(wall, event);
  if (next && event.shiftKey) { choice.anchor ??= place; choice.upto(wall, next); }
}

document.addEventListener("pictures-changed", wall.again);
begin();
