// Improves what works without it: commands can be copied, and a search shows what it finds while one types.
"use strict";

for (const block of document.querySelectorAll("pre.do")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  block.prepend(button);
}

const box = document.querySelector("input[data-live]");
const results = document.getElementById("results");
if (box && results) {
  let asked = 0;
  let waiting;
  const show = async () => {
    const mine = ++asked;
    const address = new URL(location.href);
    address.search = "";
    const words = box.value.trim();
    if (words) address.searchParams.set("q", words);
    for (const kept of ["kind", "owner", "platform"]) {
      const value = new URL(location.href).searchParams.get(kept);
      if (value) address.searchParams.set(kept, value);
    }
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    // Whoever typed on meanwhile wants another answer.
    if (!answer || !answer.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("results");
    if (!found || mine !== asked) return;
    results.replaceChildren(...found.childNodes);
    document.title = page.title;
    history.replaceState(null, "", address);
  };
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 120);
  });
}

// On any other page of a registry, the first of what is found stand below the box, to be gone through by the keyboard.
if (box && !results) {
  const MOST = 8;
  const panel = document.createElement("div");
  panel.className = "found";
  panel.hidden = true;
  const told = document.createElement("p");
  told.className = "told";
  told.setAttribute("role", "status");
  const list = document.createElement("ul");
  panel.append(list);
  // What is told stays in the page, so that it is heard when it changes.
  told.classList.add("hidden");
  box.form.append(told, panel);
  let asked = 0;
  let waiting;
  const hide = () => { asked++; panel.hidden = true; told.textContent = ""; };
  const row = (href, words) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = href;
    for (const [name, text] of words) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      link.append(part, " ");
    }
    item.append(link);
    return item;
  };
  const show = async () => {
    const mine = ++asked;
    const words = box.value.trim();
    if (!words) return hide();
    const address = new URL(box.form.action);
    address.searchParams.set("q", words);
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer || !answer.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    const said = (one, what) => one.querySelector(what)?.textContent.trim() ?? "";
    const heads = [...page.querySelectorAll("#results .packages .head")].slice(0, MOST);
    const rows = heads.map((head) => row(head.querySelector("a").getAttribute("href"), [
      ["name", said(head, "a")], ["version", said(head, ".version")], ["faint", said(head, ".tag.held") || said(head, ".aside")],
    ]));
    const found = heads.length ? said(page, "#results .told") || "Only what is held" : "Nothing found";
    rows.push(row(address, [["name", found], ["faint", "on a page of its own"]]));
    list.replaceChildren(...rows);
    told.textContent = found;
    panel.hidden = false;
  };
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 150);
  });
  box.form.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !panel.hidden) {
      event.preventDefault();
      hide();
      box.focus();
    } else if (steps && !panel.hidden) {
      const stops = [box, ...list.querySelectorAll("a")];
      const next = stops[Math.max(0, stops.indexOf(document.activeElement)) + steps];
      if (next) {
        event.preventDefault();
        next.focus();
      }
    }
  });
  box.form.addEventListener("focusout", (event) => {
    if (!box.form.contains(event.relatedTarget)) hide();
  });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const field = document.querySelector("main input[type=search]") || box;
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  }
});

// What is shown once is gone from a page that is left: going back would show it as it was, without asking the server.
addEventListener("pagehide", () => {
  for (const secret of document.querySelectorAll("[role=status] .secret")) {
    secret.textContent = "";
  }
});
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector(".secret")) {
    location.reload();
  }
});
