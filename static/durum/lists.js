// Lists: ticking rows for a bulk action, and narrowing a menu by typing. Works on what htmx swaps in later too.
(() => {
  const texts = JSON.parse(document.getElementById("texts")?.textContent || "{}");
  const fill = (text, count) => text.replace("%(count)s", count);

  const refresh = (form, everything = false) => {
    const bar = form.querySelector("[data-bulk-bar]");
    if (!bar) return;
    const rows = [...form.querySelectorAll("[data-bulk-row]")];
    const ticked = rows.filter((row) => row.checked).length;
    const all = form.querySelector("[data-bulk-all]");
    if (all) {
      all.checked = ticked > 0 && ticked === rows.length;
      all.indeterminate = ticked > 0 && ticked < rows.length;
    }
    const count = bar.querySelector("[data-bulk-count]");
    count.dataset.idle ??= count.textContent;
    if (everything) count.textContent = fill(texts.all_selected, bar.dataset.total);
    else count.textContent = ticked ? fill(texts.some_selected, ticked) : count.dataset.idle;
    bar.querySelector("[data-bulk-everything]").value = everything ? "1" : "";
    const offer = bar.querySelector("[data-bulk-offer]");
    if (offer) offer.hidden = everything || ticked === 0 || ticked < rows.length;
    for (const button of bar.querySelectorAll("[data-bulk-buttons] button")) button.disabled = ticked === 0;
  };

  // The search field asks while one types: leaving it must not ask once more, against the click that follows.
  document.addEventListener("change", (event) => event.target.matches?.("[data-search]") && event.stopPropagation(), true);

  // The bar stands outside what htmx swaps: its link follows what is chosen now.
  const isChosen = (field) => (field.type === "checkbox" ? field.checked : field.value !== "");
  const offerToClear = (form) => {
    const link = form.querySelector("[data-clear-filters]");
    const fields = [...form.elements].filter((field) => field.name && !["hidden", "search"].includes(field.type));
    if (link) link.hidden = !fields.some(isChosen);
  };

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form");
    if (!form) return;
    offerToClear(form);
    if (event.target.matches("[data-bulk-all]")) {
      for (const row of form.querySelectorAll("[data-bulk-row]")) row.checked = event.target.checked;
      refresh(form);
    } else if (event.target.matches("[data-bulk-row]")) {
      refresh(form);
    }
  });
  document.addEventListener("click", (event) => {
    const offer = event.target.closest?.("[data-bulk-offer]");
    if (offer) refresh(offer.closest("form"), true);
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-filter-input]")) return;
    const wanted = event.target.value.trim().toLowerCase();
    const items = event.target.closest("[data-filterable]").querySelectorAll("[data-filter-text]");
    for (const item of items) item.hidden = !item.dataset.filterText.includes(wanted);
  });
  document.addEventListener("shown.bs.dropdown", (event) => {
    event.target.parentElement?.querySelector("[data-filter-input]")?.focus();
  });

  const start = () => {
    for (const bar of document.querySelectorAll("[data-bulk-bar]")) refresh(bar.closest("form"));
  };
  document.addEventListener("htmx:afterSettle", start);
  start();
})();
