// What every page does: light or dark, short messages with an undo, and asking the API.

const root = document.documentElement;
const KEPT = "darkroom-theme";

/** Ask the API; a problem document becomes an Error with its detail. */
export async function ask(method, url, body, headers = {}) {
  const told = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
  const answer = await fetch(url, { method, headers, ...told });
  const value = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(value.detail || value.title);
  return value;
}

/** Tell something in a line; with `undo` it can be taken back for as long as it is shown. */
export function tell(message, undo) {
  const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  toast.querySelector("p").textContent = message;
  const button = toast.querySelector("button");
  button.hidden = !undo;
  button.addEventListener("click", async () => { toast.remove(); await undo(); });
  document.getElementById("toasts").append(toast);
  setTimeout(() => toast.remove(), undo ? 12_000 : 5_000);
}

function showTheme() {
  const chosen = localStorage.getItem(KEPT);
  if (chosen) root.dataset.theme = chosen; else delete root.dataset.theme;
}

function offerTheme() {
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const isDark = getComputedStyle(root).colorScheme === "dark";
    localStorage.setItem(KEPT, isDark ? "light" : "dark");
    showTheme();
  });
}

showTheme();
offerTheme();
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  document.querySelector(".search input")?.focus();
});
