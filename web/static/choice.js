// Which pictures are selected: one by one, from here to there, a month, or everything there is.

import { idAt } from "./walk.js";

export class Choice extends EventTarget {
  constructor() {
    super();
    this.ids = new Set();
    this.isAll = false; // all that fits what the wall shows, also what is not loaded
    this.anchor = null; // where a range begins
  }

  has(id) { return this.isAll || this.ids.has(id); }
  get isEmpty() { return !this.isAll && this.ids.size === 0; }

  toggle(wall, place) {
    const id = idAt(wall, place);
    if (this.isAll) this.clear();
    if (!this.ids.delete(id)) this.ids.add(id);
    this.anchor = place;
    this.#changed();
  }

  /** From where the last one was selected to here. */
  async upto(wall, place) {
    if (!this.anchor || this.isAll) return this.toggle(wall, place);
    const [from, to] = [this.anchor, place].sort((a, b) => a.index - b.index || a.i - b.i);
    for (let index = from.index; index <= to.index; index++) {
      await wall.load(index);
      const { ids } = wall.sections[index].data;
      for (const id of ids.slice(index === from.index ? from.i : 0, index === to.index ? to.i + 1 : undefined)) this.ids.add(id);
    }
    this.#changed();
  }

  /** All of a month, or none of it where all are selected already. */
  async month(wall, index) {
    if (this.isAll) this.clear();
    await wall.load(index);
    const { ids } = wall.sections[index].data, hasAll = ids.every((id) => this.ids.has(id));
    for (const id of ids) if (hasAll) this.ids.delete(id); else this.ids.add(id);
    this.#changed();
  }

  all() { this.isAll = true; this.ids.clear(); this.#changed(); }
  clear() { this.isAll = false; this.ids.clear(); this.anchor = null; this.#changed(); }

  #changed() { this.dispatchEvent(new Event("changed")); }
}
