// What a dry run answers, drawn for people: differences as a list, figures as facts, lists as tables.
(() => {
  "use strict";
  const words = JSON.parse(document.getElementById("admin-words").textContent);
  const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
  const NUMBER = /^\d{8}-\d{6,}$/;

  const make = (tag, cls, ...children) => {
    const made = document.createElement(tag);
    if (cls) made.className = cls;
    made.append(...children);
    return made;
  };

  // What an id is called: as the form's own choices call it.
  const nameIn = (form, id) => {
    const option = form.querySelector(`option[value="${CSS.escape(id)}"]`);
    return option ? option.textContent : id;
  };

  const budget = (one) => `${one.amount} ${words.value[one.unit] ?? one.unit}`;

  const say = (value, form) => {
    if (value === null || value === undefined || value === "") return words.value.none;
    if (typeof value === "boolean") return value ? words.value.yes : words.value.no;
    if (typeof value === "number") return String(value);
    if (typeof value === "string") {
      if (AT.test(value)) return new Date(value).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
      const [, kind, id] = value.match(/^(rule|ruling):(.+)$/) ?? [];
      return kind ? `${title(kind)} ${id}` : words.value[value] ?? nameIn(form, value);
    }
    if (Array.isArray(value)) return value.length ? value.map((one) => say(one, form)).join(words.value.comma) : words.value.none;
    if ("amount" in value && "unit" in value) return budget(value);
    if ("id" in value && "name" in value) return value.name ?? value.id;
    if ("seconds" in value) return shift(value.seconds);
    if ("before" in value && "after" in value && Object.keys(value).length === 2) return say(value.before, form) === say(value.after, form) ? say(value.after, form) : `${say(value.before, form)} → ${say(value.after, form)}`;
    return Object.entries(value).filter(([, one]) => one !== null && one.length !== 0).map(([key, one]) => `${title(key)} ${say(one, form)}`).join(words.value.semicolon);
  };

  const shift = (seconds) => {
    const hours = Math.abs(seconds) / 3600;
    const amount = hours >= 48 ? words.preview.days.replace("{n}", +(hours / 24).toFixed(1)) : words.preview.hours.replace("{n}", +hours.toFixed(1));
    return (seconds < 0 ? words.preview.earlier : words.preview.later).replace("{span}", amount);
  };

  const title = (key) => words.impact[key] ?? words.field[key] ?? words.value[key] ?? key;

  // `resources[u-001-r1].capacity` as `Resources u-001-r1 · Capacity`.
  const field = (path, form) => Array.from(path.matchAll(/([^.[\]]+)(?:\[([^\]]*)\])?/g), ([, name, key]) => (key ? `${title(name)} ${nameIn(form, key)}` : title(name))).join(" · ");

  const differences = (changes, form) => {
    const list = make("ul", "differences");
    for (const one of changes) {
      const becomes = make("span", "visually-hidden", words.preview.becomes);
      const arrow = make("span", "", " → ");
      arrow.setAttribute("aria-hidden", "true");
      list.append(make("li", "", make("strong", "", field(one.field, form)), " ", make("del", "", say(one.before, form)), arrow, becomes, make("ins", "", say(one.after, form))));
    }
    return list;
  };

  const cell = (value, form) => {
    if (typeof value === "string" && NUMBER.test(value)) {
      const link = make("a", "mono", value);
      link.href = `/demands/${value}`;
      return link;
    }
    return say(value, form);
  };

  const table = (rows, form) => {
    const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const head = make("tr", "", ...keys.map((key) => { const th = make("th", "", title(key)); th.scope = "col"; return th; }));
    const body = rows.map((row) => make("tr", "", ...keys.map((key) => { const td = make("td", "", cell(row[key], form)); td.dataset.label = title(key); return td; })));
    const box = make("div", "table-box", make("table", "table table-cards", make("thead", "", head), make("tbody", "", ...body)));
    return box;
  };

  // Fills `into` with the answer of a dry run.
  linli.preview = (into, form, impact) => {
    into.replaceChildren(make("h3", "", words.preview.title));
    const { changes, ...figures } = impact;
    if (changes) into.append(changes.length ? differences(changes, form) : make("p", "dim", words.preview.nothing));
    const facts = make("dl", "facts");
    const lists = [];
    for (const [key, value] of Object.entries(figures)) {
      if (!(key in words.impact) || value === null || value === false) continue;
      if (Array.isArray(value) && value.length && typeof value[0] === "object") { lists.push([key, value]); continue; }
      if (Array.isArray(value) && !value.length) continue;
      facts.append(make("dt", "", title(key)), make("dd", "", say(value, form)));
    }
    if (facts.children.length) into.append(facts);
    for (const [key, rows] of lists) into.append(make("h4", "", `${title(key)} (${rows.length})`), table(rows, form));
  };

  // What is wrong with something that was to be published, all of it.
  linli.previewProblems = (into, problems) => {
    const list = make("ul", "");
    for (const one of problems) list.append(make("li", "", make("strong", "mono", one.key), ` ${one.problem} `, make("span", "dim", one.remedy ?? "")));
    into.replaceChildren(make("h3", "text-bad", words.preview.problems), list);
  };

  // When a budget would be due, and each stretch of time on the way.
  linli.previewDue = (into, answer, english) => {
    into.replaceChildren(make("p", "due-at", words.preview.due, " ", make("strong", "", say(answer.due_at, into))));
    if (answer.provisional) into.append(make("p", "notice notice-warn", words.preview.provisional));
    const list = make("ol", "due-lines");
    list.tabIndex = 0;
    for (const line of answer.explanation.slice(0, 60)) {
      list.append(make("li", line.counted ? "is-counted" : "dim", `${say(line.from_at, into)} – ${say(line.until_at, into)} · `, english ? line.text_en : line.text_zh));
    }
    into.append(list);
  };
})();
