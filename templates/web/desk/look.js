// Comfort only: the form of the look page works without this file; with it the frames follow what is typed.
"use strict";
(() => {
  const form = document.getElementById("trial");
  if (!form) return;
  const fields = [...form.querySelectorAll("[data-colour]")];
  const isColour = (text) => /^#[0-9a-f]{6}$/i.test(text);
  for (const field of fields) {
    const picker = document.createElement("input");
    Object.assign(picker, { type: "color", value: isColour(field.value) ? field.value : "#888888" });
    picker.setAttribute("aria-label", `Pick: ${field.labels[0].textContent}`);
    picker.addEventListener("input", () => { field.value = picker.value; follow(); });
    field.addEventListener("input", () => { if (isColour(field.value)) picker.value = field.value; });
    field.before(picker);
  }

  let waits = 0;
  let asked = 0;
  const follow = () => {
    clearTimeout(waits);
    waits = setTimeout(async () => {
      const number = ++asked;
      const query = new URLSearchParams(new FormData(form)).toString();
      try {
        const answer = await fetch(`/desk/look?${query}`);
        if (answer.redirected || number !== asked) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const outcome = page.getElementById("outcome");
        if (!outcome || number !== asked) return;
        document.getElementById("outcome").replaceWith(outcome);
        if (!answer.ok) return; // what is refused is said; the frames keep what was right last
        for (const frame of document.querySelectorAll("iframe[data-frame]")) frame.src = `${frame.dataset.frame}?${query}`;
        history.replaceState(null, "", `/desk/look?${query}`);
      } catch { /* offline: the button does the same */ }
    }, 350);
  };
  form.addEventListener("input", follow);
})();
