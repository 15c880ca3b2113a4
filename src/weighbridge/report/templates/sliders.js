"use strict";
// The sliders: they read weights and volume, take the decision again by decision.js, and show it.
(() => {
  const island = document.getElementById("decision-data");
  const data = island && JSON.parse(island.textContent);
  if (!data) return;
  const byId = (id) => document.getElementById(id);
  const form = byId("weights");
  const inputs = Array.from(form.querySelectorAll('input[type="range"]'));
  const marks = byId("glyphs").content.children;

  const make = (tag, style, ...parts) => {
    const node = document.createElement(tag);
    if (style) node.className = style;
    node.append(...parts);
    return node;
  };
  const count = (value) => value.toLocaleString("en", { maximumFractionDigits: 3 });
  const amount = (value, digits) => {
    const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return (value < 0 ? "\u2212" : "") + data.money.before + text + data.money.after;
  };
  // As formatting.money_scale: cents from one unit up, below it two digits that tell.
  const money = (value) => {
    const size = Math.abs(value);
    return amount(value, size >= 1 || size === 0 ? 2 : Math.min(6, Math.max(2, 1 - Math.floor(Math.log10(size)))));
  };
  const total = (value) => (Math.abs(value) >= 1000 ? amount(value, 0) : money(value));
  const points = (share) => (100 * share).toFixed(1).replace("-", "\u2212");
  const list = (names) => (names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " and " + names.at(-1));

  const bar = (share, place) => {
    const node = make("div", "meter " + marks[place].classList[1], make("span", ""));
    node.firstChild.style.width = 100 * Math.max(0, Math.min(1, share)) + "%";
    return node;
  };
  const named = (arm) => {
    const place = data.arms.findIndex((one) => one.strategy === arm);
    return make("span", "arm", marks[place].cloneNode(true), arm);
  };

  const valueOf = (input) => JSON.parse(input.dataset.values)[Number(input.value)];
  const read = () => {
    const weights = {};
    let volume = data.volume;
    for (const input of inputs) {
      if (input.name === "volume") volume = valueOf(input);
      else weights[input.name.slice("weight.".length)] = valueOf(input);
    }
    return { weights, volume };
  };

  const label = (input) => {
    const value = valueOf(input);
    form.querySelector('output[for="' + input.id + '"]').textContent = count(value);
    input.setAttribute("aria-valuetext", input.name === "volume" ? count(value) + " answers a month" : "weight " + count(value));
  };

  const sentence = (result) => {
    const fill = (text) => text.replace("{first}", result.first).replace("{names}", list(result.contenders))
      .replace("{count}", result.contenders.length);
    return fill(data.texts[result.outlook]);
  };

  const command = ({ weights, volume }) => {
    const changed = Object.entries(weights).filter(([name, value]) => value !== data.weights[name])
      .map(([name, value]) => "--what-if weight." + name + "=" + value);
    if (volume !== data.volume) changed.push("--what-if volume=" + volume);
    return ["weighbridge decide", ...changed].join(" ");
  };

  const show = () => {
    inputs.forEach(label);
    const chosen = read();
    const result = globalThis.weighbridge.decide(data, chosen.weights, chosen.volume);
    byId("command").textContent = command(chosen);
    byId("outcome").textContent = result.problem ? data.texts.nothing : sentence(result);
    byId("outcome").dataset.outlook = result.outlook || "";
    byId("ranking").replaceChildren(...(result.rows || []).map((row) => {
      const place = data.arms.findIndex((arm) => arm.strategy === row.strategy);
      const heading = make("th", "", named(row.strategy));
      heading.scope = "row";
      const cells = [make("td", "drawn", bar(row.total, place)), make("td", "number", make("b", "", points(row.total))),
        make("td", "number", row.cost === null ? "\u2013" : money(row.cost))];
      if (data.arms.some((arm) => arm.total)) {
        cells.push(make("td", "number", row.whole === null ? "\u2013" : total(row.whole)));
      }
      const node = make("tr", row.out ? "out" : row.strategy === result.recommended ? "first" : "", heading, ...cells);
      node.dataset.strategy = row.strategy;
      if (row.out) heading.append(" ", make("span", "small quiet", "breaks a limit"));
      return node;
    }));
    const leads = (result.leads || []).map((lead) => "over " + lead.over + " " + points(lead.value)
      + (Number.isFinite(lead.low) ? " (" + points(lead.low) + " to " + points(lead.high) + ")" : ""));
    byId("leads").textContent = leads.length
      ? "The lead of " + result.rows[0].strategy + " in points, with its 95\u00a0% interval: " + leads.join("; ") + "." : "";
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  document.querySelector(".weigh").hidden = false;
  show();
})();
