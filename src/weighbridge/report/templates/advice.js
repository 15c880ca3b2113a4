// The form: reads the answers, and shows what advice_score.js makes of them. The page works without a network.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("questions");
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";

  const answerOf = (factor) => {
    if (factor.choices) return form.elements[factor.name].value || factor.default;
    const input = form.elements[factor.name], value = input.value.trim() === "" ? NaN : Number(input.value);
    const good = value >= factor.minimum && value <= factor.maximum;
    input.setAttribute("aria-invalid", String(!good));
    byId(`wrong-${factor.name}`).textContent = good ? "" : factor.wrong;
    return good ? value : factor.default;
  };
  const fill = (id, texts) => {
    byId(id).replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    byId(`section-${id}`).hidden = texts.length === 0;
  };
  const bar = (total, largest) => {
    const svg = document.createElementNS(SVG, "svg"), rect = document.createElementNS(SVG, "rect");
    const width = 50 * Math.abs(total) / (largest || 1);
    for (const [key, value] of Object.entries({ viewBox: "-50 0 100 6", class: "bar", "aria-hidden": "true" })) svg.setAttribute(key, value);
    for (const [key, value] of Object.entries({ x: total < 0 ? -width : 0, y: 0, width, height: 6, class: total < 0 ? "against" : "for" })) rect.setAttribute(key, value);
    svg.append(rect);
    return svg;
  };
  const cell = (tag, name, ...parts) => {
    const made = Object.assign(document.createElement(tag), { className: name });
    made.append(...parts);
    return made;
  };
  const rowOf = (row, leader, largest) => {
    const known = data.strategies.find((one) => one.name === row.strategy);
    const head = cell("th", "strategy", known.label);
    head.scope = "row";
    if (row.strategy === leader) head.append(cell("span", "tag", "leads"));
    const why = row.impossible ? `cannot be built: ${row.impossible}` : row.why || "nothing";
    const points = row.impossible ? cell("td", "number") : cell("td", "number", row.points, bar(row.total, largest));
    return cell("tr", row.strategy === leader ? "first" : "", head, points, cell("td", "why", why));
  };
  const show = () => {
    const answers = {};
    for (const factor of data.factors) answers[factor.name] = answerOf(factor);
    const view = weighbridgeAdvice.changingView(data, answers);
    if (byId("headline").textContent !== view.headline) byId("headline").textContent = view.headline;
    for (const copy of document.querySelectorAll(".now")) copy.textContent = view.headline;
    const largest = Math.max(...view.rows.map((row) => row.impossible ? 0 : Math.abs(row.total)));
    byId("scores").replaceChildren(...view.rows.map((row) => rowOf(row, view.leader, largest)));
    fill("flips", view.flips);
    fill("scenarios", view.scenarios);
    fill("remarks", view.remarks);
    byId("first-command").textContent = view.commands[0];
    byId("second-command").textContent = view.commands[1];
    byId("settings").textContent = view.settings;
    byId("answers-file").textContent = view.answers_file;
    for (const factor of data.factors) {
      byId(`score-${factor.name}`).textContent = `score ${view.scores[factor.name]}`;
      const answer = answers[factor.name];
      byId(`answer-${factor.name}`).textContent = typeof answer === "number" ? answer.toLocaleString("en-US", { maximumFractionDigits: 6 }) : answer;
    }
    for (const name of data.disputed) byId(`moot-${name}`).hidden = view.disputed.includes(name);
    for (const name of data.claims) byId(`tested-${name}`).textContent = view.tested.includes(name) ? "yes" : "no";
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  document.documentElement.classList.add("scripted");
  show();
})();
