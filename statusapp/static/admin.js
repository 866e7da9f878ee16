"use strict";

// Comforts of the operator's pages. Everything works without them.
(() => {
  const FLASH_MS = 8000;

  for (const flash of document.querySelectorAll("[data-flash]")) {
    window.setTimeout(() => {
      flash.classList.add("gone");
      window.setTimeout(() => flash.remove(), 200);
    }, FLASH_MS);
  }

  // A filter that is a choice applies at once.
  for (const select of document.querySelectorAll("select[data-submits]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  // What is not set has no place in the address.
  for (const form of document.querySelectorAll("form.filters")) {
    form.addEventListener("submit", () => {
      for (const input of form.elements) if (input.value === "") input.disabled = true;
    });
    window.addEventListener("pageshow", () => {
      for (const input of form.elements) input.disabled = false;
    });
  }

  // All ticks of a page at once.
  for (const all of document.querySelectorAll("[data-tick-all]")) {
    const ticks = () => all.closest("table").querySelectorAll('tbody input[name="ids"]');
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const tick of ticks()) tick.checked = all.checked;
    });
  }

  // A colour may be picked as well as typed.
  for (const picker of document.querySelectorAll("[data-color-of]")) {
    const field = document.getElementById(picker.dataset.colorOf);
    const follow = () => {
      if (/^#[0-9a-f]{6}$/i.test(field.value)) picker.value = field.value;
    };
    picker.hidden = false;
    follow();
    field.addEventListener("input", follow);
    picker.addEventListener("input", () => {
      field.value = picker.value;
    });
  }

  // A row leads where the link in it leads.
  for (const row of document.querySelectorAll("tr[data-opens]")) {
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, button, input, label, select, summary") || String(window.getSelection())) return;
      row.querySelector("a")?.click();
    });
  }

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".account-menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(".account-menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
