// The keys of the anomalies page.

import { keys, move } from "./recordpage.js";

const form = document.querySelector(".deeds");

/** Press a button; one that needs words takes the hand into the field first. */
function press(deed, words) {
  const button = form?.querySelector(`button[value=${deed}]`);
  if (!button || button.disabled) return;
  const text = form.elements.text;
  if (words && !text.value.trim()) text.focus();
  else form.requestSubmit(button);
}

keys({
  j: () => move(".row", 1),
  k: () => move(".row", -1),
  a: () => press("acknowledge", false),
  c: () => press("comment", true),
  g: () => press("give", true),
  u: () => press("undo", false),
  x: () => document.activeElement?.closest("li")?.querySelector(".pick input")?.click(),
  r: () => press("resolve", true),
  m: () => press("mute", true),
  Escape: () => document.querySelector("main").focus(),
});

/** Who comes with a comment in mind, from a press's page, can write at once. */
if (location.hash === "#comment") form?.elements.text.focus();
