// The sheets of a case: one of two ways to say where, likely duplicates to take, the reporter opened for a reason. Loaded by
// every page that draws case/actions.html.
(() => {
  "use strict";

  const either = (fieldset) => {
    const form = fieldset.closest("form");
    for (const radio of fieldset.querySelectorAll("[data-either-by]")) {
      radio.disabled = false;
      radio.removeAttribute("name"); // it chooses, and is no part of what is sent
      radio.addEventListener("change", () => {
        for (const other of fieldset.querySelectorAll("[data-either-by]")) other.checked = other === radio;
        for (const part of form.querySelectorAll("[data-either-of]")) {
          part.hidden = part.dataset.eitherOf !== radio.value;
          for (const field of part.querySelectorAll("input, select")) field.disabled = part.hidden;
        }
      });
    }
  };
  document.querySelectorAll("[data-either]").forEach(either);

  // What may be the same matter is looked for whenever somebody wants to merge: a fresh demand can be compared a little later.
  const similar = async (form) => {
    const place = form.querySelector("[data-similar]");
    const answer = await fetch(`/demands/${form.dataset.similarOf}/similar`, { credentials: "same-origin" }).catch(() => null);
    if (answer?.ok) place.innerHTML = await answer.text();
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]"), taken = event.target.closest("[data-take]");
    if (opener) {
      const form = document.getElementById(opener.dataset.open)?.querySelector("[data-similar-of]");
      if (form) similar(form);
      const menu = opener.closest("details.menu");
      if (menu) menu.open = false;
    } else if (taken) {
      const field = taken.closest("form").querySelector("[name=primary]");
      field.value = taken.dataset.take;
      field.focus();
    } else {
      for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // Opened in this page only; it is not kept anywhere.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.id !== "reveal-form") return;
    event.preventDefault();
    const reason = form.querySelector("[name=reason]:checked").value;
    const done = await linli.request("GET", form.dataset.path + encodeURIComponent(reason), null);
    if (!done.ok) { linli.refuse(form, done); return; }
    const said = { ...done.answer, ...done.answer.address };
    for (const place of document.querySelectorAll("#reporter [data-field]")) {
      const value = said[place.dataset.field];
      if (!value) continue;
      if (place.dataset.field === "phone") { const link = document.createElement("a"); link.href = `tel:${value}`; link.textContent = value; place.replaceChildren(link); }
      else place.textContent = value;
    }
    form.closest("dialog").close();
  });

  // On paper every explanation is open.
  let opened = [];
  addEventListener("beforeprint", () => { opened = Array.from(document.querySelectorAll("#main details:not([open])")); for (const one of opened) one.open = true; });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
})();
