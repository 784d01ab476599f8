// What htmx may put into a page, and what a person hears of it. One file with htmx, behind it: see server/assets.py.
(() => {
  const deny = function () { throw new TypeError("The portal runs no code that comes with a fragment"); };
  const banned = "script,iframe,frame,object,embed,base,meta,link,style,animate,set,[srcdoc],template[shadowrootmode]";
  let looking = false;

  // A fragment is parsed once more, inertly, and refused whole if it holds anything that could run or lead away.
  const refuse = (root) => {
    if (root.querySelector(banned)) deny();
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        // Browsers drop control characters and spaces from a scheme.
        const code = /href$|action$|src$|^hx-/.test(name) && /^(javascript|js):/i.test(value.replace(/[\0- ]/g, ""));
        if (code || /^(data-)?(hx-)?on/.test(name)) deny();
      }
      if (element.content) refuse(element.content);
    }
  };
  const rules = {
    createHTML(html) {
      if (looking) return html;
      looking = true;
      try {
        refuse(new DOMParser().parseFromString(policy.createHTML(html), "text/html"));
      } finally {
        looking = false;
      }
      return html;
    },
    createScript: deny,
  };
  const policy = window.trustedTypes ? trustedTypes.createPolicy("htmx", rules) : rules;

  const one = (id) => document.getElementById(id);
  const failed = (yes) => { one("failure").hidden = !yes; };
  let moveFocus = true;

  htmx.registerExtension("portal", {
    init: (api) => api.initSecurity(policy, deny, deny),
    htmx_before_request: () => failed(false),
    htmx_error: () => failed(true),
    // Only what our server marks as a fragment is shown: never a proxy's error page, whatever its status.
    htmx_before_response: (_, { ctx }) => {
      const ours = ctx.response.headers.has("X-Portal-Fragment") || ctx.hx.redirect;
      ctx.wanted = ctx.hx.reswap || ctx.swap || htmx.config.defaultSwap;
      if (!ours) failed(true);
      return Boolean(ours);
    },
    // noSwap keeps every 5xx out; ours (checked above) say what happened, so they are shown after all.
    htmx_before_swap: (_, { ctx, tasks }) => {
      moveFocus = ctx.sourceEvent?.type !== "load";
      if (ctx.response?.status >= 500) for (const task of tasks) if (task.type === "main") task.swapSpec = ctx.wanted;
    },
    htmx_after_settle: (_, { newContent }) => {
      const found = (what) => newContent.filter((node) => node.nodeType === 1)
        .flatMap((node) => [...(node.matches(what) ? [node] : []), ...node.querySelectorAll(what)]);
      found("[data-address]").forEach(({ dataset }) => {
        one("account-address").textContent = dataset.address;
        const others = one("other-accounts");
        if (others) others.hidden = !("others" in dataset);
      });
      // A fragment that takes the place of a whole page brings the page's heading.
      found("[data-title]").forEach(({ dataset: { title } }) => {
        const heading = document.querySelector("h1");
        document.title = document.title.replace(heading.textContent, title);
        heading.textContent = title;
      });
      const words = found("[data-announce]").map((node) => node.textContent.trim()).join(" ");
      if (words) one("announcements").textContent = words;
      if (!moveFocus) return;
      const [first] = found("[data-focus]");
      if (first) first.focus();
      else if (document.activeElement === document.body) one("main").focus({ preventScroll: true });
    },
  });
})();
