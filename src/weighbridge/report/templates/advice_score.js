"use strict";
// The arithmetic of decide/prior/score.py and the sentences of report/advice/wording.py, once more: tests/report/advice
// runs both on random answers and compares them. Nothing here touches the page.
const weighbridgeAdvice = (() => {
  const MIDDLE = 3, TOP = 5, EQUAL = 1e-9, NB = "\u00a0", MINUS = "\u2212";

  const scoreOf = (factor, answer) => {
    if (factor.choices) return factor.choices.find((choice) => choice.value === answer).score;
    return factor.scores[factor.bounds.filter((bound) => bound <= answer).length];
  };
  const pointsOf = (weight, slope, score) => weight * slope * (score - MIDDLE) / (TOP - MIDDLE);
  const bonusOf = (data, scores) => {
    const strongest = { knowledge: MIDDLE, behaviour: MIDDLE };
    for (const factor of data.factors) {
      if (factor.need) strongest[factor.need] = Math.max(strongest[factor.need], scores[factor.name]);
    }
    return data.bonus * (Math.min(strongest.knowledge, strongest.behaviour) - MIDDLE) / (TOP - MIDDLE);
  };
  const totalsOf = (data, slopes, scores) => {
    const totals = {};
    for (const { name, base } of data.strategies) {
      let points = base;
      for (const factor of data.factors) points += pointsOf(factor.weight, slopes[factor.name][name], scores[factor.name]);
      totals[name] = points + (name === "hybrid" ? bonusOf(data, scores) : 0);
    }
    return totals;
  };
  const leaderOf = (totals, possible) => {
    const best = Math.max(...possible.map((name) => totals[name]));
    return possible.find((name) => totals[name] > best - EQUAL);
  };
  const obstacleOf = (data, strategy, answers) => {
    const stands = (rule) => rule.strategies.includes(strategy) && answers[rule.factor] < rule.at_least;
    return (data.requirements.find(stands) || { why: "" }).why;
  };

  const judge = (data, answers, scores, totals) => {
    const possible = data.strategies.map((one) => one.name).filter((name) => !obstacleOf(data, name, answers));
    if (!possible.length) return { leader: "", close: [], flips: [] };
    const leader = leaderOf(totals, possible), flips = [];
    for (const { name } of data.factors) {
      for (const step of [scores[name] - 1, scores[name] + 1]) {
        if (step < 1 || step > TOP) continue;
        const ahead = leaderOf(totalsOf(data, data.slopes, { ...scores, [name]: step }), possible);
        if (ahead !== leader) flips.push({ leader: ahead, factor: name, score: step });
      }
    }
    for (const { source, short, slopes } of data.without) {
      const ahead = leaderOf(totalsOf(data, slopes, scores), possible);
      if (ahead !== leader) flips.push({ leader: ahead, source, short });
    }
    const reach = totals[leader] - data.margin - EQUAL;
    const isNear = (name) => totals[name] >= reach || flips.some((flip) => flip.source && flip.leader === name);
    const close = possible.filter((name) => name !== leader && isNear(name)).sort((one, other) => totals[other] - totals[one]);
    return { leader, close, flips };
  };

  const joinWords = (parts, last = "and") =>
    parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} ${last} ${parts[parts.length - 1]}`;
  const writePoints = (points) => {
    const tenths = Math.floor(Math.abs(points) * 10 + 0.5);
    const text = (tenths / 10).toFixed(1).replace(/\.0$/, "");
    return points < 0 && tenths ? MINUS + text : text;
  };
  const signedPoints = (points) => {
    const text = writePoints(points);
    return text === "0" || text[0] === MINUS ? text : `+${text}`;
  };
  const plainNumber = (value) => value.toFixed(6).replace(/\.?0+$/, "");
  const grouped = (count) => count.toLocaleString("en-US");

  const headline = (data, rows, verdict, label) => {
    if (!verdict.leader) return "None of the strategies can be built with these answers.";
    if (verdict.close.length) {
      return `Published advice does not settle it between ${joinWords([verdict.leader, ...verdict.close].map(label))}.`;
    }
    const possible = rows.filter((row) => !row.impossible);
    if (possible.length === 1) return `Only ${label(verdict.leader)} can be built with these answers.`;
    const lead = writePoints(possible[0].total - possible[1].total);
    return `Published advice points to ${label(verdict.leader)}: it leads ${label(possible[1].strategy)} by ${lead} points.`;
  };

  const flipSentences = (data, flips, label) => {
    const answers = new Map(), sources = new Map();
    const add = (map, key, text) => map.set(key, [...(map.get(key) || []), text]);
    for (const flip of flips) {
      if (flip.source) { add(sources, flip.leader, flip.short); continue; }
      const factor = data.factors.find((one) => one.name === flip.factor);
      add(answers, flip.leader, `${factor.label} at ${factor.ranges[flip.score]}`);
    }
    const lines = [];
    for (const [leader, changes] of answers) lines.push(`Enough for ${label(leader)} to lead: ${joinWords(changes, "or")}.`);
    for (const [leader, names] of sources) {
      lines.push(`Enough for ${label(leader)} to lead: leaving out the readings of ${joinWords(names, "or")}.`);
    }
    return lines;
  };

  const trial = (data, answers, verdict) => {
    const wanted = new Set(["prompt", "rag", "fine-tuning", verdict.leader, ...verdict.close]);
    const built = data.strategies.filter((one) => wanted.has(one.name) && !obstacleOf(data, one.name, answers)).map((one) => one.arm);
    const arms = data.armOrder.filter((arm) => built.includes(arm));
    const available = typeof answers.labels === "number" ? Math.floor(data.testShare * answers.labels) : 0;
    const tests = data.tests.filter((test) => test.arms.every((arm) => arms.includes(arm)));
    const wantedQuestions = Math.max(0, ...tests.map((test) => test.questions));
    const questions = Math.min(wantedQuestions, available);
    const lines = [`strategies: [${arms.join(", ")}]`], limits = [], others = [];
    if (questions > data.usualQuestions) lines.push("measure:", `  questions: ${questions}`);
    for (const factor of data.factors) {
      const answer = answers[factor.name];
      if (answer === factor.default) continue;
      let setting = factor.setting, value = "true";
      if (factor.choices) {
        setting = factor.choices.find((choice) => choice.value === answer).setting;
      } else {
        value = plainNumber(answer / factor.divisor);
        if (setting === "needs.answers_per_month") value = String(Math.max(1, Math.floor(answer / factor.divisor + 0.5)));
      }
      if (setting) (setting.includes(".limits.") ? limits : others).push(`${setting.split(".").pop()}: ${value}`);
    }
    if (limits.length || others.length) lines.push("needs:");
    if (limits.length) lines.push("  limits:", ...limits.map((line) => `    ${line}`));
    lines.push(...others.map((line) => `  ${line}`));
    const remarks = [];
    if (available < data.fewest) remarks.push(data.tooFew);
    for (const test of tests) {
      if (test.questions > available && available >= data.fewest) {
        remarks.push(`To see the published difference in ${test.name} takes about ${grouped(test.questions)} test questions, which is `
          + `${grouped(Math.ceil(test.questions / data.testShare))} examples; yours give ${grouped(available)}. A smaller test may be not decisive.`);
      }
    }
    remarks.push(data.aboutModel);
    if (arms.includes(data.strategies.find((one) => one.name === "hybrid").arm)) remarks.push(data.aboutHybrid);
    const documents = answers.documents < 1 ? "" : " --documents documents/";
    const commands = [`weighbridge init mine${documents} --examples questions.jsonl`, "weighbridge compare --workspace mine"];
    return { commands, settings: `${lines.join("\n")}\n`, remarks, tested: tests.map((test) => test.name) };
  };

  const fits = (scenario, scores) =>
    Object.entries(scenario.scores).every(([name, score]) => (scores[name] - MIDDLE) * (score - MIDDLE) > 0);

  const answersFile = (data, answers) => {
    const lines = [data.answersTitle];
    for (const factor of data.factors) {
      const answer = answers[factor.name];
      lines.push("", factor.comment, `${factor.name}: ${typeof answer === "string" ? answer : plainNumber(answer)}`);
    }
    return `${lines.join("\n")}\n`;
  };

  const changingView = (data, answers) => {
    const scores = {}, label = (name) => data.strategies.find((one) => one.name === name).label;
    for (const factor of data.factors) scores[factor.name] = scoreOf(factor, answers[factor.name]);
    const totals = totalsOf(data, data.slopes, scores), bonus = bonusOf(data, scores);
    const verdict = judge(data, answers, scores, totals);
    const rows = data.strategies.map(({ name, base }) => {
      const parts = data.factors.map((factor) => [factor.label, pointsOf(factor.weight, data.slopes[factor.name][name], scores[factor.name])]);
      parts.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
      parts.push(["both needs at once", name === "hybrid" ? bonus : 0], ["before any answer", base]);
      const told = parts.map(([text, points]) => [text, signedPoints(points)]).filter(([, points]) => points !== "0");
      const why = told.map(([text, points]) => `${text}${NB}${points}`).join(", ");
      return { strategy: name, total: totals[name], why, impossible: obstacleOf(data, name, answers) };
    });
    rows.sort((one, other) => Boolean(one.impossible) - Boolean(other.impossible) || other.total - one.total);
    return {
      headline: headline(data, rows, verdict, label),
      rows: rows.map(({ strategy, total, why, impossible }) => ({ strategy, points: signedPoints(total), total, why, impossible })),
      flips: flipSentences(data, verdict.flips, label),
      disputed: data.disputed.filter((name) => scores[name] !== MIDDLE),
      scenarios: data.scenarios.filter((one) => fits(one, scores)).map((one) => one.text),
      ...trial(data, answers, verdict),
      scores,
      leader: verdict.leader,
      answers_file: answersFile(data, answers),
    };
  };
  return { changingView };
})();
