// The board: moving through its rows by keyboard, choosing them, more of them, why one is due. Deeds are in bulk.js.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const rows = () => Array.from(document.querySelectorAll("tr[data-row]"));
  const chosen = new Set();
  let at = null, anchor = null;

  const board = (linli.board = {
    chosen: () => rows().filter((row) => chosen.has(row.dataset.row)),
    current: () => rows().find((row) => row.dataset.row === at) ?? null,
    clear: () => { chosen.clear(); anchor = null; draw(); },
  });

  const draw = () => {
    const there = new Set(rows().map((row) => row.dataset.row));
    for (const number of chosen) if (!there.has(number)) chosen.delete(number);
    for (const row of rows()) {
      const on = chosen.has(row.dataset.row);
      row.querySelector("[data-pick]").checked = on;
      row.toggleAttribute("data-chosen", on);
      row.classList.toggle("is-at", row.dataset.row === at);
    }
    const all = $("pick-all");
    if (all) { all.checked = chosen.size > 0 && chosen.size === there.size; all.indeterminate = chosen.size > 0 && chosen.size < there.size; }
    const count = $("bulk-count");
    count.textContent = count.dataset.text.replace("{n}", chosen.size);
    $("bulk-bar").hidden = chosen.size === 0;
  };

  const choose = (number, on, range) => {
    const list = rows().map((row) => row.dataset.row);
    const from = list.indexOf(anchor), to = list.indexOf(number);
    const some = range && from >= 0 ? list.slice(Math.min(from, to), Math.max(from, to) + 1) : [number];
    for (const one of some) on ? chosen.add(one) : chosen.delete(one);
    anchor = number;
    draw();
  };

  const move = (step) => {
    const list = rows();
    if (!list.length) return;
    const now = list.findIndex((row) => row.dataset.row === at);
    const next = list[Math.min(Math.max(now < 0 ? 0 : now + step, 0), list.length - 1)];
    at = next.dataset.row;
    draw();
    next.querySelector("[data-open-row]").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  // Why it is due then: the page of the case has it line by line.
  board.explain = async (number) => {
    const body = $("why-body");
    body.textContent = "…";
    linli.open("why");
    const answer = await fetch(`/demands/${number}/why`, { credentials: "same-origin" }).catch(() => null);
    body.innerHTML = answer?.ok ? await answer.text() : "";
    if (!answer?.ok) body.textContent = linli.words.no_answer;
  };

  const more = async (link) => {
    link.setAttribute("aria-busy", "true");
    const answer = await fetch(link.href, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) { link.removeAttribute("aria-busy"); linli.toast(linli.words.no_answer, { bad: true }); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const known = new Set(rows().map((row) => row.dataset.row));
    const fresh = Array.from(page.querySelectorAll("tr[data-row]")).filter((row) => !known.has(row.dataset.row));
    $("rows").append(...fresh);
    $("live-rows").value = Math.min(rows().length, 500);
    const next = page.getElementById("more");
    next ? link.replaceWith(next) : link.parentElement.remove();
    fresh[0]?.querySelector("[data-open-row]").focus();
    draw();
  };

  document.addEventListener("click", (event) => {
    const pick = event.target.closest("[data-pick]");
    if (pick) { at = pick.dataset.pick; choose(pick.dataset.pick, pick.checked, event.shiftKey); return; }
    if (event.target.closest("#pick-all")) { for (const row of rows()) event.target.checked ? chosen.add(row.dataset.row) : chosen.delete(row.dataset.row); draw(); return; }
    const link = event.target.closest("#more");
    if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); more(link); return; }
    if (event.target.closest("[data-bulk-none]")) board.clear();
    if (event.target.closest("[data-copy-here]")) navigator.clipboard.writeText(location.href).then(() => linli.toast(linli.words.copied));
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("tr[data-row]");
    if (row && row.dataset.row !== at) { at = row.dataset.row; draw(); }
  });
  document.addEventListener("change", (event) => { if (event.target.matches("#filters select")) event.target.form.requestSubmit(); });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filters") return;
    const q = $("f-q").value.trim();
    if (/^\d{8}-\d{6,12}$/.test(q)) { event.preventDefault(); location.assign(`/demands/${q}`); return; }
    for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true; // a short address
  });

  const open = () => document.querySelector("dialog[open]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { const menu = document.querySelector("details.menu[open]"); if (menu) { menu.open = false; menu.querySelector("summary").focus(); } }
    if (event.ctrlKey || event.metaKey || event.altKey || open() || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const row = board.current();
    const deeds = {
      j: () => move(1), k: () => move(-1),
      "/": () => $("f-q").focus(),
      x: () => row && choose(at, !chosen.has(at), false),
      X: () => row && choose(at, true, true),
      e: () => row && board.explain(at),
      u: () => linli.bulk?.begin("urge"),
      r: () => linli.bulk?.begin("reassign"),
      Enter: () => row && !event.target.closest("a, button, input, summary") && location.assign(`/demands/${at}`),
    };
    if (!deeds[event.key]) return;
    if (event.key !== "Enter") event.preventDefault();
    deeds[event.key]();
  });

  const main = document.querySelector(".filters-main");
  if (main && matchMedia("(max-width: 767.98px)").matches) main.open = false;
  document.addEventListener("htmx:after:swap", draw);
  new MutationObserver(() => { clearTimeout(draw.soon); draw.soon = setTimeout(draw, 50); }).observe(document.getElementById("main"), { childList: true, subtree: true });
  draw();
})();
