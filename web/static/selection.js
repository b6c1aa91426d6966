// What is selected, and what can be done with it.

import { placeOf, idAt } from "./walk.js";

/** Show the bar while something is selected; its buttons begin what they name. */
export function showSelection(bar, wall, choice) {
  const output = bar.querySelector("output");
  const show = () => {
    bar.hidden = choice.isEmpty;
    wall.element.classList.toggle("is-picking", !choice.isEmpty);
    output.textContent = choice.isAll ? output.dataset.all : output.dataset.one.replace("{}", choice.ids.size);
    bar.querySelector("[data-do=all]").hidden = choice.isAll || wall.source.query === null;
    for (const tile of wall.shown.values()) mark(wall, choice, tile);
  };
  choice.addEventListener("changed", show);
  bar.addEventListener("click", async (event) => {
    const wish = event.target.closest("button[data-do]")?.dataset.do;
    if (wish === "clear") choice.clear();
    else if (wish === "all") choice.all();
    else if (wish) (await import("./bulk.js")).begin(wish, wall, choice);
  });
  show();
}

function mark(wall, choice, tile) {
  const place = placeOf(tile);
  if (!place) return;
  const isPicked = choice.has(idAt(wall, place));
  tile.classList.toggle("is-picked", isPicked);
  tile.querySelector(".pick").setAttribute("aria-pressed", isPicked);
}
