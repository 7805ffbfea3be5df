// The page of the queue: every deed on this phone with its time, its photos, what came of it, and what can be done about it.
(() => {
  "use strict";
  const { queue, offline } = linli;
  const one = document.getElementById("deed"), empty = document.getElementById("queue-empty");
  if (!queue || !one) { if (empty) empty.hidden = false; return; }
  const { zone, words, refused } = JSON.parse(document.getElementById("offline").textContent);
  const { fill, clock, what } = offline;
  const sections = { trouble: document.getElementById("queue-trouble"), waiting: document.getElementById("queue-waiting") };
  const others = document.getElementById("queue-others"), send = document.getElementById("queue-send");
  const cards = new Map(); // seq → {element, state, urls}

  const when = (at) => {
    const day = (date) => date.toLocaleDateString("zh-CN", { timeZone: zone });
    const then = new Date(at), short = then.toLocaleDateString(document.documentElement.lang, { timeZone: zone, month: "short", day: "numeric" });
    return day(then) === day(new Date()) ? clock(at) : `${short} ${clock(at)}`;
  };
  const textOf = (deed) => [deed.body.reply, deed.body.note, deed.body.text].filter(Boolean).join("\n");
  const noteOf = (deed) => [fill(words.note_from, { time: when(deed.body.performed_at ?? deed.queued_at), what: what(deed) }), textOf(deed)].filter(Boolean).join("\n");

  const behind = (deed, deeds) => deed.number && deeds.some((other) => other.number === deed.number && other.seq < deed.seq && other.state === "conflict");
  const looks = (deed, deeds) => {
    if (deed.state === "conflict") return ["chip-bad", words.state_conflict];
    if (deed.state === "already") return ["chip-good", words.state_already];
    if (deed.state === "sending") return ["chip-calm", words.state_sending];
    return behind(deed, deeds) ? ["chip-warn", words.state_behind] : ["chip-warn", words.state_waiting];
  };
  const why = (deed) => {
    if (deed.state === "already") return fill(words.already, { time: when(deed.problem.already.at) });
    if (deed.state === "conflict") return refused[deed.problem.code] ?? [deed.problem.title, deed.problem.detail].filter(Boolean).join(" · ");
    return deed.state === "waiting" && deed.tries > 0 ? fill(words.maybe_arrived, { n: deed.tries }) : "";
  };

  const button = (text, look, run, label) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `btn ${look}`;
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", run);
    return made;
  };
  const NO_NOTE = ["outside_scope", "not_found", "closed", "file_broken", "unsupported_file", "file_too_large"];
  const buttons = (deed) => {
    const { seq, state, problem, tries } = deed, named = (text) => `${text} · ${what(deed)} ${deed.number ?? ""}`.trim();
    const made = (text, look, run) => button(text, look, run, named(text));
    if (state === "already") return [made(words.known, "btn-outline-secondary", () => queue.drop(seq))];
    if (state === "conflict") {
      const list = [], note = deed.number && deed.type !== "note" && !NO_NOTE.includes(problem.code);
      if (note) list.push(made(words.as_note, "btn-primary", () => queue.asNote(seq, noteOf(deed))));
      list.push(made(words.again, "btn-outline-secondary", () => queue.retry(seq)));
      if (textOf(deed)) list.push(made(words.copy, "btn-outline-secondary", () => navigator.clipboard.writeText(textOf(deed)).then(() => linli.toast(linli.words.copied))));
      list.push(made(words.drop, "btn-outline-danger", async () => { if (await linli.confirm(words.drop_sure)) queue.drop(seq); }));
      return list;
    }
    if (state === "waiting" && tries === 0) return [made(words.undo, "btn-outline-secondary", () => queue.undo(seq))];
    if (state === "waiting") return [made(words.drop, "btn-outline-danger", async () => { if (await linli.confirm(words.maybe_drop)) queue.drop(seq, (row) => row.state === "waiting"); })];
    return [];
  };

  const make = async (deed) => {
    const element = one.content.firstElementChild.cloneNode(true), urls = [], photos = element.querySelector(".deed-photos");
    element.querySelector(".deed-what").textContent = deed.number && deed.summary && deed.summary !== what(deed) ? deed.summary : what(deed);
    const at = element.querySelector(".deed-at"), instant = deed.body.performed_at ?? deed.queued_at;
    at.textContent = when(instant);
    at.dateTime = instant;
    const link = element.querySelector(".deed-number");
    if (deed.number) { link.href = `/tasks/${deed.number}`; link.textContent = deed.number; link.hidden = false; }
    const text = element.querySelector(".deed-text");
    text.textContent = textOf(deed);
    text.hidden = !text.textContent;
    for (const [n, photo] of (await queue.photosOf(deed.seq)).entries()) {
      const url = URL.createObjectURL(photo.blob), shown = document.createElement("a"), image = document.createElement("img");
      urls.push(url);
      Object.assign(image, { src: url, alt: fill(words.photo, { n: n + 1 }) });
      Object.assign(shown, { href: url, target: "_blank", download: photo.name });
      shown.append(image);
      photos.append(shown);
    }
    photos.hidden = urls.length === 0;
    return { element, urls, state: null };
  };

  const dress = (card, deed, deeds) => {
    const [look, word] = looks(deed, deeds), state = [word, why(deed), deed.type].join("|");
    if (card.state === state) return;
    card.state = state;
    const chip = card.element.querySelector(".deed-state"), said = card.element.querySelector(".deed-why");
    chip.className = `chip deed-state ${look}`;
    chip.textContent = word;
    said.textContent = why(deed);
    said.hidden = !said.textContent;
    card.element.querySelector(".deed-do").replaceChildren(...buttons(deed));
  };

  let drawing = Promise.resolve();
  const draw = () => { drawing = drawing.then(paint, paint); };
  const paint = async () => {
    const everyones = await queue.all(), deeds = everyones.filter((deed) => deed.person === queue.person);
    const focused = document.activeElement?.closest?.(".deed");
    for (const [seq, card] of cards) {
      const deed = deeds.find((other) => other.seq === seq);
      if (deed && deed.key === card.key) continue;
      card.urls.forEach((url) => URL.revokeObjectURL(url));
      card.element.remove();
      cards.delete(seq);
    }
    for (const deed of deeds) {
      if (!cards.has(deed.seq)) cards.set(deed.seq, { ...(await make(deed)), key: deed.key });
      const card = cards.get(deed.seq), trouble = deed.state === "conflict" || deed.state === "already";
      dress(card, deed, deeds);
      const list = sections[trouble ? "trouble" : "waiting"].querySelector("ul");
      if (card.element.parentNode !== list) list.append(card.element);
    }
    for (const section of Object.values(sections)) section.hidden = section.querySelector("li") === null;
    empty.hidden = deeds.length > 0;
    send.hidden = !deeds.some((deed) => deed.state === "waiting");
    const foreign = everyones.length - deeds.length;
    others.hidden = foreign === 0;
    others.textContent = foreign ? fill(words.someone_elses, { n: foreign }) : "";
    if (focused && !document.contains(focused)) document.getElementById("main").focus();
  };
  send.addEventListener("click", () => queue.send());
  document.addEventListener("linli:queue", draw);
  draw();
})();
