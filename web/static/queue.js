// Deeds of a phone without a signal: kept in IndexedDB before they leave, sent once and in order, never lost.
//
//   linli.queue.ready                          a promise: false where this browser keeps nothing; then send.js sends by itself
//   linli.queue.add({method, path, body, files: [{name, file}], summary, element?})
//
// `add` keeps the deed, then waits a moment for its answer: {ok, status, answer} as of linli.request when it left or was refused
// for something that the form can mend; null when it waits on the phone, or stays in the queue for the person to decide.
// A deed waits for the earlier ones of the same demand; a refused one holds up its own demand only.
//
// Events on document: linli:queue (something of the queue or the network changed), linli:delivered (detail: {deed, answer}).
(() => {
  "use strict";
  const given = document.getElementById("offline");
  if (!given || !window.indexedDB) return;
  const { person, now, words } = JSON.parse(given.textContent);
  const STORES = ["deeds", "photos", "facts"];
  const MOMENT = 5000, JSON_WAITS = 30000, UPLOAD_WAITS = 120000, LEASE = 150000, SLOWEST = 60, GIVE_UP = -1;
  const DEMAND = /^\/api\/v1\/demands\/(\d{8}-\d+)(\/|$)/, TIMED = /^\/api\/v1\/(demands\/[^/]+\/actions|patrol-fixes)$/;
  const tab = linli.key();
  const status = { reach: navigator.onLine === false ? "off" : "ok", sending: null };
  const waiters = new Map(); // seq → resolve
  const channel = window.BroadcastChannel ? new BroadcastChannel("linli-queue") : null;

  // ---- the store

  const got = (request) => new Promise((ok, no) => { request.onsuccess = () => ok(request.result); request.onerror = () => no(request.error); });
  const opened = new Promise((ok, no) => {
    const asked = indexedDB.open("linli", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("deeds", { keyPath: "seq", autoIncrement: true });
      asked.result.createObjectStore("photos", { keyPath: "id", autoIncrement: true }).createIndex("seq", "seq");
      asked.result.createObjectStore("facts", { keyPath: "name" });
    };
    asked.onsuccess = () => { asked.result.onversionchange = () => asked.result.close(); ok(asked.result); };
    asked.onerror = () => no(asked.error);
    asked.onblocked = () => no(new Error("blocked"));
  });

  // One transaction, on the disk when it is over; inside it nothing but requests of it may be awaited.
  const inside = async (mode, work) => {
    const db = await opened;
    let tx;
    try { tx = db.transaction(STORES, mode, { durability: "strict" }); } catch { tx = db.transaction(STORES, mode); }
    const over = new Promise((ok, no) => { tx.oncomplete = ok; tx.onabort = () => no(tx.error ?? new Error("aborted")); });
    let value;
    try { value = await work(...STORES.map((name) => tx.objectStore(name))); }
    catch (wrong) { over.catch(() => {}); try { tx.abort(); } catch { /* it is over already */ } throw wrong; }
    await over;
    return value;
  };

  const all = () => inside("readonly", (deeds) => got(deeds.getAll()));
  const own = async () => (await all()).filter((deed) => deed.person === person);
  const photosOf = (seq) => inside("readonly", (_, photos) => got(photos.index("seq").getAll(seq)));

  // `how` changes the row and may return false to leave it; gives the row as it is then, or null.
  const change = (seq, how) => inside("readwrite", async (deeds, photos) => {
    const deed = await got(deeds.get(seq));
    if (!deed || how(deed, photos) === false) return null;
    deeds.put(deed);
    return deed;
  });
  const remove = (seq, when = () => true) => inside("readwrite", async (deeds, photos) => {
    const deed = await got(deeds.get(seq));
    if (!deed || !when(deed)) return null;
    deeds.delete(seq);
    for (const id of await got(photos.index("seq").getAllKeys(seq))) photos.delete(id);
    return deed;
  });

  const tell = () => document.dispatchEvent(new CustomEvent("linli:queue"));
  const changed = () => { tell(); channel?.postMessage({ person, status }); };
  const reach = (how) => { if (status.reach !== how) { status.reach = how; changed(); } };
  channel?.addEventListener("message", ({ data }) => {
    if (data.person === person) { status.reach = data.status.reach; status.sending = data.status.sending; }
    tell();
  });

  // ---- the clock: a phone's may be wrong, and what it says of when something was done is kept for good

  let skew = parseInt(localStorage.getItem("linli-skew") ?? "0", 10) || 0;
  const learn = (servers, mine) => {
    if (!Number.isFinite(servers)) return;
    skew = Math.abs(servers - mine) > 30000 ? servers - mine : 0;
    localStorage.setItem("linli-skew", String(skew));
  };
  const loaded = performance.getEntriesByType?.("navigation")[0]?.responseStart;
  if (loaded && !document.body.dataset.keptAt) learn(Date.parse(now), performance.timeOrigin + loaded);

  // ---- keeping

  const fingerprint = ({ method, path, body, files }) => {
    const whole = JSON.stringify([method, path, body, files.map(({ file }) => [file.name, file.size, file.lastModified])]);
    let mark = 5381;
    for (let i = 0; i < whole.length; i += 1) mark = (mark * 33 + whole.charCodeAt(i)) | 0;
    return `${mark}-${whole.length}`;
  };

  const keep = async (said) => {
    const at = new Date(Date.now() + skew).toISOString();
    const body = { ...said.body };
    if (TIMED.test(said.path)) body.performed_at ??= at;
    const deed = {
      person, key: linli.key(), method: said.method, path: said.path, body, type: body.type ?? "other", number: DEMAND.exec(said.path)?.[1] ?? null,
      summary: said.summary ?? "", said: said.element?.dataset?.said ?? null, queued_at: at, tries: 0, state: "waiting", problem: null, photos: said.files.length,
    };
    deed.seq = await inside("readwrite", async (deeds, photos) => {
      const seq = await got(deeds.add(deed));
      for (const { name, file } of said.files) photos.add({ seq, key: linli.key(), field: name, name: file.name || "photo.jpg", blob: file, file_id: null });
      return seq;
    });
    return deed;
  };

  let last = { print: "", at: 0 };
  const add = async (said) => {
    said = { files: [], ...said };
    const print = fingerprint(said), earlier = JSON.parse(sessionStorage.getItem("linli-last-deed") ?? "null") ?? last;
    if ([last, earlier].some((one) => one.print === print && Date.now() - one.at < 3000)) return null; // a finger that trembles
    last = { print, at: Date.now() };
    sessionStorage.setItem("linli-last-deed", JSON.stringify(last));
    let deed;
    try { deed = await keep(said); }
    catch { last = { print: "", at: 0 }; sessionStorage.removeItem("linli-last-deed"); linli.toast(words.not_kept, { bad: true, seconds: 0 }); return null; }
    if (!localStorage.getItem("linli-persist")) { localStorage.setItem("linli-persist", "asked"); navigator.storage?.persist?.().catch(() => {}); }
    const answered = new Promise((ok) => { waiters.set(deed.seq, ok); setTimeout(() => answer(deed.seq, null), MOMENT); });
    changed();
    drain();
    const done = await answered;
    if (done && !done.ok) { last = { print: "", at: 0 }; sessionStorage.removeItem("linli-last-deed"); } // mended or not, it may be sent again
    if (!done) document.dispatchEvent(new CustomEvent("linli:queued", { detail: { deed, element: said.element ?? null } }));
    return done;
  };
  const answer = (seq, done) => { const ok = waiters.get(seq); waiters.delete(seq); ok?.(done); return Boolean(ok); };

  // ---- sending

  // {silent} nobody of ours answered; {out} not signed in as this person; {later} try again; {done}; {refused}: a verdict.
  const call = async (method, path, body, key, patience) => {
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), patience);
    const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang, "Linli-Person": person };
    if (method === "POST") headers["Idempotency-Key"] = key;
    const raw = body instanceof FormData, empty = body === null || body === undefined;
    if (!empty && !raw) headers["Content-Type"] = "application/json";
    let response, said;
    try {
      response = await fetch(path, { method, headers, credentials: "same-origin", signal: stop.signal, redirect: "error", body: empty ? undefined : raw ? body : JSON.stringify(body) });
      const text = await response.text();
      said = text ? JSON.parse(text) : null;
    } catch (wrong) {
      // A page of a café's network, or a broken answer of something between us: not our server's word.
      return response && response.status >= 500 ? { later: true, after: 0 } : { silent: true };
    } finally { clearTimeout(timer); }
    learn(Date.parse(response.headers.get("Date")), Date.now());
    const { status: code } = response;
    if (response.ok) return { done: true, status: code, answer: said };
    if (code === 401) return { out: true };
    const busy = code === 408 || code === 425 || code === 429 || code >= 500 || said?.code === "idempotency_key_in_use";
    if (busy) return { later: true, after: parseInt(response.headers.get("Retry-After") ?? "0", 10) || 0 };
    return { refused: true, status: code, answer: said ?? {} };
  };

  const put = (into, name, value) => {
    const path = name.replace(/\[\]$/, "").split("."), field = path.pop();
    for (const step of path) into = into[step] = Array.isArray(into[step]) ? into[step] : { ...into[step] };
    if (name.endsWith("[]")) into[field] = [...(into[field] ?? []), value];
    else into[field] = value;
  };

  const upload = async (photo) => {
    const form = new FormData();
    form.append("file", photo.blob, photo.name);
    const sent = await call("POST", "/api/v1/files", form, photo.key, UPLOAD_WAITS);
    if (sent.done) {
      photo.file_id = sent.answer.id;
      await inside("readwrite", (_, photos) => got(photos.put(photo)));
    }
    return sent;
  };

  const send = async (deed) => {
    const body = { ...deed.body };
    for (const photo of await photosOf(deed.seq)) {
      if (!photo.file_id) {
        const sent = await upload(photo);
        if (!sent.done) return sent;
      }
      put(body, photo.field, photo.file_id);
    }
    const sent = await call(deed.method, deed.path, deed.method === "DELETE" ? null : body, deed.key, JSON_WAITS);
    // Another body under this key was done: it was this deed, with photos that had to be sent anew.
    if (sent.refused && sent.answer.code === "idempotency_key_reused" && deed.tries > 1) return { done: true, status: 200, answer: null };
    return sent;
  };

  // What a verdict is about that this phone can mend by itself, once: its clock, or photos that waited too long for their deed.
  const mended = async (deed, { answer: problem }) => {
    const clock = (problem.errors ?? []).some((one) => (one.pointer ?? one.field ?? "").includes("performed_at")) || problem.facts?.field === "/performed_at";
    if (clock && deed.mended !== "clock") {
      return change(deed.seq, (row) => { row.mended = "clock"; row.body.performed_at = new Date(Date.now() + skew).toISOString(); });
    }
    if (problem.code === "unknown_file" && deed.mended !== "photos") {
      return inside("readwrite", async (deeds, photos) => {
        for (const photo of await got(photos.index("seq").getAll(deed.seq))) photos.put({ ...photo, file_id: null, key: linli.key() });
        deeds.put({ ...deed, mended: "photos" });
        return deed;
      });
    }
    return null;
  };

  // Accepting what somebody has accepted meanwhile asks nothing of anybody.
  const alreadySo = async (deed, problem) => {
    if (deed.type !== "accept" || problem.code !== "stage_forbids") return null;
    const seen = await call("GET", `/api/v1/demands/${deed.number}`, null, null, JSON_WAITS);
    const at = seen.done && !seen.answer.permitted.includes("accept") && seen.answer.clocks.accept?.stopped_at;
    return at ? { at } : null;
  };

  const judge = async (deed, sent) => {
    if (await mended(deed, sent)) return "again";
    const problem = sent.answer, already = await alreadySo(deed, problem);
    const content = deed.photos || deed.body.note || deed.body.reply;
    const toForm = waiters.has(deed.seq) && !already && ([400, 413, 415, 422].includes(sent.status) || !content);
    if (toForm && (await remove(deed.seq))) { answer(deed.seq, { ok: false, status: sent.status, answer: problem }); return "gone"; }
    const kept = { status: sent.status, code: problem.code, title: problem.title, detail: problem.detail, already };
    await change(deed.seq, (row) => { row.state = already ? "already" : "conflict"; row.problem = kept; });
    answer(deed.seq, null);
    return already ? "gone" : "held";
  };

  const next = (deeds, held) => {
    const seen = new Set(held);
    for (const deed of deeds) {
      if (deed.state === "already") continue;
      const lane = deed.number ?? `#${deed.seq}`;
      if (!seen.has(lane) && deed.state !== "conflict") return { deed, lane };
      seen.add(lane);
    }
    return null;
  };

  // Everything that can leave now, one by one. Gives the seconds to wait at least before it is tried again, or null.
  const pass = async (renew) => {
    const held = new Set();
    let wait = null, sent = 0;
    for (;;) {
      const deeds = await own(), found = next(deeds, held);
      if (!found) break;
      const left = deeds.filter((one) => one.state === "waiting" || one.state === "sending").length;
      status.sending = { at: sent + 1, of: sent + left };
      await renew();
      const deed = await change(found.deed.seq, (row) => { if (row.state === "conflict") return false; row.state = "sending"; row.tries += 1; });
      if (!deed) continue;
      changed();
      const back = await send(deed);
      if (back.silent || back.out || back.later) await change(deed.seq, (row) => { row.state = "waiting"; });
      if (back.silent) { reach("off"); wait = 0; break; }
      if (back.out) { reach(await whoIsIn()); break; }
      reach("ok");
      if (back.later) { held.add(found.lane); wait = Math.max(wait ?? 0, back.after); continue; }
      if (back.refused) { if ((await judge(deed, back)) === "held") held.add(found.lane); continue; }
      sent += 1;
      await remove(deed.seq);
      if (!answer(deed.seq, { ok: true, status: back.status, answer: back.answer })) document.dispatchEvent(new CustomEvent("linli:delivered", { detail: { deed, answer: back.answer } }));
    }
    status.sending = null;
    return wait;
  };

  // After a silence one small question goes first: a deed that was never sent can still be taken back.
  const outOfReach = async () => {
    if (status.reach === "ok" && navigator.onLine !== false) return null;
    const asked = await call("GET", "/api/v1/session", null, null, 10000);
    if (asked.silent) { reach("off"); return navigator.onLine === false ? SLOWEST : 0; }
    if (asked.out) { reach(await whoIsIn()); return GIVE_UP; }
    reach("ok");
    return null;
  };

  const whoIsIn = async () => {
    try {
      const response = await fetch("/api/v1/session", { credentials: "same-origin", headers: { Accept: "application/json" } });
      return response.ok && (await response.json()).person?.id !== person ? "other" : "out";
    } catch { return "off"; }
  };

  // One tab at a time. Where the browser has no locks a row in the store says until when somebody is at it.
  const alone = async (work) => {
    if (navigator.locks) return navigator.locks.request("linli-queue", () => work(async () => {}));
    const take = () => inside("readwrite", async (_, __, facts) => {
      const lease = await got(facts.get("lease"));
      if (lease && lease.tab !== tab && lease.until > Date.now()) return false;
      facts.put({ name: "lease", tab, until: Date.now() + LEASE });
      return true;
    });
    if (!(await take())) return 2;
    try { return await work(take); } finally { await inside("readwrite", (_, __, facts) => got(facts.delete("lease"))); }
  };

  let running = false, again = false, timer = null, failures = 0;
  const drain = async () => {
    if (running) { again = true; return; }
    running = true;
    clearTimeout(timer);
    let wait = null;
    try {
      do {
        again = false;
        const idle = !(await own()).some((deed) => deed.state === "waiting" || deed.state === "sending");
        if (idle) { reach(navigator.onLine === false ? "off" : "ok"); continue; }
        wait = (await outOfReach()) ?? (await alone(pass));
        if (wait === GIVE_UP) wait = null;
      } while (again);
      const left = new Set((await own()).map((deed) => deed.seq));
      for (const seq of [...waiters.keys()]) answer(seq, left.has(seq) ? null : { ok: true, status: 200, answer: null });
    } catch { wait = 0; } finally { running = false; status.sending = null; changed(); }
    failures = wait === null ? 0 : failures + 1;
    if (again) { drain(); return; } // asked for after the last look
    if (wait !== null) timer = setTimeout(drain, 1000 * Math.max(wait, Math.min(SLOWEST, 2 ** failures) * (0.75 + Math.random() / 2)));
  };
  const hurry = () => { failures = 0; drain(); };

  // ---- what a person decides about one deed

  const retry = async (seq) => { await change(seq, (row) => { row.state = "waiting"; row.problem = null; row.mended = null; }); changed(); hurry(); };
  const drop = async (seq, when) => { const gone = await remove(seq, when); changed(); hurry(); return Boolean(gone); };
  // Only what has never left: else it may have arrived, and taking it off the phone would take nothing back.
  const undo = (seq) => drop(seq, (row) => row.state === "waiting" && row.tries === 0);
  // Nothing that was written is lost: text and photos go as a note; a text too long for one goes as several.
  const asNote = async (seq, text) => {
    const [first, ...more] = text.match(/[\s\S]{1,3900}/gu);
    const note = (said, at) => ({ type: "note", note: said, performed_at: at });
    await inside("readwrite", async (deeds) => {
      const row = await got(deeds.get(seq));
      if (!row || row.state !== "conflict") return;
      const at = row.body.performed_at;
      const fresh = { ...row, type: "note", tries: 0, state: "waiting", problem: null, mended: null };
      deeds.put({ ...fresh, key: linli.key(), body: note(first, at) });
      for (const said of more) { const { seq: _, ...copy } = fresh; deeds.add({ ...copy, key: linli.key(), photos: 0, body: note(said, at) }); }
    });
    changed();
    hurry();
  };

  linli.queue = { ready: opened.then(() => true, () => false), add, own, all, photosOf, retry, drop, undo, asNote, send: hurry, status, person };

  addEventListener("online", hurry);
  addEventListener("offline", () => reach("off"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });
  addEventListener("pageshow", (event) => { if (event.persisted) hurry(); });
  opened.then(drain, () => { linli.queue = undefined; });
})();
