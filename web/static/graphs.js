// What the machine did in the last day, drawn from the samples that are kept.

import { ask } from "./frame.js";

const graphs = document.getElementById("graphs");
const DAY_S = 86_400;
const SHOWN = "cpu,own_cpu,memory,own_memory,files,queue,lag_p99_ms";

async function draw() {
  const told = await ask("GET", `/api/v2/stats/series?seconds=${DAY_S}&only=${SHOWN}`);
  const at = told.samples.map((one) => one.at), of = (name) => told.samples.map((one) => one.readings[name] ?? null);
  if (at.length < 2) return;
  const perMinute = (name) => of(name).map((value) => value === null ? null : (value * 60) / told.every_s);
  graph(at, [[graphs.dataset.cpu, of("cpu")], [graphs.dataset.own, of("own_cpu")]], (value) => `${value} %`);
  graph(at, [[graphs.dataset.memory, of("memory").map(gigabytes)], [graphs.dataset.own, of("own_memory").map(gigabytes)]], (value) => `${value} GB`);
  graph(at, [[graphs.dataset.files, perMinute("files")], [graphs.dataset.queue, of("queue")]], String);
  graph(at, [[graphs.dataset.lag, of("lag_p99_ms")]], (value) => `${value} ms`);
}

const gigabytes = (bytes) => (bytes === null ? null : bytes / 1e9);

function graph(at, series, unit) {
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const box = graphs.appendChild(Object.assign(document.createElement("div"), { className: "card" }));
  const options = {
    width: box.clientWidth - 24, height: 190, legend: { live: false },
    axes: [axis, { ...axis, size: 62, values: (_, values) => values.map(unit) }],
    scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
    series: [{}, ...series.map(([label], i) => ({ label, stroke: colour(i ? "--good" : "--accent"), width: 1.5, spanGaps: false }))],
  };
  const drawn = new window.uPlot(options, [at, ...series.map(([, values]) => values)], box);
  new ResizeObserver(() => drawn.setSize({ width: box.clientWidth - 24, height: 190 })).observe(box);
}

draw();
