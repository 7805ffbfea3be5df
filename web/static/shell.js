// What every page does: theme, language, letters, dialogs, keys. Nothing here sends anything.
(() => {
  "use strict";
  const root = document.documentElement;
  const words = JSON.parse(document.body.dataset.words || "{}");
  const linli = (window.linli = { words });

  // Where no theme is chosen the system's counts; Bootstrap only knows an attribute.
  if (!root.hasAttribute("data-bs-theme")) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => (dark.matches ? root.setAttribute("data-bs-theme", "dark") : root.removeAttribute("data-bs-theme"));
    follow();
    dark.addEventListener("change", follow);
  }

  const remember = (name, value) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; path=/; max-age=31536000; SameSite=Lax${secure}`;
    location.reload();
  };

  linli.toast = (text, { bad = false, action = null, seconds = 5 } = {}) => {
    const note = document.createElement("div");
    note.className = bad ? "toast-note toast-bad" : "toast-note";
    const said = document.createElement("span");
    said.textContent = text;
    note.append(said);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = action.label;
      button.addEventListener("click", () => { note.remove(); action.run(); });
      note.append(button);
    }
    document.getElementById("toasts").append(note);
    if (seconds) setTimeout(() => note.remove(), seconds * 1000);
    return { say: (more) => { said.textContent = more; }, close: () => note.remove() };
  };

  linli.open = (id) => {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const first = dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea, .sheet-body button");
    if (first) first.focus();
  };

  // Asks in our own dialog, so that it is reachable by keyboard, translated and styled.
  linli.confirm = (text) => new Promise((answer) => {
    const dialog = document.createElement("dialog");
    dialog.className = "sheet";
    dialog.innerHTML = '<div class="sheet-body"><p></p><div class="row-flex"><button class="btn btn-primary grow" value="yes"></button><button class="btn btn-outline-secondary grow" value="no"></button></div></div>';
    dialog.querySelector("p").textContent = text;
    dialog.setAttribute("aria-label", text);
    const [yes, no] = dialog.querySelectorAll("button");
    yes.textContent = words.yes;
    no.textContent = words.no;
    const done = (said) => { dialog.close(); dialog.remove(); answer(said); };
    yes.addEventListener("click", () => done(true));
    no.addEventListener("click", () => done(false));
    dialog.addEventListener("cancel", () => done(false));
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });

  document.addEventListener("click", (event) => {
    const on = event.target.closest("[data-language], [data-theme], [data-letters], [data-open], [data-close], [data-print], [data-copy]");
    if (!on) return;
    const { language, theme, letters, open, copy } = on.dataset;
    if (language) remember("linli-language", language);
    else if (theme) remember("linli-theme", theme);
    else if (letters) remember("linli-size", letters);
    else if (open) linli.open(open);
    else if (copy) navigator.clipboard.writeText(copy).then(() => linli.toast(words.copied));
    else if ("print" in on.dataset) window.print();
    else on.closest("dialog").close();
  });

  // What changes behind an open dialog is fetched when it is closed: nobody loses what is being written. What was on its way when
  // the dialog opened is thrown away, for it would close the dialog.
  let missed = false;
  document.body.addEventListener("linli:changed", (event) => {
    if (!document.querySelector("dialog[open]")) return;
    event.stopImmediatePropagation();
    missed = true;
  });
  document.addEventListener("htmx:before:swap", (event) => {
    if (!event.target.matches("[data-live]") || !document.querySelector("dialog[open]")) return;
    event.preventDefault();
    missed = true;
  });
  document.addEventListener("close", () => {
    if (!missed) return;
    missed = false;
    document.body.dispatchEvent(new CustomEvent("linli:changed"));
  }, true);

  // A tap beside a dialog closes it.
  document.addEventListener("click", (event) => {
    if (event.target.matches && event.target.matches("dialog.sheet")) event.target.close();
  });
})();
