// The meeting room: one item at a time, decided by keyboard; attendance, minutes and agenda beside it stay up to date.
(() => {
  "use strict";
  const side = () => document.getElementById("side");
  const item = () => document.getElementById("item");
  const room = document.getElementById("room");
  const here = location.pathname;
  const words = room ? JSON.parse(room.dataset.words) : {};
  const number = () => item()?.dataset.number || null;
  const busy = () => linli.decisions?.busy ?? false;
  const inDialog = () => document.querySelector("dialog[open]") !== null;
  const say = (key, blanks = {}) => (words[key] || "").replace(/\{(\w+)\}/g, (_, name) => blanks[name] ?? "");

  // ---- pieces of this page, fetched anew

  const fetched = async (part, at) => {
    const query = new URLSearchParams({ part, ...(at ? { item: at } : {}) });
    try {
      const response = await fetch(`${here}?${query}`, { credentials: "same-origin", headers: { "Accept-Language": document.documentElement.lang } });
      if (!response.ok || response.redirected) return null;
      return new DOMParser().parseFromString(await response.text(), "text/html");
    } catch {
      return null; // no network: what is shown stays, and is asked for again
    }
  };

  // What somebody has begun beside the item (a box ticked, a name typed, a list opened) survives.
  const refreshSide = async () => {
    const page = await fetched("side", number());
    const fresh = page?.getElementById("side"), old = side();
    if (!fresh || !old) return;
    if (fresh.dataset.state !== old.dataset.state) { if (!busy()) location.reload(); return; }
    const focus = document.activeElement?.id, open = old.querySelector("#attendance")?.open;
    const met = !old.dataset.quorum && fresh.dataset.quorum;
    const ticked = Array.from(old.querySelectorAll("#attend input:checked"), (one) => one.id);
    const typed = old.querySelector("#attend-find")?.value || "";
    const scrolled = old.scrollTop;
    old.replaceWith(fresh);
    const list = fresh.querySelector("#attendance");
    if (list && open !== undefined) list.open = met ? false : open;
    for (const id of ticked) { const box = document.getElementById(id); if (box) box.checked = true; }
    const find = fresh.querySelector("#attend-find");
    if (find && typed) { find.value = typed; find.dispatchEvent(new Event("input", { bubbles: true })); }
    if (focus && document.activeElement === document.body) document.getElementById(focus)?.focus();
    fresh.scrollTop = scrolled;
    draw();
  };

  // What is pressed while the next item comes is meant for that item.
  let going = 0, moving = Promise.resolve();
  const go = (at, how) => (moving = show(at, how));
  const show = async (at, { focus = true } = {}) => {
    const turn = ++going;
    const page = await fetched("item", at);
    const fresh = page?.getElementById("item");
    if (!fresh || turn !== going) return;
    item().replaceWith(fresh);
    history.replaceState(null, "", at ? `${here}?item=${encodeURIComponent(at)}` : here);
    if (focus) { fresh.focus({ preventScroll: true }); scrollTo({ top: 0 }); }
    draw();
  };

  const order = () => Array.from(document.querySelectorAll("#room-agenda a[data-item]"), (one) => one.dataset.item);
  const step = async (by) => {
    await moving;
    const all = order(), at = all.indexOf(number());
    if (!all.length) return;
    const next = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by));
    if (next !== at) go(all[next]);
  };
  // The next one that nobody has decided, from the present one on; from the start when there is none behind it.
  const advance = () => {
    const all = order(), at = all.indexOf(number());
    const open = (one) => !linli.decisions.has(one) && one !== number();
    const next = all.slice(at + 1).find(open) ?? all.find(open);
    if (next) go(next);
    else draw();
  };

  // ---- what stands on the page by what is known here

  const draw = () => {
    const current = number(), late = item()?.dataset.late, quorum = side()?.dataset.quorum;
    for (const link of document.querySelectorAll("#room-agenda a[data-item]")) {
      if (link.dataset.item === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      link.classList.toggle("is-decided", linli.decisions?.has(link.dataset.item) ?? false);
    }
    const bar = document.getElementById("bar");
    if (!bar) return;
    const blocked = document.getElementById("blocked");
    const why = !quorum ? blocked.dataset.noQuorum : late ? blocked.dataset.isLate : "";
    if (blocked.textContent !== why) blocked.textContent = why;
    for (const button of bar.querySelectorAll("[data-decide]")) button.disabled = !!why || !current || linli.decisions.has(current);
    item()?.classList.toggle("is-decided", current !== null && linli.decisions.has(current));
    drawPending();
    const unsent = document.querySelector("[data-unsent]");
    if (unsent) unsent.hidden = !busy();
  };

  const button = (text, run) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm btn-outline-primary";
    made.textContent = text;
    made.addEventListener("click", run);
    return made;
  };
  const state = (one) => {
    if (one.state === "waiting") return say("in", { n: Math.max(0, Math.ceil((one.at - Date.now()) / 1000)) });
    return { sending: words.sending, retry: words.no_answer, refused: `${words.refused}${words.comma}${one.why}` }[one.state];
  };
  let drawn = "";
  const drawPending = () => {
    const list = document.getElementById("pending-lines");
    if (!list) return;
    const all = linli.decisions.all, now = JSON.stringify(all.map((one) => [one.key, one.state]));
    list.hidden = !all.length;
    if (now !== drawn || list.childElementCount !== all.length) {
      drawn = now;
      list.replaceChildren(...all.map((one) => {
        const line = document.createElement("li"), what = document.createElement("strong"), how = document.createElement("span");
        line.className = `is-${one.state}`;
        what.textContent = one.what;
        how.className = "room-pending";
        how.dataset.key = one.key;
        line.append(what, document.createElement("br"), one.says, document.createElement("br"), how);
        if (one.state === "waiting") line.append(" ", button(words.undo, () => undo(one.key)));
        if (one.state === "refused") line.append(" ", button(words.again, () => linli.decisions.again(one.key)), " ", button(words.drop, () => { linli.decisions.drop(one.key); go(one.body.number); }));
        return line;
      }));
    }
    for (const one of all) { const how = list.querySelector(`[data-key="${one.key}"]`); if (how) how.textContent = state(one); }
  };

  let note = null; // of the last decision only: the others stand beside the item
  const undo = (key = null) => {
    const back = linli.decisions.undo(key);
    if (!back) return;
    note?.close();
    linli.toast(words.undone, { seconds: 2 });
    go(back);
  };

  // ---- deciding

  const facts = () => JSON.parse(document.getElementById("item-facts")?.textContent || "null");
  const option = (value, text) => { const made = document.createElement("option"); made.value = value; made.textContent = text; return made; };
  const prepare = (form, told) => {
    form.reset();
    form.querySelector("[data-what]").textContent = told.what;
    form.querySelector("[data-number]").textContent = told.number;
    const leads = form.querySelector("[data-leads]");
    if (leads) {
      const rows = Array.from(leads.children), rank = (row) => { const at = told.suggested.indexOf(row.dataset.unit); return at < 0 ? 1000 : at; };
      for (const row of rows) row.querySelector("[data-suggested]").hidden = rank(row) === 1000;
      leads.append(...rows.sort((a, b) => rank(a) - rank(b)));
    }
    for (const details of form.querySelectorAll("details")) details.open = false;
    form.querySelector("[data-branches]")?.replaceChildren(...told.branches.map((one) => option(one.code, `${one.name} ${one.code}`)));
    form.querySelector("[data-projects]")?.replaceChildren(option("", words.new_project), ...told.projects.map((one) => option(one.id, `${one.title} ${one.id}`)));
    const fresh = form.querySelector("[data-new-project]");
    if (fresh) fresh.hidden = false;
    const wrong = form.querySelector(".form-error");
    wrong.hidden = true;
    preview(form);
  };
  const decide = async (kind) => {
    await moving;
    const pressed = document.querySelector(`#bar [data-decide="${kind}"]`), told = facts();
    if (!pressed || pressed.disabled || !told || inDialog()) return;
    prepare(document.querySelector(`form[data-kind="${kind}"]`), told);
    linli.open(`decide-${kind}`);
  };

  const endOf = (day) => new Date(`${day}T17:30:00`).toISOString().replace(/\.\d+Z$/, "Z");
  const chosen = (form) => form.querySelector("input[name=unit]:checked");
  const helpers = (form) => Array.from(form.querySelectorAll("[data-co]:checked"), (one) => ({
    unit: one.dataset.co, required: form.querySelector(`[data-co-required="${one.dataset.co}"]`).checked, name: one.closest("label").textContent.trim(),
  }));
  const milestones = (form) => Array.from(form.querySelectorAll(".milestone"), (row) => ({
    what: row.querySelector("[data-milestone-what]").value.trim(), day: row.querySelector("[data-milestone-day]").value,
  })).filter((one) => one.what && one.day);
  const ruling = (form) => {
    if (!form.querySelector("[data-ruling-on]")?.checked) return null;
    const day = form.querySelector("[data-day=until]").value, category = form.querySelector("[data-branches]");
    return { category: category.value, name: category.selectedOptions[0]?.textContent.replace(/ \d+$/, ""), day };
  };

  const bodyOf = (form) => {
    const { body } = linli.read(form), made = { number: number(), kind: form.dataset.kind, ...body };
    for (const field of form.querySelectorAll("[data-day]")) if (field.value && field.dataset.day !== "until") made[field.dataset.day] = endOf(field.value);
    const co = helpers(form).map(({ unit, required }) => ({ unit, required }));
    if (co.length) made.co_units = co;
    const steps = made.project ? [] : milestones(form).map(({ what, day }) => ({ what, due_at: endOf(day) }));
    if (steps.length) made.milestones = steps;
    const rule = ruling(form);
    if (rule) made.ruling = { category: rule.category, ...(rule.day ? { until: endOf(rule.day) } : {}) };
    return made;
  };

  const dayOf = (day) => { const [, month, date] = day.split("-"); return say("month_day", { month: +month, day: +date }); };
  const sentence = (form) => {
    const kind = form.dataset.kind, unit = chosen(form)?.closest("[data-name]").querySelector(".grow").textContent.trim();
    const review = form.querySelector("[data-day=review_at]")?.value, due = form.querySelector("[data-day=due_at]")?.value;
    let text = say(kind, { unit: unit || words.nobody, date: review ? dayOf(review) : words.no_date });
    const co = helpers(form);
    if (co.length) text += say("co", { units: co.map((one) => one.name + (one.required ? words.required : "")).join(words.comma) });
    if (due) text += say("due", { date: dayOf(due) });
    const steps = form.querySelector("[data-projects]")?.value ? [] : milestones(form);
    if (steps.length) text += say("milestones", { n: steps.length });
    const rule = ruling(form);
    if (rule) text += rule.day ? say("ruling", { what: rule.name, date: dayOf(rule.day) }) : say("ruling_good", { what: rule.name });
    const minute = form.querySelector("[name=minute]").value.trim();
    return minute ? `${text}${document.documentElement.lang === "en" ? ". " : "。"}${minute}` : text;
  };
  const preview = (form) => { form.querySelector("[data-says]").textContent = sentence(form); };

  const confirmed = async (form) => {
    const wrong = form.querySelector(".form-error"), body = bodyOf(form), file = form.querySelector("[data-document]")?.files[0];
    const rule = ruling(form);
    if (file) {
      const busyButton = form.querySelector("button:not([type=button])");
      busyButton.setAttribute("aria-busy", "true");
      try { body.document = await linli.upload(file, linli.key()); } catch (failed) { wrong.textContent = failed.answer?.detail || linli.words.failed; wrong.hidden = false; return; } finally { busyButton.removeAttribute("aria-busy"); }
    }
    if (rule && !rule.category) return;
    const says = sentence(form), what = form.querySelector("[data-what]").textContent;
    form.closest("dialog").close();
    linli.decisions.add(body, what, says);
    const key = linli.decisions.all.at(-1).key;
    note?.close();
    note = linli.toast(says, { seconds: parseInt(room.dataset.grace, 10), action: { label: words.undo, run: () => undo(key) } });
    advance();
  };

  // ---- keys and taps

  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".decide-form");
    if (form) { event.preventDefault(); confirmed(form); return; }
    if (event.target.matches("[data-close-form]") && busy()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
  for (const type of ["input", "change"]) document.addEventListener(type, (event) => {
    const form = event.target.closest?.(".decide-form");
    if (!form) return;
    if (event.target.matches("[data-projects]")) {
      form.querySelector("[data-new-project]").hidden = !!event.target.value;
    }
    if (event.target.matches("[data-ruling-on]") && event.target.checked) form.querySelector("[data-ruling]").open = true;
    preview(form);
  });
  document.addEventListener("click", (event) => {
    const on = event.target.closest("[data-decide], [data-step], a[data-item], [data-set]");
    if (!on) return;
    if (on.dataset.decide) decide(on.dataset.decide);
    else if (on.dataset.step) step(parseInt(on.dataset.step, 10));
    else if (on.dataset.set) { const field = document.getElementById(on.dataset.set); field.value = on.dataset.value; field.dispatchEvent(new Event("input", { bubbles: true })); }
    else if (!event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); go(on.dataset.item); }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.target.closest?.(".decide-form")?.requestSubmit(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || inDialog() || event.target.matches?.("input, textarea, select")) return;
    const run = {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1), u: () => room && undo(), c: () => document.getElementById("consent")?.click(),
      "?": () => linli.open("keys"),
    }[event.key] || (/^[1-6]$/.test(event.key) ? () => decide(document.querySelector(`#bar [aria-keyshortcuts="${event.key}"]`)?.dataset.decide) : null);
    if (!run) return;
    event.preventDefault();
    run();
  });

  // ---- what others do

  const settle = async () => {
    await refreshSide();
    if (inDialog() || !room) return;
    const current = number();
    if (current && !order().includes(current) && !linli.decisions.has(current)) await go(order()[0] ?? null, { focus: false });
    else if (!current && order().length) await go(order()[0], { focus: false });
    else if (item()?.dataset.late) await go(current, { focus: false });
  };
  let settling = null;
  const soon = () => { clearTimeout(settling); settling = setTimeout(settle, 150); };
  document.body.addEventListener("linli:changed", soon);
  document.addEventListener("room:queue", draw);
  document.addEventListener("room:recorded", () => { linli.toast(words.recorded, { seconds: 2 }); soon(); });
  document.addEventListener("room:refused", (event) => { linli.toast(`${words.refused}${words.comma}${event.detail.why}`, { bad: true, seconds: 8 }); soon(); });

  // Attendance is no event of a demand: the session itself is asked, and only what changed is fetched.
  const path = here.replace("/room/", "/sessions/");
  let known = null;
  setInterval(async () => {
    if (document.hidden || !side()) return;
    const done = await linli.request("GET", `/api/v1${path}`, null);
    if (!done.ok) return;
    const s = done.answer, now = JSON.stringify([s.state, s.present.length, s.decided, s.consented, s.whistle?.mustered_at]);
    if (known !== null && known !== now) soon();
    known = now;
  }, 8000);

  draw();
})();
