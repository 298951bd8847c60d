// Keeps the page up to date: the server says that something has come, and the parts marked data-live are exchanged where
// they differ. What somebody types, has open or has the focus in is left alone.
"use strict";
(() => {
  const line = document.getElementById("line");
  const news = document.getElementById("news");
  let asking = false;
  let again = false;

  function say(state, text) {
    line.dataset.state = state;
    line.textContent = text;
  }

  function isInUse(part) {
    const focused = document.activeElement;
    if (part.contains(focused) && focused.matches("input, button, summary")) return true;
    return Boolean(part.querySelector("details[open]")) || [...part.querySelectorAll("input")].some((one) => one.value !== one.defaultValue);
  }

  // A picture that is not there yet has no height, and the page below it would jump: it is fetched before it is shown.
  async function fetched(part) {
    document.adoptNode(part);
    await Promise.all([...part.querySelectorAll("img")].map((one) => one.decode().catch(() => {})));
  }

  async function exchange(fresh) {
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (!next || part.outerHTML === next.outerHTML) continue;
      await fetched(next);
      if (!isInUse(part)) part.replaceWith(next);
    }
    const first = fresh.querySelector(".lines li");
    if (first && first.textContent !== news.dataset.said) {
      news.dataset.said = first.textContent;
      news.textContent = first.textContent.replace(/\s+/g, " ").trim();
    }
  }

  async function refresh() {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      if (answer.redirected) { location.reload(); return; }
      if (answer.ok) await exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { say("off", "not live"); }
    asking = false;
    if (again) { again = false; setTimeout(refresh, 150); }
  }

  function spoken(seconds) {
    const m = Math.floor(seconds / 60);
    return m ? `${m} m ${String(seconds % 60).padStart(2, "0")} s` : `${seconds} s`;
  }

  setInterval(() => {
    for (const clock of document.querySelectorAll("[data-left]")) {
      const left = Math.max(Number(clock.dataset.left) - 1, 0);
      clock.dataset.left = String(left);
      clock.textContent = spoken(left);
      const bar = clock.closest("p")?.querySelector("progress");
      if (bar) bar.value = left;
    }
  }, 1000);

  if (document.querySelector("[data-live]")) {
    const source = new EventSource("/live");
    // What the page was made of: something may have come between that and the first word of the line.
    let seen = document.getElementById("main").dataset.seq;
    source.addEventListener("open", () => say("on", "live"));
    source.addEventListener("error", () => say("off", "not live"));
    source.addEventListener("changed", (event) => {
      if (seen !== event.data) refresh();
      seen = event.data;
    });
  }
})();
