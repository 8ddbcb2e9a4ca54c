// Runs before the first paint, so that a dark page never flashes white. The choice stays in this browser.
(() => {
  const KEY = "durum-theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const read = () => {
    try {
      return localStorage.getItem(KEY) || "auto";
    } catch {
      return "auto";
    }
  };
  const show = () => {
    const choice = read();
    const theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.dataset.bsTheme = theme;
    document.documentElement.dataset.themeChoice = choice;
    document.documentElement.classList.add("has-js");
    document.dispatchEvent(new CustomEvent("durum:theme", { detail: theme }));
  };
  show();
  dark.addEventListener("change", show);
  window.addEventListener("storage", (event) => event.key === KEY && show());
  document.addEventListener("click", (event) => {
    const choice = event.target.closest?.("[data-theme-choice]")?.dataset.themeChoice;
    if (!choice) return;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Storage is switched off: the choice holds for this page only.
    }
    show();
  });
})();
