// Charts of our figures, drawn by ECharts: plain options, colours from the page's tokens, told to screen readers by ECharts' own
// `aria`, with patterns beside the colours. Tooltips are drawn too: as HTML they would need inline styles.
(() => {
  "use strict";
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const say = (share) => (share === null ? "–" : `${(100 * share).toFixed(1)}%`);
  const drawn = new Map(); // element → how to draw it again

  const basis = () => ({
    backgroundColor: "transparent",
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    textStyle: { color: css("--bs-body-color"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 14 },
    aria: { enabled: true, decal: { show: true } },
    tooltip: { renderMode: "richText", confine: true, backgroundColor: css("--card"), borderColor: css("--line"), textStyle: { color: css("--bs-body-color") } },
  });
  const axis = (more) => ({
    axisLine: { lineStyle: { color: css("--line") } }, axisLabel: { color: css("--dim"), fontSize: 13 },
    splitLine: { lineStyle: { color: css("--line") } }, ...more,
  });
  const put = (element, options) => {
    const chart = echarts.getInstanceByDom(element) || echarts.init(element);
    chart.setOption(options, true);
    element.setAttribute("role", "img");
    // ECharts tells the data in its own words; ours come first.
    const told = element.dataset.label;
    if (told) element.setAttribute("aria-label", told);
    return chart;
  };

  const trend = (element, data, big) => {
    const colours = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5"].map(css);
    const marks = ["circle", "rect", "triangle", "diamond", "roundRect"], lines = ["solid", "dashed", "dotted", "solid", "dashed"];
    put(element, {
      ...basis(), color: colours,
      legend: { textStyle: { color: css("--bs-body-color"), fontSize: big || 14 }, top: 0, type: "plain", itemGap: 16 },
      grid: { left: 8, right: big ? 48 : 32, top: big ? 72 : element.clientWidth < 500 ? 84 : 48, bottom: 8, containLabel: true },
      tooltip: { ...basis().tooltip, trigger: "axis", valueFormatter: say },
      xAxis: axis({ type: "category", data: data.months, boundaryGap: false, splitLine: { show: false }, axisLabel: { color: css("--dim"), fontSize: big || 13, hideOverlap: true } }),
      yAxis: axis({ type: "value", min: 0, max: 1, axisLabel: { color: css("--dim"), fontSize: big || 13, formatter: (n) => `${Math.round(100 * n)}%` } }),
      series: data.series.map((one, n) => ({
        name: one.name, type: "line", data: one.values, connectNulls: false, symbol: marks[n], symbolSize: big ? 14 : 9,
        lineStyle: { width: one.id === "composite" ? 4 : 2.5, type: lines[n] },
      })),
    });
  };

  const hours = (element, data) => {
    const cells = data.hours.map((one) => [one.hour, one.weekday - 1, one.opened]);
    const most = Math.max(1, ...cells.map((cell) => cell[2]));
    const narrow = element.clientWidth < 500; // days across and hours down
    const turned = narrow ? cells.map(([h, d, n]) => [d, h, n]) : cells;
    const hour = axis({ type: "category", data: Array.from({ length: 24 }, (_, n) => String(n).padStart(2, "0")), splitArea: { show: false }, splitLine: { show: false }, inverse: narrow });
    const day = axis({ type: "category", data: data.names, splitLine: { show: false }, inverse: !narrow });
    put(element, {
      ...basis(), aria: { enabled: true },
      grid: { left: 8, right: 8, top: 8, bottom: 56, containLabel: true },
      tooltip: { ...basis().tooltip, formatter: (p) => { const [x, y, n] = p.value; const [h, d] = narrow ? [y, x] : [x, y]; return `${data.names[d]} ${String(h).padStart(2, "0")}:00 · ${n} ${element.dataset.unit}`; } },
      visualMap: { min: 0, max: most, calculable: false, orient: "horizontal", left: "center", bottom: 0, textStyle: { color: css("--dim") }, inRange: { color: ["--heat-0", "--heat-1", "--heat-2", "--heat-3"].map(css) } },
      xAxis: narrow ? day : hour, yAxis: narrow ? hour : day,
      series: [{ type: "heatmap", data: turned, itemStyle: { borderColor: css("--card"), borderWidth: 2 } }],
    });
  };

  let shapes = null; // community grids as a GeoJSON, fetched once
  const geography = async () => {
    if (!shapes) {
      const answer = await fetch("/api/v1/grids", { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(`grids: ${answer.status}`);
      const grids = await answer.json();
      shapes = { type: "FeatureCollection", features: grids.map((grid) => ({ type: "Feature", properties: { name: grid.id, told: grid.name, community: grid.community }, geometry: { type: "Polygon", coordinates: [grid.ring] } })) };
    }
    return shapes;
  };

  // What is counted stands in the grid as a number, so that the colour is not alone.
  const map = async (element, data, which, big) => {
    const all = await geography();
    const counted = new Map(data.grids.map((grid) => [grid.id, grid]));
    const features = all.features.filter((one) => counted.has(one.properties.name));
    echarts.registerMap("grids", { type: "FeatureCollection", features });
    const most = Math.max(1, ...data.grids.map((grid) => grid[which]));
    const steps = most < 4 ? [0, 1, 2, 3] : [0, 1, Math.ceil(most / 3), Math.ceil((2 * most) / 3)];
    const ramp = (which === "overdue" ? ["--alarm-0", "--alarm-1", "--alarm-2", "--alarm-3"] : ["--heat-0", "--heat-1", "--heat-2", "--heat-3"]).map(css);
    const pieces = steps.map((from, n) => ({ min: from, max: n + 1 < steps.length ? steps[n + 1] - 1 : undefined, color: ramp[n], label: n === 0 ? "0" : n + 1 < steps.length ? (steps[n + 1] - 1 > from ? `${from}–${steps[n + 1] - 1}` : String(from)) : `≥ ${from}` }));
    const chart = put(element, {
      ...basis(), aria: { enabled: true },
      tooltip: { ...basis().tooltip, trigger: "item", formatter: (p) => { const grid = counted.get(p.name); return grid ? `${grid.name}\n${element.dataset.open} ${grid.open} · ${element.dataset.overdue} ${grid.overdue}` : p.name; } },
      visualMap: { type: "piecewise", pieces, orient: "horizontal", left: "center", bottom: 0, textStyle: { color: css("--bs-body-color"), fontSize: big || 13 }, itemSymbol: "roundRect" },
      series: [{
        type: "map", map: "grids", roam: false, aspectScale: 0.87, preserveAspect: "contain", selectedMode: false, left: 0, right: 0, top: 4, bottom: big ? 64 : 40,
        data: data.grids.map((grid, n) => ({ name: grid.id, value: grid[which] })),
        itemStyle: { borderColor: css("--chart-edge"), borderWidth: 0.8 },
        label: { show: element.clientWidth > 420, fontSize: big || 12, formatter: (p) => (p.value > 0 ? String(p.value) : ""), color: css("--bs-body-color"), textBorderColor: css("--card"), textBorderWidth: 3 },
        labelLayout: { hideOverlap: true },
        emphasis: { label: { show: true, color: css("--bs-body-color") }, itemStyle: { areaColor: css("--soft"), borderColor: css("--bs-link-color"), borderWidth: 2 } },
      }],
    });
    return chart;
  };

  const show = (element, draw) => { drawn.set(element, draw); return draw(); };
  const again = () => { for (const [element, draw] of drawn) if (element.isConnected) draw(); else drawn.delete(element); };
  new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => { for (const element of drawn.keys()) echarts.getInstanceByDom(element)?.resize(); again(); }, 150); });

  const read = (id) => { const found = document.getElementById(id); return found ? JSON.parse(found.textContent) : null; };
  linli.charts = { trend, hours, map, show, read };
})();
