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
