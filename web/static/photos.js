// Photos are made small before they go anywhere: at most 1600 px, JPEG, and nothing left of where and when the camera wrote.
//
//   <input type="file" data-photos accept="image/*" capture="environment" name="file_ids[]" [multiple] [data-most="6"]>
//
// linli.picked: input → File[], read by send.js instead of input.files. Each choice adds; thumbnails with a button to take one away
// stand after the input. Fires `linli:photos` on the input. Words come from #offline or from data-words (JSON) of the input.
(() => {
  "use strict";
  const LONGEST = 1600, QUALITY = 0.8, AS_IT_IS = 8 << 20, MOST = 9;
  const picked = (linli.picked = new WeakMap());
  const common = document.getElementById("offline");
  const shared = common ? JSON.parse(common.textContent).words : {};
  const shown = new WeakMap(); // input → {list, note, urls, queue}

  const word = (input, name, blanks = {}) => {
    const own = input.dataset.words ? JSON.parse(input.dataset.words) : {};
    return (own[name] ?? shared[name] ?? "").replace(/\{(\w+)\}/g, (_, blank) => blanks[blank] ?? "");
  };

  const decode = async (file) => {
    if (window.createImageBitmap) {
      try { return await createImageBitmap(file, { imageOrientation: "from-image" }); } catch { /* an older browser, or no picture */ }
    }
    const url = URL.createObjectURL(file), image = new Image();
    try { image.src = url; await image.decode(); return image; } finally { URL.revokeObjectURL(url); }
  };

  // The small one; the original where it cannot be read here and is not large; throws the name of what to say.
  linli.shrink = async (file) => {
    let picture;
    try { picture = await decode(file); } catch {
      if (/^image\/hei[cf]/.test(file.type) || /\.hei[cf]$/i.test(file.name)) throw new Error("photo_unreadable");
      if (file.size > AS_IT_IS) throw new Error("photo_too_large");
      return file;
    }
    const width = picture.naturalWidth || picture.width, height = picture.naturalHeight || picture.height;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff"; // JPEG knows no transparency
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close?.();
    const blob = await new Promise((ok) => canvas.toBlob(ok, "image/jpeg", QUALITY));
    canvas.width = canvas.height = 0; // old phones keep the memory otherwise
    if (!blob) { if (file.size > AS_IT_IS) throw new Error("photo_too_large"); return file; }
    return new File([blob], `${file.name.replace(/\.[^.]*$/, "") || "photo"}.jpg`, { type: "image/jpeg", lastModified: file.lastModified });
  };

  const place = (input) => {
    if (!shown.has(input)) {
      const list = document.createElement("ul"), note = document.createElement("p");
      list.className = "picked";
      note.className = "picked-note field-help";
      note.setAttribute("role", "status");
      const after = input.closest("[data-photos-box]") ?? input.closest("label") ?? input;
      after.after(list, note);
      shown.set(input, { list, note, urls: [], work: Promise.resolve(), required: input.required });
    }
    return shown.get(input);
  };

  const draw = (input) => {
    const at = place(input), files = picked.get(input) ?? [];
    at.urls.forEach((url) => URL.revokeObjectURL(url));
    at.urls = files.map((file) => URL.createObjectURL(file));
    at.list.replaceChildren(...files.map((file, n) => {
      const item = document.createElement("li"), image = document.createElement("img"), away = document.createElement("button"), cross = document.createElement("span");
      Object.assign(image, { src: at.urls[n], alt: word(input, "photo", { n: n + 1 }) });
      away.type = "button";
      away.setAttribute("aria-label", word(input, "photo_remove", { n: n + 1 }));
      cross.textContent = "×";
      cross.setAttribute("aria-hidden", "true");
      away.append(cross);
      away.addEventListener("click", () => {
        picked.set(input, (picked.get(input) ?? []).filter((other) => other !== file));
        draw(input);
        (at.list.querySelectorAll("button")[Math.min(n, files.length - 2)] ?? input).focus();
      });
      item.append(image, away);
      return item;
    }));
    input.required = at.required && files.length === 0;
    input.dispatchEvent(new CustomEvent("linli:photos", { bubbles: true, detail: { files } }));
  };

  const most = (input) => parseInt(input.dataset.most ?? "", 10) || MOST;
  const take = async (input, files) => {
    const at = place(input);
    let said = word(input, "photo_busy");
    at.note.textContent = said;
    said = "";
    input.required = false; // what is being prepared counts already
    for (const file of files) {
      const before = input.multiple ? picked.get(input) ?? [] : [];
      if (before.length >= most(input)) { said = word(input, "photo_too_many", { n: most(input) }); break; }
      try { picked.set(input, [...before, await linli.shrink(file)]); } catch (wrong) { said = word(input, wrong.message) || word(input, "photo_unreadable"); }
      draw(input);
    }
    if (!picked.get(input)?.length) input.required = at.required;
    at.note.textContent = said;
  };

  // While a photo is being prepared its form waits with it: send.js asks here first.
  linli.preparing = (form) => Promise.all([...form.querySelectorAll("input[data-photos]")].map((input) => shown.get(input)?.work));

  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches?.("input[type=file][data-photos]")) return;
    const files = [...input.files];
    if (files.length === 0) return;
    input.value = ""; // so that the next choice adds to it
    const at = place(input);
    at.work = at.work.then(() => take(input, files));
  });
  document.addEventListener("reset", (event) => {
    for (const input of event.target.querySelectorAll("input[data-photos]")) if (shown.has(input)) { picked.set(input, []); draw(input); }
  });
})();
