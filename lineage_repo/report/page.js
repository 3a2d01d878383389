"use strict";
(async () => {
  const bytes = Uint8Array.from(atob(document.getElementById("data").textContent.trim()), (c) => c.charCodeAt(0));
  const data = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  const $ = (selector) => document.querySelector(selector);
  const $$ = (selector) => [...document.querySelectorAll(selector)];
  const REACH = 14, PAGE = 300;
  const table = (columns) => {
    const names = Object.keys(columns), first = columns[names[0]] || [];
    return first.map((_, i) => Object.fromEntries(names.map((n) => [n, columns[n][i]])));
  };
  const rows = data.rows ? table(data.rows).map((row) => ({ ...row, family: data.families[row.status] })) : [];
  const byNumber = new Map(rows.map((row) => [row.t, row]));
  const views = new Map();
  let picked = null, marked = null, by = "trial";

  // ---- themes: figures are declared in light colours, and each has its dark partner

  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.classList.contains("dark") ? true : root.classList.contains("light") ? false : system.matches);
  const themed = (spec) => {
    const larger = parseFloat(getComputedStyle(document.body).fontSize) / 14;
    const text = JSON.stringify(spec).replace(/(ontSize":)(\d+)/g, (_, name, size) => name + Math.round(size * larger));
    if (!dark()) return JSON.parse(text);
    return JSON.parse(text.replace(/#[0-9a-f]{6}/g, (colour) => data.dark[colour] || colour));
  };

  // ---- figures

  const X_TITLES = { trial: data.x_title, time: "hours since the first trial began", slots: "slot-hours spent" };
  const retitled = (node) => {
    if (node && typeof node === "object") {
      if (node.title === data.x_title) node.title = X_TITLES[by];
      Object.values(node).forEach(retitled);
    }
    return node;
  };
  async function draw(figure) {
    const box = $(`[data-figure="${figure.name}"]`);
    let spec = themed(figure.spec);
    if (figure.name === "progress") {
      spec = retitled(spec);
      for (const param of spec.params || []) if (param.name === "by") param.value = by;
    }
    spec.datasets = {};
    for (const [name, columns] of Object.entries(figure.data)) {
      spec.datasets[name] = table(columns).map((row) => ({ ...byNumber.get(row.t), ...row }));
    }
    const old = views.get(figure.name);
    if (old) old.result.finalize();
    box.replaceChildren();
    const inner = document.createElement("div");
    inner.style.width = "100%";
    box.append(inner);
    // The interpreter (`ast`) needs no eval, so that the page's policy can forbid it.
    const result = await window.vegaEmbed(inner, spec, {
      mode: "vega-lite", ast: true, renderer: "canvas", actions: false, tooltip: false, defaultStyle: false, logLevel: 1,
      loader: { load: () => Promise.reject(new Error("offline")), sanitize: () => Promise.reject(new Error("offline")) },
    });
    const ring = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    ring.setAttribute("class", "ring");
    ring.setAttribute("aria-hidden", "true");
    box.append(ring);
    const shown = { result, ring, box, marks: [] };
    shown.collect = () => { shown.marks = marks(result.view); rings(shown); };
    result.view.addResizeListener(() => setTimeout(shown.collect));
    views.set(figure.name, shown);
    shown.collect();
  }
  function marks(view) {
    const found = new Map(), [left, top] = view.origin();
    const walk = (item, x, y) => {
      for (const child of item.items || []) {
        if (child.marktype) {
          if (["symbol", "rect"].includes(child.marktype)) for (const one of child.items) add(one, x, y);
          if (child.marktype === "group") for (const group of child.items) walk(group, x + (group.x || 0), y + (group.y || 0));
        } else walk(child, x + (child.x || 0), y + (child.y || 0));
      }
    };
    const add = (item, x, y) => {
      const t = item.datum && item.datum.t;
      if (typeof t !== "number" || found.has(t)) return;
      found.set(t, { t, x: x + item.x + (item.width || 0) / 2, y: y + item.y + (item.height || 0) / 2 });
    };
    walk(view.scenegraph().root, left, top);
    return [...found.values()];
  }
  function rings(shown) {
    const wanted = picked !== null ? (m) => m.t === picked : marked ? (m) => (byNumber.get(m.t) || {}).role === marked : () => false;
    shown.ring.classList.toggle("many", picked === null);
    shown.ring.replaceChildren(...shown.marks.filter(wanted).map((m) => {
      const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      for (const [name, value] of [["cx", m.x], ["cy", m.y], ["r", picked === null ? 4 : 8]]) circle.setAttribute(name, value);
      return circle;
    }));
  }

  // ---- one trial, ringed everywhere

  const number = (value, digits = data.digits) => {
    if (value === null || value === undefined) return "";
    return value.toFixed(digits).replace("-", "\u2212");
  };
  const signed = (value) => (value > 0 ? "+" : "") + number(value);
  const spread = (mean, low, high) => {
    if (mean === null || mean === undefined) return "";
    return signed(mean) + (low === null ? "" : ` \u00b1${number((high - low) / 2)}`);
  };
  const gained = (row) => {
    if (row.gain === null) return "";
    const tie = row.low !== null && row.low <= 0 && row.high >= 0;
    const relation = row.low === null ? "against" : tie ? "tie with" : row.gain > 0 ? "over" : "below";
    return `${spread(row.gain, row.low, row.high)} ${relation} #${row.against}`;
  };
  const element = (tag, text, className) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  function pick(t, how) {
    picked = t;
    views.forEach(rings);
    $$("tr.picked").forEach((tr) => tr.classList.remove("picked"));
    const card = $("#card"), row = byNumber.get(t);
    card.hidden = !row;
    if (!row) return;
    const facts = [
      ["score", number(row.score)], ["gain", gained(row)], ["over the start", spread(row.total, row.total_low, row.total_high)],
      ["proven", row.claim],
      ["predicted", row.expected === null ? "" : signed(row.expected)], ["parent", row.parent === null ? "" : `#${row.parent}`],
      ["minutes", row.slot_h === null ? "" : (60 * row.slot_h).toFixed(1)], ["most like", row.near_t === null ? "" : `#${row.near_t} (${number(row.near, 2)})`],
    ].filter(([, value]) => value !== "").map(([name, value]) => `${name} ${value}`);
    card.replaceChildren(
      element("b", `#${t} ${row.title}`), element("p", `${row.status}. ${facts.join(", ")}`),
      element("p", row.hypothesis), element("p", row.failure), element("code", `git show trial/${String(t).padStart(4, "0")}`));
    const tr = $(`tr[data-t="${t}"]`);
    if (tr) tr.classList.add("picked");
    if (tr && how === "go") tr.scrollIntoView({ block: "center" });
  }
  function nearest(shown, event) {
    const box = shown.box.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let best = null, least = REACH * REACH;
    for (const mark of shown.marks) {
      const distance = (mark.x - x) ** 2 + (mark.y - y) ** 2;
      if (distance < least) [best, least] = [mark.t, distance];
    }
    return best;
  }
  const shownAt = (event) => {
    const box = event.target.closest && event.target.closest("[data-figure]");
    return box && views.get(box.dataset.figure);
  };
  document.addEventListener("pointermove", (event) => {
    const shown = shownAt(event), t = shown && nearest(shown, event);
    if (t !== null && t !== undefined && t !== picked) pick(t);
  });
  document.addEventListener("click", (event) => {
    const shown = shownAt(event), t = shown ? nearest(shown, event) : null;
    if (t !== null) reveal(t);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, pre, .scroll") || event.altKey || event.ctrlKey || event.metaKey || !rows.length) return;
    const at = rows.findIndex((row) => row.t === picked);
    const next = { ArrowRight: at + 1, ArrowLeft: at < 0 ? rows.length - 1 : at - 1 }[event.key];
    if (event.key === "Escape") { marked = null; pick(null); }
    if (next !== undefined) { event.preventDefault(); pick(rows[(next + rows.length) % rows.length].t); }
  });

  // ---- the table of all trials; every text enters as text

  let listed = [], length = PAGE;
  const cell = (text, className) => element("td", text, className);
  function line(row) {
    const tr = document.createElement("tr");
    tr.dataset.t = row.t;
    if (row.t === picked) tr.className = "picked";
    const show = element("button", `#${row.t}`);
    show.type = "button";
    show.addEventListener("click", () => pick(row.t));
    const first = document.createElement("td");
    first.append(show);
    const last = cell(row.title);
    for (const text of [row.hypothesis, row.failure && `[${row.failure}]`]) {
      if (text) last.append(document.createElement("br"), element("small", text));
    }
    tr.append(first, cell(row.role), cell(row.status), cell(number(row.score), "n"),
      cell(gained(row), "n"), cell(row.claim || row.finding), cell(row.expected === null ? "" : signed(row.expected), "n"),
      cell(row.parent === null ? "" : `#${row.parent}`, "n"), cell(row.slot_h === null ? "" : (60 * row.slot_h).toFixed(1), "n"), last);
    return tr;
  }
  function matches(row, words) {
    return words.every((word) => {
      const [, name, value] = /^(role|status|parent|trial):(.*)$/.exec(word) || [];
      if (name) return String(name === "trial" ? row.t : row[name]).toLowerCase().startsWith(value);
      return `#${row.t} ${row.title} ${row.hypothesis} ${row.failure} ${row.status}`.toLowerCase().includes(word);
    });
  }
  function filter() {
    const words = $("#filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    listed = rows.filter((row) => matches(row, words)).reverse();
    length = PAGE;
    list();
  }
  function list() {
    $("#table tbody").replaceChildren(...listed.slice(0, length).map(line));
    $("#found").textContent = `${listed.length} of ${rows.length}`;
    $("#more").hidden = listed.length <= length;
  }
  function reveal(t) {
    const at = listed.findIndex((row) => row.t === t);
    if (at < 0) return pick(t);
    if (at >= length) { length = at + PAGE; list(); }
    return pick(t, "go");
  }
  if ($("#table")) {
    $("#filter").addEventListener("input", filter);
    $("#more").addEventListener("click", () => { length += PAGE; list(); });
    filter();
  }
  $$("button.role").forEach((button) => button.addEventListener("click", () => {
    marked = marked === button.dataset.role ? null : button.dataset.role;
    pick(null);
    $("#filter").value = marked ? `role:${marked}` : "";
    filter();
  }));

  // ---- switches

  $$("[data-by]").forEach((button) => button.addEventListener("click", () => {
    by = button.dataset.by;
    $$("[data-by]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    draw(data.figures.find((figure) => figure.name === "progress"));
  }));
  const redraw = () => Promise.all(data.figures.map(draw));
  const theme = $("#theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    root.classList.remove("light", "dark");
    root.classList.add(next);
    redraw();
  });
  system.addEventListener("change", redraw);
  redraw().then(() => {
    const [, t] = /^#trial-(\d+)$/.exec(location.hash) || [];
    if (t) reveal(Number(t));
    root.dataset.ready = "yes";
  });
})();
