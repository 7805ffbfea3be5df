// Deeds: every form and button with data-send goes to the API as JSON, with an Idempotency-Key that a repetition keeps.
//
//   <form data-send="POST /api/v1/demands/N/actions" data-done="reload | /where | stay | none">
//   <button data-send="POST /api/…" data-body='{"type": "accept"}' data-confirm="…?" data-undo="8">
//
// Names with dots make objects ("location.grid"). data-type on a field: int, float, bool, json, list (by commas or lines), local
// (datetime-local → an instant). A name that ends with [] gathers an array. Empty fields are left out.
// <input type=file data-upload name="file_ids[]"> is uploaded first and sends ids. data-offline hands a deed to the queue
// (static/queue.js) where that is loaded. data-if-match sends If-Match. data-summary: what a queued or delayed deed is called.
//
// After success the element fires `linli:done` (detail: the answer), after a refusal `linli:refused` (detail: the problem).
(() => {
  "use strict";
  const { words } = linli;
  const keys = new WeakMap(); // element → {body, key}: the same content keeps its key until it succeeded

  linli.key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

  const put = (into, name, value) => {
    const path = name.replace(/\[\]$/, "").split(".");
    const last = path.pop();
    for (const step of path) into = into[step] ??= {};
    if (name.endsWith("[]")) (into[last] ??= []).push(value);
    else into[last] = value;
  };

  const typed = (field, text) => {
    switch (field.dataset.type) {
      case "int": return parseInt(text, 10);
      case "float": return parseFloat(text);
      case "bool": return text === "true" || text === "on";
      case "json": return JSON.parse(text);
      case "list": return text.split(/[,，\n]/).map((one) => one.trim()).filter(Boolean);
      case "local": return new Date(text).toISOString().replace(/\.\d+Z$/, "Z");
      default: return text;
    }
  };

  // What a form says, and the files that go first.
  linli.read = (form, submitter) => {
    const body = {}, files = [];
    const fields = form.matches("form") ? Array.from(form.elements) : [];
    for (const field of fields) {
      if (!field.name || field.disabled) continue;
      if (field.type === "file") {
        for (const file of linli.picked?.get(field) ?? field.files) files.push({ name: field.name, file });
        continue;
      }
      if (field.type === "checkbox" && field.dataset.type === "bool") { put(body, field.name, field.checked); continue; }
      if ((field.type === "checkbox" || field.type === "radio") && !field.checked) continue;
      if (field.type === "submit" || field.type === "button") { if (field !== submitter) continue; }
      if (field.multiple && field.options) {
        for (const option of field.selectedOptions) put(body, field.name, option.value);
        continue;
      }
      const text = field.value.trim();
      if (text !== "") put(body, field.name, typed(field, text));
    }
    const own = form.dataset.body ? JSON.parse(form.dataset.body) : {};
    const more = submitter?.dataset.body ? JSON.parse(submitter.dataset.body) : {};
    return { body: { ...own, ...body, ...more }, files };
  };

  // One request. Gives {ok, status, answer, headers}; `status` 0 where nobody answered.
  linli.request = async (method, path, body, { key = null, headers = {}, keepalive = false } = {}) => {
    const sent = { Accept: "application/json", "Accept-Language": document.documentElement.lang, ...headers };
    if (key && method === "POST") sent["Idempotency-Key"] = key;
    const raw = body instanceof FormData;
    if (body !== null && body !== undefined && !raw) sent["Content-Type"] = "application/json";
    try {
      const response = await fetch(path, {
        method, headers: sent, credentials: "same-origin", keepalive,
        body: body === null || body === undefined ? undefined : raw ? body : JSON.stringify(body),
      });
      const text = await response.text();
      let answer = null;
      try { answer = text ? JSON.parse(text) : null; } catch { answer = { detail: words.failed }; }
      return { ok: response.ok, status: response.status, answer, headers: response.headers };
    } catch {
      return { ok: false, status: 0, answer: { detail: words.no_answer }, headers: new Headers() };
    }
  };

  // A file to the API; gives its id, or throws the problem.
  linli.upload = async (file, key) => {
    const form = new FormData();
    form.append("file", file, file.name || "photo.jpg");
    const done = await linli.request("POST", "/api/v1/files", form, { key });
    if (!done.ok) throw done;
    return done.answer.id;
  };

  const clean = (form) => {
    for (const old of form.querySelectorAll(".field-error")) old.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) { field.removeAttribute("aria-invalid"); field.removeAttribute("aria-describedby"); }
    const all = form.querySelector(".form-error");
    if (all) all.hidden = true;
  };

  // Shows a problem where it belongs: beside its field, else above the buttons, else as a note.
  linli.refuse = (element, done) => {
    const problem = done.answer ?? {};
    if (done.status === 401 && !element.closest("[data-public]") && !location.pathname.startsWith("/sign-in")) {
      linli.toast(words.signed_out, { bad: true, seconds: 0, action: { label: words.sign_in, run: () => { location = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`; } } });
      return;
    }
    const form = element.closest("form") ?? element;
    const left = [];
    for (const one of problem.errors ?? []) {
      const name = (one.pointer ?? one.field ?? "").replace(/^#?\//, "").replaceAll("/", ".");
      const field = form.querySelector(`[name="${CSS.escape(name)}"], [name="${CSS.escape(name.replace(/\.\d+$/, ""))}[]"]`);
      const text = one.detail ?? one.message ?? problem.detail;
      if (!field || field.type === "hidden") { left.push(name ? `${name}: ${text}` : text); continue; }
      const note = document.createElement("p");
      note.className = "field-error";
      note.id = `${field.id || field.name}-error`;
      note.textContent = text;
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", note.id);
      field.after(note);
    }
    const first = form.querySelector("[aria-invalid=true]");
    const text = [problem.title, problem.detail, ...left].filter(Boolean).join(" · ") || words.failed;
    const all = form.querySelector(".form-error");
    if (all) { all.textContent = text; all.hidden = false; }
    else if (!first || left.length) linli.toast(text, { bad: true, seconds: 9 });
    if (first) first.focus();
    element.dispatchEvent(new CustomEvent("linli:refused", { bubbles: true, detail: problem }));
  };

  const finish = (element, done) => {
    keys.delete(element);
    const going = element.dispatchEvent(new CustomEvent("linli:done", { bubbles: true, cancelable: true, detail: done.answer }));
    if (!going) return;
    const where = element.dataset.done ?? "reload";
    if (where === "none") return;
    if (where === "stay") { linli.toast(element.dataset.said ?? words.sent); document.body.dispatchEvent(new CustomEvent("linli:changed")); element.closest("dialog")?.close(); if (element.matches("form")) element.reset(); return; }
    const said = element.dataset.said ?? words.sent; // data-said="" says nothing
    if (said) sessionStorage.setItem("linli-said", said);
    if (where === "reload") location.reload();
    else location.assign(where.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(done.answer?.[name] ?? "")));
  };

  // A moment in which a deed can be taken back before it leaves; leaving the page sends it.
  const grace = (seconds, summary) => new Promise((go) => {
    let left = seconds;
    const text = () => `${summary ?? ""} ${words.will_send.replace("{n}", left)}`.trim();
    const settle = (said) => { clearInterval(ticking); removeEventListener("pagehide", leave); note.close(); go(said); };
    const leave = () => settle(true);
    const note = linli.toast(text(), { seconds: 0, action: { label: words.undo, run: () => settle(false) } });
    const ticking = setInterval(() => { left -= 1; if (left <= 0) settle(true); else note.say(text()); }, 1000);
    addEventListener("pagehide", leave);
  });

  // Whoever signs in or out leaves no page behind on this device (static/sw.js).
  const forgetPages = async () => {
    if (!window.caches) return;
    for (const name of await caches.keys()) if (name.startsWith("linli-pages:")) await caches.delete(name);
  };

  linli.send = async (element, submitter = null) => {
    const from = submitter?.dataset.send ? submitter : element;
    const [method, path] = from.dataset.send.split(" ");
    if (from.dataset.confirm && !(await linli.confirm(from.dataset.confirm))) return;
    const busy = submitter ?? (element.matches("form") ? element.querySelector("button:not([type=button])") : element);
    if (busy?.getAttribute("aria-busy") === "true") return;
    clean(element);
    let read;
    await linli.preparing?.(element);
    try { read = linli.read(element, submitter); } catch (wrong) { linli.toast(String(wrong.message), { bad: true }); return; }
    if ("offline" in from.dataset && (await linli.queue?.ready)) {
      busy?.setAttribute("aria-busy", "true");
      const summary = from.dataset.summary ?? busy?.textContent.trim() ?? "";
      const done = await linli.queue.add({ method, path, body: read.body, files: read.files, summary, element: from });
      busy?.removeAttribute("aria-busy");
      if (done?.ok) finish(from, done);
      else if (done) linli.refuse(from, done); // null: it waits on the phone, and the queue has said so
      return;
    }
    if (from.dataset.undo && !(await grace(parseInt(from.dataset.undo, 10), from.dataset.summary))) return;
    const content = JSON.stringify([method, path, read.body, read.files.map(({ file }) => [file.name, file.size, file.lastModified])]);
    if (keys.get(from)?.content !== content) keys.set(from, { content, key: linli.key(), ids: [] });
    const kept = keys.get(from);
    busy?.setAttribute("aria-busy", "true");
    try {
      for (const [n, { name, file }] of read.files.entries()) {
        kept.ids[n] ??= await linli.upload(file, `${kept.key}-${n}`);
        put(read.body, name, kept.ids[n]);
      }
      const headers = from.dataset.ifMatch ? { "If-Match": from.dataset.ifMatch } : {};
      const bare = Object.keys(read.body).length === 0 && !element.matches("form");
      const done = await linli.request(method, path, method === "DELETE" || method === "GET" || bare ? null : read.body, { key: kept.key, headers });
      if (done.ok && path === "/api/v1/session") await forgetPages();
      if (done.ok) finish(from, done);
      else {
        // A refusal is a verdict: what is sent next is another deed. Without an answer the same key asks again.
        if (done.status && done.status !== 429 && done.status < 500) keys.delete(from);
        linli.refuse(from, done);
      }
    } catch (failed) {
      linli.refuse(from, failed.status === undefined ? { status: 0, answer: { detail: words.failed } } : failed);
    } finally {
      busy?.removeAttribute("aria-busy");
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-send]");
    if (!form) return;
    event.preventDefault();
    linli.send(form, event.submitter);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-send]:not(form)");
    if (!button || (button.form && button.type === "submit")) return;
    event.preventDefault();
    linli.send(button);
  });

  const said = sessionStorage.getItem("linli-said");
  if (said) { sessionStorage.removeItem("linli-said"); linli.toast(said); }
})();
