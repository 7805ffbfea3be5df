// The rotation: a button of a turn opens its form, filled in.
(() => {
  "use strict";
  const put = (form, name, value) => { const field = form.elements[name]; if (field) field.value = value; };

  document.addEventListener("click", (event) => {
    const on = event.target.closest("[data-turn]");
    if (!on) return;
    const { turn, unit, unitName, from, until, span } = on.dataset;
    const form = document.querySelector(`#${turn} form`);
    form.reset();
    form.querySelector("[data-turn-says]").textContent = `${unitName} · ${span}`;
    put(form, "unit", unit);
    put(form, "period", from);
    if (form.elements.from) { put(form, "from", from); put(form, "until", until); }
    const other = form.querySelector("[data-with]");
    if (other) for (const one of other.options) one.hidden = one.disabled = one.value === `${unit} ${from}`;
    linli.open(turn);
  });

  document.addEventListener("change", (event) => {
    const field = event.target, form = field.form;
    if (field.matches("[data-with]")) {
      const [unit, period] = field.value.split(" ");
      put(form, "with_unit", unit || "");
      put(form, "with_period", period || "");
    }
    if (field.dataset.either && field.value) document.getElementById(field.dataset.either).value = "";
  });
})();
