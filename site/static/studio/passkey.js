// Asks the browser for a passkey before a form is sent: `data-passkey` says whether a new one is made or a known one shown.
(() => {
  const base = "/_studio/passkey";
  const send = async (path, fields) => {
    const answer = await fetch(base + path, { method: "POST", body: new URLSearchParams(fields) });
    if (answer.redirected || !answer.headers.get("Content-Type")?.includes("json")) throw new Error("Log in again.");
    const found = await answer.json();
    if (found.problem) throw new Error(found.problem);
    return found;
  };
  const ask = {
    register: async (form) => {
      const wanted = { kind: "register", word: form.elements.word?.value ?? "" };
      let options = await send("/options", wanted);
      if (options.verify) {
        await ask.verify();
        options = await send("/options", wanted);
      }
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      const made = await navigator.credentials.create({ publicKey });
      form.elements.credential.value = JSON.stringify(made.toJSON());
    },
    verify: async () => {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await send("/options", { kind: "verify" }));
      const shown = await navigator.credentials.get({ publicKey });
      await send("/verify", { credential: JSON.stringify(shown.toJSON()) });
    },
  };
  const words = (error) => ({
    NotAllowedError: "The browser did not get a passkey. Try again.",
    InvalidStateError: "This device has a passkey for you already.",
    SecurityError: "Passkeys do not work at this address; the studio needs a host name with https, or localhost.",
  })[error.name] ?? error.message;

  document.addEventListener("submit", async (event) => {
    const form = event.target, how = ask[form.dataset.passkey];
    if (!how) return;
    event.preventDefault();
    const button = form.querySelector("button"), problem = form.querySelector("[data-problem]");
    button.disabled = true;
    problem.hidden = true;
    try {
      await how(form);
      form.submit();
    } catch (error) {
      problem.textContent = words(error);
      problem.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
})();
