// Ctrl/⌘K: jump to a number, a page of the menu, a saved view, or do what can be done here; and "?" for the keys.
// A page adds commands by [data-command] on its own buttons and links. Views are kept in this browser.
(() => {
  "use strict";
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const words = JSON.parse(dialog.dataset.words), KEPT = "linli-views";
  const text = document.getElementById("palette-text"), list = document.getElementById("palette-list");
  let shown = [], at = 0;

  // ---- saved views
  const read = () => { try { return JSON.parse(localStorage.getItem(KEPT)) ?? []; } catch { return []; } };
  const keep = (views) => { try { localStorage.setItem(KEPT, JSON.stringify(views.slice(0, 40))); } catch { /* private mode keeps nothing */ } };
  const own = document.getElementById("own-views");
  const draw = () => {
    const place = document.getElementById("own-views");
    if (!place) return;
    place.replaceChildren(...read().map((view) => {
      const item = document.createElement("li"), link = document.createElement("a"), remove = document.createElement("button");
      item.className = "own";
      link.className = "list-item"; link.href = view.href; link.textContent = view.name;
      remove.type = "button"; remove.className = "btn-close"; remove.dataset.forget = view.name;
      remove.setAttribute("aria-label", place.dataset.remove.replace("{name}", view.name));
      item.append(link, remove);
      return item;
    }));
  };
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "save-view") return;
    event.preventDefault();
    const field = document.getElementById("view-name"), name = field.value.trim();
    keep([{ name, href: location.pathname + location.search }, ...read().filter((view) => view.name !== name)]);
    field.value = "";
    draw();
    linli.toast(name);
  });
  document.addEventListener("click", (event) => {
    const gone = event.target.closest("[data-forget]");
    if (gone) { keep(read().filter((view) => view.name !== gone.dataset.forget)); draw(); }
    if (event.target.closest("[data-palette]")) show();
  });
  if (own) { draw(); document.addEventListener("htmx:after:swap", draw); }

  // ---- what there is to choose
  const go = (href) => () => location.assign(href);
  const commands = () => {
    const found = [];
    const row = linli.board?.current();
    if (row) {
      const number = row.dataset.row, may = row.dataset.permitted.split(" "), group = `${words.row} ${number}`;
      found.push({ group, name: words.open, keys: "Enter", run: go(`/demands/${number}`) }, { group, name: words.explain, keys: "E", run: () => linli.board.explain(number) });
      for (const [deed, keys] of [["urge", "U"], ["reassign", "R"], ["extend", ""]]) {
        if (may.includes(deed) || (deed === "extend" && may.includes("decide_extension"))) found.push({ group, name: words[deed], keys, run: () => linli.bulk.begin(deed, row) });
      }
    }
    for (const one of document.querySelectorAll("[data-command]")) {
      if (one.closest("[hidden]")) continue;
      found.push({ group: words.here, name: one.dataset.command || one.textContent.trim(), run: () => { one.focus(); one.click(); } });
    }
    for (const view of read()) found.push({ group: words.views, name: view.name, run: go(view.href) });
    for (const link of document.querySelectorAll("#views a")) found.push({ group: words.views, name: link.textContent.trim(), run: go(link.href) });
    for (const link of document.querySelectorAll(".top-nav a")) found.push({ group: words.menu, name: link.textContent.trim(), run: go(link.href) });
    found.push({ group: words.menu, name: words.keys, keys: "?", run: () => linli.open("keys") });
    return found;
  };

  const filter = () => {
    const said = text.value.trim().toLowerCase();
    shown = commands().filter((one) => `${one.group} ${one.name}`.toLowerCase().includes(said));
    if (/^\d{8}-\d{6,12}$/.test(said)) shown.unshift({ group: "", name: words.number.replace("{n}", said), run: go(`/demands/${said}`) });
    else if (/^[\d-]{2,}$/.test(said)) shown.unshift({ group: "", name: words.number.replace("{n}", `…${said}…`), run: go(`/board?q=${said}`) });
    at = 0;
    paint();
  };
  const paint = () => {
    let group = null;
    const items = [];
    shown.forEach((one, n) => {
      if (one.group !== group && one.group) {
        const head = document.createElement("li");
        head.className = "group"; head.setAttribute("role", "presentation"); head.textContent = one.group;
        items.push(head);
      }
      group = one.group;
      const item = document.createElement("li");
      item.id = `palette-${n}`; item.setAttribute("role", "option"); item.setAttribute("aria-selected", String(n === at)); item.dataset.n = n;
      const name = document.createElement("span");
      name.textContent = one.name;
      item.append(name);
      if (one.keys) { const key = document.createElement("kbd"); key.textContent = one.keys; item.append(key); }
      items.push(item);
    });
    if (!shown.length) { const none = document.createElement("li"); none.className = "group"; none.setAttribute("role", "option"); none.setAttribute("aria-selected", "false"); none.setAttribute("aria-disabled", "true"); none.textContent = words.none; items.push(none); }
    list.replaceChildren(...items);
    shown.length ? text.setAttribute("aria-activedescendant", `palette-${at}`) : text.removeAttribute("aria-activedescendant");
    document.getElementById(`palette-${at}`)?.scrollIntoView({ block: "nearest" });
  };
  const show = () => {
    if (document.querySelector("dialog[open]")) return;
    text.value = "";
    filter();
    dialog.showModal();
    text.focus();
  };
  const run = (n) => { const one = shown[n]; if (!one) return; dialog.close(); one.run(); };

  text.addEventListener("input", filter);
  text.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) { event.preventDefault(); at = (at + step + shown.length) % shown.length; paint(); }
    if (event.key === "Enter") { event.preventDefault(); run(at); }
  });
  list.addEventListener("click", (event) => { const item = event.target.closest("[data-n]"); if (item) run(Number(item.dataset.n)); });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); show(); }
    if (event.key === "?" && !event.target.closest("input:not([type=checkbox]), textarea, select") && !document.querySelector("dialog[open]")) linli.open("keys");
  });
})();
