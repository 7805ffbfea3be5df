// A secret is told once, by the answer that made it: shown in a dialog to be copied, and then the page is read anew.
(() => {
  "use strict";
  document.addEventListener("linli:done", (event) => {
    const secret = event.detail?.secret ?? event.detail?.done?.secret; // of a webhook that was rotated
    const dialog = document.getElementById("secret");
    if (!secret || !dialog) return;
    event.preventDefault();
    for (const open of document.querySelectorAll("dialog[open]")) open.close();
    dialog.querySelector("output").textContent = secret;
    dialog.querySelector("[data-copy]").dataset.copy = secret;
    dialog.addEventListener("close", () => location.reload());
    linli.open("secret");
  });
})();
