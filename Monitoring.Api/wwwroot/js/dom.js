// Building and updating elements. Text only ever enters as text nodes, never as markup, but for the cards themselves.

export const byId = (id) => document.getElementById(id);

/** Puts a subject's cards into the page: markup that is written in its module, the only that enters as such. */
export const mount = (id, markup) => byId(id).insertAdjacentHTML('beforeend', markup);

/** Makes an element; children are elements or texts, and nothing is put in for null. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Writes only what differs, so that a screen reader is not told the same thing every second. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setData(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}

/** The list's elements follow the items by key: kept elements stay in place, with focus and opened details. */
export function keyed(parent, items, keyOf, create, update) {
  const existing = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = new Set(items.map((item) => String(keyOf(item))));
  for (const [key, node] of existing) if (!wanted.has(key)) node.remove();

  items.forEach((item, index) => {
    const key = String(keyOf(item));
    let node = existing.get(key);
    if (!node) {
      node = create(item);
      node.dataset.key = key;
    }
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
    update(node, item);
  });
}

/** A list of plain texts, each as one element of the given tag. */
export function texts(parent, tag, lines) {
  keyed(parent, lines.map((line, index) => ({ line, index })), (item) => item.index,
    () => el(tag), (node, item) => setText(node, item.line));
}
