// Fills the e-mail field from ?prefilled_email=. Whatever is not an address is dropped; nothing else is touched.
(() => {
  const field = document.getElementById("field-email");
  const given = new URLSearchParams(location.search).get("prefilled_email");
  if (!field || !given || field.value) return;
  const address = given.trim();
  if (address.length > 254 || /[\0-\x20\x7f-\x9f"<>()[\]\\,;:]/.test(address) || !/^[^@]{1,64}@[^@.]+(\.[^@.]+)+$/.test(address)) return;
  field.value = address;
  if (!field.checkValidity()) field.value = "";
})();
