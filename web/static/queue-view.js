// What the pages show of the queue (queue.js): one quiet line above the page, a chip on each demand with a deed that waits,
// and what follows when a deed could not leave at once.
//
//   <li data-number="20261123-000012">…</li>        gets the chip, at its end or inside its [data-queued-here]
//   <button data-unless-queued="accept">            is not shown while that deed of this demand waits
//   <a data-when-queued="accept" hidden>            is shown only then; both may stand on one element
(() => {
  "use strict";
  const { queue } = linli;
  if (!queue) return;
  const { zone, words, deeds: names } = JSON.parse(document.getElementById("offline").textContent);
  const main = document.getElementById("main");
  const fill = (text, blanks = {}) => text.replace(/\{(\w+)\}/g, (_, name) => blanks[name] ?? "");
  const clock = (at) => new Date(at).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
  const what = (deed) => (deed.number ? (deed.type === "note" && deed.said) || names[deed.type] || deed.summary || names.other : deed.summary || words.new_demand);
  linli.offline = { fill, clock, what };

  // ---- the line

  const banner = document.createElement("div");
  banner.className = "queue-banner no-print";
  banner.hidden = true;
  const line = document.createElement("span");
  line.setAttribute("role", "status");
  const act = document.createElement("a");
  banner.append(line, act);
  main.prepend(banner);

  const onQueuePage = location.pathname === "/tasks/queue";
  const said = (deeds) => {
    const waiting = deeds.filter((one) => one.state === "waiting" || one.state === "sending").length;
    const trouble = deeds.filter((one) => one.state === "conflict").length;
    const { reach, sending } = queue.status;
    const kept = onQueuePage ? null : document.body.dataset.keptAt, parts = [];
    const see = onQueuePage || !(waiting || trouble) ? null : { text: words.see, href: "/tasks/queue" };
    if (reach === "other") return { tone: "bad", parts: [words.other_person], act: { text: words.reload, href: location.href } };
    if (reach === "out" && waiting) {
      const back = encodeURIComponent(location.pathname + location.search);
      return { tone: "warn", parts: [fill(words.signed_out, { n: waiting })], act: { text: words.sign_in, href: `/sign-in?next=${back}` } };
    }
    if (trouble) parts.push(fill(words.trouble, { n: trouble }));
    if (reach === "off") parts.push(waiting ? words.offline : words.offline_idle);
    if (waiting) parts.push(sending && reach === "ok" ? fill(words.sending, sending) : fill(words.waiting, { n: waiting }));
    if (kept) parts.push(fill(reach === "off" ? words.cached_too : words.cached, { time: clock(kept) }));
    return { tone: trouble ? "bad" : reach === "off" ? "warn" : "calm", parts, act: see };
  };

  const show = (deeds) => {
    const { tone, parts, act: leads } = said(deeds);
    banner.hidden = parts.length === 0;
    banner.dataset.tone = tone;
    const text = parts.join(" · ");
    if (line.textContent !== text) line.textContent = text;
    act.hidden = !leads;
    if (leads) { act.textContent = leads.text; act.href = leads.href; }
  };

  // ---- the chips

  const chip = (deed) => {
    const trouble = deed.state === "conflict", made = document.createElement(trouble ? "a" : "span");
    made.className = `chip chip-queued ${trouble ? "chip-bad" : "chip-warn"}`;
    made.textContent = fill(trouble ? words.chip_trouble : words.chip, { what: what(deed) });
    if (trouble) made.href = "/tasks/queue";
    return made;
  };

  const mark = (deeds) => {
    for (const place of document.querySelectorAll("[data-number]")) {
      const here = deeds.filter((one) => one.number === place.dataset.number && one.state !== "already");
      const types = here.filter((one) => one.state !== "conflict").map((one) => one.type).join(" ");
      const state = here.map((one) => `${one.seq}${one.state === "conflict"}`).join(" ");
      for (const one of place.querySelectorAll("[data-unless-queued], [data-when-queued]")) {
        const { unlessQueued, whenQueued } = one.dataset;
        const waits = (some) => some.split(" ").some((type) => types.split(" ").includes(type));
        one.hidden = (unlessQueued !== undefined && waits(unlessQueued)) || (whenQueued !== undefined && !waits(whenQueued));
      }
      if (place.dataset.queued === state && (here.length === 0 || place.querySelector(".chip-queued"))) continue;
      for (const old of place.querySelectorAll(".chip-queued")) old.remove();
      place.dataset.queued = state;
      const box = place.querySelector("[data-queued-here]") ?? place;
      const inLink = box.closest("a") !== null;
      box.append(...here.map((one) => { const made = chip(one); if (!inLink || made.tagName !== "A") return made; const plain = document.createElement("span"); plain.className = made.className; plain.textContent = made.textContent; return plain; }));
    }
  };

  let drawing = false, stale = false;
  const draw = async () => {
    if (drawing) { stale = true; return; }
    drawing = true;
    try {
      do { stale = false; const deeds = await queue.own(); show(deeds); mark(deeds); } while (stale);
    } finally { drawing = false; }
  };
  document.addEventListener("linli:queue", draw);
  document.addEventListener("htmx:after:swap", draw);
  draw();

  // ---- after a tap

  document.addEventListener("linli:queued", async ({ detail: { deed, element } }) => {
    const now = (await queue.own()).find((one) => one.seq === deed.seq);
    if (now?.state === "conflict") linli.toast(fill(words.chip_trouble, { what: what(deed) }), { bad: true, seconds: 9, action: { label: words.see, run: () => { location.assign("/tasks/queue"); } } });
    else if (now?.state === "already") linli.toast(fill(words.already, { time: clock(now.problem.already.at) }), { seconds: 9 });
    else if (now) linli.toast(words.kept);
    if (!element) return;
    element.closest("dialog")?.close();
    if (element.matches("form")) element.reset();
    element.dispatchEvent(new CustomEvent("linli:kept", { bubbles: true, detail: deed }));
    const where = element.dataset.done ?? "reload";
    // Without a service worker another page would be the browser's own page about the missing network.
    if (now && where.startsWith("/") && !where.includes("{") && navigator.serviceWorker?.controller) location.assign(where);
  });

  // ---- when it has arrived later

  const typing = () => document.querySelector("dialog[open]") !== null || [...document.querySelectorAll("main textarea, main input:not([type=hidden])")].some((field) =>
    field.type === "file" ? (linli.picked?.get(field)?.length ?? 0) > 0 : field.type !== "checkbox" && field.type !== "radio" && field.value !== field.defaultValue);

  // A page that was kept is loaded anew as soon as there is something newer, unless somebody is writing on it.
  const renew = () => { if (document.body.dataset.keptAt && !onQueuePage && queue.status.reach === "ok" && navigator.onLine !== false && !typing()) location.reload(); };
  addEventListener("online", () => setTimeout(async () => { if (!(await queue.own()).some((one) => one.state === "waiting" || one.state === "sending")) renew(); }, 1000));

  let delivered = null;
  document.addEventListener("linli:delivered", ({ detail: { deed } }) => {
    const follow = () => {
      clearTimeout(delivered);
      if (queue.status.sending) { delivered = setTimeout(follow, 400); return; } // the next one is on its way
      if (document.body.dataset.keptAt && !onQueuePage && !typing()) location.reload();
      else if (window.htmx && document.querySelector("[hx-trigger*='linli:changed']")) document.body.dispatchEvent(new CustomEvent("linli:changed"));
      else if (!onQueuePage && !typing() && document.querySelector("[data-number]")) location.reload();
      else linli.toast(fill(words.arrived, { what: what(deed) }));
    };
    clearTimeout(delivered);
    delivered = setTimeout(follow, 400);
  });

  // ---- the service worker: an enhancement

  if (navigator.serviceWorker) {
    navigator.serviceWorker.register("/sw.js", { scope: "/tasks" }).then(async () => {
      const { active } = await navigator.serviceWorker.ready;
      if (!document.body.dataset.keptAt) active.postMessage({ keep: location.pathname + location.search });
    }).catch(() => {});
  }
})();
