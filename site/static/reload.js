// Only while `build.py dev` runs: shows what a designer saved, or why that cannot be shown.
"use strict";
{
  const box = document.createElement("pre");
  box.popover = "manual";
  box.setAttribute("role", "alert");
  Object.assign(box.style, {
    inset: "auto 0 0", margin: "0", inlineSize: "100%", maxBlockSize: "60vh", overflow: "auto", padding: "1rem",
    border: "0", borderBlockStart: "4px solid #d22", color: "#fff", background: "#222", whiteSpace: "pre-wrap",
    font: "14px/1.5 ui-monospace, monospace",
  });
  const show = ({ at, refused }) => {
    // Once for each build: a clock that was put back must not load a page for ever.
    if (at > performance.timeOrigin && sessionStorage.getItem("built") !== String(at)) {
      sessionStorage.setItem("built", at);
      location.reload();
      return;
    }
    box.textContent = refused && `This was saved, and is not shown like this:\n\n${refused}`;
    if (!refused) box.remove();
    else if (!box.isConnected) {
      document.body.append(box);
      box.showPopover();
    }
  };
  let changes;
  const listen = () => {
    changes?.close();
    changes = null;
    // A browser keeps few connections to one server: a page that is not in sight holds none.
    if (document.visibilityState !== "visible") return;
    changes = new EventSource("/_demo/changes");
    changes.addEventListener("message", (event) => show(JSON.parse(event.data)));
  };
  document.addEventListener("visibilitychange", listen);
  listen();
}
