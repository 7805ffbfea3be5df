// One demand for its reporter: opened by the token behind `#` of a message's link, or by number and code. Read from the API;
// everything is written as text. What can be done about it: resident-deeds.js.
(function () {
  "use strict";
  var linli = window.linli, words = linli.words, el = linli.el, of = linli.of;
  function by(id) { return document.getElementById(id); }
  var KEY = "linli-link", ENTERED = "linli-entered", place = by("demand");

  // Out of the address bar at once: the address is what people copy, and what the browser's history keeps.
  if (location.hash.length > 1 && location.hash !== "#main") {
    linli.keep(window.sessionStorage, KEY, location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }

  function headers(more) {
    var token = linli.kept(window.sessionStorage, KEY), found = more || {};
    if (token) found.Authorization = "Link " + token;
    return found;
  }
  linli.door = function (method, path, more, done) {
    more.headers = headers(more.headers);
    return linli.ask(method, "/api/v1/resident/" + path, more, done);
  };

  // ---- the ways in

  function enter(said) {
    by("wait").hidden = place.hidden = true;
    by("enter").hidden = false;
    by("enter-failed").textContent = said || "";
    by("enter-failed").hidden = !said;
  }

  by("code-form").addEventListener("submit", function (event) {
    event.preventDefault();
    var number = by("number").value.trim(), code = by("code").value.trim(), button = by("code-form").querySelector("button");
    if (!number || !code) { enter(words.not_fitting); by(number ? "code" : "number").focus(); return; }
    button.setAttribute("aria-busy", "true");
    linli.keep(window.sessionStorage, KEY, null);
    linli.ask("POST", "/api/v1/resident/session", { body: { number: number, code: code } }, function (status, answer) {
      button.removeAttribute("aria-busy");
      if (status === 201) { by("code").value = ""; linli.keep(window.sessionStorage, ENTERED, true); read(); return; }
      enter(answer.code === "code_refused" || status === 422 ? words.not_fitting : linli.why(status, answer));
      by("number").focus();
    });
  });

  function read() {
    linli.door("GET", "demand", {}, function (status, answer) {
      if (status === 200) { linli.showDemand(answer); place.focus(); return; }
      if (status === 401 || status === 410) { linli.keep(window.sessionStorage, KEY, null); linli.keep(window.sessionStorage, ENTERED, null); }
      if (status === 401) enter(words.need_code);
      else enter(answer.code === "link_over" ? words.link_over : linli.why(status, answer));
    });
  }

  function leave() {
    var by_code = linli.kept(window.sessionStorage, ENTERED);
    linli.keep(window.sessionStorage, KEY, null);
    linli.keep(window.sessionStorage, ENTERED, null);
    if (by_code) linli.ask("DELETE", "/api/v1/resident/session", {}, function () { return null; });
    enter("");
    by("number").focus();
  }

  // ---- the demand

  var STEP = { intake: 1, grid: 2, unit: 2, meeting: 2, feedback: 3, closed: 4 };

  function steps(d) {
    var now = STEP[d.stage.code], names = [1, 2, 3, 4];
    return el("ol", { className: "steps", "aria-label": words.steps }, names.map(function (n) {
      var done = n < now || d.stage.code === "closed", state = done ? "done" : n === now ? "now" : "";
      return el("li", { className: state ? "is-" + state : "", "aria-current": state === "now" ? "step" : null }, [
        el("span", { className: "step-mark", "aria-hidden": "true" }, done ? linli.icon("check") : String(n)),
        el("span", {}, words["step_" + n]),
        state ? el("span", { className: "off-screen" }, words["step_" + state]) : null,
      ]);
    }));
  }

  function next(d) {
    if (d.waits_for) return el("p", { className: "notice notice-warn" }, [linli.icon("player-pause"), el("span", {}, words.paused + (linli.english ? ": " : "：") + of(d.waits_for))]);
    if (!d.next) return null;
    var late = d.next.late && d.next.due_at;
    return el("p", { className: late ? "notice notice-danger" : "notice" }, [
      linli.icon(late ? "alarm" : "clock"),
      el("span", {}, [
        el("strong", {}, words.next + (linli.english ? ": " : "：") + of(d.next)),
        d.next.due_at ? el("span", { className: "block" }, linli.say(late ? "late" : "by", { at: linli.when(d.next.due_at) })) : null,
      ]),
    ]);
  }

  function facts(d) {
    var said = [
      [words.number_short, d.number],
      d.owner ? [words.owner, [d.owner.unit, of(d.owner.role), d.owner.name].filter(Boolean).join(" · ")] : null,
      d.category ? [words.category, of(d.category)] : null,
      d.place ? [words.place, [d.place.community, d.place.compound].filter(Boolean).join(" · ")] : null,
      [words.opened, linli.when(d.opened_at)],
    ].filter(Boolean);
    var list = el("dl", { className: "facts" });
    said.forEach(function (one) { list.appendChild(el("dt", {}, one[0])); list.appendChild(el("dd", {}, one[1])); });
    return list;
  }

  // What was promised and what became of it; never by colour alone.
  function promises(d) {
    if (!d.promises.length) return null;
    var rows = d.promises.map(function (one) {
      var stopped = one.state === "stopped";
      var kind = one.broken ? "bad" : one.state === "paused" ? "warn" : stopped ? "good" : "calm";
      var icon = { bad: "alert-triangle", warn: "player-pause", good: "circle-check", calm: "clock" }[kind];
      var said = one.broken ? (stopped ? words.broken_done : words.broken) : stopped ? words.kept : one.state === "paused" ? words.stands_still : linli.say("running", { at: linli.when(one.due_at) });
      return el("li", {}, [el("span", {}, words["promise_" + one.promise] || of(one)), el("span", { className: "chip chip-" + kind }, [linli.icon(icon), said])]);
    });
    return el("section", { className: "card card-pad" }, [el("h2", {}, words.promises), el("ul", { className: "times" }, rows)]);
  }

  function texts(d) {
    return d.texts.map(function (one) {
      var title = one.by_you ? (one.kind === "demand" ? words.you_wrote : words.you_added) : words.reply;
      return el("section", { className: "card card-pad said" + (one.by_you ? "" : " said-reply") }, [
        el("h2", {}, [linli.icon(one.by_you ? "user" : "message"), " " + title]),
        el("p", { className: "said-text" }, one.erased_at || one.text === null ? words.erased : one.text),
        one.written_at ? el("p", { className: "dim small mb-0" }, linli.when(one.written_at)) : null,
      ]);
    });
  }

  // Pictures are fetched with what opened the door: an address alone shows none.
  function picture(into, path) {
    var request = new XMLHttpRequest();
    request.open("GET", "/api/v1/resident/files/" + path);
    request.responseType = "blob";
    var given = headers();
    Object.keys(given).forEach(function (name) { request.setRequestHeader(name, given[name]); });
    request.onload = function () { if (request.status === 200) into(URL.createObjectURL(request.response)); };
    request.send();
  }

  function files(d) {
    if (!d.files.length) return null;
    var list = el("ul", { className: "shots" });
    d.files.forEach(function (file, at) {
      var image = file.kind === "image", n = at + 1;
      var link = el("a", { className: image ? "" : "btn btn-outline-secondary", href: "#", on: { click: function (event) {
        event.preventDefault();
        picture(function (address) { window.open(address, "_blank") || location.assign(address); }, file.id);
      } } }, image ? el("img", { alt: linli.say("photo_n", { n: n }), width: 96, height: 96 }) : [linli.icon("file-text"), linli.say("document_n", { n: n })]);
      if (image) picture(function (address) { link.firstChild.src = address; }, file.id + "/thumbnail");
      list.appendChild(el("li", { className: "shot" }, link));
    });
    return el("section", { className: "card card-pad" }, [el("h2", {}, words.files), list]);
  }

  function history_(d) {
    return el("section", { className: "card card-pad" }, [
      el("h2", {}, words.history),
      el("ol", { className: "timeline" }, d.history.slice().reverse().map(function (one) {
        return el("li", {}, [el("span", { className: "block" }, of(one)), el("time", { className: "timeline-at", datetime: one.at }, linli.when(one.at))]);
      })),
    ]);
  }

  function given(d) {
    var said = d.questions.given;
    if (!said || d.questions.open) return null;
    return el("section", { className: "card card-pad", id: "answered" }, [
      el("h2", {}, [linli.icon("circle-check", "text-good"), " " + words.answered]),
      el("p", {}, [words["contacted_" + (said.contacted ? "yes" : "no")], words["solved_" + said.solved], words["satisfied_" + said.satisfied]].join(" · ")),
      el("p", { className: "dim mb-0" }, words.answered_thanks),
    ]);
  }

  linli.showDemand = function (d) {
    by("wait").hidden = by("enter").hidden = true;
    place.hidden = false;
    var reopen = d.stage.code === "closed" && d.permitted.indexOf("reopen") >= 0;
    var deeds = linli.deeds(d);
    linli.fill(place, [
      el("h1", {}, words.yours),
      el("section", { className: "card card-pad" }, [
        steps(d),
        el("p", { className: "now", id: "stage", "data-stage": d.stage.code }, of(d.stage)),
        d.stage.code === "closed" ? null : next(d),
        reopen && d.reopen_until ? el("p", { className: "notice" }, [linli.icon("clock"), linli.say("reopen_until", { at: linli.when(d.reopen_until) })]) : null,
        d.stage.code === "closed" && !reopen ? el("p", { className: "dim" }, words.reopen_over) : null,
        facts(d),
      ]),
      deeds.first,
      given(d),
    ].concat(texts(d), [files(d), promises(d), history_(d), deeds.more, el("div", { className: "leave" }, [
      el("p", { className: "dim" }, words.other_ways),
      el("button", { type: "button", className: "btn btn-outline-secondary", id: "again", on: { click: read } }, [linli.icon("refresh"), words.again]),
      el("button", { type: "button", className: "btn btn-quiet", id: "leave", on: { click: leave } }, [linli.icon("logout"), words.another]),
    ])]));
  };

  // The session's cookie is not for scripts to see: whether there may be one is remembered for this window.
  if (linli.kept(window.sessionStorage, KEY) || linli.kept(window.sessionStorage, ENTERED)) read(); else enter("");
})();
