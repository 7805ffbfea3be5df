// The wall screen: turns from the worries to the map to the rates by itself. Space holds it, the arrows turn it, Esc leaves.
// What is shown is fetched anew by htmx when events arrive (live.js), and so the session of a screen stays in use.
(() => {
  "use strict";
  const EVERY = 20000, BIG = 18;
  const { trend, map, show, read } = linli.charts;
  const names = ["worry", "map", "rates"];
  const note = document.getElementById("paused");
  let at = 0, paused = false, timer = 0;

  const size = () => Math.max(13, Math.round(BIG * Math.min(innerWidth / 1920, 1)));
  const draw = (name) => {
    const place = document.getElementById(name === "map" ? "map" : "trend");
    if (!place) return;
    if (name === "map") {
      const data = read("map-data"), title = document.getElementById("wall-map-title");
      const which = data.grids.some((grid) => grid.overdue) ? "overdue" : "open"; // where nothing is overdue, what is open says more
      title.textContent = title.dataset[which];
      place.dataset.label = title.textContent;
      show(place, () => map(place, data, which, size()).catch(() => {}));
    }
    if (name === "rates") show(place, () => trend(place, read("trend-data"), size()));
  };
  const turn = () => {
    for (const slide of document.querySelectorAll("[data-slide]")) slide.hidden = slide.dataset.slide !== names[at];
    draw(names[at]);
  };
  const step = (by) => { at = (at + by + names.length) % names.length; turn(); };
  const run = () => { clearInterval(timer); if (!paused) timer = setInterval(() => step(1), EVERY); };

  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === " " && !event.target.closest("a, button")) { event.preventDefault(); paused = !paused; note.textContent = paused ? note.dataset.paused : ""; run(); }
    else if (event.key === "ArrowRight") { step(1); run(); }
    else if (event.key === "ArrowLeft") { step(-1); run(); }
    else if (event.key === "Escape") location.assign("/board");
  });
  document.addEventListener("htmx:after:swap", turn);
  turn();
  run();
})();
