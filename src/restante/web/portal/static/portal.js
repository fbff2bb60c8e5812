// Conveniences only: every page works without this file.
"use strict";

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
  const form = box.form;
  if (!form) return;
  const rows = form.querySelectorAll("input[type=checkbox][name=name]");
  if (box.hasAttribute("data-select-page")) rows.forEach((row) => { row.checked = box.checked; });
  const ticked = form.querySelectorAll("input[type=checkbox][name=name]:checked").length;
  form.querySelectorAll("[data-ticked]").forEach((place) => { place.textContent = String(ticked); });
});

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.who[open]")) {
    if (!open.contains(event.target)) open.removeAttribute("open");
  }
});

// A form that waits while its user is at a provider in another tab goes on when that user is back.
let isElsewhere = false;

document.addEventListener("click", (event) => {
  if (event.target.closest("a[data-elsewhere]")) isElsewhere = true;
});

document.addEventListener("visibilitychange", () => {
  const waiting = document.querySelector("form[data-waits]");
  if (waiting && isElsewhere && document.visibilityState === "visible") waiting.requestSubmit();
});
