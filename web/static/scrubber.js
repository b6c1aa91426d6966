// The strip at the right edge: from any time to any other, by dragging, or by keys from month to month.

const made = (tag, more) => Object.assign(document.createElement(tag), more);

/** Offer the strip for a wall that knows all of its months and is long. */
export function offerScrubber(wall, strip) {
  strip.append(made("i"));
  const to = (event) => {
    const box = strip.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
    scrollTo(0, wall.element.offsetTop + share * (wall.height - innerHeight));
  };
  strip.addEventListener("pointerdown", (event) => { strip.setPointerCapture(event.pointerId); strip.classList.add("is-moving"); to(event); });
  strip.addEventListener("pointermove", (event) => { if (strip.hasPointerCapture(event.pointerId)) to(event); });
  strip.addEventListener("pointerup", () => strip.classList.remove("is-moving"));
  strip.addEventListener("keydown", (event) => byKey(wall, event));
  wall.addEventListener("arranged", () => { strip.hidden = wall.height < innerHeight * 2; mark(wall, strip); });
  wall.addEventListener("settled", () => show(wall, strip));
}

function byKey(wall, event) {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12 }[event.key];
  if (!step) return;
  event.preventDefault();
  const { sections, current } = wall;
  let index = current;
  while (sections[index + Math.sign(step)] && sections[index].top === sections[current].top) index += Math.sign(step);
  index = Math.min(sections.length - 1, Math.max(0, Math.abs(step) === 1 ? index : current + step));
  scrollTo(0, wall.element.offsetTop + sections[index].top);
}

// The years, as far as they do not lie on each other.
function mark(wall, strip) {
  for (const old of strip.querySelectorAll("b")) old.remove();
  let year = "", last = -Infinity;
  for (const one of wall.sections) {
    if (one.name.slice(0, 4) === year || !/^\d/.test(one.name)) continue;
    year = one.name.slice(0, 4);
    const at = (100 * one.top) / wall.height;
    if (at - last <= 3) continue;
    last = at;
    const label = made("b", { textContent: year });
    label.style.top = `${at}%`;
    strip.append(label);
  }
}

function show(wall, strip) {
  if (strip.hidden) return;
  const share = Math.min(1, Math.max(0, wall.y) / Math.max(1, wall.height - innerHeight));
  const output = strip.querySelector("output");
  strip.querySelector("i").style.top = output.style.top = `${100 * share}%`;
  output.textContent = wall.sections[wall.current].title;
  strip.setAttribute("aria-valuetext", output.textContent);
  strip.setAttribute("aria-valuenow", Math.round(100 * share));
}
