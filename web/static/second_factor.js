// Turning the second factor on: the password first, then the code for the app, drawn and spelt.

import { ask, tell } from "./frame.js";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("#second-factor");
  if (!form) return;
  event.preventDefault();
  try {
    const told = await ask("POST", form.getAttribute("action"), { password: form.elements.password.value });
    const dialog = document.getElementById("enrolment");
    const picture = dialog.querySelector("img");
    picture.src = URL.createObjectURL(new Blob([told.qr], { type: "image/svg+xml" }));
    picture.onload = () => URL.revokeObjectURL(picture.src);
    dialog.querySelector("output").textContent = told.secret.match(/.{1,4}/g).join(" ");
    form.reset();
    dialog.showModal();
  } catch (error) { tell(error.message); }
});
