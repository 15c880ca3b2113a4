"use strict";
// The decision of weighbridge.decide once more, for weights and volumes that its reader chooses. Each function bears the
// name of the one in Python whose arithmetic it repeats; tests/report/page/test_decision_twin.py holds the two equal.
globalThis.weighbridge = (() => {
  const SAME = 1e-9;
  const LEVEL = 0.05;
  const Z = 1.9599639845400536;
  const PRECISION = 1e-10;
  const CONTINUITY = 0.25;
  const FINEST_GRID = 64;
  const FINE = 2 ** 22;
  const EXACT_UP_TO = 1000;

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const halfToEven = (value) => {
    const low = Math.floor(value);
    if (value - low !== 0.5) return Math.round(value);
    return low % 2 === 0 ? low : low + 1;
  };

  // intervals.py: a tally is a list of [value, count].
  const size = (seen) => sum(seen.map(([, count]) => count));
  const tallyMean = (seen) => sum(seen.map(([value, count]) => value * count)) / size(seen);

  const offset = (shares, tilt) => {
    let off = 0;
    let slope = 0;
    for (const [value, share] of shares) {
      const tilted = value / (1 + tilt * value);
      off += share * tilted;
      slope -= share * tilted * tilted;
    }
    return [off, slope];
  };

  const findTilt = (shares, steepest) => {
    let above = 0;
    let below = steepest * (1 - 1e-12);
    if (offset(shares, below)[0] >= 0) return below;
    let tilt = 0;
    for (let step = 0; step < 100; step += 1) {
      const [off, slope] = offset(shares, tilt);
      if (off > 0) above = tilt; else below = tilt;
      const newton = tilt - off / slope;
      const following = above < newton && newton < below ? newton : (above + below) / 2;
      if (Math.abs(following - tilt) <= PRECISION * steepest) return following;
      tilt = following;
    }
    return tilt;
  };

  const varianceAt = (seen, mean, lowest) => {
    const total = size(seen);
    const shares = seen.map(([value, count]) => [value - mean, count / total]);
    const tilt = findTilt(shares, 1 / (mean - lowest));
    const tilted = shares.map(([off, share]) => [off, share / (1 + tilt * off)]);
    const left = Math.max(0, 1 - sum(tilted.map(([, share]) => share)));
    return sum(tilted.map(([off, share]) => share * off * off)) + left * (mean - lowest) ** 2;
  };

  const lowEnd = (seen, lowest, slack, precision) => {
    const total = size(seen);
    const mean = tallyMean(seen);
    let rejected = lowest;
    let kept = mean;
    while (kept - rejected > precision) {
      const middle = (rejected + kept) / 2;
      const apart = Math.max(0, total * (mean - middle) - slack);
      if (apart ** 2 > Z ** 2 * total * varianceAt(seen, middle, lowest)) rejected = middle; else kept = middle;
    }
    return kept - lowest > precision ? kept : lowest;
  };

  const scoreInterval = (seen, lowest, highest) => {
    const slack = lowest < 0 && highest > 0 ? CONTINUITY * (highest - lowest) / 2 : 0;
    const mirrored = seen.map(([value, count]) => [-value, count]);
    const precision = PRECISION * (highest - lowest);
    return [lowEnd(seen, lowest, slack, precision), -lowEnd(mirrored, -highest, slack, precision)];
  };

  // The tail of the normal distribution below -x, by its series near the middle and its continued fraction beyond.
  const tailBelow = (x) => {
    const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    if (x > 3) {
      let fraction = x;
      for (let k = 60; k > 0; k -= 1) fraction = x + k / fraction;
      return density / fraction;
    }
    let term = x;
    let total = x;
    for (let k = 1; k < 60; k += 1) {
      term *= x * x / (2 * k + 1);
      total += term;
    }
    return 0.5 - density * total;
  };

  const onGrid = (moved) => {
    const largest = Math.max(...moved.map(([value]) => Math.abs(value)));
    for (let parts = 1; parts <= FINEST_GRID; parts += 1) {
      const scaled = moved.map(([value]) => value / largest * parts);
      if (scaled.every((value) => Math.abs(value - Math.round(value)) < SAME)) return scaled.map(Math.round);
    }
    const unit = FINE / size(moved) / sum(moved.map(([value, count]) => Math.abs(value) * count));
    return moved.map(([value]) => halfToEven(value * unit));
  };

  // The share of all sign flips that move the sum as far from 0. Python counts them in one large integer; here the share
  // of each sum is kept instead, which is the same to the last digits of a double.
  const signFlip = (seen) => {
    const moved = seen.filter(([value]) => value !== 0);
    if (!moved.length) return 1;
    const number = size(moved);
    if (number > EXACT_UP_TO) {
      const total = sum(moved.map(([value, count]) => value * count));
      const spread = Math.sqrt(sum(moved.map(([value, count]) => value ** 2 * count)));
      return Math.min(1, 2 * tailBelow(Math.abs(total) / spread));
    }
    const steps = onGrid(moved);
    const largest = sum(moved.map(([, count], place) => Math.abs(steps[place]) * count));
    let shares = new Float64Array(largest + 1);
    shares[0] = 1;
    let reach = 0;
    moved.forEach(([, count], place) => {
      const step = Math.abs(steps[place]);
      if (!step) return;
      for (let time = 0; time < count; time += 1) {
        reach += step;
        for (let at = reach; at >= step; at -= 1) shares[at] = (shares[at] + shares[at - step]) / 2;
        for (let at = 0; at < step; at += 1) shares[at] /= 2;
      }
    });
    const observed = Math.abs(sum(moved.map(([, count], place) => steps[place] * count)));
    return Math.min(1, 2 * sum(Array.from(shares.subarray(Math.floor((largest + observed) / 2)))));
  };

  // curves.py: the utility of a value, 0 to 1.
  const utility = (curve, given, least) => {
    let value = given;
    if (curve.relative) value = least > 0 ? value / least : value <= 0 ? 1 : Infinity;
    value /= curve.unit;
    const points = curve.points;
    if (value <= points[0][0]) return points[0][1];
    if (value >= points.at(-1)[0]) return points.at(-1)[1];
    const place = points.findIndex(([end]) => end > value);
    const [[left, before], [right, after]] = [points[place - 1], points[place]];
    if (curve.logarithmic) return before + (after - before) * Math.log(value / left) / Math.log(right / left);
    return before + (after - before) * (value - left) / (right - left);
  };

  // points.py
  const earnPoints = (arm, weights, curves, bestOf) => {
    const points = {};
    for (const name of Object.keys(weights)) {
      const least = Math.min(...bestOf.map((one) => one.values[name]).filter((value) => value !== null));
      if (arm.values[name] !== null) points[name] = utility(curves[name], arm.values[name], least);
    }
    const earned = sum(Object.keys(points).map((name) => weights[name] * points[name]));
    return { strategy: arm.strategy, arm, points, total: earned / (sum(Object.values(weights)) || 1) };
  };

  const compareKeys = (one, other) => {
    const place = one.findIndex((value, at) => value !== other[at]);
    if (place < 0) return 0;
    return one[place] < other[place] ? -1 : 1;
  };

  const orderKey = ({ arm, total }) => [-halfToEven(total / SAME), -(arm.values.accuracy ?? 0), arm.values.cost ?? Infinity,
    arm.values.latency ?? Infinity, arm.strategy];

  const rank = (arms, given, curves) => {
    const judged = Object.keys(given).filter((name) => arms.every((arm) => arm.values[name] !== null));
    const weights = Object.fromEntries(judged.map((name) => [name, given[name]]));
    if (!Object.values(weights).some((weight) => weight > 0)) return null;
    const rows = arms.map((arm) => earnPoints(arm, weights, curves, arms));
    rows.sort((one, other) => compareKeys(orderKey(one), orderKey(other)));
    const whole = sum(Object.values(weights));
    return { rows, weights, curves, share: (name) => (weights[name] ?? 0) / whole };
  };

  // leads.py
  const QUALITY = ["accuracy", "hallucination"];
  const slope = (name, ranking) => (ranking.share(name) ? ranking.share(name) * (ranking.curves[name].slope ?? 0) : 0);

  const findComparison = (data, figure, left, right) => {
    for (const found of data.compared) {
      if (found.figure !== figure) continue;
      if (found.left === left && found.right === right) return found;
      if (found.left === right && found.right === left) {
        return { ...found, value: -found.value, low: -found.high, high: -found.low,
          pairs: found.pairs.map(([accuracy, hallucination, questions]) => [-accuracy, -hallucination, questions]) };
      }
    }
    return null;
  };

  const pairedLead = (over, pairs, constant, ranking, most) => {
    const counts = new Map();
    for (const [accuracy, hallucination, questions] of pairs) {
      const apart = slope("accuracy", ranking) * accuracy + slope("hallucination", ranking) * hallucination;
      const rounded = halfToEven(apart / SAME) * SAME;
      counts.set(rounded, (counts.get(rounded) || 0) + questions);
    }
    const seen = Array.from(counts);
    const mean = tallyMean(seen);
    const bound = Math.max(most, ...seen.map(([value]) => Math.abs(value)));
    const [low, high] = scoreInterval(seen, -bound, bound);
    const moved = seen.map(([value, count]) => [value + constant, count]);
    return { over, value: mean + constant, low: Math.min(low, mean) + constant, high: Math.max(high, mean) + constant,
      p: signFlip(moved) };
  };

  const leadOfFigures = (over, compared, constant, ranking) => {
    const weighed = QUALITY.filter((name) => ranking.share(name) > 0);
    const known = weighed.map((name) => compared[name]).filter((found) => found && found.scored > 0);
    if (known.length < weighed.length) return { over, value: constant, low: -Infinity, high: Infinity, p: 1 };
    let value = constant;
    let below = 0;
    let above = 0;
    for (const found of known) {
      const sign = found.figure === "accuracy" ? 1 : -1;
      const share = Math.abs(slope(found.figure, ranking));
      value += sign * share * found.value;
      const [down, up] = [found.value - found.low, found.high - found.value];
      below += share * (sign > 0 ? down : up);
      above += share * (sign > 0 ? up : down);
    }
    const p = Math.min(1, known.length * Math.min(...known.map((found) => found.p)));
    return { over, value, low: value - below, high: value + above, p };
  };

  const leadOver = (data, first, other, ranking) => {
    const others = Object.keys(ranking.weights).filter((name) => !QUALITY.includes(name));
    const constant = sum(others.map((name) => ranking.share(name) * ((first.points[name] ?? 0) - (other.points[name] ?? 0))));
    const weighed = QUALITY.filter((name) => ranking.share(name) > 0);
    const over = other.strategy;
    if (!weighed.length) {
      return { over, value: constant, low: constant, high: constant, p: Math.abs(constant) > SAME ? 0 : 1 };
    }
    const places = [first, other].map((row) => data.arms.findIndex((arm) => arm.strategy === row.strategy));
    const compared = Object.fromEntries(QUALITY.map((name) => [name, findComparison(data, name, ...places)]));
    if (compared.accuracy && compared.accuracy.pairs.length) {
      const most = sum(weighed.map((name) => Math.abs(slope(name, ranking))));
      return pairedLead(over, compared.accuracy.pairs, constant, ranking, most);
    }
    return leadOfFigures(over, compared, constant, ranking);
  };

  // decide.py
  const costAt = (arm, answers) => (arm.cost ? arm.cost.thousand + arm.cost.once * 1000 / answers : null);

  // The total cost of owning an arm, as ledger.VolumeCurve.at.
  const totalAt = (total, volume) => {
    if (!total) return null;
    const machines = ([weight, load]) => weight * Math.max(1, Math.ceil(load * volume * (1 - 1e-12)));
    return sum([total.fixed, total.slope * volume, ...total.steps.map(machines)]);
  };

  const breakLimits = (data, arms) => {
    const broken = arms.map((arm) => {
      const missed = [...arm.broken];
      const [limit, cost] = [data.costLimit, arm.values.cost ?? null];
      if (limit !== null && cost === null) missed.push(1);
      else if (limit !== null && cost > limit) missed.push(limit ? (cost - limit) / limit : cost - limit);
      return missed;
    });
    const right = arms.filter((arm, place) => !broken[place].length);
    const best = right.reduce((found, arm) => (found && found.accuracy >= arm.accuracy ? found : arm), null);
    for (const arm of right) {
      if (arm.accuracy !== 0 || best.accuracy <= 0) continue;
      const found = findComparison(data, "accuracy", arms.indexOf(best), arms.indexOf(arm));
      if (found && found.p <= LEVEL) broken[arms.indexOf(arm)].push(1);
    }
    return broken;
  };

  const nearestFirst = (rows, missed) => {
    const key = (row) => [missed(row).length, sum(missed(row)), -row.total, row.strategy];
    return rows.sort((one, other) => compareKeys(key(one), key(other)));
  };

  // The first and the contenders, the cheapest first, where all are certainly within the margin; else none.
  const findEquals = (unsure, first, data) => {
    const within = (lead) => -data.indifference < lead.low && lead.high < data.indifference;
    if (!unsure.length || !unsure.every(within)) return [];
    const names = [first.strategy, ...unsure.map((lead) => lead.over)];
    const arms = names.map((name) => data.arms.find((arm) => arm.strategy === name));
    if (arms.some((arm) => arm.accuracy === 0 || arm.low || arm.values.cost === null)) return [];
    const key = (arm) => [arm.values.cost, arms.indexOf(arm)];
    return [...arms].sort((one, other) => compareKeys(key(one), key(other))).map((arm) => arm.strategy);
  };

  const decide = (given, weights, volume) => {
    const answers = volume * given.months;
    const arms = given.arms.map((arm) => ({ ...arm, values: { ...arm.values, cost: costAt(arm, answers) } }));
    arms.sort((one, other) => (one.strategy < other.strategy ? -1 : 1));
    const place = new Map(arms.map((arm, at) => [given.arms.findIndex((one) => one.strategy === arm.strategy), at]));
    const compared = given.compared.map((one) => ({ ...one, left: place.get(one.left), right: place.get(one.right) }));
    const data = { ...given, arms, compared };
    const broken = breakLimits(data, arms);
    const missed = (row) => broken[arms.indexOf(row.arm)];
    const show = (row) => ({ strategy: row.strategy, points: row.points, total: row.total, out: missed(row).length > 0,
      cost: row.arm.values.cost, whole: totalAt(row.arm.total, volume) });
    const eligible = arms.filter((arm, at) => !broken[at].length);
    if (!eligible.length) {
      const rows = nearestFirst(arms.map((arm) => earnPoints(arm, weights, data.curves, arms)), missed);
      return { outlook: "none meets your limits", first: rows[0].strategy, recommended: null, contenders: [], leads: [], rows: rows.map(show) };
    }
    const ranking = rank(eligible, weights, data.curves);
    if (!ranking) return { problem: "nothing to rank by" };
    const [first, ...others] = ranking.rows;
    const out = arms.filter((arm, at) => broken[at].length);
    const behind = nearestFirst(out.map((arm) => earnPoints(arm, ranking.weights, data.curves, eligible)), missed);
    const rows = [...ranking.rows, ...behind].map(show);
    const bent = QUALITY.some((name) => ranking.share(name) > 0 && data.curves[name].slope === null);
    if (bent) return { outlook: "not computed", first: first.strategy, recommended: null, contenders: [first.strategy], leads: [], rows };
    const leads = others.map((other) => leadOver(data, first, other, ranking))
      .map((lead) => ({ ...lead, certain: lead.low > SAME && lead.p <= LEVEL }));
    const unsure = leads.filter((lead) => !lead.certain);
    const base = { first: first.strategy, leads, rows };
    if (eligible.every((arm) => arm.low) || first.arm.accuracy === 0) {
      return { ...base, outlook: "none is good enough", recommended: null, contenders: [first.strategy] };
    }
    const equals = findEquals(unsure, first, data);
    if (equals.length) {
      return { ...base, first: equals[0], outlook: "the cheapest of the equals", recommended: equals[0], contenders: equals };
    }
    const contenders = [first.strategy, ...unsure.map((lead) => lead.over)];
    const recommended = unsure.length ? null : first.strategy;
    return { ...base, outlook: recommended ? "recommended" : "not decisive", recommended, contenders };
  };

  return { decide, scoreInterval, signFlip, tailBelow };
})();
