// Only while `build.py dev` runs: shows what a designer saved.
"use strict";
{
  let seen = "";
  const look = async () => {
    try {
      const answer = await fetch("/_demo/built");
      const built = answer.ok ? await answer.text() : seen;
      if (seen && built !== seen) location.reload();
      seen = built;
    } catch {
      // The server is starting again; the next look finds it.
    }
  };
  look();
  setInterval(look, 700);
}
