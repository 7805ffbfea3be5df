// Live figures: one event stream per page; what changed is fetched again by htmx. Events carry ids only.
//
//   <span class="live" data-stream="/api/v1/events/stream" data-as-of="2026-11-23T06:32:08Z"></span>
//   <section data-live hx-get="/board?…" hx-trigger="linli:changed from:body" hx-select="#rows" hx-target="#rows" hx-swap="outerMorph">
//
// The stream is read by fetch and not by EventSource: only so are its signs of life (every 15 s) seen. `as of` is the instant
// of the last one. Silent for longer than half a minute, the page says so and turns grey; once the stream is back, everything is
// fetched anew. It pauses while the page is hidden. `data-check` names what is asked for with each sign of life whether it has
// changed (by its ETag): a demand's notes are no events that leave.
(() => {
  "use strict";
  const label = document.querySelector("[data-stream]");
  if (!label || !window.ReadableStream) return;
  const { words } = linli;
  const STALE_AFTER = 30000, DEAD_AFTER = 45000, GATHER = 700, FIRST_WAIT = 1000, LONGEST_WAIT = 30000;
  let stop = null, again = null, wait = FIRST_WAIT, gathering = null, missed = false, last = "";
  let heard = document.body.dataset.keptAt ? 0 : Date.now(), shown = new Date(label.dataset.asOf || Date.now());

  const write = () => {
    const stale = Date.now() - heard > STALE_AFTER;
    if (stale) missed = true;
    const zone = document.body.dataset.zone || "Asia/Shanghai";
    const time = shown.toLocaleTimeString("zh-CN", { hour12: false, timeZone: zone });
    const text = (stale ? words.stale : words.as_of).replace("{time}", time);
    if (label.textContent !== text) label.textContent = text;
    label.classList.toggle("live-stale", stale);
    document.body.classList.toggle("is-stale", stale);
  };

  // Many events at once are one change.
  const changed = () => {
    gathering ??= setTimeout(() => { gathering = null; document.body.dispatchEvent(new CustomEvent("linli:changed")); }, GATHER);
  };
  const alive = () => {
    heard = Date.now();
    shown = new Date();
    write();
    if (missed) { missed = false; changed(); }
  };

  const close = () => { clearTimeout(again); stop?.abort(); stop = null; };
  const later = () => {
    close();
    missed = true;
    again = setTimeout(connect, wait * (0.5 + Math.random())); // not all pages at the same moment
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };

  let tag = null, asked = 0;
  const check = async () => {
    const path = label.dataset.check;
    if (!path || Date.now() - asked < 3000) return;
    asked = Date.now();
    const answer = await fetch(path, { cache: "no-store", credentials: "same-origin", headers: tag ? { "If-None-Match": tag } : {} }).catch(() => null);
    if (answer?.status !== 200) return;
    if (tag) changed();
    tag = answer.headers.get("ETag");
  };

  const follow = async (signal) => {
    const headers = last ? { "Last-Event-ID": last } : {};
    const answer = await fetch(label.dataset.stream, { headers, signal, cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) { if (answer.status < 500) last = ""; throw new Error(String(answer.status)); }
    wait = FIRST_WAIT;
    alive();
    check();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) changed();
        else if (line.startsWith("id:")) last = line.slice(3).trim();
      }
      alive();
      check();
    }
  };
  const connect = () => {
    close();
    if (document.hidden) return;
    const mine = (stop = new AbortController());
    follow(mine.signal).then(() => mine === stop && later(), () => mine === stop && later());
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { close(); missed = true; } else { wait = FIRST_WAIT; connect(); write(); }
  });
  addEventListener("online", () => { wait = FIRST_WAIT; connect(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) { missed = true; connect(); } });
  setInterval(() => { write(); if (stop && Date.now() - heard > DEAD_AFTER) { heard = Date.now() - STALE_AFTER - 1; later(); } }, 2000);
  connect();
  write();
})();
