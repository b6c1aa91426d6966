// The wall of pictures: only what is near the window exists in the page, whatever it stands for.
// The whole height is known, or guessed, before anything of it is loaded.
//
// Any page may have one:
//   {% with find = "album:" ~ id %}{% include "wall.html" %}{% endwith %}   and   scripts=("library.js",)
// `find` is a query, `album:ID`, or empty for everything. Who changed what a wall shows says
//   document.dispatchEvent(new Event("pictures-changed"))

import { Queue } from "./queue.js";
import { firstBehind, laid } from "./rows.js";
import { tile, titled } from "./tile.js";

const AHEAD = 1.2; // windows above and below that are kept ready
const SETTLED_MS = 90; // nothing is asked for while the wall flies past

/** The wall in `element`, filled by `source`; `isPicked(id)` says which tiles are selected. */
export class Wall extends EventTarget {
  constructor(element, source, isPicked) {
    super();
    Object.assign(this, { element, source, isPicked, sections: [], width: 0, height: 0 });
    this.shown = new Map(); // "section:index" -> element
    this.images = new Map(); // key -> img that waits for its picture
    this.lastMove = 0;
    this.frame = 0;
    this.requests = new Queue(3, (key) => (typeof key === "number" ? this.load(key) : this.#picture(key)));
    this.again = this.again.bind(this);
  }

  /** Show what there is now; false: nothing at all. */
  async again() {
    this.sections = await this.source.sections();
    if (!this.sections.length && !this.element.classList.contains("is-live")) return false;
    if (!this.element.classList.contains("is-live")) this.#begin();
    this.width = 0;
    this.#measure();
    return true;
  }

  #begin() {
    this.element.textContent = "";
    this.element.classList.add("is-live");
    addEventListener("scroll", () => { this.lastMove = performance.now(); this.draw(); }, { passive: true });
    addEventListener("resize", () => this.#measure());
  }

  /** Make sure that a section's pictures are known. */
  async load(index) {
    const one = this.sections[index];
    if (one.data) return;
    await this.source.load(one);
    this.arrange();
  }

  /** Where the window stands in the wall, in pixels from its top. */
  get y() { return scrollY - this.element.offsetTop; }

  /** The section at the upper edge of the window. */
  get current() {
    return Math.min(this.sections.length - 1, firstBehind(this.sections.length, (i) => this.#bottom(i), this.y));
  }

  #bottom(i) { return this.sections[i].top + this.sections[i].height; }

  #measure() {
    const { clientWidth } = this.element;
    if (clientWidth === this.width) return this.draw();
    this.width = clientWidth;
    for (const one of this.sections) one.rows = null;
    this.arrange();
  }

  // What is at the upper edge of the window stays there when something above it changes its height.
  arrange() {
    const { y } = this, one = y > 0 ? this.sections[this.current] : null;
    const share = one?.top === undefined || !one.height ? null : (y - one.top) / one.height;
    this.height = laid(this.sections, this.width);
    this.element.style.height = `${this.height}px`;
    for (const element of this.shown.values()) element.remove();
    this.shown = new Map();
    this.images.clear();
    if (share !== null) scrollTo(0, this.element.offsetTop + one.top + share * one.height);
    this.dispatchEvent(new Event("arranged"));
    this.draw();
  }

  draw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.#drawNow(); });
  }

  #drawNow() {
    const { y, sections } = this, ahead = innerHeight * AHEAD;
    const low = y - ahead, high = y + innerHeight + ahead, keep = new Map(), wanted = [];
    let index = firstBehind(sections.length, (i) => this.#bottom(i), low);
    for (; index < sections.length && sections[index].top < high; index++) {
      const one = sections[index], at = index;
      if (one.title) this.#put(keep, `${at}:title`, () => titled(one, at, this.element.dataset));
      if (one.data) this.#drawRows(keep, at, low, high); else wanted.push(at);
    }
    for (const [key, element] of this.shown) if (!keep.has(key)) { element.remove(); this.images.delete(key); }
    this.shown = keep;
    if (this.height < high) this.#more();
    if (performance.now() - this.lastMove < SETTLED_MS) return void setTimeout(() => this.draw(), SETTLED_MS);
    wanted.sort((a, b) => Math.abs(sections[a].top - y) - Math.abs(sections[b].top - y));
    this.requests.wanted([...wanted, ...[...this.images.keys()].filter((key) => !this.images.get(key).src)]);
    this.dispatchEvent(new Event("settled"));
  }

  #drawRows(keep, index, low, high) {
    const one = this.sections[index];
    const first = firstBehind(one.rows.length, (i) => one.top + one.rows[i].top + one.rows[i].height, low);
    for (let r = first; r < one.rows.length && one.top + one.rows[r].top < high; r++) {
      const row = one.rows[r];
      for (let i = row.from; i < row.upto; i++) {
        this.#put(keep, `${index}:${i}`, () => tile(one, { index, i }, row, this.element.dataset, this.isPicked(one.data.ids[i])));
      }
    }
  }

  #put(keep, key, make) {
    let element = this.shown.get(key);
    if (!element) {
      element = make();
      this.element.append(element);
      const image = element.querySelector("img");
      if (image?.dataset.src) this.images.set(key, image);
    }
    keep.set(key, element);
  }

  #picture(key) {
    const image = this.images.get(key);
    if (!image || !image.isConnected) return Promise.resolve();
    return new Promise((done) => {
      image.onload = () => { image.classList.add("is-there"); done(); };
      image.onerror = () => { image.closest(".tile")?.classList.add("is-blank"); done(); };
      image.src = image.dataset.src;
    });
  }

  async #more() {
    if (this.isReading) return;
    this.isReading = true;
    const isMore = await this.source.more();
    this.isReading = false;
    if (isMore) this.arrange();
  }
}
