// The same deed for several demands: a preview of what can and what cannot be done, a moment to take it back, then one request
// after the other. A failed one is tried again under its own key, so that nothing is done twice.
(() => {
  "use strict";
  const dialog = document.getElementById("bulk");
  if (!dialog) return;
  const words = JSON.parse(dialog.dataset.words), refusals = JSON.parse(dialog.dataset.refused);
  const UNDO_SECONDS = 8;
  const $ = (id) => document.getElementById(id);
  const form = $("bulk-form"), run = $("bulk-run");
  const fill = (text, blanks) => text.replace(/\{(\w+)\}/g, (_, name) => blanks[name]);
  let deed = null, list = [], plan = [], settle = null, busy = false;

  const describe = (row) => ({
    number: row.dataset.row, line: row.dataset.line, community: row.dataset.community,
    permitted: row.dataset.permitted.split(" "), refused: JSON.parse(row.dataset.refused),
  });

  // What would be sent about one of them, or why nothing can be.
  const judge = (one) => {
    const said = { ...one, command: deed, why: null };
    if (deed === "extend") {
      said.command = one.permitted.includes("decide_extension") ? "decide_extension" : "extend";
      if (!one.permitted.includes(said.command)) said.why = one.refused.extend === "not_holder" && one.refused.decide_extension === "stage_forbids" ? "nothing_asked" : one.refused.decide_extension ?? one.refused.extend ?? "unknown";
      return said;
    }
    if (!one.permitted.includes(deed)) said.why = one.refused[deed] ?? "unknown";
    else if (deed === "reassign" && $("bulk-person").value && one.community !== $("bulk-person").selectedOptions[0].dataset.community) said.why = "other_community";
    return said;
  };

  const line = (one, end) => {
    const item = document.createElement("li");
    const what = document.createElement("span"), right = document.createElement("span");
    what.textContent = `${one.number} ${one.line}`;
    right.textContent = end;
    item.append(what, right);
    return item;
  };

  const preview = () => {
    plan = list.map(judge);
    const yes = plan.filter((one) => !one.why), no = plan.filter((one) => one.why);
    $("bulk-will").textContent = fill(words.will, { n: yes.length });
    $("bulk-wont").textContent = fill(words.wont, { n: no.length });
    $("bulk-yes").replaceChildren(...yes.map((one) => line(one, deed === "extend" ? (one.command === "extend" ? words.ask : words.decide) : "")));
    $("bulk-no").replaceChildren(...no.map((one) => line(one, refusals[one.why] ?? refusals.unknown)));
    $("bulk-cannot").hidden = no.length === 0;
    $("bulk-go").textContent = fill(words.go, { n: yes.length });
    $("bulk-go").disabled = yes.length === 0;
    for (const part of dialog.querySelectorAll("[data-part]")) {
      const wanted = yes.some((one) => one.command === (part.dataset.part === "decide" ? "decide_extension" : "extend"));
      part.hidden = !wanted;
    }
  };

  const people = () => {
    const known = JSON.parse($("board-people").textContent || "{}");
    const wanted = new Set(list.map((one) => one.community));
    const select = $("bulk-person");
    const first = new Option(words.choose, "");
    select.replaceChildren(first);
    for (const [community, some] of Object.entries(known)) {
      if (!wanted.has(community)) continue;
      for (const person of some) { const option = new Option(person.name, person.id); option.dataset.community = community; select.append(option); }
    }
  };

  const begin = (what, only = null) => {
    if (busy) { linli.open("bulk"); return; }
    const some = only ? [only] : linli.board.chosen().length ? linli.board.chosen() : [linli.board.current()].filter(Boolean);
    if (!some.length) return;
    deed = what;
    list = some.map(describe);
    $("bulk-title").textContent = words[what];
    for (const part of dialog.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== what;
    people();
    $("bulk-person").required = what === "reassign";
    form.hidden = false;
    run.hidden = true;
    preview();
    linli.open("bulk");
    (what === "reassign" ? $("bulk-person") : $("bulk-go").disabled ? dialog.querySelector("form [data-close]") : $("bulk-go")).focus();
  };
  linli.bulk = { begin };

  const body = (one) => {
    const note = $("bulk-note").value.trim();
    const said = { type: one.command, ...(note ? { note } : {}) };
    if (one.command === "reassign") said.person = $("bulk-person").value;
    if (one.command === "extend") { said.working_days = Number($("bulk-days").value); said.basis = $("bulk-basis").value; }
    if (one.command === "decide_extension") said.approved = form.querySelector("[name=approved]:checked").value === "true";
    return said;
  };

  const grace = () => new Promise((go) => {
    let left = UNDO_SECONDS;
    const say = () => { $("bulk-said").textContent = fill(words.waiting, { n: left }); };
    const ticking = setInterval(() => { left -= 1; left <= 0 ? settle(true) : say(); }, 1000);
    settle = (sent) => { clearInterval(ticking); settle = null; $("bulk-undo").hidden = true; go(sent); };
    $("bulk-undo").hidden = false;
    say();
    $("bulk-undo").focus();
  });

  const send = async (some) => {
    const failed = [];
    let done = 0;
    busy = true;
    $("bulk-failures").replaceChildren();
    $("bulk-again").hidden = $("bulk-close").hidden = true;
    $("bulk-meter").max = some.length;
    for (const one of some) {
      $("bulk-said").textContent = fill(words.progress, { n: done + failed.length, m: some.length });
      const answer = await linli.request("POST", `/api/v1/demands/${one.number}/actions`, one.body, { key: one.key });
      if (answer.ok) done += 1;
      else { one.problem = answer.status === 0 || answer.status >= 500 ? words.uncertain : refusals[answer.answer?.code] ?? answer.answer?.detail ?? refusals.unknown; failed.push(one); }
      $("bulk-meter").value = done + failed.length;
    }
    busy = false;
    plan = failed;
    $("bulk-said").textContent = failed.length ? fill(words.failed, { n: done, m: failed.length }) : fill(words.done, { n: done });
    $("bulk-failures").replaceChildren(...failed.map((one) => line(one, one.problem)));
    $("bulk-again").hidden = failed.length === 0;
    $("bulk-close").hidden = false;
    (failed.length ? $("bulk-again") : $("bulk-close")).focus();
    if (done) { linli.board.clear(); document.body.dispatchEvent(new CustomEvent("linli:changed")); }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const some = plan.filter((one) => !one.why).map((one) => ({ ...one, body: body(one), key: linli.key() }));
    if (!some.length) return;
    form.hidden = true;
    run.hidden = false;
    $("bulk-meter").value = 0;
    $("bulk-failures").replaceChildren();
    $("bulk-again").hidden = $("bulk-close").hidden = true;
    if (await grace()) await send(some);
    else { form.hidden = false; run.hidden = true; linli.toast(words.undone); $("bulk-go").focus(); }
  });
  form.addEventListener("change", preview);
  $("bulk-undo").addEventListener("click", () => settle?.(false));
  $("bulk-again").addEventListener("click", () => send(plan));
  dialog.addEventListener("close", () => { settle?.(false); $("bulk-note").value = ""; });
  addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });

  document.addEventListener("click", (event) => {
    const one = event.target.closest("[data-bulk-one]"), many = event.target.closest("[data-bulk]");
    if (one) begin(one.dataset.bulkOne, one.closest("tr"));
    else if (many) begin(many.dataset.bulk);
  });
})();
