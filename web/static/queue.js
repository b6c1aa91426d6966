// A few requests at a time, the nearest first; what is no longer wanted is never sent.

/** `start(key)` returns a promise; `wanted(keys)` replaces what waits. */
export class Queue {
  constructor(most, start) {
    this.most = most;
    this.start = start;
    this.waiting = [];
    this.running = new Set();
  }

  wanted(keys) {
    this.waiting = keys.filter((key) => !this.running.has(key));
    this.next();
  }

  next() {
    while (this.running.size < this.most && this.waiting.length) {
      const key = this.waiting.shift();
      this.running.add(key);
      this.start(key).catch(() => {}).finally(() => { this.running.delete(key); this.next(); });
    }
  }
}
