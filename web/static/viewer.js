// One picture over the whole window: keys and swipes go along, the wheel and two fingers go closer.

let dialog = null, at = null;

/** Show a file; `place` is {id, newer(), older()}, each of which gives the next place or null. */
export async function openViewer(place) {
  at = place;
  const answer = await fetch(`/library/${place.id}`, { headers: { "X-Fragment": "1" } });
  if (!answer.ok) return location.assign(`/library/${place.id}`);
  if (!dialog) make();
  dialog.innerHTML = await answer.text();
  if (!dialog.open) { dialog.showModal(); history.pushState({ viewer: true }, "", `/library/${place.id}`); }
  else history.replaceState({ viewer: true }, "", `/library/${place.id}`);
  closer(dialog.querySelector(".stage"));
}

function make() {
  dialog = Object.assign(document.createElement("dialog"), { className: "over" });
  document.body.append(dialog);
  dialog.addEventListener("close", () => { dialog.textContent = ""; if (history.state?.viewer) history.back(); });
  dialog.addEventListener("click", (event) => { if (event.target.closest(".leave")) { event.preventDefault(); dialog.close(); } });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") go("newer");
    if (event.key === "ArrowRight") go("older");
  });
  addEventListener("popstate", () => { if (dialog.open) dialog.close(); });
}

async function go(way) {
  const next = await at[way]();
  if (next) await openViewer(next);
}

// Zoom: the picture is moved and scaled so that what is under the pointer stays under it.
function closer(stage) {
  const image = stage?.querySelector("img");
  if (!image) return;
  let scale = 1, x = 0, y = 0, held = new Map(), startX = 0;
  const apply = () => {
    image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle("is-zoomed", scale > 1);
  };
  const zoom = (factor, clientX, clientY) => {
    const box = image.getBoundingClientRect(), wanted = Math.min(12, Math.max(1, scale * factor)), by = wanted / scale;
    x -= (clientX - box.left) * (by - 1);
    y -= (clientY - box.top) * (by - 1);
    scale = wanted;
    if (scale === 1) x = y = 0;
    apply();
  };
  stage.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY); }, { passive: false });
  image.addEventListener("dblclick", (event) => zoom(scale > 1 ? 1 / scale : 3, event.clientX, event.clientY));
  stage.addEventListener("pointerdown", (event) => { held.set(event.pointerId, event); startX = event.clientX; stage.setPointerCapture(event.pointerId); });
  stage.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    if (held.size === 2) pinch(event, before);
    else if (scale > 1) { x += event.clientX - before.clientX; y += event.clientY - before.clientY; apply(); }
    held.set(event.pointerId, event);
  });
  const pinch = (event, before) => {
    const other = [...held.values()].find((one) => one.pointerId !== event.pointerId);
    const far = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
    zoom(far(event) / Math.max(1, far(before)), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
  };
  const release = (event) => {
    const isSwipe = scale === 1 && held.size === 1 && event.pointerType === "touch" && Math.abs(event.clientX - startX) > 60;
    held.delete(event.pointerId);
    if (isSwipe && at) go(event.clientX > startX ? "newer" : "older");
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
}

closer(document.querySelector("main .stage"));
