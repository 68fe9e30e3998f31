// Text that changes: nodes are found once, and written only when what they say changes.

/** The elements marked `data-s` below a node, by name, outside of elements that keep their own. */
export function slots(root) {
  const found = new Map();
  for (const element of root.querySelectorAll("[data-s]")) {
    element.firstChild ?? element.append("");
    found.set(element.dataset.s, element.firstChild);
  }
  return {
    /** Write a text; slots that this element has not got are passed over. */
    write(name, text) {
      const node = found.get(name);
      if (node && node.data !== text) node.data = text;
    },
  };
}

/** Set an attribute only where it changes. */
export function put(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Mark an element with the anomaly that it shows; whether its priority is another one now. */
export function called(element, { priority, taken }) {
  const was = element.dataset.priority;
  if (!priority) delete element.dataset.priority;
  else if (was !== String(priority)) element.dataset.priority = priority;
  element.toggleAttribute("data-taken", Boolean(priority && taken));
  return was !== element.dataset.priority;
}

/** Show another glyph of the page's set. */
export function glyph(element, state) {
  put(element.querySelector(".glyph use"), "href", `#g-${state}`);
}
