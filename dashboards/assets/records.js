// The records page, an export while it is written, and a file whose digest is looked up.

import { keys, renew } from "./recordpage.js";

/** A job that goes on is looked at every second. */
const job = () => document.querySelector("[data-job=going]");
setInterval(() => job() && renew(), 1000);

/** The digest is made here: the file stays on this computer. Not where pages come without TLS. */
const file = document.querySelector("[data-file]");
if (file && globalThis.crypto?.subtle) {
  file.hidden = false;
  file.querySelector("input").addEventListener("change", async ({ target }) => {
    const bytes = await target.files[0].arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const { sha256 } = target.form.elements;
    sha256.value = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    target.form.requestSubmit();
  });
}

// A choice looks at once; without a script there is a button.
for (const radio of document.querySelectorAll(".formats input")) {
  radio.addEventListener("change", () => radio.form.requestSubmit());
}

keys({
  "/": () => document.querySelector(".choose input")?.focus(),
  Escape: () => document.querySelector("main").focus(),
});
