// Runs before the first paint: what the served page can't know of this browser.
(() => {
  const root = document.documentElement;
  root.dataset.script = "yes";

  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // Storage is switched off: the theme is the system's.
  }
  if (!root.dataset.theme && (theme === "light" || theme === "dark")) root.dataset.theme = theme;
  if (root.dataset.mode === "desk" && matchMedia("(pointer: coarse)").matches) {
    root.dataset.mode = "touch";
  }

  // Text is shown in its own type from the first moment, or after a moment in another: nothing moves.
  root.dataset.type = "waiting";
  const shown = () => delete root.dataset.type;
  document.fonts.load("13px Inter").then(shown, shown);
  setTimeout(shown, 400);

  // A wall is drawn for 1920 by 1080; a larger screen shows the same, larger. Never smaller: that
  // would undo the browser's own zoom for those who need it.
  const fit = () => {
    if (root.dataset.zoom) return;
    const share = Math.min(innerWidth / 1920, innerHeight / 1080);
    const zoom = root.dataset.mode === "wall" && share > 1 ? share.toFixed(3) : "";
    root.style.setProperty("--zoom", zoom);
  };
  fit();
  addEventListener("resize", fit);
})();
