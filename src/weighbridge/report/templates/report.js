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

  const isRule = (line) => line.includes("|") && /^\s*\|?\s*:?-+:?\s*(?:\|\s*(?::?-+:?\s*)?)*$/.test(line);

  // A passage as it reads: cited words marked, the rows of its tables (GitHub Flavored Markdown) under their header.
  const marked = (passage, spans) => {
    const letters = Array.from(passage.x);
    spans.sort((a, b) => a[0] - b[0]);
    const text = ([first, last]) => letters.slice(first, last).join("");
    const words = ([first, last]) => {
      const nodes = [];
      let at = first;
      for (const [start, end] of spans) {
        const from = Math.max(start - passage.f, at);
        const to = Math.min(end - passage.f, last);
        if (to <= from) continue;
        nodes.push(text([at, from]), make("mark", "", text([from, to])));
        at = to;
      }
      return [...nodes, text([at, last])];
    };
    const cells = ([from, to]) => {
      const edges = [from - 1];
      for (let at = from; at < to; at += 1) if (letters[at] === "|" && letters[at - 1] !== "\\") edges.push(at);
      const found = [...edges, to].slice(1).map((edge, place) => [edges[place] + 1, edge]);
      if (found.length > 1 && !text(found[0]).trim()) found.shift();
      if (found.length > 1 && !text(found.at(-1)).trim()) found.pop();
      return found.map(([first, last]) => {
        while (first < last && !letters[first].trim()) first += 1;
        while (first < last && !letters[last - 1].trim()) last -= 1;
        return [first, last];
      });
    };
    const table = (names, rows) => {
      const unescaped = (part) => (typeof part === "string" ? part.replaceAll("\\|", "|") : part);
      const blank = (cell) => cell === undefined || !text(cell);
      const width = Math.max(names.length, ...rows.map((row) => row.length));
      const used = [...Array(width).keys()].filter((place) => names[place] || !rows.every((row) => blank(row[place])));
      const head = make("tr", "", ...used.map((place) => foreign("th", "", names[place] || "")));
      const body = rows.map((row) => make("tr", "", ...used.map((place) => {
        const cell = foreign("td", "", "");
        if (!blank(row[place])) cell.append(...words(row[place]).map(unescaped));
        return cell;
      })));
      return make("div", "scroll", make("table", "passage-table", make("thead", "", head), make("tbody", "", ...body)));
    };
    const lines = [];
    let begin = 0;
    letters.forEach((letter, at) => {
      if (letter === "\n") { lines.push([begin, at]); begin = at + 1; }
    });
    lines.push([begin, letters.length]);
    const node = make("div", "", passage.h ? "… " : "");
    let from = 0;
    let at = 0;
    const paragraph = (last) => {
      if (last <= from || !text([lines[from][0], lines[last - 1][1]]).trim()) return;
      const told = foreign("p", "passage-text", "");
      told.append(...words([lines[from][0], lines[last - 1][1]]));
      node.append(told);
    };
    while (at < lines.length) {
      const continued = at === 0 && passage.t;
      if (!continued && !(text(lines[at]).includes("|") && at + 1 < lines.length && isRule(text(lines[at + 1])))) {
        at += 1;
        continue;
      }
      paragraph(at);
      const names = continued ? passage.t : cells(lines[at]).map(text);
      const rows = [];
      if (continued && !isRule(text(lines[0]))) rows.push(cells(lines[0]));
      for (at += 1; at < lines.length && text(lines[at]).includes("|"); at += 1) {
        if (!isRule(text(lines[at]))) rows.push(cells(lines[at]));
      }
      node.append(table(names, rows));
      from = at;
    }
    paragraph(lines.length);
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
      make("div", "what", said, record && record.w ? foreign("p", "quiet small", "Why: " + record.w) : null,
        facts ? make("p", "quiet small", facts) : null));
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
