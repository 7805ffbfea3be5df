// Where it is, in one of three ways: this device's position after a tap, a pin on our own map, a compound with its building.
// The map (Leaflet, our grids, no tiles) is loaded only when that way is chosen. Fires `linli:place` on the form.
(function () {
  "use strict";
  var linli = window.linli, words = linli.words, draft = linli.draft;
  var el = linli.el;
  function by(id) { return document.getElementById(id); }
  var form = by("report"), note = by("where-note"), ways = by("ways");
  var panels = { map: by("map-panel"), list: by("list-panel") };
  var places = null;

  function fire() { form.dispatchEvent(new CustomEvent("linli:place")); }

  // `place`: {way, location, label}
  function choose(place) {
    draft.place = place;
    linli.saveDraft();
    render();
    fire();
  }

  function render() {
    var place = draft.place, chosen = by("chosen");
    chosen.hidden = !place;
    ways.hidden = !!place;
    if (!place) return;
    open(place.way === "list" ? "list" : null);
    linli.fill(chosen, [
      linli.icon("map-pin", "i-xl"),
      el("span", { className: "grow" }, [el("strong", {}, place.label), el("small", { className: "dim", id: "place-in" }, place.detail || "")]),
      el("button", { type: "button", className: "btn btn-sm btn-outline-secondary", id: "change", on: { click: again } }, words.change),
    ]);
    by("list-find").hidden = true;
    by("list-detail").hidden = place.way !== "list";
    note.textContent = "";
  }

  function again() {
    choose(null);
    by("list-find").hidden = false;
    by("list-detail").hidden = true;
    open(null);
    ways.querySelector("button").focus();
  }

  // What the draft was answered of the place; null where it lies outside.
  linli.placeTold = function (place) {
    var said = by("place-in");
    if (!draft.place || !said) return;
    var outside = !place;
    draft.place.detail = outside ? words.place_outside : draft.place.way === "list" ? place.community : linli.say("place_in", { place: place.compound || place.community });
    said.textContent = draft.place.detail;
    said.className = outside ? "text-warn" : "dim";
  };

  function open(way) {
    Array.prototype.forEach.call(ways.children, function (button) {
      var on = button.getAttribute("data-way") === way;
      button.setAttribute("aria-pressed", on ? "true" : "false");
      if (button.hasAttribute("aria-expanded")) button.setAttribute("aria-expanded", on ? "true" : "false");
    });
    Object.keys(panels).forEach(function (name) { panels[name].hidden = name !== way; });
  }

  ways.addEventListener("click", function (event) {
    var button = linli.closest(event.target, "[data-way]");
    if (!button) return;
    var way = button.getAttribute("data-way");
    note.textContent = "";
    open(way);
    if (way === "gps") locate();
    if (way === "map") showMap();
    if (way === "list") { load(function () { suggest(); }); by("compound").focus(); }
  });

  // ---- this device

  function locate() {
    if (!navigator.geolocation) { note.textContent = words.gps_missing; return; }
    note.textContent = words.gps_asking;
    navigator.geolocation.getCurrentPosition(function (found) {
      var at = found.coords;
      choose({ way: "gps", location: { lat: at.latitude, lon: at.longitude }, label: linli.say("gps_found", { m: Math.max(5, Math.round(at.accuracy / 5) * 5) }) });
    }, function (failed) {
      open(null);
      note.textContent = failed.code === 1 ? words.gps_denied : words.gps_failed;
    }, { enableHighAccuracy: true, timeout: 12000, maximumAge: 60000 });
  }

  // ---- the list

  function load(then) {
    if (places) { then(places); return; }
    linli.ask("GET", "/api/v1/resident/places", {}, function (status, answer) {
      if (status !== 200) { note.textContent = words.no_network; return; }
      places = answer;
      then(places);
    });
  }

  function communityOf(compound) {
    return linli.of(places.communities.filter(function (one) { return one.id === compound.community; })[0]);
  }

  function suggest() {
    var said = by("compound").value.trim(), list = by("compounds"), most = 8;
    if (!places) return;
    var found = places.compounds.filter(function (one) { return said && one.name.indexOf(said) >= 0; });
    found.sort(function (a, b) { return a.name.indexOf(said) - b.name.indexOf(said) || a.name.length - b.name.length; });
    linli.fill(list, found.slice(0, most).map(function (one) {
      return el("li", {}, el("button", { type: "button", className: "list-item list-button", on: { click: function () { take(one); } } }, [el("strong", {}, one.name), el("small", { className: "dim" }, communityOf(one))]));
    }));
    if (said && !found.length) list.appendChild(el("li", { className: "list-item dim", role: "status" }, words.list_nothing));
    if (found.length > most) list.appendChild(el("li", { className: "list-item dim" }, linli.say("list_more", { n: found.length - most })));
  }
  by("compound").addEventListener("input", suggest);
  by("compound").addEventListener("keydown", function (event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    var first = by("compounds").querySelector("button");
    if (first) first.click();
  });

  function take(compound) {
    buildings(compound.buildings, "");
    choose({ way: "list", location: { compound: compound.id }, label: compound.name, detail: communityOf(compound), buildings: compound.buildings });
    by("building").focus();
  }

  function buildings(most, chosen) {
    var options = [el("option", { value: "" }, words.building_any)];
    for (var n = 1; n <= most; n += 1) options.push(el("option", { value: String(n), selected: String(n) === chosen }, linli.say("building_n", { n: n })));
    linli.fill(by("building"), options);
  }

  ["building", "room"].forEach(function (id) {
    by(id).addEventListener("change", function () {
      var said = by(id).value.trim();
      if (said) draft.place.location[id] = id === "building" ? said + words.building_mark_zh : said;
      else delete draft.place.location[id];
      linli.saveDraft();
      if (id === "building") fire();
    });
  });

  // ---- the map

  var map = null, NEAR = 16; // from this zoom on compounds have their names
  function showMap() {
    if (map) { map.invalidateSize(); return; }
    note.textContent = words.map_loading;
    var style = el("link", { rel: "stylesheet", href: panels.map.getAttribute("data-style") });
    var script = el("script", { src: panels.map.getAttribute("data-script") });
    document.head.appendChild(style);
    script.onerror = function () { note.textContent = words.map_failed; };
    script.onload = function () {
      linli.ask("GET", "/api/v1/resident/grids", {}, function (status, grids) {
        if (status !== 200) { note.textContent = words.map_failed; return; }
        load(function (found) { note.textContent = ""; draw(grids, found); });
      });
    };
    document.head.appendChild(script);
  }

  function draw(grids, found) {
    var L = window.L, dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
    var line = dark ? "#7fa6dd" : "#0b5bd3";
    map = L.map("map", { attributionControl: false, preferCanvas: true, zoomSnap: 0.5, maxZoom: 19, minZoom: 11 });
    var areas = L.geoJSON(grids, { style: { color: line, weight: 1, fillColor: line, fillOpacity: 0.07 }, interactive: false });
    var names = L.layerGroup(), dots = L.layerGroup(), larger = L.layerGroup(), all = found.compounds.map(function (one) { return [one.lat, one.lon]; });
    map.fitBounds(all.length ? L.latLngBounds(all) : areas.getBounds());
    areas.addTo(map);
    function name(at, said, more) {
      return L.marker(at, { interactive: false, keyboard: false, icon: L.divIcon({ className: "map-name " + more, html: el("span", {}, said), iconSize: null }) });
    }
    found.communities.forEach(function (one) {
      var inside = found.compounds.filter(function (compound) { return compound.community === one.id; });
      if (inside.length) larger.addLayer(name(L.latLngBounds(inside.map(function (c) { return [c.lat, c.lon]; })).getCenter(), linli.of(one), "map-community"));
    });
    found.compounds.forEach(function (one) {
      L.circleMarker([one.lat, one.lon], { radius: 4, weight: 1, color: line, fillOpacity: 0.6, interactive: false }).addTo(dots);
      names.addLayer(name([one.lat, one.lon], one.name, ""));
    });
    function named() {
      var near = map.getZoom() >= NEAR;
      map.addLayer(near ? names : larger);
      map.removeLayer(near ? larger : names);
      if (map.getZoom() >= 14) map.addLayer(dots); else map.removeLayer(dots);
    }
    map.on("zoomend", named);
    map.on("click", function (event) { map.setView(event.latlng, Math.max(map.getZoom(), NEAR)); });
    named();
    by("map").scrollIntoView({ block: "center" });
  }

  by("map-here").addEventListener("click", function () {
    if (!map) return;
    var at = map.getCenter();
    choose({ way: "map", location: { lat: Math.round(at.lat * 1e6) / 1e6, lon: Math.round(at.lng * 1e6) / 1e6 }, label: words.map_set });
  });

  linli.renderPlace = function () {
    if (draft.place && draft.place.way === "list") {
      buildings(draft.place.buildings, (draft.place.location.building || "").replace(words.building_mark_zh, ""));
      by("room").value = draft.place.location.room || "";
    }
    render();
    if (!draft.place) { by("list-find").hidden = false; by("list-detail").hidden = true; open(null); }
  };
})();
