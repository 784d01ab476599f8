// Before log-in: to the page in the visitor's language, waiting shown, and the e-mail field filled in from ?prefilled_email=.
(() => {
  // In several languages: who comes to the first one from elsewhere, and did not choose it, goes to the one their browser
  // prefers. The start page, which names the log-in pages, is left in any case.
  const pages = [...document.querySelectorAll("link[hreflang]")];
  let page = pages.find(({ hreflang }) => hreflang === document.documentElement.lang);
  if (page === pages[0] && !document.referrer.startsWith(`${location.origin}/`)) {
    const fits = (wanted) => {
      const language = (tag) => tag.split("-")[0];
      return pages.find(({ hreflang }) => hreflang.toLowerCase() === wanted.toLowerCase())
        || pages.find(({ hreflang }) => language(hreflang) === language(wanted.toLowerCase()));
    };
    page = navigator.languages.map(fits).find(Boolean) || page;
  }
  if (page && new URL(page.href).pathname !== location.pathname) {
    location.replace(page.href + location.search);
    return;
  }
  // Waiting is shown after a moment, and said after a second; a form that was just sent is not sent twice.
  const live = document.getElementById("announcements");
  document.querySelectorAll("main form").forEach((form) => {
    let sent = 0, waits = [];
    const rest = () => {
      waits.forEach(clearTimeout);
      form.removeAttribute("aria-busy");
      live.textContent = "";
    };
    form.addEventListener("submit", (event) => {
      if (sent && event.timeStamp - sent < 2000) return event.preventDefault();
      rest();
      sent = event.timeStamp;
      const said = () => { live.textContent = live.dataset.waiting; };
      waits = [setTimeout(() => form.setAttribute("aria-busy", "true"), 300), setTimeout(said, 1000)];
    });
    // Back may show this page as it was left.
    addEventListener("pageshow", () => { sent = 0; rest(); });
  });
  const field = document.getElementById("field-email"), start = field && new URL(field.form.action);
  // What the server itself wrote has in it all that follows.
  if (start?.pathname === location.pathname || field?.form.elements.next) return;
  // Whoever changes the language keeps the address, and where log-in leads.
  const asked = new URLSearchParams(location.search);
  const given = asked.get("prefilled_email"), flow = asked.get("flow");
  if (field && /^[a-z_]{1,40}$/.test(flow || "")) {
    const next = document.createElement("input");
    Object.assign(next, { type: "hidden", name: "next", value: `flow:${flow}` });
    field.form.append(next);
  }
  // Who is logged in is led on: the server knows who that is, and this page is the same for everybody.
  if (field) {
    start.search = location.search;
    fetch(start, { method: "HEAD", redirect: "manual" })
      .then(({ type }) => { if (type === "opaqueredirect") location.replace(start); }, () => {});
  }
  if (given || flow) document.querySelectorAll("a[hreflang]").forEach((link) => { link.search = location.search; });
  // Whatever is not an address is dropped; nothing else is touched.
  if (!field || !given || field.value) return;
  // Whoever wrote the link may have left a plus sign as it is, which a query reads as a blank.
  const address = given.trim().replaceAll(" ", "+");
  if (address.length > 254 || /[\0-\x20\x7f-\x9f"<>()[\]\\,;:]/.test(address) || !/^[^@]{1,64}@[^@.]+(\.[^@.]+)+$/.test(address)) return;
  field.value = address;
  if (!field.checkValidity()) field.value = "";
})();
