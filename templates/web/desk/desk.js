// Comfort only: rows of the line-up can be dragged. Each drop posts the same form as the buttons do.
"use strict";
(() => {
  const list = document.querySelector("ol.lines");
  if (!list) return;
  let dragged = null;
  const rows = () => [...list.querySelectorAll("li.line")];
  const field = (form, name, value) => {
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
    row.addEventListener("dragend", () => {
      row.classList.remove("dragged");
      rows().forEach((one) => one.classList.remove("above", "below"));
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      const below = event.clientY > box.top + box.height / 2;
      rows().forEach((one) => one.classList.remove("above", "below"));
      row.classList.add(below ? "below" : "above");
    });
    row.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!dragged || dragged === row) return;
      const after = row.classList.contains("below");
      const others = rows().filter((one) => one !== dragged);
      const next = after ? others[others.indexOf(row) + 1] : row;
      const form = document.createElement("form");
      form.method = "post";
      form.action = list.dataset.action;
      field(form, "form", list.dataset.form);
      field(form, "version", list.dataset.version);
      field(form, "article", dragged.dataset.id);
      field(form, "do", "move");
      field(form, "before", next ? next.dataset.id : "");
      document.body.append(form);
      form.submit();
    });
  }
})();
