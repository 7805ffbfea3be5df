// Patrol and fix: the category by a word, the place by list or position, and what may be reported already.
(() => {
  "use strict";
  const form = document.getElementById("new");
  if (!form) return;
  const { words, categories } = JSON.parse(document.getElementById("new-words").textContent);
  const fill = (text, blanks) => text.replace(/\{(\w+)\}/g, (_, name) => blanks[name] ?? "");
  const at = (id) => document.getElementById(id);

  // ---- the category

  const search = at("category-q"), found = at("category-found");
  const option = ({ code, name, branch }) => {
    const label = document.createElement("label"), radio = document.createElement("input"), text = document.createElement("span"), strong = document.createElement("strong"), small = document.createElement("small");
    label.className = "option";
    Object.assign(radio, { type: "radio", name: "category", value: code, className: "form-check-input" });
    strong.textContent = name;
    small.textContent = branch;
    small.className = "dim";
    text.append(strong, small);
    label.append(radio, text);
    return label;
  };
  search.addEventListener("input", () => {
    const said = search.value.trim().toLowerCase();
    const hits = said ? categories.filter((one) => `${one.words} ${one.name} ${one.branch}`.toLowerCase().includes(said)).slice(0, 8) : [];
    found.replaceChildren(...hits.map(option));
    at("category-none").hidden = !said || hits.length > 0;
  });
  const chosen = () => form.querySelector("[name=category]:checked")?.value ?? null;

  // ---- the place

  const list = at("place"), building = at("building"), gps = at("gps"), value = at("gps-value"), said = at("gps-said");
  const byList = () => { building.disabled = list.disabled || !list.value.includes("compound"); };
  list.addEventListener("change", byList);
  const useList = () => { value.disabled = true; list.disabled = false; said.hidden = true; gps.querySelector("span").textContent = words.gps; byList(); };
  gps.addEventListener("click", () => {
    if (!value.disabled) { useList(); return; }
    gps.setAttribute("aria-busy", "true");
    const refused = () => { gps.removeAttribute("aria-busy"); linli.toast(words.gps_refused, { bad: true }); };
    if (!navigator.geolocation) { refused(); return; }
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      gps.removeAttribute("aria-busy");
      value.value = JSON.stringify({ lat: coords.latitude, lon: coords.longitude });
      value.disabled = false;
      list.disabled = building.disabled = true;
      said.textContent = fill(words.gps_on, { n: Math.max(1, Math.round(coords.accuracy)) });
      said.hidden = false;
      gps.querySelector("span").textContent = words.gps_off;
    }, refused, { enableHighAccuracy: true, timeout: 10000 });
  });
  useList();
  form.addEventListener("reset", () => setTimeout(() => { useList(); found.replaceChildren(); hide(); }));

  // ---- what may be reported already, before anything is sent

  const likely = at("likely"), items = at("likely-items");
  let seen = null, waiting = null;
  const hide = () => { likely.hidden = true; items.replaceChildren(); };
  const draft = () => {
    const { body } = linli.read(form, null);
    return { text: body.text, ...(body.category && { category: body.category }), ...(body.location && { location: body.location }) };
  };
  const look = async () => {
    const asked = draft(), print = JSON.stringify(asked);
    if (!asked.text) return 0;
    if (seen?.print === print) return seen.count;
    const answer = await linli.request("POST", "/api/v1/demands/duplicates", asked);
    const open = answer.ok ? answer.answer.suggestions.filter((one) => one.number && one.stage !== "closed") : [];
    seen = { print, count: open.length };
    items.replaceChildren(...open.map((one) => {
      const item = document.createElement("li"), link = document.createElement("a"), why = document.createElement("small");
      link.href = `/tasks/${one.number}`;
      link.textContent = `${(words.english ? one.category.name_en : one.category.name) ?? ""} ${one.number}`;
      why.textContent = (words.english ? one.said_en : one.said_zh) ?? "";
      why.className = "dim";
      item.append(link, why);
      return item;
    }));
    likely.hidden = open.length === 0;
    return open.length;
  };
  const later = () => { clearTimeout(waiting); waiting = setTimeout(look, 800); };
  at("text").addEventListener("input", later);
  form.addEventListener("change", later);

  let judged = null;
  document.addEventListener("submit", (event) => {
    if (event.target !== form) return;
    const { submitter } = event;
    const photos = linli.picked?.get(at("new-files"))?.length || at("new-files").files.length;
    const code = chosen();
    if (submitter?.id === "fix" && !photos && categories.find((one) => one.code === code)?.evidence) {
      event.preventDefault();
      event.stopImmediatePropagation();
      linli.toast(words.evidence, { bad: true });
      at("new-files").focus();
      return;
    }
    const print = JSON.stringify(draft());
    if (judged === print || navigator.onLine === false) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    submitter?.setAttribute("aria-busy", "true");
    look().then((count) => {
      submitter?.removeAttribute("aria-busy");
      judged = print; // shown once: whoever sends it again has seen them
      if (count) { likely.focus(); likely.scrollIntoView({ block: "center" }); return; }
      setTimeout(() => form.requestSubmit(submitter)); // what was compared before answers at once, and while one submission is told a second is dropped
    });
  }, true);

  form.addEventListener("linli:done", (event) => {
    const { refused, number } = event.detail ?? {};
    if (!refused) return;
    event.preventDefault();
    sessionStorage.setItem("linli-said", fill(words.refused, { rule: refused.rule }));
    location.assign(`/tasks/${number}`);
  });
  document.addEventListener("linli:queued", (event) => { if (event.detail.element && form.contains(event.detail.element)) form.reset(); });
})();
