// The live preview: loads the hidden one of two frames after each change that was kept, and shows it once it is there.
(() => {
  const box = document.querySelector("[data-preview]");
  if (!box) return;
  const url = box.querySelector("iframe:not([hidden])").src;
  let again = false, loading = false;
  const draw = () => {
    again = loading;
    if (loading) return;
    loading = true;
    box.querySelector("iframe[hidden]").contentWindow.location.replace(url);
  };
  box.addEventListener("load", ({ target }) => {
    if (!loading || !target.hidden) return;
    const shown = box.querySelector("iframe:not([hidden])");
    loading = false;
    [target.hidden, shown.hidden] = [false, true];
    [target.title, shown.title] = [shown.title, target.title];
    if (again) draw();
  }, true);
  document.addEventListener("htmx:after:swap", draw);
})();
