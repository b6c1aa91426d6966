// What ran when, on one canvas: a line for each job, below it one for each worker slot with its
// files, coloured by stage. The wheel goes closer, dragging goes along, a click tells more.

import { ask, tell } from "./frame.js";

const room = document.getElementById("timeline");
const box = room.querySelector(".chart"), canvas = box.querySelector("canvas"), tip = box.querySelector(".tip"), told = document.getElementById("told");
const LINE = 24, LEFT = 90, MOST = 5_000;
const HUES = { hash: 30, facts: 60, preview: 10, similar: 45, faces: 340, objects: 200, features: 230, scene: 260, quality: 120, kind: 160, text: 290 };
let jobs = [], spans = [], since = 0, until = 0, from = 0, upto = 0, marks = [];

async function load(hours) {
  until = Date.now();
  since = until - hours * 3_600_000;
  let page, cursor = "";
  spans = [];
  do {
    page = await ask("GET", `/api/v2/timeline?${new URLSearchParams({ since: new Date(since).toISOString(), until: new Date(until).toISOString(), limit: 5_000, ...(cursor && { cursor }) })}`);
    spans.push(...page.spans.map((span) => ({ ...span, began: Date.parse(span.began_at), ended: Date.parse(span.ended_at) })));
    cursor = page.next;
  } while (cursor && spans.length < MOST);
  jobs = page.jobs.map((job) => ({ ...job, began: Date.parse(job.started_at ?? job.created_at), ended: job.completed_at ? Date.parse(job.completed_at) : until }));
  const all = [...jobs, ...spans];
  box.hidden = !all.length;
  from = all.length ? Math.max(since, Math.min(...all.map((one) => one.began))) : since;
  upto = all.length ? Math.min(until, Math.max(...all.map((one) => one.ended))) : until;
  const margin = Math.max(500, (upto - from) * 0.02);
  from -= margin;
  upto += margin;
  draw();
}

const at = (moment) => LEFT + ((moment - from) / (upto - from)) * (canvas.clientWidth - LEFT);
const moment = (x) => from + ((x - LEFT) / (canvas.clientWidth - LEFT)) * (upto - from);

function draw() {
  if (box.hidden) return;
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  const slots = [...new Set(spans.map((span) => span.slot))].sort((a, b) => a - b);
  const visible = jobs.filter((job) => job.ended >= from && job.began <= upto).slice(0, 12);
  const height = (visible.length + slots.length + 1) * LINE + 8, ratio = devicePixelRatio;
  canvas.style.height = `${height}px`;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui";
  pen.textBaseline = "middle";
  marks = [];
  scale(pen, height, colour("--line"), colour("--soft"));
  visible.forEach((job, i) => {
    const y = (i + 1) * LINE;
    name(pen, job.job_type, y, colour("--soft"));
    bar(pen, job, y, job.error_count ? colour("--warn") : colour("--accent"), { job });
  });
  slots.forEach((slot, i) => name(pen, room.dataset.slot.replace("{}", slot + 1), (visible.length + i + 1) * LINE, colour("--soft")));
  for (const span of spans) {
    if (span.ended < from || span.began > upto) continue;
    const y = (visible.length + slots.indexOf(span.slot) + 1) * LINE;
    bar(pen, span, y, colour("--line"), { span });
    for (const stage of span.stages) {
      const began = span.began + stage.start_ms;
      pen.fillStyle = `hsl(${HUES[stage.stage] ?? 80} 70% 55%)`;
      pen.fillRect(at(began), y + 4, Math.max(0.5, at(began + stage.wall_ms) - at(began)), LINE - 8);
    }
  }
}

function scale(pen, height, line, ink) {
  const wanted = (upto - from) / Math.max(2, canvas.clientWidth / 130);
  const step = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 10_800, 43_200, 86_400].map((s) => s * 1_000).find((ms) => ms >= wanted) ?? 86_400_000;
  pen.strokeStyle = line;
  pen.fillStyle = ink;
  for (let time = Math.ceil(from / step) * step; time < upto; time += step) {
    pen.beginPath();
    pen.moveTo(at(time), LINE - 6);
    pen.lineTo(at(time), height);
    pen.stroke();
    const said = new Date(time).toLocaleTimeString(undefined, step < 1_000 ? { minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1 } : { timeStyle: step < 60_000 ? "medium" : "short" });
    pen.fillText(said, at(time) + 3, LINE / 2);
  }
}

function name(pen, text, y, ink) {
  pen.fillStyle = ink;
  pen.fillText(text, 4, y + LINE / 2, LEFT - 10);
}

function bar(pen, one, y, ink, mark) {
  const left = Math.max(LEFT, at(one.began)), right = Math.max(left + 1, at(one.ended));
  pen.fillStyle = ink;
  pen.fillRect(left, y + 4, right - left, LINE - 8);
  marks.push({ left, right, y, ...mark });
}

const under = (event) => marks.findLast((mark) => event.offsetX >= mark.left - 1 && event.offsetX <= mark.right + 1 && event.offsetY >= mark.y && event.offsetY < mark.y + LINE);

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const middle = moment(event.offsetX), by = Math.exp(event.deltaY / 400);
  from = middle - (middle - from) * by;
  upto = middle + (upto - middle) * by;
  draw();
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const by = (upto - from) / 5, move = { ArrowLeft: [-by, -by], ArrowRight: [by, by], "+": [by, -by], "-": [-by, by] }[event.key];
  if (!move) return;
  event.preventDefault();
  from += move[0];
  upto += move[1];
  draw();
});

let held = null, isMoved = false;
canvas.addEventListener("pointerdown", (event) => { held = event; isMoved = false; canvas.setPointerCapture(event.pointerId); });
canvas.addEventListener("pointermove", (event) => {
  if (!held) return hover(event);
  const by = moment(held.offsetX) - moment(event.offsetX);
  isMoved ||= Math.abs(event.offsetX - held.offsetX) > 3;
  from += by;
  upto += by;
  held = event;
  draw();
});
canvas.addEventListener("pointerup", (event) => {
  held = null;
  const mark = isMoved ? null : under(event);
  if (mark) tellOf(mark).catch((error) => tell(error.message));
});

function hover(event) {
  const mark = under(event);
  tip.hidden = !mark;
  canvas.style.cursor = mark ? "pointer" : "grab";
  if (!mark) return;
  const one = mark.job ?? mark.span;
  const seconds = (one.ended - one.began) / 1_000;
  tip.textContent = mark.job ? `${one.job_type}: ${one.processed_count} / ${one.file_count}, ${seconds.toFixed(1)} s` : `${one.kind}, ${one.outcome}, ${seconds.toFixed(2)} s`;
  tip.style.left = `${Math.min(event.offsetX + 12, canvas.clientWidth - 220)}px`;
  tip.style.top = `${event.offsetY + 14}px`;
}

async function tellOf(mark) {
  told.hidden = false;
  told.textContent = "";
  if (mark.job) {
    from = mark.job.began - 500;
    upto = mark.job.ended + 500;
    draw();
    told.textContent = `${mark.job.job_type}: ${mark.job.processed_count} / ${mark.job.file_count}. ${mark.job.error ?? ""}`;
    return;
  }
  const { span } = mark, file = await ask("GET", `/api/v2/files/${span.file_id}`);
  const link = Object.assign(document.createElement("a"), { href: `/library/${file.id}`, textContent: file.path ?? file.id });
  const list = document.createElement("ul");
  for (const stage of span.stages) list.append(Object.assign(document.createElement("li"), { textContent: `${stage.stage}: ${stage.wall_ms} ms, ${stage.outcome}` }));
  told.append(link, list);
}

for (const button of room.querySelectorAll("[data-hours]")) button.addEventListener("click", () => {
  for (const other of room.querySelectorAll("[data-hours]")) other.setAttribute("aria-pressed", other === button);
  load(Number(button.dataset.hours)).catch((error) => tell(error.message));
});
addEventListener("resize", draw);
load(24).catch((error) => tell(error.message));
