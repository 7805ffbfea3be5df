// The analysis page: draws the charts, turns the map between open and overdue, leads from a grid to its list.
(() => {
  "use strict";
  const { trend, hours, map, show, read } = linli.charts;
  // Where nothing is overdue, what is open says more.
  let which = (read("map-data")?.grids ?? []).some((grid) => grid.overdue) ? "overdue" : "open";
  const pressed = () => { for (const one of document.querySelectorAll("[data-map]")) one.setAttribute("aria-pressed", String(one.dataset.map === which)); };
  pressed();

  const element = (id) => document.getElementById(id);
  const drawMap = async () => {
    const place = element("map");
    if (!place) return;
    const chart = await map(place, read("map-data"), which);
    chart.off("click");
    chart.on("click", (event) => { if (event.name) location.assign(`/board?grid=${encodeURIComponent(event.name)}${which === "overdue" ? "&state=breached" : ""}`); });
  };
  if (element("map")) show(element("map"), () => drawMap().catch(() => linli.toast(linli.words.no_answer, { bad: true })));
  if (element("hours")) show(element("hours"), () => hours(element("hours"), read("hours-data")));

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-map]");
    if (!button) return;
    which = button.dataset.map;
    pressed();
    drawMap();
  });

  // The figures come a little later than the page, or sooner than this script.
  const drawTrend = () => {
    const place = element("trend");
    if (!place) return;
    element("rates").setAttribute("aria-busy", "false");
    if (!place.hasAttribute("role")) show(place, () => trend(place, read("trend-data")));
  };
  document.addEventListener("htmx:after:swap", drawTrend);
  drawTrend();

  // On paper there are tables, not charts.
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details.data, details.league")) one.open = true; });
})();
