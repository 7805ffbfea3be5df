// Decisions on their way: each may be taken back for some seconds, then they go one by one, each under one key for good.
//
// They stand in sessionStorage until the meeting has answered, so a page loaded anew goes on where it was; the key makes a
// repetition harmless. A refusal stays visible until somebody deals with it.
(() => {
  "use strict";
  const room = document.getElementById("room");
  if (!room) return;
  const { meeting, session, grace } = room.dataset;
  const PATH = `/api/v1/meetings/${encodeURIComponent(meeting)}/decisions`, PLACE = `linli-room-${session}`;
  const AGAIN_AFTER = 2500;
  let entries = [], sending = null;
  try { entries = JSON.parse(sessionStorage.getItem(PLACE) || "[]"); } catch { entries = []; }
  for (const one of entries) if (one.state === "sending") one.state = "waiting";

  const tell = () => document.dispatchEvent(new CustomEvent("room:queue"));
  const keep = () => { sessionStorage.setItem(PLACE, JSON.stringify(entries)); tell(); };
  const drop = (one) => { entries = entries.filter((other) => other !== one); keep(); };

  const send = async (one) => {
    sending = one;
    one.state = "sending";
    keep();
    const done = await linli.request("POST", PATH, one.body, { key: one.key });
    sending = null;
    if (done.ok) {
      drop(one);
      document.dispatchEvent(new CustomEvent("room:recorded", { detail: one }));
    } else if (!done.status || done.status === 429 || done.status >= 500) {
      one.state = "retry";
      one.at = Date.now() + AGAIN_AFTER;
      keep();
    } else {
      one.state = "refused";
      one.why = [done.answer?.title, done.answer?.detail].filter(Boolean).join(" · ");
      keep();
      document.dispatchEvent(new CustomEvent("room:refused", { detail: one }));
    }
  };

  setInterval(() => {
    if (sending) return;
    const next = entries.find((one) => one.state !== "refused" && one.at <= Date.now());
    if (next) send(next);
    else if (entries.length) tell();
  }, 250);

  // Leaving sends what still waits: whoever decided did decide. If it was only a reload, the same key asks again.
  addEventListener("pagehide", () => {
    for (const one of entries) if (one.state === "waiting") { one.at = Date.now(); linli.request("POST", PATH, one.body, { key: one.key, keepalive: true }); }
    sessionStorage.setItem(PLACE, JSON.stringify(entries));
  });

  linli.decisions = {
    get all() { return entries; },
    get busy() { return entries.some((one) => one.state !== "refused"); },
    has: (number) => entries.some((one) => one.body.number === number),
    add(body, what, says) {
      entries = entries.filter((one) => one.body.number !== body.number);
      entries.push({ key: linli.key(), body, what, says, state: "waiting", at: Date.now() + 1000 * parseInt(grace, 10) });
      keep();
    },
    // Gives the number of what was taken back, or null when nothing can be any more.
    undo(key = null) {
      const one = key ? entries.find((other) => other.key === key && other.state === "waiting") : entries.filter((other) => other.state === "waiting").at(-1);
      if (!one) return null;
      drop(one);
      return one.body.number;
    },
    again(key) { const one = entries.find((other) => other.key === key); if (one) { one.key = linli.key(); one.state = "waiting"; one.at = Date.now(); keep(); } },
    drop(key) { const one = entries.find((other) => other.key === key); if (one) drop(one); },
  };
})();
