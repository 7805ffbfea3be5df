// The pages of joint meetings: lists of units that are found by typing, and forms that a link opens.
//
//   <div data-pick><input data-filter data-picks> … <* data-name="…"> … <p data-none></div>
//
// data-picks: the first that is found is chosen at once, so that typing and Enter are enough.
(() => {
  "use strict";
  const fold = (text) => text.trim().toLowerCase();

  const narrow = (field) => {
    const pick = field.closest("[data-pick]"), wanted = fold(field.value).split(/\s+/).filter(Boolean);
    let first = null;
    for (const row of pick.querySelectorAll("[data-name]")) {
      const fits = wanted.every((word) => fold(row.dataset.name).includes(word));
      row.hidden = !fits;
      if (fits) first ??= row;
    }
    const none = pick.querySelector("[data-none]");
    if (none) none.hidden = first !== null;
    const radio = "picks" in field.dataset && wanted.length ? first?.querySelector("input[type=radio]") : null;
    if (radio && !radio.checked) { radio.checked = true; radio.dispatchEvent(new Event("change", { bubbles: true })); }
  };

  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-filter]")) narrow(event.target); });
  document.addEventListener("reset", (event) => setTimeout(() => { for (const field of event.target.querySelectorAll("[data-filter]")) narrow(field); }));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || !event.target.matches?.("[data-filter]")) return;
    const row = Array.from(event.target.closest("[data-pick]").querySelectorAll("[data-name]")).find((one) => !one.hidden);
    const input = row?.querySelector("input");
    if (!input) return;
    event.preventDefault();
    input.focus();
    if (input.type === "radio") { input.checked = true; input.dispatchEvent(new Event("change", { bubbles: true })); }
  });
  // Enter in a search over boxes ticks the first that is found, instead of sending the form.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("[data-filter]:not([data-picks])")) return;
    event.preventDefault();
    const row = Array.from(event.target.closest("[data-pick]").querySelectorAll("[data-name]")).find((one) => !one.hidden);
    const box = row?.querySelector("input[type=checkbox]");
    if (box && event.target.value.trim()) { box.click(); event.target.select(); }
  });

  const wanted = document.querySelector("[data-opens]")?.dataset.opens;
  if (wanted) linli.open(wanted);
})();
