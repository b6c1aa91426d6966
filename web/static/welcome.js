// Takes the secret of the link out of the address, where no server and no history would keep it,
// and asks for a name only where one is to be chosen.

import { ask } from "./frame.js";

const form = document.getElementById("welcome");
const secret = location.hash.slice(1) || sessionStorage.getItem("darkroom-link");
if (secret) {
  sessionStorage.setItem("darkroom-link", secret);
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.token.value = secret;
  form.querySelector("#token").hidden = true;
  show(secret);
}
form.addEventListener("submit", () => sessionStorage.removeItem("darkroom-link"));

async function show(token) {
  try {
    const told = await ask("POST", "/api/v2/auth/link/look", { token });
    form.querySelector("#username").hidden = told.purpose !== "first-administrator";
  } catch (error) {
    form.querySelector("p").textContent = error.message;
  }
}
