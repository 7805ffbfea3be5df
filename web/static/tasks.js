// The worker's tasks: how far, calling, ready phrases, sheets that lead to sheets, places by name. Deeds leave by send.js.
(() => {
  "use strict";
  const fill = (text, n) => text.replace("{n}", n);

  // ---- how far: asked of the phone only when somebody taps, and sent to nobody

  const radians = (degrees) => (degrees * Math.PI) / 180;
  const metres = (a, b) => {
    const h = Math.sin(radians(b.lat - a.lat) / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(radians(b.lon - a.lon) / 2) ** 2;
    return 2 * 6371008.8 * Math.asin(Math.sqrt(h));
  };
  let here = null;
  const sayHowFar = () => {
    const button = document.getElementById("how-far");
    if (!here || !button) return;
    for (const task of document.querySelectorAll(".task")) {
      const { lon, lat } = task.dataset, place = task.querySelector("[data-away]");
      const far = lon ? metres(here, { lon: parseFloat(lon), lat: parseFloat(lat) }) : null;
      const said = far === null ? button.dataset.none : far < 950 ? fill(button.dataset.metres, Math.max(10, Math.round(far / 10) * 10)) : fill(button.dataset.kilometres, (far / 1000).toFixed(1));
      place.textContent = ` · ${said}`;
      place.hidden = false;
    }
    button.setAttribute("aria-pressed", "true");
  };
  const locate = (button) => {
    const label = button.querySelector("span"), word = label.textContent;
    label.textContent = button.dataset.busy;
    const back = () => { label.textContent = word; };
    const refused = () => { back(); linli.toast(button.dataset.refused, { bad: true }); };
    if (!navigator.geolocation) { refused(); return; }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => { here = { lon: coords.longitude, lat: coords.latitude }; back(); sayHowFar(); },
      refused, { enableHighAccuracy: true, timeout: 10000, maximumAge: 60000 },
    );
  };

  // ---- calling: the number is opened by the API, which keeps that it was

  const call = async (button) => {
    button.setAttribute("aria-busy", "true");
    const opened = await linli.request("GET", button.dataset.call, null);
    button.removeAttribute("aria-busy");
    const phone = opened.ok && opened.answer.phone;
    if (!phone) { linli.toast(opened.answer?.detail ?? button.dataset.failed, { bad: true }); return; }
    const link = document.createElement("a");
    link.href = `tel:${phone.replace(/[^0-9+]/g, "")}`;
    link.textContent = phone;
    link.className = "task-number";
    document.getElementById("number").replaceChildren(link);
    const called = document.getElementById("called");
    if (called) called.hidden = false;
    link.click();
  };

  // ---- sheets

  // Before shell.js opens the next one: a sheet that leads to another closes, so that closing that one is enough.
  document.addEventListener("click", (event) => {
    const leads = event.target.closest?.("[data-open]");
    if (leads) leads.closest("dialog")?.close();
  }, true);

  const onPhone = matchMedia("(pointer: coarse)");
  document.addEventListener("click", (event) => {
    const on = event.target.closest?.("#how-far, [data-call], [data-phrase], [data-camera]");
    if (!on) return;
    if (on.id === "how-far") locate(on);
    else if (on.dataset.call) call(on);
    else if (on.dataset.phrase) {
      const field = document.getElementById(on.dataset.phrase);
      field.value = on.textContent.trim();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (onPhone.matches) {
      const camera = document.getElementById(on.dataset.camera);
      if (camera && !linli.picked?.get(camera)?.length) camera.click(); // the camera comes up over the open sheet: one tap less
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.id !== "other-unit") return;
    const radio = document.querySelector("[data-other=other-unit]");
    radio.value = event.target.value;
    radio.checked = true;
  });

  // ---- places by name, for a demand that lies elsewhere

  let asking = null, waits = null;
  const places = async (field) => {
    asking?.abort();
    asking = new AbortController();
    const shown = document.getElementById("places");
    try {
      const response = await fetch(field.dataset.places + encodeURIComponent(field.value.trim()), { signal: asking.signal, credentials: "same-origin" });
      if (!response.ok) return;
      const part = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("places");
      shown.replaceChildren(...(part?.childNodes ?? []));
      shown.querySelector("input")?.click();
    } catch { /* without a signal the dispatcher finds it */ }
  };
  document.addEventListener("input", (event) => {
    if (event.target.id !== "place-q") return;
    clearTimeout(waits);
    waits = setTimeout(() => places(event.target), 250);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("input[type=search]")) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", sayHowFar);
})();
