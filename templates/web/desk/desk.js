// Comfort only: every act is a button of the page's form, and works without this file.
"use strict";
(() => {
  // A frame is as high as its message; nothing in it may run, so that its page can be read from here.
  for (const frame of document.querySelectorAll("iframe[data-message]")) {
    const fit = () => {
      const page = frame.contentDocument?.documentElement;
      if (page?.scrollHeight) frame.height = Math.ceil(page.getBoundingClientRect().height) || page.scrollHeight;
    };
    frame.addEventListener("load", fit);
    fit();
  }

  // A form that was taken leads to a page that says so, often another one: what was kept of it is done with.
  const SENT = "draft sent";
  try {
    const sent = sessionStorage.getItem(SENT);
    sessionStorage.removeItem(SENT);
    if (sent && new URLSearchParams(location.search).has("said")) localStorage.removeItem(sent);
  } catch { /* no storage: nothing was kept */ }

  const form = document.getElementById("draft");
  if (!form) return;
  const fields = () => [...form.elements].filter((one) => one.matches("input:not([type=hidden]), textarea, select"));
  const read = () => Object.fromEntries(fields().filter((one) => one.type !== "radio" || one.checked)
    .map((one) => [one.name, one.type === "checkbox" ? (one.checked ? "1" : "") : one.value]));
  const key = `draft ${form.dataset.draft}`;
  const note = document.querySelector("[data-unsaved-note]");
  const shown = JSON.stringify(read());
  let leaving = false;

  const isUnsaved = () => "unsaved" in form.dataset || JSON.stringify(read()) !== shown;
  const say = () => { if (note) note.hidden = !isUnsaved(); };
  const forget = () => { try { localStorage.removeItem(key); } catch { /* no storage: nothing was kept */ } };
  // What was submitted is kept until a page says that it was taken: a session may have ended meanwhile.
  const keep = (submitted = false) => {
    const kept = { version: form.dataset.version, typed: read(), submitted };
    try {
      if (isUnsaved()) localStorage.setItem(key, JSON.stringify(kept));
      else localStorage.removeItem(key);
      if (submitted) sessionStorage.setItem(SENT, key);
    } catch { /* no storage: the warning on leaving stays */ }
  };
  const restore = () => {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(key)); } catch { return; }
    if (!kept || "unsaved" in form.dataset) return;
    const done = new URLSearchParams(location.search).has("said") && kept.submitted;
    const used = "once" in form.dataset && kept.version !== form.dataset.version;
    if (done || used || JSON.stringify(kept.typed) === shown) { forget(); return; }
    const bar = document.createElement("p");
    bar.className = "done";
    bar.setAttribute("role", "status");
    bar.append("Text that you typed earlier was not saved. ");
    const button = (words, act) => {
      const one = document.createElement("button");
      Object.assign(one, { type: "button", textContent: words });
      one.addEventListener("click", () => { act(); bar.remove(); });
      bar.append(one, " ");
    };
    button("Restore it", () => {
      for (const one of fields()) {
        if (!(one.name in kept.typed)) continue;
        if (one.type === "radio" || one.type === "checkbox") one.checked = one.value === kept.typed[one.name];
        else one.value = kept.typed[one.name];
      }
      say();
    });
    button("Discard it", forget);
    document.getElementById("main").prepend(bar);
  };

  restore();
  let waits = 0;
  const changed = () => { say(); clearTimeout(waits); waits = setTimeout(() => keep(), 400); };
  for (const one of fields()) one.addEventListener("input", changed);
  form.addEventListener("submit", () => { leaving = true; clearTimeout(waits); keep(true); });
  for (const other of document.querySelectorAll('form[action="/desk/logout"]')) other.addEventListener("submit", forget);
  window.addEventListener("beforeunload", (event) => {
    if (leaving || !isUnsaved()) return;
    clearTimeout(waits);
    keep();
    event.preventDefault();
  });

  const search = document.querySelector("[data-find]");
  const found = document.getElementById("found");
  if (search && found) {
    let asked = 0;
    search.addEventListener("input", () => {
      clearTimeout(asked);
      const words = search.value.trim();
      if (words.length < 2 || words.includes("://")) { found.replaceChildren(); return; }
      asked = setTimeout(async () => {
        try {
          const answer = await fetch(`${search.dataset.find}?q=${encodeURIComponent(words)}`);
          if (answer.ok && !answer.redirected && search.value.trim() === words) found.innerHTML = await answer.text();
        } catch { /* offline: the button finds as well */ }
      }, 250);
    });
  }

  const paper = document.querySelector("[data-lines]");
  if (!paper) return;
  let dragged = null;
  const rows = () => [...paper.querySelectorAll("li.line")];
  const clear = () => rows().forEach((one) => one.classList.remove("above", "below"));
  const hidden = (name, value) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    form.append(input);
  };
  for (const row of rows()) {
    row.draggable = true;
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", row.dataset.id);
      row.classList.add("dragged");
    });
    row.addEventListener("dragend", () => { row.classList.remove("dragged"); clear(); });
    row.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      clear();
      row.classList.add(event.clientY > box.top + box.height / 2 ? "below" : "above");
    });
    row.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!dragged || dragged === row) return;
      const after = row.classList.contains("below");
      const others = rows().filter((one) => one !== dragged);
      const next = after ? others[others.indexOf(row) + 1] : row;
      hidden("do", `move ${dragged.dataset.id}`);
      hidden("before", next ? next.dataset.id : "");
      leaving = true;
      keep(true);
      form.submit();
    });
  }
})();
