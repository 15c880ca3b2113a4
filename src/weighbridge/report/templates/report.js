"use strict";
(() => {
  const data = JSON.parse(document.getElementById("questions-data").textContent);
  const words = { right: "right", wrong: "wrong", abstained: "abstained", error: "failed", unscored: "unscored" };
  const marks = { right: "✓", wrong: "✕", abstained: "○", error: "!", unscored: "?" };
  const glyphs = document.getElementById("glyphs").content.children;
  const byId = (id) => document.getElementById(id);

  const make = (tag, style, ...parts) => {
    const node = document.createElement(tag);
    if (style) node.className = style;
    node.append(...parts.filter((part) => part !== null && part !== undefined && part !== ""));
    return node;
  };
  const foreign = (tag, style, text) => {
    const node = make(tag, style, text);
    node.dir = "auto";
    return node;
  };
  const named = (place) => make("span", "arm", glyphs[place].cloneNode(true), data.strategies[place]);
  const outcomeOf = (record) => (record ? record.o : "none");
  const list = (names) => (names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " and " + names.at(-1));

  const badge = (record, place) => {
    const outcome = outcomeOf(record);
    const node = make("span", "badge " + outcome, marks[outcome] || "–");
    const told = data.strategies[place] + ": " + (words[outcome] || "not asked");
    node.title = told;
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", told);
    return node;
  };

  const marked = (passage, spans) => {
    const letters = Array.from(passage.x);
    const node = foreign("p", "passage-text", "");
    if (passage.h) node.append("… ");
    let at = 0;
    for (const [start, end] of spans.sort((a, b) => a[0] - b[0])) {
      const from = Math.max(start - passage.f, at);
      const to = Math.min(end - passage.f, letters.length);
      if (to <= from) continue;
      node.append(letters.slice(at, from).join(""), make("mark", "", letters.slice(from, to).join("")));
      at = to;
    }
    node.append(letters.slice(at).join(""));
    if (passage.e) node.append(" …");
    return node;
  };

  const passagesOf = (question) => {
    const readers = new Map();
    question.r.forEach((record, place) => {
      if (record && record.l !== undefined) readers.set(record.l, [...(readers.get(record.l) || []), place]);
    });
    return [...readers].map(([number, places]) => {
      const spans = places.flatMap((place) => question.r[place].c || []);
      const items = data.lists[number].map((id) => {
        const passage = data.passages[id];
        const proves = (question.e || []).includes(passage.d);
        const title = make("p", "passage-title", foreign("b", "", passage.n || passage.d), " ",
          foreign("span", "quiet", passage.d), proves ? make("span", "tag", "evidence") : null);
        const cited = spans.filter((span) => span[0] === id).map((span) => [span[1], span[2]]);
        return make("li", "", title, passage.x ? marked(passage, cited) : null);
      });
      const heading = "Passages read by " + list(places.map((place) => data.strategies[place]));
      return make("section", "passages", make("h4", "", heading), make("ol", "", ...items));
    });
  };

  const attempt = (record, place) => {
    const outcome = outcomeOf(record);
    const said = !record ? make("p", "quiet", "not asked")
      : record.h ? make("p", "quiet", "withheld")
        : foreign("p", outcome === "error" ? "said quiet" : "said", record.x || "(an empty answer)");
    const facts = record && record.t ? [
      record.t[0].toLocaleString("en") + " tokens in, " + record.t[1].toLocaleString("en") + " out",
      record.s.toFixed(2) + " s",
      record.v ? "evidence " + (record.v === "retrieved" ? "found" : "missed") : "",
      record.c ? record.c.length + (record.c.length === 1 ? " citation" : " citations") : "",
    ].filter(Boolean).join(" · ") : "";
    return make("li", "attempt " + outcome, make("div", "who", named(place),
      make("span", "outcome", (marks[outcome] || "–") + " " + (words[outcome] || "not asked"))),
      make("div", "what", said, facts ? make("p", "quiet small", facts) : null));
  };

  const accepted = (question) => {
    if (question.h) return make("p", "quiet", "Asked with access to restricted documents; withheld from this page.");
    if (question.u) return make("p", "accepted", make("b", "", "Cannot be answered"), " from the documents: abstaining is right.");
    const answers = question.a.flatMap((text, place) => [place ? " · " : "", foreign("span", "", text)]);
    const evidence = question.e.length ? make("span", "quiet", " — evidence: " + question.e.join(", ")) : null;
    return make("p", "accepted", make("b", "", "Accepted: "), ...answers, evidence);
  };

  const body = (question) => make("div", "body",
    ...(question.y || []).map(([role, text]) => foreign("p", "turn quiet", role + ": " + text)),
    accepted(question), make("ul", "attempts", ...question.r.map(attempt)), ...passagesOf(question));

  const entry = (question) => {
    const summary = make("summary", "", foreign("span", "asked", question.q),
      make("span", "badges", ...question.r.map(badge)));
    const node = make("details", "question", summary);
    node.addEventListener("toggle", () => {
      if (node.open && node.children.length === 1) node.append(body(question));
    });
    return node;
  };

  const entries = data.questions.map((question) => ({
    question,
    node: entry(question),
    outcomes: question.r.map(outcomeOf),
    text: [question.q, question.i, ...(question.a || []), ...question.r.map((record) => (record && record.x) || "")]
      .join("\n").toLowerCase(),
  }));

  const filter = () => {
    const text = byId("by-text").value.trim().toLowerCase();
    const strategy = byId("by-strategy").value;
    const outcome = byId("by-outcome").value;
    const disagree = byId("by-disagreement").checked;
    let shown = 0;
    for (const { node, outcomes, text: all } of entries) {
      const mine = strategy === "" ? outcomes : [outcomes[Number(strategy)]];
      const fits = (!text || all.includes(text)) && (!outcome || mine.includes(outcome))
        && (!disagree || new Set(outcomes).size > 1);
      node.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    byId("shown").textContent = shown === entries.length ? "All " + shown + " questions"
      : shown + " of " + entries.length + " questions";
  };

  byId("list").append(...entries.map(({ node }) => node));
  for (const id of ["by-text", "by-strategy", "by-outcome", "by-disagreement"]) byId(id).addEventListener("input", filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  document.documentElement.classList.add("browsable");
  filter();
})();
