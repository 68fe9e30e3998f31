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
