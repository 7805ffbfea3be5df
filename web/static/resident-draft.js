// The draft of a report: what was written in localStorage, photos in IndexedDB, so that neither a lost network nor a closed
// page loses it. Each draft has a secret of its own; it names photos and gets the first answer again.
(function () {
  "use strict";
  var linli = window.linli, NAME = "linli-draft";

  function fresh() {
    return { secret: linli.random(), text: "", category: null, place: null, phone: "", confidential: false, follow: null, photos: [], pending: false };
  }

  var kept = linli.kept(window.localStorage, NAME);
  var draft = kept && kept.secret ? kept : fresh();
  linli.draft = draft;
  linli.draftWasKept = !!(kept && (kept.text || (kept.photos || []).length));
  linli.saveDraft = function () { linli.keep(window.localStorage, NAME, draft); };
  linli.endDraft = function () {
    draft.photos.forEach(function (photo) { store("readwrite", function (photos) { photos.delete(photo.key); }); });
    linli.keep(window.localStorage, NAME, null);
    var next = fresh();
    Object.keys(next).forEach(function (name) { draft[name] = next[name]; });
    delete draft.sent;
  };

  // ---- photos on this device; `then` gets null where there is no such store

  function store(mode, act, then) {
    var asked;
    try { asked = window.indexedDB.open("linli-report", 1); } catch (ignored) { if (then) then(null); return; }
    asked.onupgradeneeded = function () { asked.result.createObjectStore("photos"); };
    asked.onerror = function () { if (then) then(null); };
    asked.onsuccess = function () {
      try {
        var found = act(asked.result.transaction("photos", mode).objectStore("photos"));
        if (then && found) {
          found.onsuccess = function () { then(found.result || null); };
          found.onerror = function () { then(null); };
        }
      } catch (ignored) { if (then) then(null); }
    };
  }

  var MOST = 1600, SMALL_ENOUGH = 400 * 1024;
  // Browsers that turn pictures as the camera was held; others would lose that with the rest of what the camera wrote.
  var turns = window.CSS && CSS.supports && CSS.supports("image-orientation", "from-image");

  function shrink(file, then) {
    if (!turns || file.size < SMALL_ENOUGH || !HTMLCanvasElement.prototype.toBlob) { then(file); return; }
    var picture = new Image(), address = URL.createObjectURL(file);
    picture.onerror = function () { URL.revokeObjectURL(address); then(file); };
    picture.onload = function () {
      var scale = Math.min(1, MOST / Math.max(picture.naturalWidth, picture.naturalHeight));
      var canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.naturalWidth * scale);
      canvas.height = Math.round(picture.naturalHeight * scale);
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(address);
      canvas.toBlob(function (blob) { then(blob && blob.size < file.size ? blob : file); }, "image/jpeg", 0.85);
    };
    picture.src = address;
  }

  var blobs = {}, tiles = {}, states = {}, running = null, after = [];
  var list = document.getElementById("photos"), words = linli.words;

  function state(photo, name) {
    states[photo.key] = name;
    var tile = tiles[photo.key];
    if (!tile) return;
    tile.className = "shot shot-" + name;
    tile.querySelector(".shot-state").textContent = words["photo_" + name];
  }

  function show(photo, blob) {
    var address = blob ? URL.createObjectURL(blob) : "", n = list.children.length + 1;
    var tile = linli.el("li", { className: "shot" }, [
      linli.el("img", { src: address, alt: linli.say("photo_n", { n: n }), width: 96, height: 96 }),
      linli.el("span", { className: "shot-state" }),
      linli.el("button", { type: "button", className: "shot-remove", "aria-label": linli.say("photo_remove", { n: n }), on: { click: function () { remove(photo); } } }, linli.icon("x")),
    ]);
    tiles[photo.key] = tile;
    list.appendChild(tile);
    state(photo, photo.id ? "sent" : "waiting");
  }

  function remove(photo) {
    draft.photos = draft.photos.filter(function (one) { return one !== photo; });
    if (tiles[photo.key]) list.removeChild(tiles[photo.key]);
    delete tiles[photo.key];
    if (running && running.photo === photo) { running.request.abort(); running = null; }
    store("readwrite", function (photos) { photos.delete(photo.key); });
    linli.saveDraft();
    document.getElementById("album").focus();
    next();
  }

  function add(file) {
    if (draft.photos.length >= 9) { linli.toast(words.photo_most, true); return; }
    var photo = { key: linli.random().slice(0, 32), id: null };
    draft.photos.push(photo);
    shrink(file, function (blob) {
      blobs[photo.key] = blob;
      store("readwrite", function (photos) { photos.put(blob, photo.key); });
      linli.saveDraft();
      show(photo, blob);
      next();
    });
  }

  // One after another, each as often as it takes under its own key; `after` are told when none is left to try.
  function next() {
    if (running) return;
    var photo = draft.photos.filter(function (one) { return !one.id && blobs[one.key] && states[one.key] !== "failed"; })[0];
    if (!photo) { var told = after; after = []; told.forEach(function (tell) { tell(); }); return; }
    var form = new FormData();
    form.append("file", blobs[photo.key], "photo.jpg");
    state(photo, "sending");
    var headers = { "Linli-Draft": draft.secret, "Idempotency-Key": photo.key };
    running = { photo: photo };
    running.request = linli.ask("POST", "/api/v1/resident/draft/files", { form: form, headers: headers }, function (status, answer) {
      if (!running || running.photo !== photo) return;
      running = null;
      if (status === 201) { photo.id = answer.id; state(photo, "sent"); linli.saveDraft(); }
      else {
        state(photo, "failed");
        if (status >= 400 && status < 500 && status !== 429) { linli.toast(linli.why(status, answer), true); remove(photo); return; }
      }
      next();
    });
  }

  // Everything that can be uploaded is; then `then(whether all are)`.
  linli.uploadPhotos = function (then) {
    draft.photos.forEach(function (photo) { if (states[photo.key] === "failed") state(photo, "waiting"); });
    after.push(function () { then(draft.photos.every(function (photo) { return photo.id; })); });
    next();
  };

  ["camera", "album"].forEach(function (id) {
    var field = document.getElementById(id);
    field.addEventListener("change", function () {
      Array.prototype.forEach.call(field.files, add);
      field.value = "";
    });
  });

  draft.photos.slice().forEach(function (photo) {
    store("readonly", function (photos) { return photos.get(photo.key); }, function (blob) {
      if (!blob && !photo.id) { draft.photos = draft.photos.filter(function (one) { return one !== photo; }); return; }
      if (blob) blobs[photo.key] = blob;
      show(photo, blob);
      next();
    });
  });
})();
