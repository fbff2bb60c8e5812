// Passkeys: each form with data-passkey asks the browser, and sends its answer as a form.
"use strict";

(() => {
  const api = window.PublicKeyCredential;
  if (!api || !api.parseRequestOptionsFromJSON || !api.parseCreationOptionsFromJSON) return;

  async function optionsFor(form) {
    const token = form.elements.namedItem("csrf");
    const headers = token ? { "X-CSRF-Token": token.value } : {};
    const answer = await fetch(form.dataset.options, { method: "POST", headers });
    if (answer.status === 403 && form.dataset.passkey === "create") {
      const name = encodeURIComponent(form.elements.namedItem("name").value);
      location.assign(`/step-up?next=${encodeURIComponent(`${location.pathname}?name=${name}`)}`);
    }
    if (!answer.ok) throw new Error("The server gave no challenge. Load the page again.");
    return answer.json();
  }

  async function credentialFor(form) {
    const options = await optionsFor(form);
    if (form.dataset.passkey === "create") {
      return navigator.credentials.create({ publicKey: api.parseCreationOptionsFromJSON(options) });
    }
    return navigator.credentials.get({ publicKey: api.parseRequestOptionsFromJSON(options) });
  }

  function textOf(error) {
    if (error.name === "NotAllowedError") return "Nothing was chosen, or the time was over.";
    if (error.name === "InvalidStateError") return "This device has a passkey for you already.";
    return error.message || "The browser could not use a passkey.";
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      const place = form.elements.namedItem("answer");
      if (place.value) return;
      event.preventDefault();
      const told = form.querySelector("[data-passkey-error]");
      const button = form.querySelector("button");
      told.textContent = "";
      button.disabled = true;
      try {
        place.value = JSON.stringify(await credentialFor(form));
        form.submit();
      } catch (error) {
        told.textContent = textOf(error);
      } finally {
        button.disabled = false;
      }
    });
  }
  for (const place of document.querySelectorAll("[data-no-passkeys]")) place.hidden = true;
})();
