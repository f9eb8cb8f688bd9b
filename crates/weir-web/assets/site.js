// The search of a site without a server: reads a compact index in parts, and shows what it finds while one types.
"use strict";

const box = document.querySelector("input[data-live]");
const results = document.getElementById("results");
const find = box && box.form;

if (find && results) {
  // The form leads to this page; the index lies beside it.
  const base = new URL(find.action);
  const read = new Map();
  const get = (path) => {
    if (!read.has(path)) read.set(path, fetch(new URL(path, base)).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null));
    return read.get(path);
  };
  const spelled = (part) => [...part].map((c) => (/[a-zA-Z0-9]/.test(c) ? c : `-${c.codePointAt(0).toString(16)}`)).join("");
  const MOST_PARTS = 24, SHOWN = 30;

  // The packages that have a word, or one that begins so: by number, and whether it is in their names.
  const having = async (index, word, whole) => {
    const parts = index.parts.filter((part) => word.startsWith(part) || (!whole && part.startsWith(word))).slice(0, MOST_PARTS);
    const found = new Map();
    for (const words of await Promise.all(parts.map((part) => get(`words/${spelled(part)}.json`)))) {
      for (const [known, posting] of Object.entries(words || {})) {
        if (whole ? known !== word : !known.startsWith(word)) continue;
        for (const one of posting) {
          const place = found.get(one >> 1);
          if (place === undefined || place > (one & 1)) found.set(one >> 1, one & 1);
        }
      }
    }
    return found;
  };

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const row = ([name, version, kind, standing, description]) => {
    const item = element("li");
    const head = element("p", "", { class: "head" });
    head.append(element("a", name, { href: new URL(`../packages/${name}/index.html`, base) }), " ");
    head.append(standing ? element("span", standing, { class: `tag ${standing}` }) : element("span", version, { class: "version" }), " ");
    head.append(element("span", kind, { class: "aside" }));
    item.append(head);
    if (description) item.append(element("p", description, { class: "what" }));
    return item;
  };

  let asked = 0;
  const all = [...results.childNodes];
  const show = async () => {
    const mine = ++asked;
    const query = new URL(location.href).searchParams;
    const kind = query.get("kind"), owner = query.get("owner");
    const words = box.value.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 8);
    if (!words.length && !kind && !owner) {
      results.replaceChildren(...all);
      return;
    }
    const index = await get("parts.json");
    if (!index || mine !== asked) return;
    let numbers;
    if (words.length) {
      const sets = await Promise.all(words.map((word, at) => having(index, word, at < words.length - 1)));
      if (mine !== asked) return;
      const [first, ...others] = sets;
      numbers = [...first.keys()].filter((one) => others.every((set) => set.has(one)));
      const last = (one) => sets.reduce((sum, set) => sum + set.get(one), 0);
      numbers.sort((a, b) => last(a) - last(b) || a - b);
    } else {
      numbers = [...Array(index.packages).keys()];
    }
    const list = element("ul", "", { class: "packages" });
    const as = box.value.trim().toLowerCase();
    const rows = [];
    for (const one of numbers) {
      const together = await get(`packages/${Math.floor(one / index.together)}.json`);
      if (mine !== asked) return;
      const package_ = together && together[one % index.together];
      if (!package_ || (kind && package_[2] !== kind) || (owner && !package_[0].startsWith(`${owner}/`))) continue;
      rows.push(package_);
      if (rows.length >= SHOWN) break;
    }
    const exact = (one) => Number(one[0] !== as && one[0].split("/")[1] !== as);
    rows.sort((a, b) => exact(a) - exact(b));
    list.append(...rows.map(row));
    const more = !kind && !owner && numbers.length > rows.length;
    const told = element("p", rows.length ? `${more ? `${rows.length} of ${numbers.length}` : rows.length} found` : "Nothing found", { class: "told", role: "status" });
    results.replaceChildren(told, ...(rows.length ? [list] : []));
  };

  let waiting;
  box.value = new URL(location.href).searchParams.get("q") || "";
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 60);
  });
  show();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const field = document.querySelector("main input[type=search]") || box;
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
});
