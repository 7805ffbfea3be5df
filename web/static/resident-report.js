// The report itself: while it is written the draft is looked at (category, duplicates, emergencies); it is sent once, whatever
// the network does, and what came of it stands on the same page.
(function () {
  "use strict";
  var linli = window.linli, words = linli.words, draft = linli.draft, el = linli.el;
  function by(id) { return document.getElementById(id); }
  var form = by("report"), text = by("text"), send = by("send");
  var RECEIPT = "linli-receipt", looked = null, looking = null, categories = null, picked = false, unsure = false, insisted = null;

  function headers(key) {
    var found = { "Linli-Draft": draft.secret };
    if (key) found["Idempotency-Key"] = key;
    return found;
  }
  function show(id, on) { by(id).hidden = !on; }

  // ---- what is written

  var PHONE = /(^|\D)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(\D|$)/, CARD = /\d{15,19}|\d{17}[xX]/;
  function warn() {
    var found = CARD.test(text.value.replace(/[ -]/g, "")) ? words.found_id : PHONE.test(text.value) ? words.found_phone : "";
    by("private-found").textContent = found;
    show("private-found", found);
  }

  function written() {
    draft.text = text.value;
    show("text-error", false);
    text.removeAttribute("aria-invalid");
    warn();
    linli.saveDraft();
    clearTimeout(looking);
    looking = setTimeout(look, 900);
  }
  text.addEventListener("input", written);
  text.addEventListener("blur", function () { clearTimeout(looking); look(); });
  form.addEventListener("linli:place", function () { unsure = false; look(); });

  function body(whole) {
    var found = { text: draft.text.trim() };
    if (draft.category && (whole || picked)) found.category = draft.category.code;
    if (draft.place) found.location = draft.place.location;
    return found;
  }

  // Looks at the draft unless it was looked at as it stands; `then` is told in any case.
  function look(then) {
    var asked = body(), said = JSON.stringify(asked);
    var done = typeof then === "function" ? then : function () { return null; };
    if (!asked.text || (asked.text.length < 4 && done.length === 0)) { done(); return; }
    if (looked === said) { done(); return; }
    linli.ask("POST", "/api/v1/resident/draft", { body: asked, headers: headers() }, function (status, answer) {
      if (status === 200 && said === JSON.stringify(body())) { // else something else stands there by now, and is looked at itself
        looked = said;
        suggest(answer.categories);
        matters(answer.matters);
        warned(answer.elsewhere);
        if (draft.place) linli.placeTold(answer.place);
      }
      done();
    });
  }

  // ---- category: offered, accepted or changed

  function suggest(found) {
    var offered = found.slice(0, 3), own = draft.category;
    if (!picked) own = draft.category = offered[0] || null;
    if (own && !offered.some(function (one) { return one.code === own.code; })) offered.unshift(own);
    var box = by("categories");
    Array.prototype.slice.call(box.querySelectorAll("button")).forEach(function (old) { box.removeChild(old); });
    offered.slice(0, 4).forEach(function (one) {
      box.appendChild(el("button", {
        type: "button", className: "btn btn-choice", "aria-pressed": own && own.code === one.code ? "true" : "false", "data-category": one.code,
        on: { click: function () { choose(one); } },
      }, linli.of(one)));
    });
    box.appendChild(el("button", { type: "button", className: "btn btn-outline-secondary", id: "other", "aria-expanded": "false", "aria-controls": "category-panel", on: { click: other } }, [linli.icon("search"), words.category_other]));
    by("category-note").textContent = found.length ? words.category_suggested : words.category_none;
    show("category-box", true);
    linli.offered = found;
  }

  function choose(one) {
    picked = true;
    draft.category = one;
    linli.saveDraft();
    show("category-panel", false);
    suggest(linli.offered || []);
    looked = null;
    look();
    var chosen = by("categories").querySelector("[aria-pressed=true]");
    if (chosen) chosen.focus();
  }

  function other() {
    var on = by("category-panel").hidden;
    show("category-panel", on);
    by("other").setAttribute("aria-expanded", on ? "true" : "false");
    if (!on) return;
    by("category-search").value = "";
    by("category-search").focus();
    if (categories) { list(); return; }
    linli.ask("GET", "/api/v1/resident/categories", {}, function (status, answer) {
      if (status === 200) { categories = answer; list(); } else linli.toast(linli.why(status, answer), true);
    });
  }

  function list() {
    var said = by("category-search").value.trim().toLowerCase();
    var found = (categories || []).filter(function (one) { return (one.zh + one.en + linli.of(one.group)).toLowerCase().indexOf(said) >= 0; });
    linli.fill(by("category-list"), found.map(function (one) {
      return el("li", {}, el("button", { type: "button", className: "list-item list-button", on: { click: function () { choose(one); } } }, [el("strong", {}, linli.of(one)), el("small", { className: "dim" }, linli.of(one.group))]));
    }));
    if (!found.length) by("category-list").appendChild(el("li", { className: "list-item dim", role: "status" }, words.category_nothing));
  }
  by("category-search").addEventListener("input", list);
  by("category-search").addEventListener("keydown", function (event) { if (event.key === "Enter") event.preventDefault(); });

  // ---- what others reported

  function matters(found) {
    show("matters", found.length);
    linli.fill(by("matter-list"), found.slice(0, 3).map(function (one) {
      var chosen = draft.follow && draft.follow.since === one.opened_on && draft.follow.said === one.said_zh;
      if (chosen) { draft.follow.token = one.follow; }
      function set(on) {
        return function () {
          draft.follow = on ? { token: one.follow, since: one.opened_on, said: one.said_zh } : false;
          linli.saveDraft();
          matters(found);
          var pressed = by("matter-list").querySelector("[aria-pressed=true]");
          if (pressed) pressed.focus();
        };
      }
      return el("div", { className: "matter" }, [
        el("p", { className: "matter-title" }, [
          el("strong", {}, linli.say(one.reporters === 1 ? "matter_one" : "matter_n", { n: one.reporters })),
          el("span", { className: "chip" }, linli.english ? one.category.name_en : one.category.name),
        ]),
        el("p", { className: "dim" }, (linli.english ? one.said_en : one.said_zh) + " · " + linli.say("matter_since", { day: linli.day(one.opened_on) })),
        el("div", { className: "ways" }, [
          el("button", { type: "button", className: "btn btn-choice", "aria-pressed": chosen ? "true" : "false", on: { click: set(true) } }, [linli.icon("users"), words.matter_follow]),
          el("button", { type: "button", className: "btn btn-choice", "aria-pressed": draft.follow === false ? "true" : "false", on: { click: set(false) } }, words.matter_own),
        ]),
      ]);
    }));
  }

  // ---- what is not for the subdistrict

  function warned(elsewhere) {
    var box = by("stop"), urgent = elsewhere && elsewhere.kind === "emergency";
    linli.elsewhere = elsewhere;
    if (!elsewhere) { box.hidden = true; return; }
    var said = linli.of(elsewhere), numbers = said.match(/1(?:10|19|20|22|2\d{3})/g) || [];
    linli.fill(box, [
      el("h2", {}, [linli.icon(urgent ? "alert-octagon" : "info-circle"), " ", urgent ? words.stop_emergency : words.stop_other]),
      el("p", { className: "stop-said" }, said),
      el("p", {}, urgent ? words.stop_why : words.stop_other_why),
    ].concat(numbers.filter(function (n, at) { return numbers.indexOf(n) === at; }).map(function (n) {
      return el("a", { className: "btn btn-danger btn-lg w-100", href: "tel:" + n }, [linli.icon("phone"), linli.say("call", { n: n })]);
    }), [
      el("button", { type: "button", className: "btn btn-outline-secondary w-100", id: "stop-edit", on: { click: function () { text.focus(); } } }, urgent ? words.stop_edit : words.stop_edit_other),
      el("button", { type: "button", className: "btn btn-quiet w-100", id: "stop-send", on: { click: function () { insisted = draft.text; submit(); } } }, words.stop_send),
    ]));
    box.className = urgent ? "stop" : "stop stop-calm";
    box.hidden = false;
  }

  // ---- contact

  var phone = by("phone"), confidential = by("confidential");
  phone.addEventListener("input", function () { draft.phone = phone.value; show("phone-error", false); phone.removeAttribute("aria-invalid"); linli.saveDraft(); });
  confidential.addEventListener("change", function () { draft.confidential = confidential.checked; linli.saveDraft(); });

  // ---- sending

  form.addEventListener("submit", function (event) { event.preventDefault(); submit(); });

  function busy(label) {
    send.setAttribute("aria-busy", label ? "true" : "false");
    send.querySelector("span").textContent = label || words.send;
  }
  function failed(said) {
    busy(null);
    var box = by("failed");
    box.textContent = said;
    box.hidden = false;
    box.scrollIntoView({ block: "center" });
    box.focus();
  }
  function wrong(field, note) {
    show(note, true);
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  function submit() {
    if (send.getAttribute("aria-busy") === "true") return;
    show("failed", false);
    draft.text = text.value;
    if (!draft.text.trim()) { wrong(text, "text-error"); return; }
    draft.phone = phone.value.trim();
    if (draft.phone && !/^\+?[0-9][0-9 -]{4,19}$/.test(draft.phone)) { wrong(phone, "phone-error"); return; }
    busy(words.sending);
    look(function answered() {
      if (linli.elsewhere && insisted !== draft.text) { busy(null); by("stop").scrollIntoView({ block: "center" }); by("stop").focus(); return; }
      if (!draft.place && !unsure && navigator.onLine !== false) {
        unsure = true;
        busy(null);
        by("where-note").textContent = words.where_missing;
        by("ways").scrollIntoView({ block: "center" });
        by("ways").querySelector("button").focus();
        return;
      }
      draft.pending = true;
      linli.saveDraft();
      if (draft.photos.length) busy(words.sending_photos);
      linli.uploadPhotos(function (all) { if (all) post(); else wait(); });
    });
  }

  function post() {
    var said = body(true);
    said.confidential = draft.confidential;
    if (draft.phone) said.reporter = { phone: draft.phone };
    if (draft.follow) said.follow = draft.follow.token;
    if (draft.photos.length) said.file_ids = draft.photos.map(function (photo) { return photo.id; });
    var content = JSON.stringify(said);
    if (!draft.sent || draft.sent.content !== content) draft.sent = { content: content, key: linli.random() };
    linli.saveDraft();
    busy(words.sending);
    linli.ask("POST", "/api/v1/resident/demands", { body: said, headers: headers(draft.sent.key) }, function (status, answer) {
      if (status === 201) { received(answer); return; }
      if (!status) { wait(); return; }
      if (answer.code === "unknown_matter") { draft.follow = null; looked = null; }
      if (status < 500 && status !== 429) draft.pending = false;
      linli.saveDraft();
      failed(linli.why(status, answer));
    });
  }

  function wait() { failed(words.waiting); }
  window.addEventListener("online", function () { if (draft.pending) submit(); });

  function received(receipt) {
    busy(null);
    receipt.had_phone = !!draft.phone;
    linli.endDraft();
    linli.keep(window.sessionStorage, RECEIPT, receipt);
    told(receipt);
  }

  // ---- what came of it

  function line(receipt, one) {
    return el("li", {}, [el("span", {}, words["promise_" + one.promise] || linli.of(one)), el("strong", {}, linli.say("by", { at: linli.when(one.due_at) }))]);
  }

  function told(receipt) {
    var place = by("sent"), closed = !!receipt.elsewhere;
    var times = receipt.promises.filter(function (one) { return one.due_at && one.state !== "stopped"; });
    var path = receipt.link.replace(/^[a-z]+:\/\/[^/]+/, "");
    linli.fill(place, [
      el("div", { className: "card card-pad center" }, [
        linli.icon(closed ? "info-circle" : "circle-check", "i-huge " + (closed ? "text-warn" : "text-good")),
        el("h1", {}, closed ? words.done_elsewhere : words.done),
        closed ? el("p", { className: "stop-said" }, linli.of(receipt.elsewhere)) : null,
        receipt.followed === true ? el("p", { className: "notice notice-good" }, words.followed) : null,
        receipt.followed === false && !closed ? el("p", { className: "notice" }, words.not_followed) : null,
        el("dl", { className: "ticket" }, [
          el("dt", {}, words.number), el("dd", { id: "number" }, receipt.number),
          el("dt", {}, words.code), el("dd", { id: "code" }, receipt.code),
        ]),
        el("p", {}, words.keep),
        el("button", { type: "button", className: "btn btn-outline-primary w-100", "data-copy": linli.say("copy_text", receipt) }, [linli.icon("copy"), words.copy]),
        closed ? null : el("p", { className: "dim" }, receipt.had_phone ? "" : words.no_phone),
      ]),
      closed ? null : el("div", { className: "card card-pad" }, [
        el("h2", {}, words.times),
        times.length ? el("ul", { className: "times" }, times.map(function (one) { return line(receipt, one); })) : el("p", {}, words.no_times),
      ]),
      el("div", { className: "card card-pad center" }, [
        el("p", {}, words.qr),
        el("img", { className: "qr", alt: words.qr_alt, width: 184, height: 184, src: "data:image/svg+xml;charset=utf-8," + encodeURIComponent(receipt.qr) }),
        el("p", { className: "field-help" }, words.qr_private),
        el("a", { className: "btn btn-primary btn-lg w-100", href: path, id: "follow-it" }, [linli.icon("history"), words.follow_it]),
        el("button", { type: "button", className: "btn btn-quiet w-100", id: "again", on: { click: anew } }, [linli.icon("plus"), words.again]),
      ]),
    ]);
    form.hidden = true;
    by("bar").hidden = true;
    place.hidden = false;
    window.scrollTo(0, 0);
    place.focus();
  }

  function anew() {
    linli.keep(window.sessionStorage, RECEIPT, null);
    linli.keep(window.localStorage, "linli-draft", null);
    location.reload();
  }
  by("clear").addEventListener("click", function () { linli.endDraft(); anew(); });

  // ---- as it was left

  var receipt = linli.kept(window.sessionStorage, RECEIPT);
  if (receipt && !draft.text) { told(receipt); return; }
  text.value = draft.text;
  phone.value = draft.phone;
  confidential.checked = draft.confidential;
  picked = !!draft.category;
  linli.renderPlace();
  show("back", linli.draftWasKept);
  if (draft.text) { warn(); look(); }
  if (draft.pending) failed(words.waiting);
})();
