// Inviting somebody: the link that comes back is shown once, to be given away.

import { ask, tell } from "./frame.js";

const form = document.getElementById("invite");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const told = await ask("POST", "/api/v2/users", { username: form.elements.username.value, role: form.elements.role.value });
    const link = document.getElementById("link");
    link.hidden = false;
    link.querySelector("output").textContent = told.link.address;
    form.reset();
  } catch (error) { tell(error.message); }
});
