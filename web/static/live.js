// The page follows what happens: events bring its content anew, progress moves the bars between.

import { refresh } from "./act.js";

const MOST_OFTEN_MS = 1_000;
let seq = null, wait = 1_000, isDue = false;

function connect() {
  const address = new URL("/api/v2/live", location.href.replace(/^http/, "ws"));
  if (seq !== null) address.searchParams.set("after", seq);
  const socket = new WebSocket(address);
  socket.addEventListener("open", () => { wait = 1_000; });
  socket.addEventListener("message", (message) => hear(JSON.parse(message.data)));
  socket.addEventListener("close", () => { setTimeout(connect, wait); wait = Math.min(30_000, wait * 2); });
}

function hear(news) {
  if (news.seq !== undefined) seq = news.seq;
  for (const one of news.progress ?? []) {
    const bar = document.querySelector(`progress[data-job="${one.job_id}"]`);
    if (bar) bar.value = one.share; else soon();
  }
  if (news.events?.length) soon();
}

// However much happens, the page is brought anew once a second.
function soon() {
  if (isDue || document.hidden) return;
  isDue = true;
  setTimeout(async () => { isDue = false; await refresh(); }, MOST_OFTEN_MS);
}

connect();
document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
