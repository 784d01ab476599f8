// The form pages while somebody types. Without it they work as well; a picker and its text then differ until they are posted.
(() => {
  const form = document.getElementById("pages-fields");
  if (!form) return;
  const hex = /^#[0-9a-f]{6}$/i;

  // What was typed back to what it was is no change any more: the server hears that it was touched at all.
  const touch = (control) => {
    const was = control?.querySelector("input[name^='was:']");
    if (!was || was.dataset.seen) return;
    was.dataset.seen = "";
    const seen = document.createElement("input");
    Object.assign(seen, { type: "hidden", name: was.name.replace("was:", "seen:"), value: was.dataset.is });
    was.after(seen);
  };
  form.addEventListener("input", ({ target }) => {
    const text = form.querySelector(`[id="${target.dataset.picks}"]`);
    const picker = form.querySelector(`[data-picks="${target.id}"]`);
    if (text) text.value = target.value;
    if (picker && hex.test(target.value)) picker.value = target.value;
    touch(target.closest(".rows-control") ?? target.closest(".control"));
  }, true);

  // A control is invalid for a screen reader as long as a mistake is beside it.
  const judge = () => {
    for (const says of form.querySelectorAll(".says[data-for]")) {
      const wrong = says.childElementCount > 0, control = document.getElementById(says.dataset.for);
      if (!control?.matches("input, select, textarea")) continue;
      if (wrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  };
  document.addEventListener("htmx:after:settle", judge);
})();
