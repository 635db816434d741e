"use strict";
// Headings of sortable tables become buttons; without this script the tables stay as they are.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th[data-key]").forEach((heading) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const numeric = heading.dataset.key === "number";
      const descending = heading.getAttribute("aria-sort") !== (numeric ? "descending" : "ascending") ? numeric : !numeric;
      const value = (row) => row.cells[heading.cellIndex].dataset.value ?? row.cells[heading.cellIndex].textContent;
      const order = (a, b) => (numeric ? Number(a) - Number(b) : a.localeCompare(b, undefined, { numeric: true }));
      const rows = [...body.rows].sort((a, b) => order(value(a), value(b)) * (descending ? -1 : 1));
      body.append(...rows);
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    });
  });
}
