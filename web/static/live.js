// Live figures: one event stream per page; what changed is fetched again by htmx. Events carry ids only.
//
//   <span class="live" data-stream="/api/v1/events/stream" data-as-of="2026-11-23T06:32:08Z"></span>
//   <section data-live hx-get="/board?…" hx-trigger="linli:changed from:body" hx-select="#rows" hx-target="#rows" hx-swap="outerMorph">
//
// A stream that is silent for longer than half a minute (the server pings every 15 s) is told as such, and the figures turn grey.
(() => {
  "use strict";
  const label = document.querySelector("[data-stream]");
  if (!label || !window.EventSource) return;
  const { words } = linli;
  const STALE_AFTER = 30000, GATHER = 700;
  let heard = Date.now(), shown = new Date(label.dataset.asOf || Date.now()), gathering = null;

  const write = () => {
    const stale = Date.now() - heard > STALE_AFTER;
    const time = shown.toLocaleTimeString("zh-CN", { hour12: false, timeZone: document.body.dataset.zone || "Asia/Shanghai" });
    label.textContent = (stale ? words.stale : words.as_of).replace("{time}", time);
    label.classList.toggle("live-stale", stale);
    document.body.classList.toggle("is-stale", stale);
  };
  const alive = () => { heard = Date.now(); shown = new Date(); write(); };
  // Many events at once are one change.
  const changed = () => {
    alive();
    gathering ??= setTimeout(() => { gathering = null; document.body.dispatchEvent(new CustomEvent("linli:changed")); }, GATHER);
  };
  let source = null;
  const connect = () => {
    source?.close();
    source = new EventSource(label.dataset.stream);
    source.onopen = alive;
    source.onmessage = changed;
    for (const name of (label.dataset.events || "").split(" ").filter(Boolean)) source.addEventListener(name, changed);
    source.addEventListener("ping", alive);
  };
  connect();
  write();
  setInterval(() => { if (source.readyState === EventSource.CLOSED && navigator.onLine) connect(); write(); }, 5000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) changed(); });
})();
