// One picture of a wall, and the line with a month's name, as elements.

const sprite = document.querySelector(".brand use").getAttribute("href").split("#")[0];
const made = (tag, more) => Object.assign(document.createElement(tag), more);

/** The name of a month, with a button that selects all of it. */
export function titled(one, index, words) {
  const element = made("div", { className: "month" });
  element.style.cssText = `top:${one.top}px;left:${one.left}px`;
  const button = made("button", { type: "button", className: "quiet all" });
  button.dataset.section = index;
  button.setAttribute("aria-label", words.selectMonth.replace("{}", one.title));
  button.append(icon("check"));
  element.append(made("h2", { textContent: one.title }), button);
  return element;
}

/** Picture `i` of a section, in `row` of it. */
export function tile(one, place, row, words, isPicked) {
  const i = place.i, { data } = one, id = data.ids[i], n = i - row.from;
  const element = made("div", { className: isPicked ? "tile is-picked" : "tile" });
  element.dataset.place = `${place.index}:${i}`;
  element.style.cssText = `width:${row.widths[n]}px;height:${row.height}px;transform:translate(${one.left + row.lefts[n]}px,${one.top + row.top}px)`;
  const link = made("a", { href: `/library/${id}` });
  const image = made("img", { decoding: "async", alt: named(data, i, words) });
  if (data.keys[i]) image.dataset.src = data.thumbnails[i] ?? `/api/v2/files/${id}/derivatives/thumbnail?v=${data.keys[i]}`;
  else element.classList.add("is-blank");
  link.append(image);
  if (data.kinds[i] === "v") link.append(made("span", { className: "length", textContent: length(data.durations[i]) }));
  element.append(link, pickButton(isPicked, words));
  return element;
}

function pickButton(isPicked, words) {
  const button = made("button", { type: "button", className: "pick" });
  button.setAttribute("aria-label", words.select);
  button.setAttribute("aria-pressed", isPicked);
  button.append(icon("check"));
  return button;
}

/** A picture out of our own sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS(svg.namespaceURI, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function named(data, i, words) {
  const kind = data.kinds[i] === "v" ? words.video : words.photo;
  return data.taken[i] ? `${kind}, ${new Date(data.taken[i]).toLocaleDateString(undefined, { dateStyle: "long" })}` : kind;
}

const length = (seconds) => (seconds == null ? "" : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`);
