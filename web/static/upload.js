// Files dropped anywhere on the page, folders too: sent in pieces, three at a time, and what broke
// off goes on where it was.

import { ask, tell } from "./frame.js";

const AT_ONCE = 3, TRIES = 5, TOGETHER = 200;
const texts = document.getElementById("library").dataset;
const batch = () => crypto.getRandomValues(new Uint32Array(3)).join("-");

document.addEventListener("dragenter", (event) => { if (isFiles(event)) cover(true); });
document.addEventListener("dragover", (event) => { if (isFiles(event)) event.preventDefault(); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) cover(false); });
document.addEventListener("drop", async (event) => {
  if (!isFiles(event)) return;
  event.preventDefault();
  cover(false);
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  await send((await Promise.all(entries.map((entry) => within(entry, "")))).flat());
});

const isFiles = (event) => event.dataTransfer?.types.includes("Files");

function cover(isOn) {
  document.querySelector(".drop")?.remove();
  if (isOn) document.body.append(Object.assign(document.createElement("div"), { className: "drop", textContent: texts.drop }));
}

/** Every file of a dropped entry, with its path. */
async function within(entry, folder) {
  const name = folder + entry.name;
  if (entry.isFile) return [{ name, file: await new Promise((done, failed) => entry.file(done, failed)) }];
  const reader = entry.createReader(), found = [];
  for (;;) { // a reader gives at most a hundred at a time
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return (await Promise.all(found.map((one) => within(one, `${name}/`)))).flat();
    found.push(...some);
  }
}

/** Send files; tells how it goes, and how it went. */
export async function send(files) {
  const together = batch(), state = { done: 0, failed: 0, why: "", total: files.length };
  const line = progressLine(state);
  for (let at = 0; at < files.length; at += TOGETHER) await sendSome(files.slice(at, at + TOGETHER), together, state, line);
  line.end();
  tell(texts.uploaded.replace("{}", state.done));
  if (state.failed) tell(texts.failed.replace("{}", state.failed).replace("{}", state.why));
}

async function sendSome(files, together, state, line) {
  const wanted = files.map(({ name, file }) => ({ name, size: file.size, batch: together, modified_at: new Date(file.lastModified).toISOString() }));
  const begun = (await ask("POST", "/api/v2/uploads/many", { files: wanted })).items;
  let next = 0;
  const work = async () => {
    while (next < files.length) {
      const i = next++;
      try { await sendOne(files[i].file, begun[i]); state.done++; } catch (error) { state.failed++; state.why = error.message; }
      line.show();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function sendOne(file, begun) {
  if (!begun.upload) throw new Error(begun.reason);
  const { id, piece, status } = begun.upload;
  if (status !== "open") return;
  const url = `/api/v2/uploads/${id}`;
  let offset = begun.upload.offset;
  for (let tries = 0; offset < file.size || file.size === 0;) {
    const answer = await put(url, offset, file.slice(offset, offset + piece)).catch(() => null);
    if (answer?.ok) { tries = 0; offset = Number(answer.headers.get("Upload-Offset")); if (offset >= file.size) return; continue; }
    if (answer && answer.status < 500 && answer.status !== 409 && answer.status !== 429) throw new Error((await answer.json()).detail);
    if (++tries === TRIES) throw new Error(answer ? (await answer.json()).detail : "");
    await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
    const head = await fetch(url, { method: "HEAD" }).catch(() => null);
    if (head?.ok) offset = Number(head.headers.get("Upload-Offset"));
  }
}

const put = (url, offset, body) => fetch(url, { method: "PATCH", body, headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) } });

function progressLine(state) {
  const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  document.getElementById("toasts").append(toast);
  const show = () => { toast.querySelector("p").textContent = texts.uploading.replace("{}", state.done + state.failed).replace("{}", state.total); };
  show();
  return { show, end: () => toast.remove() };
}
