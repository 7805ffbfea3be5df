// What every page for residents does. Syntax and browser of 2017 (Chrome 60) are enough: no transpiler, nothing from elsewhere.
(function () {
  "use strict";
  var root = document.documentElement;
  var english = root.lang === "en";
  var box = document.getElementById("words");
  var words = JSON.parse(box.textContent);
  var linli = (window.linli = { english: english, words: words });

  if (!root.hasAttribute("data-bs-theme") && window.matchMedia && matchMedia("(prefers-color-scheme: dark)").matches) {
    root.setAttribute("data-bs-theme", "dark");
  }

  function remember(name, value) {
    document.cookie = name + "=" + value + "; path=/; max-age=31536000; SameSite=Lax" + (location.protocol === "https:" ? "; Secure" : "");
  }

  function closest(node, selector) {
    while (node && node.nodeType === 1 && !node.matches(selector)) node = node.parentNode;
    return node && node.nodeType === 1 ? node : null;
  }
  linli.closest = closest;

  document.addEventListener("click", function (event) {
    var on = closest(event.target, "[data-language], [data-letters], [data-copy]");
    if (!on) return;
    if (on.hasAttribute("data-language")) {
      remember("linli-language", on.getAttribute("data-language"));
      linli.leaving = true;
      location.reload();
    } else if (on.hasAttribute("data-letters")) {
      var sizes = ["normal", "large", "huge"];
      var next = sizes[(sizes.indexOf(root.getAttribute("data-size")) + 1) % sizes.length];
      root.setAttribute("data-size", next);
      remember("linli-size", next);
    } else copy(on.getAttribute("data-copy"));
  });

  // An answer that is read out, and seen for a while.
  linli.toast = function (text, bad) {
    var note = linli.el("div", { className: bad ? "toast-note toast-bad" : "toast-note" }, [linli.el("span", {}, text)]);
    document.getElementById("toasts").appendChild(note);
    setTimeout(function () { note.parentNode.removeChild(note); }, 6000);
  };

  function copy(text) {
    var field = linli.el("textarea", { value: text, className: "off-screen", readOnly: true });
    document.body.appendChild(field);
    field.select();
    var done = false;
    try { done = document.execCommand("copy"); } catch (ignored) { done = false; }
    document.body.removeChild(field);
    linli.toast(done ? words.copied : words.copy_by_hand, !done);
  }

  // An element with properties (`data-…`, `aria-…`, `role` and `for` as attributes) and children; text is never markup.
  linli.el = function (tag, given, children) {
    var node = document.createElement(tag);
    Object.keys(given || {}).forEach(function (name) {
      if (given[name] === null || given[name] === undefined) return;
      if (/^(data|aria)-|^(role|for|lang|datetime|title)$/.test(name)) node.setAttribute(name, given[name]);
      else if (name === "on") Object.keys(given.on).forEach(function (event) { node.addEventListener(event, given.on[event]); });
      else node[name] = given[name];
    });
    [].concat(children === undefined ? [] : children).forEach(function (child) {
      if (child === null || child === false) return;
      node.appendChild(typeof child === "object" ? child : document.createTextNode(String(child)));
    });
    return node;
  };

  linli.icon = function (name, more) {
    var space = "http://www.w3.org/2000/svg";
    var svg = document.createElementNS(space, "svg"), use = document.createElementNS(space, "use");
    svg.setAttribute("class", "i " + (more || ""));
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", box.getAttribute("data-icons") + "#i-" + name);
    svg.appendChild(use);
    return svg;
  };

  linli.fill = function (node, children) {
    while (node.firstChild) node.removeChild(node.firstChild);
    [].concat(children).forEach(function (child) { if (child) node.appendChild(child); });
  };

  linli.say = function (name, blanks) {
    return (words[name] || "").replace(/\{(\w+)\}/g, function (_, blank) { return blanks[blank]; });
  };
  linli.of = function (both) { return both ? (english ? both.en : both.zh) : ""; };

  linli.random = function () {
    var bytes = new Uint8Array(32);
    crypto.getRandomValues(bytes);
    return Array.prototype.map.call(bytes, function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
  };

  // One request; `done(status, answer)`, with status 0 where nobody answered. `more`: body, form, headers, progress.
  linli.ask = function (method, path, more, done) {
    var request = new XMLHttpRequest();
    request.open(method, path);
    request.timeout = more.form ? 180000 : 30000;
    request.setRequestHeader("Accept-Language", english ? "en" : "zh-CN");
    if (more.body) request.setRequestHeader("Content-Type", "application/json");
    Object.keys(more.headers || {}).forEach(function (name) { request.setRequestHeader(name, more.headers[name]); });
    request.onloadend = function () {
      var answer = null;
      try { answer = request.responseText ? JSON.parse(request.responseText) : null; } catch (ignored) { answer = null; }
      if (request.status === 429) answer = answer || {};
      done(request.status, answer || {});
    };
    request.send(more.form || (more.body ? JSON.stringify(more.body) : null));
    return request;
  };

  // What a refusal says, in words for a person.
  linli.why = function (status, problem) {
    if (!status) return words.no_network;
    if (status === 429) return words.too_many;
    if (status >= 500) return words.not_now;
    return problem.title ? problem.title + (english ? ". " : "。") + (problem.detail || "") : words.not_now;
  };

  var zone = box.getAttribute("data-zone");
  function parts(at) {
    var options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone };
    var text;
    try { text = new Date(at).toLocaleString("en-GB", options); } catch (ignored) { delete options.timeZone; text = new Date(at).toLocaleString("en-GB", options); }
    var found = text.match(/\d+/g);
    return { day: +found[0], month: +found[1], year: +found[2], clock: ("0" + (+found[3] % 24)).slice(-2) + ":" + found[4] };
  }

  // `今天 14:50`, `明天 09:00`, `11月27日 17:30`, as on the other pages.
  linli.when = function (at) {
    var one = parts(at), now = new Date().getTime(), near = ["yesterday", "today", "tomorrow"];
    for (var n = -1; n <= 1; n += 1) {
      var day = parts(now + n * 86400000);
      if (day.day === one.day && day.month === one.month && day.year === one.year) return words[near[n + 1]] + " " + one.clock;
    }
    var name = parts(now).year === one.year ? "day" : "day_of_year";
    var short = words.months.split(" ")[one.month - 1];
    return linli.say(name, { year: one.year, month: one.month, day: one.day, short: short }) + " " + one.clock;
  };

  // `11月27日` of `2026-11-27`.
  linli.day = function (date) {
    var found = date.split("-");
    return linli.say("day", { month: +found[1], day: +found[2], short: words.months.split(" ")[found[1] - 1] });
  };


  // Local storage where there is one; a private window may have none, and the page works all the same.
  linli.keep = function (where, name, value) {
    try { if (value === null) where.removeItem(name); else where.setItem(name, JSON.stringify(value)); } catch (ignored) { return; }
  };
  linli.kept = function (where, name) {
    try { return JSON.parse(where.getItem(name)); } catch (ignored) { return null; }
  };
})();
