// Copy buttons: <button data-copy="id of the input" hidden>. Shown only where the browser lets a page copy.
(() => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copy);
      field.select();
      await navigator.clipboard.writeText(field.value);
      button.classList.add("btn-success");
    });
  }
})();
