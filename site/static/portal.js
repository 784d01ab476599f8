// What htmx may put into a page, and what a person hears of it. One file with htmx, behind it: see server/rendering/assets.py.
(() => {
  const deny = function () { throw new TypeError("A fragment brings no code"); };
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
  const live = one("announcements"), words = live.dataset;
  const call = (text) => { live.textContent = text; };
  const failed = (yes) => { one("failure").hidden = !yes; };
  // The page as it was loaded, and what its title says after its heading.
  const heading = document.querySelector("h1");
  const loaded = { url: location.href, title: document.title.replace(`${words.error} `, "") };
  const rest = loaded.title.slice(loaded.title.indexOf(heading.textContent) + heading.textContent.length);
  let again, current, moveFocus = true;
  one("try-again").addEventListener("click", () => again());

  // The address and the title follow what is shown. `part`: what came belongs to this page, and no step of it is open any more.
  const follow = (found) => {
    const part = found("[data-page]")[0]?.dataset.page, error = found("[aria-invalid], [data-error]").length ? `${words.error} ` : "";
    const isWhole = current.isWhole, title = decodeURIComponent(current.response?.headers.get("X-Portal-Title") || "");
    if (part && (isWhole ? location.pathname.startsWith(`${part}/`) : location.href !== loaded.url)) {
      history.replaceState({ htmx: true }, "", isWhole ? part : loaded.url);
      if (!isWhole) document.title = loaded.title;
    }
    if (!title) return;
    const isStep = isWhole || location.href !== loaded.url;
    document.title = error + (isStep ? title + rest : loaded.title);
    const says = ({ textContent }) => textContent.trim() === title;
    if (isWhole && !found("h2").some(says)) heading.textContent = title;
  };

  htmx.registerExtension("portal", {
    init: (api) => api.initSecurity(policy, deny, deny),
    htmx_before_request: (_, { ctx }) => {
      failed(false);
      const { sourceElement: from, sourceEvent: event, target } = ctx;
      again = () => {
        if (!from.isConnected || event.type === "load") location.reload();
        else event.target.dispatchEvent(new event.constructor(event.type, event));
      };
      // What takes a moment is shown, and what takes longer is said, too.
      const said = () => call(words.waiting);
      ctx.waits = [setTimeout(() => target.setAttribute("aria-busy", "true"), 300), setTimeout(said, 1000)];
    },
    htmx_finally_request: (_, { ctx }) => {
      ctx.waits?.forEach(clearTimeout);
      ctx.target.removeAttribute("aria-busy");
      if (live.textContent === words.waiting) call("");
    },
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
      current = ctx;
      ctx.isWhole = ctx.target.parentElement?.id === "main";
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
      follow(found);
      const said = found("[data-announce]").map((node) => node.textContent.trim()).join(" ");
      if (said) call(said);
      if (!moveFocus) return;
      const [first] = found("[data-focus]");
      if (first) first.focus();
      else if (document.activeElement === document.body) one("main").focus({ preventScroll: true });
    },
  });
})();
