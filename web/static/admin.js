// Forms that publish: gathered with their rows, looked at in a dry run first, then sent by send.js.
//
//   <form data-send="PUT /api/v1/units/{id}" data-publishes>       {id}: a field with data-path="id"
//   <input data-query="effective_at">                              goes into the address, an instant
//   <ul data-rows="leave"><li data-row>…<input data-key="from">     makes a list of objects; data-key="" of plain values
//   <textarea data-json>                                           is the whole body
(() => {
  "use strict";
  const words = JSON.parse(document.getElementById("admin-words").textContent);

  document.querySelector(".admin-parts [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

  const valueOf = (field) => {
    const text = field.value.trim();
    if (field.dataset.type === "list") return text.split(/[,，、\s]+/).filter(Boolean);
    return text === "" ? undefined : text;
  };

  const rowOf = (row) => {
    const fields = Array.from(row.querySelectorAll("[data-key]"));
    if (fields.length === 1 && fields[0].dataset.key === "") return valueOf(fields[0]);
    return Object.fromEntries(fields.map((field) => [field.dataset.key, valueOf(field)]).filter(([, value]) => value !== undefined));
  };

  const clean = (form) => {
    for (const note of form.querySelectorAll(".field-error")) note.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    form.querySelector(".form-error").hidden = true;
  };

  // Puts what is no plain field into the form's body and address. False where it cannot be read.
  const prepare = (form) => {
    form.dataset.base ??= form.dataset.send;
    form.dataset.own ??= form.dataset.body ?? "{}";
    const body = JSON.parse(form.dataset.own);
    for (const area of form.querySelectorAll("[data-json]")) {
      try { Object.assign(body, JSON.parse(area.value)); } catch (wrong) {
        const all = form.querySelector(".form-error");
        area.setAttribute("aria-invalid", "true");
        all.textContent = `${words.preview.not_json} ${wrong.message}`;
        all.hidden = false;
        area.focus();
        return false;
      }
    }
    for (const list of form.querySelectorAll("[data-rows]")) body[list.dataset.rows] = Array.from(list.querySelectorAll("[data-row]"), rowOf);
    form.dataset.body = JSON.stringify(body);
    let send = form.dataset.base;
    for (const field of form.querySelectorAll("[data-path]")) send = send.replace(`{${field.dataset.path}}`, encodeURIComponent(field.value.trim()));
    form.dataset.send = send + query(form);
    return true;
  };

  const query = (form, more = {}) => {
    const asked = new URLSearchParams(more);
    for (const field of form.querySelectorAll("[data-query]")) if (field.value) asked.set(field.dataset.query, new Date(field.value).toISOString().replace(/\.\d+Z$/, "Z"));
    const text = asked.toString();
    return text ? `?${text}` : "";
  };

  const shown = (form) => form.querySelector(".preview");

  // Whoever changes something has to look anew.
  const changed = (form) => {
    const publish = form.querySelector("[data-publish]");
    if (publish) publish.disabled = true;
    shown(form).hidden = true;
  };

  const dryRun = async (button) => {
    const form = button.closest("form");
    if (!form.reportValidity()) return;
    clean(form);
    if (!prepare(form)) return;
    const [method, path] = form.dataset.send.split("?")[0].split(" ");
    const own = button.dataset.dryRun ? button.dataset.dryRun.split(" ") : null;
    const address = own ? own[1] : path + query(form, { dry_run: "true" });
    const headers = form.dataset.ifMatch ? { "If-Match": form.dataset.ifMatch } : {};
    button.setAttribute("aria-busy", "true");
    const done = await linli.request(own ? own[0] : method, address, linli.read(form).body, { headers });
    button.removeAttribute("aria-busy");
    const into = shown(form);
    if (!done.ok) { linli.refuse(form, done); return; }
    linli.preview(into, form, done.answer);
    into.hidden = false;
    into.focus();
    into.scrollIntoView({ block: "nearest" });
    const publish = form.querySelector("[data-publish]");
    if (publish) publish.disabled = false;
  };

  document.addEventListener("click", (event) => {
    const on = event.target.closest("[data-dry-run], [data-row-add], [data-row-remove], [data-row-up]");
    if (!on) return;
    if ("dryRun" in on.dataset) { dryRun(on); return; }
    const form = on.closest("form");
    const row = on.closest("[data-row]");
    if ("rowAdd" in on.dataset) {
      const near = on.closest("fieldset") ?? form;
      const list = near.querySelector("[data-rows]");
      list.append(near.querySelector("[data-row-template]").content.cloneNode(true));
      list.lastElementChild.querySelector("[data-key]").focus();
    } else if ("rowRemove" in on.dataset) {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (next?.querySelector("[data-row-remove]") ?? form.querySelector("[data-row-add]")).focus();
    } else if (row.previousElementSibling) {
      row.previousElementSibling.before(row);
      on.focus();
    }
    changed(form);
  });

  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.closest("form[data-publishes]");
      if (form) changed(form);
    });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-publishes]");
    if (!form || prepare(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  document.addEventListener("linli:refused", (event) => {
    const form = event.target.closest("form[data-publishes]");
    const problems = event.detail.facts?.problems ?? event.detail.problems;
    if (!form || !problems) return;
    linli.previewProblems(shown(form), problems);
    shown(form).hidden = false;
  });

  document.addEventListener("linli:done", (event) => {
    if ("due" in event.target.dataset) {
      const into = event.target.parentElement.querySelector(".due");
      linli.previewDue(into, event.detail, document.documentElement.lang === "en");
      into.hidden = false;
    } else if ("channelTest" in event.target.dataset) {
      const { outcome, reason, seconds } = event.detail;
      linli.toast(`${words.value[outcome] ?? outcome}${reason ? ` · ${reason}` : ""} · ${seconds} s`, { bad: outcome !== "delivered", seconds: 9 });
    }
  });
})();
