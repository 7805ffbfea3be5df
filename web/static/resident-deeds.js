// What a reporter can do about the demand, as `permitted` says: answer the three questions, have it reopened, add words and
// photos, urge, withdraw, say how they are told. Each deed keeps its key until it was answered.
(function () {
  "use strict";
  var linli = window.linli, words = linli.words, el = linli.el;
  var keys = {};

  // One deed; afterwards the demand is shown as it is then. `problem` is where a refusal is said.
  function act(button, method, path, body, problem, said) {
    if (button.getAttribute("aria-busy") === "true") return;
    var content = path + JSON.stringify(body);
    keys[content] = keys[content] || linli.random();
    problem.hidden = true;
    button.setAttribute("aria-busy", "true");
    linli.door(method, path, { body: body, headers: method === "POST" ? { "Idempotency-Key": keys[content] } : {} }, function (status, answer) {
      button.removeAttribute("aria-busy");
      if (status === 200) {
        delete keys[content];
        linli.showDemand(answer);
        document.getElementById("demand").focus();
        window.scrollTo(0, 0);
        linli.toast(said || words.sent);
        return;
      }
      if (status && status < 500 && status !== 429) delete keys[content];
      refuse(problem, linli.why(status, answer));
    });
  }

  function refuse(problem, text) {
    problem.textContent = text;
    problem.hidden = false;
    problem.scrollIntoView({ block: "nearest" });
  }
  function problemBox() { return el("p", { className: "form-error", role: "alert", hidden: true }); }
  function button(kind, icon, text, click) {
    return el("button", { type: "button", className: "btn " + kind, on: { click: click } }, [linli.icon(icon), text]);
  }
  function note(id, label, rows) {
    return el("div", { className: "field" }, [
      el("label", { for: id }, [label + " ", el("small", { className: "dim" }, words.optional)]),
      el("textarea", { id: id, className: "form-control", rows: rows, maxLength: 4000 }),
    ]);
  }

  // ---- the three questions

  function question(name, answers) {
    return el("fieldset", { className: "choice answers" }, [el("legend", {}, words[name])].concat(answers.map(function (value) {
      var id = name + "-" + value, field = el("input", { type: "radio", className: "btn-check", name: name, value: value, id: id });
      return el("span", {}, [field, el("label", { className: "btn btn-choice btn-lg", for: id }, words[name + "_" + value])]);
    })));
  }

  function questions() {
    var problem = problemBox();
    var form = el("form", { id: "questions", className: "card card-pad first", noValidate: true }, [
      el("h2", {}, words.questions),
      question("contacted", ["yes", "no"]),
      question("solved", ["yes", "partly", "no"]),
      question("satisfied", ["satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied"]),
      note("answer-note", words.answer_note, 2),
      el("p", { className: "field-help" }, words.answer_redo),
      problem,
      el("button", { type: "submit", className: "btn btn-primary btn-lg w-100", id: "answer" }, words.answer_send),
    ]);
    function of(name) { var on = form.querySelector("[name=" + name + "]:checked"); return on && on.value; }
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var missing = ["contacted", "solved", "satisfied"].filter(function (name) { return !of(name); })[0];
      if (missing) { refuse(problem, words.answer_all); form.querySelector("[name=" + missing + "]").focus(); return; }
      var body = { contacted: of("contacted") === "yes", solved: of("solved"), satisfied: of("satisfied") };
      var more = form.querySelector("#answer-note").value.trim();
      if (more) body.note = more;
      act(form.querySelector("#answer"), "POST", "answer", body, problem, words.answered_thanks);
    });
    return form;
  }

  // ---- reopening

  function reopening() {
    var problem = problemBox();
    var send = button("btn-primary btn-lg w-100", "arrow-back-up", words.reopen_send, function () {
      var said = document.getElementById("reopen-note").value.trim();
      act(send, "POST", "actions", said ? { type: "reopen", note: said } : { type: "reopen" }, problem);
    });
    send.id = "reopen";
    return el("section", { className: "card card-pad first" }, [el("h2", {}, words.reopen), note("reopen-note", words.reopen_why, 2), problem, send]);
  }

  // ---- adding words and photos

  function adding(d) {
    var problem = problemBox(), picked = [], count = el("span", { className: "dim", role: "status" });
    var photos = el("input", { type: "file", id: "add-photo", className: "off-screen", accept: "image/*", multiple: true, on: { change: function () {
      picked = Array.prototype.map.call(photos.files, function (file) { return { file: file, key: linli.random(), id: null }; });
      count.textContent = picked.length ? linli.say("add_photos", { n: picked.length }) : "";
    } } });
    var send = button("btn-outline-primary w-100", "send", words.add_send, function () {
      var said = document.getElementById("add-note").value.trim();
      if (!said && !picked.length) { refuse(problem, words.add_empty); document.getElementById("add-note").focus(); return; }
      upload(picked, problem, send, function (ids) {
        var body = ids.length ? { type: "attach", file_ids: ids } : { type: "note" };
        if (said) body.note = said;
        act(send, "POST", "actions", body, problem);
      });
    });
    send.id = "add";
    return el("section", { className: "card card-pad" }, [
      el("h2", {}, words.add),
      el("div", { className: "field" }, [
        el("label", { for: "add-note" }, words.add_text),
        el("textarea", { id: "add-note", className: "form-control", rows: 2, maxLength: 4000, placeholder: words.add_hint }),
      ]),
      d.permitted.indexOf("attach") >= 0 ? el("p", { className: "add-photo" }, [el("label", { className: "btn btn-outline-secondary pick-inline" }, [photos, linli.icon("camera"), words.add_photo]), count]) : null,
      problem, send,
    ]);
  }

  function upload(picked, problem, busy, then) {
    var left = picked.filter(function (one) { return !one.id; });
    if (!left.length) { then(picked.map(function (one) { return one.id; })); return; }
    var form = new FormData();
    form.append("file", left[0].file, "photo.jpg");
    busy.setAttribute("aria-busy", "true");
    linli.door("POST", "files", { form: form, headers: { "Idempotency-Key": left[0].key } }, function (status, answer) {
      busy.removeAttribute("aria-busy");
      if (status !== 201) { refuse(problem, linli.why(status, answer)); return; }
      left[0].id = answer.id;
      upload(picked, problem, busy, then);
    });
  }

  // ---- the rest

  function simple(d) {
    var can = function (name) { return d.permitted.indexOf(name) >= 0; }, problem = problemBox(), shown = [];
    if (can("urge")) {
      var urge = button("btn-outline-primary", "bell", words.urge, function () { act(urge, "POST", "actions", { type: "urge" }, problem, words.urge_said); });
      urge.id = "urge";
      shown.push(urge);
    }
    if (can("unmerge")) {
      var unmerge = button("btn-outline-secondary", "arrows-exchange", words.unmerge, function () { act(unmerge, "POST", "actions", { type: "unmerge" }, problem); });
      unmerge.id = "unmerge";
      shown.push(unmerge);
    }
    if (can("withdraw")) shown.push(withdrawing(problem));
    return shown.length ? el("section", { className: "card card-pad acts" }, shown.concat([problem])) : null;
  }

  // Asked once more in place: old browsers have no dialogs of their own worth showing.
  function withdrawing(problem) {
    var yes = button("btn-danger", "trash", words.withdraw_yes, function () { act(yes, "POST", "actions", { type: "withdraw" }, problem); });
    yes.id = "withdraw-yes";
    var no = button("btn-outline-secondary", "x", words.no, function () { sure.hidden = true; ask.hidden = false; ask.focus(); });
    var sure = el("div", { className: "sure", hidden: true, role: "group", "aria-label": words.withdraw_sure }, [el("p", {}, words.withdraw_sure), yes, no]);
    var ask = button("btn-outline-danger", "arrow-back-up", words.withdraw, function () { ask.hidden = true; sure.hidden = false; yes.focus(); });
    ask.id = "withdraw";
    return el("div", { className: "withdraw" }, [ask, sure]);
  }

  function contact(d) {
    if (!d.contact || d.erased_at) return null;
    var problem = problemBox();
    var field = el("input", { id: "new-phone", className: "form-control", type: "tel", autocomplete: "tel", maxLength: 20 });
    var save = button("btn-outline-secondary", "check", words.contact_send, function () {
      var said = field.value.trim();
      if (!said) { field.focus(); return; }
      act(save, "PATCH", "contact", { phone: said }, problem);
    });
    save.id = "save-phone";
    return el("section", { className: "card card-pad" }, [
      el("h2", {}, words.contact_title),
      el("p", {}, d.contact.phone ? words.contact_phone + " " + d.contact.phone : words.contact_none),
      el("div", { className: "field" }, [el("label", { for: "new-phone" }, words.contact_new), field]),
      problem, save,
    ]);
  }

  // What comes first on the page, and the rest.
  linli.deeds = function (d) {
    var can = function (name) { return d.permitted.indexOf(name) >= 0; };
    var more = document.createElement("div");
    more.className = "cards";
    [simple(d), can("note") ? adding(d) : null, contact(d)].forEach(function (one) { if (one) more.appendChild(one); });
    return { first: d.questions.open ? questions() : can("reopen") ? reopening() : null, more: more.firstChild ? more : null };
  };
})();
